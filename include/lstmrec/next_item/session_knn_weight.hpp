#pragma once

#include <lstmrec/core/function_ref.hpp>

namespace lstmrec {

/// The share of session kNN beside a network (and its Markov chain) with the best NDCG@10. Neighbours cost time and
/// memory at every list, so the share is 0 unless the best raises the figure by at least 1%. `ndcg_of(share)`: the
/// figure over some targets.
inline double choose_session_knn_weight(FunctionRef<double(double)> ndcg_of) {
  const double without = ndcg_of(0);
  double best = 1.01 * without, weight = 0;
  for (const double share : {0.1, 0.2, 0.35, 0.5, 0.65})
    if (const double ndcg = ndcg_of(share); ndcg > best) {
      best = ndcg;
      weight = share;
    }
  return weight;
}

}  // namespace lstmrec

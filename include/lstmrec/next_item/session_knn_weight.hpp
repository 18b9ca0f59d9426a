#pragma once

#include <lstmrec/core/function_ref.hpp>
#include <lstmrec/next_item/sure_gain.hpp>
#include <numeric>
#include <utility>
#include <vector>

namespace lstmrec {

/// The share of session kNN beside a network (and its Markov chain) with the best NDCG@10. Neighbours cost time and
/// memory at every list, so the share is 0 unless the best raises the figure by at least 1%, and by more than chance
/// would (is_sure_gain). `ndcg_of(share)`: the figure of each of some targets.
inline double choose_session_knn_weight(FunctionRef<std::vector<double>(double)> ndcg_of) {
  const auto sum = [](const std::vector<double>& ndcg) { return std::accumulate(ndcg.begin(), ndcg.end(), 0.0); };
  const std::vector<double> without = ndcg_of(0);
  std::vector<double> best;
  double weight = 0;
  for (const double share : {0.1, 0.2, 0.35, 0.5, 0.65})
    if (std::vector<double> ndcg = ndcg_of(share); sum(ndcg) > (weight == 0 ? 1.01 * sum(without) : sum(best))) {
      best = std::move(ndcg);
      weight = share;
    }
  return weight > 0 && detail::is_sure_gain(best, without) ? weight : 0;
}

}  // namespace lstmrec

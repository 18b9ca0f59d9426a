#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/eval/bootstrap.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/eval/metrics.hpp>
#include <stdexcept>

namespace lstmrec {

struct CompareOptions {
  std::size_t cutoff = 10;
  std::size_t bootstrap_samples = 1000;
  std::uint64_t seed = 1;
  std::size_t threads = 0;  ///< 0: as many as there are processors.
};

/// How much better one model is than another on the same targets.
struct Comparison {
  Estimate ndcg;  ///< NDCG of the first − NDCG of the second.
  double p = 1;   ///< UserSums::sign_p_value: how easily users drawn anew would turn the difference round.
};

/// The difference of NDCG between two models, by a paired bootstrap over users: both are summed over the same draws,
/// so that what makes a user easy or hard for both doesn't count.
/// Throws std::invalid_argument if the targets differ, DataError if there are none, and ConfigError if there is no
/// cutoff or no sample to draw.
inline Comparison compare(const Evaluation& first, const Evaluation& second, const CompareOptions& options = {}) {
  if (!std::equal(first.targets.begin(), first.targets.end(), second.targets.begin(), second.targets.end(),
                  [](const Target& a, const Target& b) { return a.user == b.user && a.position == b.position; }) ||
      first.unknown != second.unknown)
    throw std::invalid_argument("only evaluations of the same targets can be compared");
  if (first.targets.empty()) throw DataError("there are no targets to compare");
  if (options.bootstrap_samples < 1) throw ConfigError("bootstrap_samples must be at least 1");
  if (options.cutoff < 1) throw ConfigError("cutoff must be at least 1");

  UserSums sums(1);
  for (const std::size_t k : detail::order_by_user(first.targets, first.unknown)) {
    if (k < first.targets.size())
      sums.add(first.targets[k].user, std::array{metrics::ndcg(first.ranks[k], options.cutoff) -
                                                 metrics::ndcg(second.ranks[k], options.cutoff)});
    else
      sums.add(first.unknown[k - first.targets.size()], std::array{0.0});
  }

  ThreadPool pool(options.threads);
  return {sums.estimates(options.bootstrap_samples, options.seed, pool)[0],
          sums.sign_p_value(0, options.bootstrap_samples, options.seed, pool)};
}

}  // namespace lstmrec

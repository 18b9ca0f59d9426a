#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace lstmrec::metrics {

// The figures of one target, from its rank among all items; the best rank is 1. Reported is their mean over targets.

/// The rank of a target that no list can hold, as it is left out of all: a miss, whatever the cutoff.
inline constexpr std::uint32_t not_ranked = std::numeric_limits<std::uint32_t>::max();

/// 1 if the target is among the first k, else 0. With one target this is recall@k too.
inline double hit(std::uint32_t rank, std::size_t k) { return rank <= k && rank != not_ranked ? 1.0 : 0.0; }

/// 1 / log₂(rank + 1) if the target is among the first k, else 0. With one target the ideal gain is 1, so that this is
/// the normalised figure. Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002.
inline double ndcg(std::uint32_t rank, std::size_t k) {
  return hit(rank, k) / std::log2(static_cast<double>(rank) + 1.0);
}

/// 1 / rank, 0 if the target has none.
inline double reciprocal_rank(std::uint32_t rank) { return rank == not_ranked ? 0.0 : 1.0 / static_cast<double>(rank); }

/// 1 / rank if the target is among the first k, else 0: the MRR@k of session-based recommendation.
inline double cut_reciprocal_rank(std::uint32_t rank, std::size_t k) { return hit(rank, k) * reciprocal_rank(rank); }

}  // namespace lstmrec::metrics

#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace lstmrec {

// The figures of one target, from its rank among all items; the best rank is 1. Reported is their mean over targets.

/// 1 if the target is among the first k, else 0. With one target this is recall@k too.
inline double hit(std::uint32_t rank, std::size_t k) { return rank <= k ? 1.0 : 0.0; }

/// 1 / log₂(rank + 1) if the target is among the first k, else 0. With one target the ideal gain is 1, so that this is
/// the normalised figure. Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002.
inline double ndcg(std::uint32_t rank, std::size_t k) {
  return rank <= k ? 1.0 / std::log2(static_cast<double>(rank) + 1.0) : 0.0;
}

/// 1 / rank.
inline double reciprocal_rank(std::uint32_t rank) { return 1.0 / static_cast<double>(rank); }

}  // namespace lstmrec

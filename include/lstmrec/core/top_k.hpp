#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <lstmrec/core/error.hpp>

namespace lstmrec {

/// An item (dense index) and its score.
struct ScoredItem {
  std::uint32_t item = 0;
  float score = 0;
  friend bool operator==(const ScoredItem&, const ScoredItem&) = default;
};

/// The order of every list of the library: the higher score first, of equal scores the lower index first.
inline bool ranks_before(const ScoredItem& a, const ScoredItem& b) {
  return a.score > b.score || (a.score == b.score && a.item < b.item);
}

namespace detail {

inline constexpr std::size_t top_k_block = 32;

/// Whether any of a block of scores is above a bound, or not a number.
inline bool any_above(const float* scores, float bound) {
  int above = 0;
  for (std::size_t i = 0; i < top_k_block; ++i) above |= static_cast<int>(!(scores[i] <= bound));
  return above != 0;
}

}  // namespace detail

/// The best.size() items of the highest scores that are not excluded, best first, written to the front of `best`.
///
///     std::array<ScoredItem, 10> best;
///     for (const auto& [item, score] : top_k(scores, best, [&](std::uint32_t item) { return seen[item]; })) …
///
/// `scores`: one an item, by index. `excluded(item)`: whether to pass an item over; it is asked only of items that
/// would enter the list. Returns the part of `best` that was filled, shorter where fewer items are left.
/// Throws Error on a NaN among the scores. Allocates nothing. Cost: one comparison an item, and log k for each of
/// those (about k log(items / k) of them when the scores are in no order) that enter the list for a while.
template <class Excluded>
std::span<ScoredItem> top_k(std::span<const float> scores, std::span<ScoredItem> best, Excluded&& excluded) {
  constexpr std::size_t block = detail::top_k_block;
  std::size_t filled = 0;
  float to_beat = 0;  // the lowest score of a full list: an equal one of a higher index doesn't enter
  for (std::size_t i = 0; i < scores.size(); ++i) {
    // Once the list is full, hardly any item enters it: those that don't are passed over many at a time.
    while (filled == best.size() && i + block <= scores.size() && !detail::any_above(scores.data() + i, to_beat)) i += block;
    if (i == scores.size()) break;
    if (filled == best.size() && scores[i] <= to_beat) continue;
    if (std::isnan(scores[i])) throw Error("the score of item " + std::to_string(i) + " (dense index) is not a number");
    const auto item = static_cast<std::uint32_t>(i);
    if (best.empty() || excluded(item)) continue;
    // A heap in the list's order has the worst of the list in front.
    if (filled == best.size()) {
      std::pop_heap(best.begin(), best.end(), ranks_before);
    } else {
      ++filled;
    }
    const auto list = best.first(filled);
    list.back() = {item, scores[i]};
    std::push_heap(list.begin(), list.end(), ranks_before);
    to_beat = list.front().score;
  }
  const auto list = best.first(filled);
  std::sort_heap(list.begin(), list.end(), ranks_before);
  return list;
}

/// The same without exclusions.
inline std::span<ScoredItem> top_k(std::span<const float> scores, std::span<ScoredItem> best) {
  return top_k(scores, best, [](std::uint32_t) { return false; });
}

}  // namespace lstmrec

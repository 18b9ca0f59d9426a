#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <span>

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

/// Looks for items among distinct ones in ascending order, which it borrows. The items asked for ascend too, as those
/// do that a list is asked to exclude, so that all questions together cost one pass.
class AscendingItems {
 public:
  AscendingItems() = default;
  explicit AscendingItems(std::span<const std::uint32_t> items) : items_(items) {}

  /// `item`: not below that of the call before.
  bool contains(std::uint32_t item) {
    while (next_ < items_.size() && items_[next_] < item) ++next_;
    return next_ < items_.size() && items_[next_] == item;
  }

 private:
  std::span<const std::uint32_t> items_;
  std::size_t next_ = 0;
};

/// The best of the items whose scores come a part at a time, in ascending order of the items. Borrows the list, whose
/// length is how many are wanted. See `top_k`.
class TopK {
 public:
  explicit TopK(std::span<ScoredItem> best) : best_(best) {}

  /// The scores of items `first`, `first` + 1, … Throws Error on a NaN among those that are looked at.
  template <class Excluded>
  void add(std::uint32_t first, std::span<const float> scores, Excluded&& excluded) {
    for (std::size_t begin = 0; begin < scores.size(); begin += detail::top_k_block) {
      const std::size_t end = std::min(begin + detail::top_k_block, scores.size());
      // Once the list is full, hardly any item enters it: those that don't are passed over many at a time.
      if (full() && end - begin == detail::top_k_block && !detail::any_above(scores.data() + begin, to_beat_)) continue;
      for (std::size_t i = begin; i < end; ++i)
        if (!(full() && scores[i] <= to_beat_)) add(first + static_cast<std::uint32_t>(i), scores[i], excluded);
    }
  }

  /// Best first; the part of the list that was filled. To be called once, at the end.
  std::span<ScoredItem> sorted() {
    const auto list = best_.first(filled_);
    std::sort_heap(list.begin(), list.end(), order);
    return list;
  }

 private:
  template <class Excluded>
  void add(std::uint32_t item, float score, Excluded& excluded) {
    if (std::isnan(score)) detail::fail<Error>({"the score of item ", item, " (dense index) is not a number"});
    if (best_.empty() || excluded(item)) return;
    // A heap in the list's order has the worst of the list in front.
    if (full()) {
      replace_worst({item, score});
    } else {
      best_[filled_++] = {item, score};
      std::push_heap(best_.begin(), best_.begin() + static_cast<std::ptrdiff_t>(filled_), order);
    }
    to_beat_ = best_.front().score;
  }

  /// pop_heap and push_heap in one.
  void replace_worst(const ScoredItem& entry) {
    std::size_t place = 0;
    for (std::size_t child; (child = 2 * place + 1) < best_.size(); place = child) {
      if (child + 1 < best_.size() && order(best_[child], best_[child + 1])) ++child;
      if (!order(entry, best_[child])) break;
      best_[place] = best_[child];
    }
    best_[place] = entry;
  }

  /// A type of its own, which the compiler inlines.
  static constexpr auto order = [](const ScoredItem& a, const ScoredItem& b) { return ranks_before(a, b); };

  bool full() const { return filled_ == best_.size(); }

  std::span<ScoredItem> best_;
  std::size_t filled_ = 0;
  float to_beat_ = 0;  ///< The lowest score of a full list: an equal one of a higher index doesn't enter.
};

/// The best.size() items of the highest scores that are not excluded, best first, written to the front of `best`.
///
///     std::array<ScoredItem, 10> best;
///     for (const auto& [item, score] : top_k(scores, best, [&](std::uint32_t item) { return seen[item]; })) …
///
/// `scores`: one an item, by index. `excluded(item)`: whether to pass an item over; it is asked only of items that
/// would enter the list, in ascending order. Returns the part of `best` that was filled, shorter where fewer items are
/// left. Throws Error on a NaN among the scores. Allocates nothing. Cost: one comparison an item, and log k for each of
/// those (about k log(items / k) of them when the scores are in no order) that enter the list for a while.
template <class Excluded>
std::span<ScoredItem> top_k(std::span<const float> scores, std::span<ScoredItem> best, Excluded&& excluded) {
  TopK list(best);
  list.add(0, scores, excluded);
  return list.sorted();
}

/// top_k without exclusions.
inline std::span<ScoredItem> top_k(std::span<const float> scores, std::span<ScoredItem> best) {
  return top_k(scores, best, [](std::uint32_t) { return false; });
}

}  // namespace lstmrec

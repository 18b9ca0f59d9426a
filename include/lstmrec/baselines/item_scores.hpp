#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/matrix.hpp>
#include <span>
#include <vector>

// Scores of a few items, as a column of a matrix of numbers: a TiledScorer's outputs of a history.

namespace lstmrec {

/// An item and its score; all other items of the catalogue have none.
struct ItemScore {
  std::uint32_t item;
  double score;
};

namespace detail {

inline constexpr std::uint32_t no_item = 0xFFFFFFFF;

inline bool is_earlier_item(const ItemScore& a, const ItemScore& b) { return a.item < b.item; }

/// Keeps so many of the highest scores, of equal ones those of the lower items, in the order of the items.
inline void keep_highest(std::size_t most, std::vector<ItemScore>& scores) {
  if (scores.size() <= most) return;
  std::nth_element(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(most), scores.end(),
                   [](const ItemScore& a, const ItemScore& b) {
                     return a.score > b.score || (a.score == b.score && a.item < b.item);
                   });
  scores.resize(most);
  std::sort(scores.begin(), scores.end(), is_earlier_item);
}

/// Writes scores to a column of numbers: an item's bits and its score below each other, the rest filled with no item.
inline void write_scores(std::span<const ItemScore> scores, MatrixRef<float> column) {
  for (Index k = 0; 2 * k + 1 < column.rows(); ++k) {
    const bool is_one = static_cast<std::size_t>(k) < scores.size();
    const auto& [item, score] = is_one ? scores[static_cast<std::size_t>(k)] : ItemScore{no_item, 0};
    column(2 * k, 0) = std::bit_cast<float>(item);
    column(2 * k + 1, 0) = static_cast<float>(score);
  }
}

/// Calls visit(item − first, score) for those that write_scores has written of `count` items from `first` on.
template <class Column, class Visit>
void for_each_score(const Column& column, Index first, Index count, Visit&& visit) {
  const auto item_at = [&](Index k) { return std::bit_cast<std::uint32_t>(column(2 * k)); };
  const auto end = static_cast<std::uint32_t>(first + count);
  Index low = 0, high = column.rows() / 2;
  while (low < high) {  // the first item that is not below `first`
    const Index middle = (low + high) / 2;
    if (item_at(middle) < static_cast<std::uint32_t>(first))
      low = middle + 1;
    else
      high = middle;
  }
  for (; low < column.rows() / 2 && item_at(low) < end; ++low)
    visit(static_cast<Index>(item_at(low)) - first, column(2 * low + 1));
}

}  // namespace detail

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <span>
#include <stdexcept>
#include <vector>

namespace lstmrec {

/// A matrix of items × items whose rows are mostly zero, in compressed rows: of each row the columns that are not
/// zero, in ascending order, and their values.
///
///     for (std::size_t k = 0; k < row.size(); ++k) use(row.items[k], row.values[k]);
///
/// Memory: 8 bytes an entry and 8 a row.
struct SparseRows {
  /// One row, borrowed.
  struct Row {
    std::span<const std::uint32_t> items;
    std::span<const float> values;
    std::size_t size() const { return items.size(); }
  };

  std::vector<std::size_t> offsets = {0};  ///< rows + 1 entries: row r is [offsets[r], offsets[r + 1]).
  std::vector<std::uint32_t> items;
  std::vector<float> values;

  std::size_t rows() const { return offsets.size() - 1; }

  Row operator[](std::size_t row) const {
    assert(row < rows());
    const std::size_t begin = offsets[row], size = offsets[row + 1] - begin;
    return {{items.data() + begin, size}, {values.data() + begin, size}};
  }

  /// Appends an entry to the row that the next end_row() ends; columns ascend.
  void push(std::uint32_t column, float value) {
    items.push_back(column);
    values.push_back(value);
  }
  void end_row() { offsets.push_back(items.size()); }

  /// Throws std::invalid_argument, whose message begins with the name of a member, unless this is a matrix of `count`
  /// rows and columns, of finite numbers, none below 0, whose columns rise within a row.
  void check(std::size_t count) const {
    using detail::fail, std::invalid_argument;
    if (rows() != count) fail<invalid_argument>({"offsets: expected ", count, " rows, found ", rows()});
    if (offsets.front() != 0 || offsets.back() != items.size() || !std::is_sorted(offsets.begin(), offsets.end()))
      fail<invalid_argument>({"offsets: expected to rise from 0 to ", items.size()});
    if (values.size() != items.size())
      fail<invalid_argument>({"values: expected ", items.size(), ", found ", values.size()});
    if (!std::all_of(values.begin(), values.end(), [](float value) { return value >= 0 && std::isfinite(value); }))
      throw invalid_argument("values: expected finite numbers, none below 0");
    for (const std::uint32_t item : items)
      if (item >= count) fail<invalid_argument>({"items: expected numbers below ", count, ", found ", item});
    for (std::size_t row = 0; row < count; ++row)
      for (std::size_t k = offsets[row] + 1; k < offsets[row + 1]; ++k)
        if (items[k] <= items[k - 1])
          fail<invalid_argument>({"items: expected to rise within a row, found ", items[k], " after ", items[k - 1]});
  }

  /// scores[column − first] += weight × row, for the columns first … first + scores.size() − 1.
  void add_row(std::size_t row, float weight, std::span<float> scores, std::uint32_t first = 0) const {
    const Row entries = (*this)[row];
    const auto begin =
        first == 0 ? entries.items.begin() : std::lower_bound(entries.items.begin(), entries.items.end(), first);
    for (auto k = static_cast<std::size_t>(begin - entries.items.begin()); k < entries.size(); ++k) {
      const std::size_t place = entries.items[k] - first;
      if (place >= scores.size()) break;
      scores[place] += weight * entries.values[k];
    }
  }
};

}  // namespace lstmrec

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lstmrec {

/// Adds up the entries of a sparse row, then of the next: only the columns that are met cost anything. Holds a Sum and
/// a byte a column.
template <class Sum>
class RowAccumulator {
 public:
  explicit RowAccumulator(std::size_t columns) : sums_(columns), is_met_(columns, 0) {}

  Sum& operator[](std::uint32_t column) {
    if (is_met_[column] == 0) {
      is_met_[column] = 1;
      met_.push_back(column);
    }
    return sums_[column];
  }

  /// Calls visit(column, sum) for the columns that were met, in the order in which they were, and forgets them.
  template <class Visit>
  void take(Visit&& visit) {
    for (const std::uint32_t column : met_) {
      visit(column, static_cast<const Sum&>(sums_[column]));
      sums_[column] = {};
      is_met_[column] = 0;
    }
    met_.clear();
  }

 private:
  std::vector<Sum> sums_;
  std::vector<std::uint8_t> is_met_;
  std::vector<std::uint32_t> met_;
};

}  // namespace lstmrec

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lstmrec {

/// Adds up the entries of a sparse row, then of the next: only the columns that are met cost anything. Holds a Sum and
/// a flag a column.
template <class Sum>
class RowAccumulator {
 public:
  explicit RowAccumulator(std::size_t columns) : entries_(columns) {}

  Sum& operator[](std::uint32_t column) {
    Entry& entry = entries_[column];
    if (!entry.is_met) {
      entry.is_met = true;
      met_.push_back(column);
    }
    return entry.sum;
  }

  /// Calls visit(column, sum) for the columns that were met, in the order in which they were.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const std::uint32_t column : met_) visit(column, entries_[column].sum);
  }

  /// Calls visit(column, sum) for the columns that were met, in the order in which they were, and forgets them.
  template <class Visit>
  void take(Visit&& visit) {
    for (const std::uint32_t column : met_) {
      visit(column, static_cast<const Sum&>(entries_[column].sum));
      entries_[column] = {};
    }
    met_.clear();
  }

 private:
  /// Side by side, since columns are met in no order and each is a miss of the cache.
  struct Entry {
    Sum sum = {};
    bool is_met = false;
  };

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> met_;
};

}  // namespace lstmrec

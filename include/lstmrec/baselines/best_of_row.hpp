#pragma once

#include <algorithm>
#include <cstddef>
#include <lstmrec/baselines/sparse_rows.hpp>
#include <lstmrec/core/top_k.hpp>
#include <vector>

namespace lstmrec {

/// Appends the n highest of some entries as a row, of equal ones those of the lower column; empties `row`.
inline void push_best(SparseRows& rows, std::vector<ScoredItem>& row, std::size_t n) {
  if (row.size() > n) {
    std::nth_element(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(n), row.end(), ranks_before);
    row.resize(n);
  }
  std::sort(row.begin(), row.end(), [](const ScoredItem& a, const ScoredItem& b) { return a.item < b.item; });
  for (const auto& [column, value] : row) rows.push(column, value);
  rows.end_row();
  row.clear();
}

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/baselines/sparse_rows.hpp>
#include <lstmrec/core/error.hpp>
#include <lstmrec/io/safetensors.hpp>
#include <span>
#include <string>
#include <vector>

namespace lstmrec {

/// Adds a sparse matrix to a file as `<name>.offsets`, `.items` and `.values`.
inline void put_rows(TensorFile& file, const std::string& name, const SparseRows& rows) {
  const std::vector<std::int64_t> offsets(rows.offsets.begin(), rows.offsets.end());
  file.put(name + ".offsets", {offsets.size()}, std::span(offsets));
  file.put(name + ".items", {rows.items.size()}, std::span(rows.items));
  file.put(name + ".values", {rows.values.size()}, std::span(rows.values));
}

/// Reads it back. Throws ModelFileError unless it is a matrix of finite numbers, none below 0, between so many items.
inline SparseRows get_rows(const TensorFile& file, const std::string& name, std::size_t items) {
  file.expect_shape(name + ".offsets", {items + 1});
  const auto offsets = file.get<std::int64_t>(name + ".offsets");
  SparseRows rows;
  rows.offsets.assign(offsets.begin(), offsets.end());
  rows.items = file.get<std::uint32_t>(name + ".items");
  rows.values = file.get<float>(name + ".values");
  if (offsets.front() != 0 || !std::is_sorted(offsets.begin(), offsets.end()) ||
      static_cast<std::uint64_t>(offsets.back()) != rows.items.size() || rows.values.size() != rows.items.size())
    detail::fail<ModelFileError>({file.path, ": ", name, ".offsets: expected to rise from 0 to the number of ", name,
                                  ".items and of ", name, ".values, found ", offsets.back(), ", ", rows.items.size(),
                                  " and ", rows.values.size()});
  if (!std::all_of(rows.values.begin(), rows.values.end(),
                   [](float value) { return value >= 0 && std::isfinite(value); }))
    detail::fail<ModelFileError>({file.path, ": ", name, ".values: expected finite numbers, none below 0"});
  for (const std::uint32_t item : rows.items)
    if (item >= items)
      detail::fail<ModelFileError>({file.path, ": ", name, ".items: expected numbers below ", items, ", found ", item});
  for (std::size_t row = 0; row < items; ++row)
    for (std::size_t k = 1; k < rows[row].size(); ++k)
      if (rows[row].items[k] <= rows[row].items[k - 1])
        detail::fail<ModelFileError>({file.path, ": ", name, ".items: expected to rise within a row, found ",
                                      rows[row].items[k], " after ", rows[row].items[k - 1]});
  return rows;
}

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/baselines/sparse_rows.hpp>
#include <lstmrec/core/error.hpp>
#include <lstmrec/io/tensor_reader.hpp>
#include <lstmrec/io/tensor_writer.hpp>
#include <span>
#include <string>
#include <vector>

namespace lstmrec {

/// Adds a sparse matrix to a file as `<name>.offsets`, `.items` and `.values`.
inline void put_rows(TensorWriter& file, const std::string& name, const SparseRows& rows) {
  file.put_owned(name + ".offsets", std::vector<std::int64_t>(rows.offsets.begin(), rows.offsets.end()));
  file.put(name + ".items", {rows.items.size()}, std::span(rows.items));
  file.put(name + ".values", {rows.values.size()}, std::span(rows.values));
}

/// Reads it back. Throws ModelFileError unless it is a matrix of finite numbers, none below 0, between so many items.
inline SparseRows get_rows(TensorReader& file, const std::string& name, std::size_t items) {
  SparseRows rows;
  rows.items = file.get<std::uint32_t>(name + ".items");
  file.expect_shape(name + ".offsets", {items + 1});
  rows.offsets = file.get_offsets(name + ".offsets", rows.items.size());
  file.expect_shape(name + ".values", {rows.items.size()});
  rows.values = file.get<float>(name + ".values");
  if (!std::all_of(rows.values.begin(), rows.values.end(),
                   [](float value) { return value >= 0 && std::isfinite(value); }))
    detail::fail<ModelFileError>({file.path(), ": ", name, ".values: expected finite numbers, none below 0"});
  for (const std::uint32_t item : rows.items)
    if (item >= items)
      detail::fail<ModelFileError>(
          {file.path(), ": ", name, ".items: expected numbers below ", items, ", found ", item});
  for (std::size_t row = 0; row < items; ++row)
    for (std::size_t k = 1; k < rows[row].size(); ++k)
      if (rows[row].items[k] <= rows[row].items[k - 1])
        detail::fail<ModelFileError>({file.path(), ": ", name, ".items: expected to rise within a row, found ",
                                      rows[row].items[k], " after ", rows[row].items[k - 1]});
  return rows;
}

}  // namespace lstmrec

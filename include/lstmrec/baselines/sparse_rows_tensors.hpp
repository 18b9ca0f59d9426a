#pragma once

#include <cstddef>
#include <cstdint>
#include <lstmrec/baselines/sparse_rows.hpp>
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

/// Reads it back. Throws ModelFileError where SparseRows::check finds something wrong.
inline SparseRows get_rows(TensorReader& file, const std::string& name, std::size_t items) {
  SparseRows rows;
  rows.items = file.get<std::uint32_t>(name + ".items");
  file.expect_shape(name + ".offsets", {items + 1});
  rows.offsets = file.get_offsets(name + ".offsets", rows.items.size());
  file.expect_shape(name + ".values", {rows.items.size()});
  rows.values = file.get<float>(name + ".values");
  check_read(file, name + ".", [&] { rows.check(items); });
  return rows;
}

}  // namespace lstmrec

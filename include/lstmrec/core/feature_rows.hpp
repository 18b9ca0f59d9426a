#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lstmrec {

/// A matrix of things × features whose rows are mostly zero: a row says which features a thing has, and how much of
/// each. Memory: 8 bytes an entry and 8 a row.
struct FeatureRows {
  /// One row, borrowed.
  struct Row {
    std::span<const std::uint32_t> features;
    std::span<const float> values;
    std::size_t size() const { return features.size(); }
  };

  std::vector<std::size_t> offsets = {0};  ///< Row r is [offsets[r], offsets[r + 1]).
  std::vector<std::uint32_t> features;
  std::vector<float> values;

  std::size_t rows() const { return offsets.size() - 1; }
  bool empty() const { return features.empty(); }

  Row operator[](std::size_t row) const {
    assert(row < rows());
    const std::size_t begin = offsets[row], size = offsets[row + 1] - begin;
    return {{features.data() + begin, size}, {values.data() + begin, size}};
  }

  /// Appends an entry to the row that the next end_row() ends.
  void push(std::uint32_t feature, float value) {
    features.push_back(feature);
    values.push_back(value);
  }
  void end_row() { offsets.push_back(features.size()); }
};

}  // namespace lstmrec

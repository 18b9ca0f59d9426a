#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/io/tensor_reader.hpp>
#include <lstmrec/io/tensor_writer.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// A model file keeps what its network says of a few short histories, so that a build whose arithmetic is wrong is found
// out when it loads the file (an idea of frugally-deep's).

namespace lstmrec {

namespace detail {

inline constexpr std::size_t replayed_items = 8;              ///< Whose scores are kept of each history.
inline constexpr std::size_t replayed_lengths[] = {1, 3, 8};  ///< Of the histories that are replayed.

/// Items spread over the catalogue, the k-th of `count`.
inline std::uint32_t spread_item(std::size_t k, std::size_t count, std::uint64_t items) {
  return static_cast<std::uint32_t>((items * k + items / 2) / count);
}

/// Of the history with so many events, the item of an event.
inline std::uint32_t replayed_event(std::size_t length, std::size_t event, std::uint64_t items) {
  return spread_item((3 * event + length) % 16, 16, items);
}

}  // namespace detail

/// Adds to a file what a model says now. Throws std::invalid_argument where it is not finite.
inline void put_replay(TensorWriter& file, const std::string& name, std::vector<float> scores) {
  if (!std::all_of(scores.begin(), scores.end(), [](float score) { return std::isfinite(score); }))
    throw std::invalid_argument("a model whose scores are not finite can't be saved");
  file.put_owned(name, std::move(scores));
}

/// Throws ModelFileError where what a file keeps is not what this build computes, to a thousandth of the largest
/// number. Processors and compilers differ by rounding, which is a hundred times less. Files of earlier versions keep
/// nothing.
inline void expect_replay(TensorReader& file, const std::string& name, const std::vector<float>& found) {
  if (!file.contains(name)) return;
  const auto expected = file.get<float>(name);
  if (expected.size() != found.size())
    detail::fail<ModelFileError>(
        {file.path(), ": ", name, ": expected ", found.size(), " numbers, found ", expected.size()});
  float largest = 0;
  if (!std::all_of(expected.begin(), expected.end(), [](float score) { return std::isfinite(score); }))
    detail::fail<ModelFileError>({file.path(), ": ", name, ": expected finite numbers"});
  for (const float score : expected) largest = std::max(largest, std::abs(score));
  for (std::size_t k = 0; k < found.size(); ++k)
    if (!(std::abs(found[k] - expected[k]) <= 1e-3f * largest + 1e-6f))
      detail::fail<ModelFileError>({file.path(), ": ", name, ": expected the score ", static_cast<double>(expected[k]),
                                    ", which the network had when it was saved; this build computes ",
                                    static_cast<double>(found[k])});
}

}  // namespace lstmrec

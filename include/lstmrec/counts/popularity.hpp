#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/split.hpp>
#include <span>
#include <vector>

namespace lstmrec {

/// How many events each item has in the training part, by item index.
inline std::vector<std::uint32_t> training_counts(const Split& split) {
  std::vector<std::uint32_t> counts(split.sequences.items.size());
  for (std::size_t user = 0; user < split.sequences.size(); ++user)
    for (const Event& event : split.train(user)) ++counts[event.item];
  return counts;
}

/// The baseline that recommends to everybody what is frequent in the training part. A Scorer.
struct Popularity {
  std::vector<float> shares;  ///< By item: its events / all events of the training part.

  Popularity() = default;
  explicit Popularity(const Split& split) : Popularity(training_counts(split)) {}
  explicit Popularity(const std::vector<std::uint32_t>& counts) {
    double total = 0;
    for (const auto count : counts) total += count;
    for (const auto count : counts) shares.push_back(static_cast<float>(count / std::max(total, 1.0)));
  }

  Index items() const { return static_cast<Index>(shares.size()); }

  void score(std::span<const History> histories, MatrixRef<float> scores) const {
    for (Index column = 0; column < static_cast<Index>(histories.size()); ++column)
      std::copy(shares.begin(), shares.end(), scores.col(column).data());
  }
};

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/data/event.hpp>
#include <span>
#include <vector>

namespace lstmrec {

struct Split;

/// The baseline that recommends to everybody what is frequent in the training part. A TiledScorer.
struct Popularity {
  std::vector<float> shares;  ///< By item: its events / all events of the training part.

  Popularity() = default;
  /// A template, so that who only serves need not compile what a Split needs.
  template <std::same_as<Split> TrainingSplit>
  explicit Popularity(const TrainingSplit& split) : Popularity(training_counts(split)) {}
  explicit Popularity(const std::vector<std::uint32_t>& counts) {
    double total = 0;
    for (const auto count : counts) total += count;
    for (const auto count : counts) shares.push_back(static_cast<float>(count / std::max(total, 1.0)));
  }

  Index items() const { return static_cast<Index>(shares.size()); }

  Matrix<float> outputs(std::span<const History>) const { return {}; }
  void score_tile(std::span<const History> histories, const Matrix<float>&, Index first,
                  MatrixRef<float> scores) const {
    for (Index column = 0; column < static_cast<Index>(histories.size()); ++column)
      std::copy_n(shares.begin() + first, scores.rows(), scores.col(column).data());
  }
  void score(std::span<const History> histories, MatrixRef<float> scores) const {
    score_tile(histories, {}, 0, scores);
  }
};

}  // namespace lstmrec

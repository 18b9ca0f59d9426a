#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/data/event.hpp>
#include <span>
#include <vector>

namespace lstmrec {

struct Split;

/// How many events each item has in the last `days` of the training part. Without times, in all of it.
template <std::same_as<Split> TrainingSplit>
std::vector<std::uint32_t> recent_counts(const TrainingSplit& split, double days) {
  const auto& sequences = split.sequences;
  if (!sequences.has_times) return training_counts(split);
  std::int64_t end = std::numeric_limits<std::int64_t>::min();
  for (std::size_t user = 0; user < sequences.size(); ++user)
    if (split.train_length[user] > 0) end = std::max(end, split.train(user).times.back());
  const double ticks = days * 86400 * static_cast<double>(sequences.ticks_per_second);
  std::vector<std::uint32_t> counts(sequences.items.size());
  for (std::size_t user = 0; user < sequences.size(); ++user) {
    const History events = split.train(user);
    for (std::size_t k = 0; k < events.size(); ++k)
      counts[events.items[k]] += static_cast<double>(end) - static_cast<double>(events.times[k]) <= ticks;
  }
  return counts;
}

/// The baseline that recommends to everybody what is frequent in the training part. A TiledScorer.
struct Popularity {
  std::vector<float> shares;  ///< By item: its events / all events of the training part.
  float of_one_event = 0;     ///< 1 / all events.

  Popularity() = default;
  /// A template, so that who only serves need not compile what a Split needs.
  template <std::same_as<Split> TrainingSplit>
  explicit Popularity(const TrainingSplit& split) : Popularity(training_counts(split)) {}
  explicit Popularity(const std::vector<std::uint32_t>& counts) {
    double total = 0;
    for (const auto count : counts) total += count;
    for (const auto count : counts) shares.push_back(static_cast<float>(count / std::max(total, 1.0)));
    of_one_event = static_cast<float>(1 / std::max(total, 1.0));
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

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/ratings/split.hpp>
#include <stdexcept>
#include <vector>

namespace lstmrec {

struct RatingBiasOptions {
  double user_regularisation = 15;  ///< With so many ratings a user keeps half of the raw bias.
  double item_regularisation = 10;
  std::size_t epochs = 10;  ///< 0: the biases stay zero, which leaves the global mean.
};

/// The rating baseline: the mean, plus how generous the user and how well liked the item is.
///
///     r̂(u, i) = μ + b_u + b_i, clipped to the range of the training ratings
///
/// The biases of all items, then those of all users, each the regularised mean of what the rest leaves over, in
/// turns (alternating least squares). Koren, "Factor in the neighbors", 2010, section 2.1; the defaults are those of
/// Surprise's BaselineOnly. Who has no rating in the training part has bias zero.
struct RatingBias {
  double mean = 0;
  std::vector<double> user_bias, item_bias;  ///< By dense index.
  double lowest = 0, highest = 0;            ///< Of the training ratings.

  RatingBias() = default;

  /// Throws DataError if the training part is empty and ConfigError if a regularisation is negative.
  explicit RatingBias(const RatingSplit& split, const RatingBiasOptions& options = {})
      : user_bias(split.sequences.size()), item_bias(split.sequences.items.size()) {
    if (!(options.user_regularisation >= 0 && options.item_regularisation >= 0))
      throw ConfigError("a regularisation must not be negative");
    check_split(split);
    const auto& events = split.sequences.events;
    std::vector<double> user_count(user_bias.size()), item_count(item_bias.size());
    double sum = 0, count = 0;
    const auto for_each_training_event = [&](auto visit) {
      for (std::size_t k = 0; k < events.size(); ++k)
        if (split.parts[k] == Part::train) visit(events[k], static_cast<double>(events[k].rating));
    };
    for_each_training_event([&](const Event& event, double rating) {
      lowest = count == 0 ? rating : std::min(lowest, rating);
      highest = count == 0 ? rating : std::max(highest, rating);
      sum += rating;
      ++count;
      ++user_count[event.user];
      ++item_count[event.item];
    });
    if (count == 0) throw DataError("a rating baseline needs at least one training rating");
    mean = sum / count;

    const auto shrink = [](std::vector<double>& sums, const std::vector<double>& counts, double regularisation) {
      for (std::size_t k = 0; k < sums.size(); ++k)
        if (counts[k] > 0) sums[k] /= regularisation + counts[k];
    };
    for (std::size_t epoch = 0; epoch < options.epochs; ++epoch) {
      std::fill(item_bias.begin(), item_bias.end(), 0.0);
      for_each_training_event(
          [&](const Event& event, double rating) { item_bias[event.item] += rating - mean - user_bias[event.user]; });
      shrink(item_bias, item_count, options.item_regularisation);
      std::fill(user_bias.begin(), user_bias.end(), 0.0);
      for_each_training_event(
          [&](const Event& event, double rating) { user_bias[event.user] += rating - mean - item_bias[event.item]; });
      shrink(user_bias, user_count, options.user_regularisation);
    }
  }

  float predict(std::uint32_t user, std::uint32_t item) const {
    return static_cast<float>(std::clamp(mean + user_bias[user] + item_bias[item], lowest, highest));
  }
};

/// The rating baseline for a user of whom some ratings are visible: b_u is computed from these and not looked up.
///
///     r̂(u, i) = μ + b_i + b_u,   b_u = Σ (r − μ − b_i) / (λ + n) over the n visible ratings, 0 if there are none
///
/// With all training ratings visible that is RatingBias. A looked-up b_u would have been computed from the very ratings
/// that a network learns to predict: it would learn to undo it, and fail on others.
struct FoldInBias {
  double mean = 0;
  double user_regularisation = 15;
  std::vector<double> item_bias;
  double lowest = 0, highest = 0;  ///< Of the training ratings.

  FoldInBias() = default;
  FoldInBias(const RatingBias& bias, double regularisation)
      : mean(bias.mean),
        user_regularisation(regularisation),
        item_bias(bias.item_bias),
        lowest(bias.lowest),
        highest(bias.highest) {}

  /// r − μ − b_i.
  double residual(const Event& event) const { return static_cast<double>(event.rating) - mean - item_bias[event.item]; }
  double user_bias(double residual_sum, std::size_t count) const {
    return count == 0 ? 0 : residual_sum / (user_regularisation + static_cast<double>(count));
  }
};

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/data/rating_cases.hpp>
#include <lstmrec/data/rating_split.hpp>
#include <lstmrec/eval/rating_metrics.hpp>
#include <lstmrec/model/textbook_rating_model.hpp>
#include <lstmrec/train/rating_training.hpp>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

namespace lstmrec {

/// Mean and deviation of each input over some events; a deviation of 0 counts as 1.
inline RatingInputScaling fit_rating_input_scaling(std::span<const Event> events) {
  RatingInputScaling scaling;
  const auto values = [](const Event& event) {
    return std::array{static_cast<double>(event.user), static_cast<double>(event.item),
                      static_cast<double>(event.time)};
  };
  const auto count = static_cast<double>(events.size());
  for (std::size_t input = 0; input < 3; ++input) {
    double sum = 0, squares = 0;
    for (const Event& event : events) sum += values(event)[input];
    scaling.mean[input] = sum / count;
    for (const Event& event : events) {
      const double off = values(event)[input] - scaling.mean[input];
      squares += off * off;
    }
    scaling.deviation[input] = squares > 0 ? std::sqrt(squares / count) : 1;
  }
  return scaling;
}

namespace detail {

/// A batch of ratings. There is one shard: a batch of 32 is too little work to share.
struct TextbookRatingShard {
  const TextbookRatingModel* model;
  std::span<const Event> events;
  std::vector<Event> chosen;
  Matrix<float> inputs, ratings;
  TextbookRatingNetwork<float>::Cache cache;

  Index fill(std::span<const std::uint32_t> units, std::size_t) {
    chosen.clear();
    for (const std::uint32_t unit : units) chosen.push_back(events[unit]);
    model->fill_inputs(chosen, inputs);
    ratings.resize(1, inputs.rows());
    for (Index j = 0; j < ratings.cols(); ++j) ratings(j) = chosen[static_cast<std::size_t>(j)].rating;
    return ratings.cols();
  }

  double run(const TextbookRatingNetwork<float>& network, Index count, TextbookRatingNetwork<float>& gradients) {
    return network.forward_backward(inputs, ratings, count, cache, gradients);
  }
};

}  // namespace detail

/// Trains a TextbookRatingModel as Keras' `fit` does: shuffled batches, mean squared error, Adam, a fixed number of
/// epochs, a validation figure after each, the last weights kept.
///
/// The same seed gives the same bits on one binary and processor; it is trained on one thread. Throws
/// std::invalid_argument on a bad configuration or where there are no training ratings, Error where the log has no
/// ratings, TrainingDiverged, and whatever the progress callback throws.
inline RatingFitResult<TextbookRatingModel> fit_textbook_ratings(const RatingSplit& split,
                                                                 const TextbookRatingConfig& config = {},
                                                                 const RatingFitOptions& options = {}) {
  config.check();
  const Sequences& sequences = split.sequences;
  if (!sequences.has_ratings) throw Error(sequences.source + ": there are no ratings to learn from");
  const std::vector<Event> training = events_of(split, Part::train);
  if (training.empty()) throw std::invalid_argument("a rating model needs at least one training rating");
  RatingFitResult<TextbookRatingModel> result;
  TextbookRatingModel& model = result.model;
  model.config = config;
  if (config.scale_inputs) model.scaling = fit_rating_input_scaling(training);
  const auto [lowest, highest] = std::minmax_element(
      training.begin(), training.end(), [](const Event& a, const Event& b) { return a.rating < b.rating; });
  model.lowest = static_cast<double>(lowest->rating);
  model.highest = static_cast<double>(highest->rating);
  model.users = sequences.users;
  model.items = sequences.items;
  model.catalogue = sequences.catalogue;
  model.network = TextbookRatingNetwork<float>(config.hidden_size);
  Random random(config.seed);
  model.network.initialise(random);

  std::vector<std::uint32_t> units(training.size());
  std::iota(units.begin(), units.end(), std::uint32_t{0});
  std::vector<detail::TextbookRatingShard> shards(1);
  shards[0].model = &model;
  shards[0].events = training;
  const auto validation = rating_cases(split, Part::validation);
  const auto validation_events = targets_of(validation);
  const detail::RatingTrainingRules rules{
      .epochs = static_cast<std::size_t>(config.epochs),
      .batch_size = static_cast<std::size_t>(config.batch_size),
      .patience = 0,
      .keeps_best = false,
      .clip_norm = std::numeric_limits<double>::infinity(),
      .average_decay = 0,
      .adam = {.epsilon = config.epsilon,
               .epsilon_place = config.paper_epsilon ? EpsilonPlace::corrected : EpsilonPlace::uncorrected},
      .seed = config.seed,
      .learning_rate = [&](std::int64_t, std::int64_t) { return config.learning_rate; }};
  RatingFitOptions alone = options;
  alone.threads = 1;
  detail::train_ratings(result, std::move(units), shards, rules, alone,
                        [&](const TextbookRatingModel& candidate) -> std::optional<double> {
                          if (validation.empty()) return std::nullopt;
                          return evaluate_ratings(candidate.predict(validation), validation_events,
                                                  {.threads = 1, .bootstrap_samples = 0})
                              .rmse.value;
                        });
  return result;
}

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/ratings/fit.hpp>
#include <lstmrec/ratings/metrics.hpp>
#include <lstmrec/ratings/queries.hpp>
#include <lstmrec/ratings/split.hpp>
#include <lstmrec/train/checkpoint.hpp>
#include <lstmrec/train/epoch_loop.hpp>
#include <lstmrec/train/network_training.hpp>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "textbook_ratings/model.hpp"

namespace textbook {

using namespace lstmrec;

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

/// The training of a textbook rating network, for train_epochs: batches of shuffled ratings on one thread.
class TextbookRatingTask {
 public:
  using Network = TextbookRatingNetwork<float>;

  /// Borrows model (but for its network, which it takes) and events.
  TextbookRatingTask(TextbookRatingModel& model, std::span<const Event> events, std::vector<RatingQuery> validation)
      : model_(&model),
        events_(events),
        validation_(std::move(validation)),
        validation_events_(asked_events(validation_)),
        order_(events.size()),
        gradients_{zeros_like(model.network)},
        training_(std::move(model.network),
                  {.epsilon = model.config.epsilon,
                   .epsilon_place = model.config.paper_epsilon ? EpsilonPlace::corrected : EpsilonPlace::uncorrected},
                  0, std::numeric_limits<double>::infinity()),
        one_(1) {
    std::iota(order_.begin(), order_.end(), std::uint32_t{0});
  }

  NetworkTraining<Network>& training() { return training_; }

  std::size_t begin_epoch(std::size_t epoch) {
    Random(mix_seed(model_->config.seed, epoch)).shuffle(order_);
    const auto size = static_cast<std::size_t>(model_->config.batch_size);
    return (order_.size() + size - 1) / size;
  }

  BatchRecord run_batch(std::size_t epoch, std::size_t number, double learning_rate) {
    const auto size = static_cast<std::size_t>(model_->config.batch_size);
    const std::size_t first = number * size, count = std::min(size, order_.size() - first);
    chosen_.clear();
    for (std::size_t k = 0; k < count; ++k) chosen_.push_back(events_[order_[first + k]]);
    model_->fill_inputs(chosen_, inputs_);
    ratings_.resize(1, inputs_.rows());
    for (Index j = 0; j < ratings_.cols(); ++j) ratings_(j) = chosen_[static_cast<std::size_t>(j)].rating;
    set_zero(gradients_[0]);
    const double loss = training_.network().forward_backward(inputs_, ratings_, ratings_.cols(), cache_, gradients_[0]);
    training_.step(gradients_, loss, learning_rate, epoch, number, one_);
    return {loss, count, count};
  }

  std::optional<ValidationFigures> validate(const Network& network) const {
    if (validation_.empty()) return std::nullopt;
    const auto predicted = model_->predict_with(network, validation_);
    return ValidationFigures{
        .rmse = evaluate_ratings(predicted, validation_events_, {.threads = 1, .bootstrap_samples = 0}).rmse.value};
  }

 private:
  const TextbookRatingModel* model_;
  std::span<const Event> events_;
  std::vector<RatingQuery> validation_;
  std::vector<Event> validation_events_;
  std::vector<std::uint32_t> order_;  ///< Of the ratings in this epoch.
  std::vector<Event> chosen_;
  Matrix<float> inputs_, ratings_;
  Network::Cache cache_;
  std::vector<Network> gradients_;
  NetworkTraining<Network> training_;
  ThreadPool one_;
};

/// Trains a TextbookRatingModel as Keras' `fit` does: shuffled batches, mean squared error, Adam, a fixed number of
/// epochs, a validation figure after each, the last weights kept.
///
/// The same seed gives the same bits on one binary and processor; it is trained on one thread. Throws
/// ConfigError on a bad configuration, DataError where there are no training ratings or the log has no ratings,
/// TrainingDiverged, and whatever the progress callback throws; after the first step as the cause of a
/// TrainingInterrupted<TextbookRatingModel>, which owns what had been learned by then.
inline RatingFitResult<TextbookRatingModel> fit_textbook_ratings(const RatingSplit& split,
                                                                 const TextbookRatingConfig& config = {},
                                                                 const FitOptions& options = {}) {
  config.check();
  if (options.memory > 0) throw ConfigError("memory is limited of a next-item training only, so it must be 0 here");
  const Sequences& sequences = split.sequences;
  if (!sequences.has_ratings) throw DataError(sequences.source + ": there are no ratings to learn from");
  const std::vector<Event> training = events_of(split, Part::train);
  if (training.empty()) throw DataError("a rating model needs at least one training rating");
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

  TextbookRatingTask task(model, training, rating_queries(split, Part::validation));
  task.training().reduce_gradients = options.reduce_gradients;
  const EpochRules rules{.epochs = static_cast<std::size_t>(config.epochs),
                         .keep = Keep::last,
                         .learning_rate = [&](std::int64_t) { return config.learning_rate; },
                         .identity = identity_of(config, fingerprint(split))};
  try {
    model.network = train_epochs<TextbookRatingNetwork<float>>(task, rules, options, result);
  } catch (TrainingInterrupted<TextbookRatingNetwork<float>>& interruption) {
    model.network = std::move(interruption.model());
    throw TrainingInterrupted<TextbookRatingModel>(std::move(model), result, interruption.cause());
  }
  return result;
}

}  // namespace textbook

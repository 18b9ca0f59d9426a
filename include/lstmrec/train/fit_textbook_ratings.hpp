#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lstmrec/core/error.hpp>
#include <lstmrec/eval/rating_metrics.hpp>
#include <lstmrec/model/textbook_rating_model.hpp>
#include <lstmrec/train/adam.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace lstmrec {

/// What an epoch of a rating model gave.
struct RatingEpoch {
  std::size_t epoch = 0, epochs = 0;       ///< From 1, and how many are planned.
  double loss = 0;                         ///< Mean squared error over the epoch.
  std::optional<double> validation_rmse;   ///< Unset where the split has no validation part.
};

/// How a training of a rating model runs, as far as it does not change what is learned.
struct RatingFitOptions {
  std::function<void(const RatingEpoch&)> progress = {};  ///< Called after every epoch.
  std::stop_token stop = {};                              ///< Training ends after the batch and keeps what it has.
};

struct TextbookRatingFit {
  TextbookRatingModel model;
  std::vector<RatingEpoch> epochs;
  bool stopped = false;
};

/// Trains the textbook model as Keras' `fit` does by default: squared error, Adam with ε = 1e-7 in Keras' place, a new
/// order of the training ratings each epoch, batches in that order; the last weights are kept.
///
/// One thread; the same seed gives the same bits. Throws std::invalid_argument on a bad configuration, Error where
/// there is nothing to train on, TrainingDiverged where the loss is not finite.
inline TextbookRatingFit fit_textbook_ratings(const RatingSplit& split, const TextbookRatingConfig& config = {},
                                              const RatingFitOptions& options = {}) {
  config.check();
  const Sequences& sequences = split.sequences;
  const std::vector<Event> train = events_of(split, Part::train), validation = events_of(split, Part::validation);
  if (train.empty()) throw Error(sequences.source + ": no ratings to train on");

  TextbookRatingFit result;
  TextbookRatingModel& model = result.model;
  model.config = config;
  model.user_ids = sequences.users;
  model.item_ids = sequences.items;
  model.catalogue = sequences.catalogue;
  model.newest_time = train.front().time;
  for (const Event& e : train) model.newest_time = std::max(model.newest_time, e.time);
  if (config.standardise) {
    const auto raw = [](const Event& e) { return Eigen::Vector3d(e.user, e.item, static_cast<double>(e.time)); };
    const auto count = static_cast<double>(train.size());
    Eigen::Vector3d sum = Eigen::Vector3d::Zero(), squares = Eigen::Vector3d::Zero();
    for (const Event& e : train) sum += raw(e);
    model.mean = sum / count;
    for (const Event& e : train) squares += (raw(e) - model.mean).cwiseAbs2();
    model.deviation = (squares / count).cwiseSqrt();
    for (double& deviation : model.deviation)
      if (deviation == 0) deviation = 1;
  }
  model.network = TextbookRatingNetwork<float>(config.hidden_size);
  Random random(config.seed);
  model.network.initialise(random);

  auto gradients = zeros_like(model.network);
  Adam<TextbookRatingNetwork<float>> adam(model.network,
                                          {.epsilon = 1e-7, .epsilon_place = EpsilonPlace::uncorrected});
  TextbookRatingNetwork<float>::Cache cache;
  std::vector<std::uint32_t> order(train.size());
  for (std::uint32_t k = 0; k < order.size(); ++k) order[k] = k;
  const auto batch_size = static_cast<std::size_t>(config.batch_size);
  Matrix<float> inputs, ratings;
  for (std::int64_t epoch = 0; epoch < config.epochs && !result.stopped; ++epoch) {
    random.shuffle(order);
    double loss_sum = 0;
    std::size_t seen = 0;
    for (std::size_t begin = 0; begin < order.size() && !result.stopped; begin += batch_size) {
      const std::size_t count = std::min(batch_size, order.size() - begin);
      inputs.resize(3, static_cast<Index>(count));
      ratings.resize(1, static_cast<Index>(count));
      for (std::size_t k = 0; k < count; ++k) {
        const Event& e = train[order[begin + k]];
        model.inputs(e, inputs.col(static_cast<Index>(k)));
        ratings(static_cast<Index>(k)) = e.rating;
      }
      set_zero(gradients);
      const double loss = model.network.forward_backward(inputs, ratings, cache, gradients);
      if (!std::isfinite(loss))
        throw TrainingDiverged("epoch " + std::to_string(epoch + 1) + ", batch " +
                               std::to_string(begin / batch_size + 1) + ": loss " + std::to_string(loss));
      adam.update(model.network, gradients, config.learning_rate);
      loss_sum += loss * static_cast<double>(count);
      seen += count;
      result.stopped = options.stop.stop_requested();
    }
    RatingEpoch record{static_cast<std::size_t>(epoch) + 1, static_cast<std::size_t>(config.epochs),
                       loss_sum / static_cast<double>(seen), {}};
    if (!validation.empty())
      record.validation_rmse =
          evaluate_ratings(model.predict(validation), validation, {.threads = 1, .bootstrap_samples = 0}).rmse.value;
    result.epochs.push_back(record);
    if (options.progress) options.progress(record);
  }
  return result;
}

}  // namespace lstmrec

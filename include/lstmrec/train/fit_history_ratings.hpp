#pragma once

#include <cstddef>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/counts/rating_bias.hpp>
#include <lstmrec/counts/rating_neighbours.hpp>
#include <lstmrec/data/rating_cases.hpp>
#include <lstmrec/data/rating_split.hpp>
#include <lstmrec/eval/rating_metrics.hpp>
#include <lstmrec/model/history_rating_model.hpp>
#include <lstmrec/train/neighbours_weight.hpp>
#include <lstmrec/train/progress.hpp>
#include <lstmrec/train/rating_training.hpp>
#include <lstmrec/train/schedule.hpp>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace lstmrec {

namespace detail {

/// One worker's part of a batch of users: which of their ratings are visible is drawn anew in every epoch.
struct HistoryRatingShard {
  const HistoryRatingModel* model;
  const std::vector<std::vector<Event>>* training;  ///< By user.
  std::vector<RatingCase> cases;
  std::vector<std::uint64_t> keys;
  RatingBatch batch;
  HistoryRatingNetwork<float>::Cache cache;

  Index fill(std::span<const std::uint32_t> users, std::size_t epoch) {
    cases.clear();
    keys.clear();
    for (const std::uint32_t user : users) {
      keys.push_back(mix(model->config.seed, epoch, user));
      Random random(keys.back());
      const double visible = random.uniform(model->config.least_visible, 1);
      RatingCase& one = cases.emplace_back(RatingCase{user, {}, {}});
      for (const Event& event : (*training)[user])
        (random.uniform() < visible ? one.visible : one.targets).push_back(event);
    }
    batch.fill(cases, model->bias, model->levels, keys);
    return batch.targets();
  }

  double run(const HistoryRatingNetwork<float>& network, Index count, HistoryRatingNetwork<float>& gradients) {
    return network.forward_backward(batch, count, cache, gradients);
  }
};

/// One training of `fit_history_ratings`.
inline RatingFitResult<HistoryRatingModel> fit_history_ratings_once(const RatingSplit& split,
                                                                    const HistoryRatingConfig& config,
                                                                    const RatingFitOptions& options) {
  const Sequences& sequences = split.sequences;
  if (!sequences.has_ratings) throw Error(sequences.source + ": there are no ratings to learn from");
  RatingFitResult<HistoryRatingModel> result;
  HistoryRatingModel& model = result.model;
  model.config = config;
  model.config.neighbours_weight = 0;  // the network is trained and validated alone
  const RatingBias baseline(split, {.user_regularisation = config.user_regularisation});
  model.bias = VisibleBias(baseline, config.user_regularisation);
  model.levels = RatingLevels(std::span<const Event>(sequences.events));
  model.users = sequences.users;
  model.items = sequences.items;
  model.catalogue = sequences.catalogue;
  model.network = HistoryRatingNetwork<float>(
      static_cast<Index>(sequences.size()), static_cast<Index>(sequences.items.size()),
      static_cast<Index>(model.levels.size()), config.vector_size, config.hidden_size, config.dropout);
  Random random(config.seed);
  model.network.initialise(random);

  std::vector<std::vector<Event>> training(sequences.size());
  std::vector<bool> is_rated(sequences.items.size());
  for (std::size_t k = 0; k < split.parts.size(); ++k) {
    if (split.parts[k] != Part::train) continue;
    training[sequences.events[k].user].push_back(sequences.events[k]);
    is_rated[sequences.events[k].item] = true;
  }
  // Training changes no vector of a user or an item without ratings in it, and what was drawn says nothing of them.
  std::vector<std::uint32_t> users;
  for (std::uint32_t user = 0; user < training.size(); ++user) {
    if (training[user].empty())
      model.network.user_vectors.table.col(user).setZero();
    else
      users.push_back(user);
  }
  for (std::uint32_t item = 0; item < is_rated.size(); ++item) {
    if (is_rated[item]) continue;
    model.network.event_vectors.table.col(item).setZero();
    model.network.item_vectors.table.col(item).setZero();
  }
  std::vector<detail::HistoryRatingShard> shards(static_cast<std::size_t>(config.shards));
  for (auto& shard : shards) {
    shard.model = &model;
    shard.training = &training;
  }
  const auto validation = rating_cases(split, Part::validation);
  const auto validation_events = targets_of(validation);
  const detail::RatingTrainingRules rules{.epochs = static_cast<std::size_t>(config.epochs),
                                          .batch_size = static_cast<std::size_t>(config.batch_size),
                                          .patience = static_cast<std::size_t>(config.patience),
                                          .keeps_best = true,
                                          .clip_norm = config.clip_norm,
                                          .average_decay = config.average_decay,
                                          .adam = {.weight_decay = config.weight_decay},
                                          .seed = config.seed,
                                          .learning_rate = [&](std::int64_t step, std::int64_t steps) {
                                            return config.learning_rate * warmup_cosine(step, steps, config.warmup);
                                          }};
  detail::train_ratings(result, std::move(users), shards, rules, options,
                        [&](const HistoryRatingModel& candidate) -> std::optional<double> {
                          if (validation.empty()) return std::nullopt;
                          return evaluate_ratings(candidate.predict(validation), validation_events,
                                                  {.threads = options.threads, .bootstrap_samples = 0})
                              .rmse.value;
                        });
  if (config.neighbours_weight > 0 || (config.neighbours_weight < 0 && !validation.empty())) {
    const auto begin = TrainingClock::now();
    model.neighbours = RatingNeighbours(split, baseline);
    model.config.neighbours_weight =
        config.neighbours_weight > 0 ? config.neighbours_weight : choose_neighbours_weight(model, validation);
    if (!model.uses_neighbours()) model.neighbours = {};
    result.seconds += TrainingClock::seconds_since(begin);
  }
  return result;
}

}  // namespace detail

/// Trains a HistoryRatingModel on the training part of a split, and keeps the weights with the best validation RMSE.
/// Then weighs neighbours against it: see HistoryRatingConfig::neighbours_weight, which on return is the weight in use.
/// With config.refit the validation ratings, which have then done their duty, are learned from too: another training
/// on both parts, from the same seed, of as many epochs as were best, gives network, baseline and neighbours.
///
/// In every epoch a random part of each user's training ratings is visible and the rest is predicted from the state
/// after them, as it is when the model is used. (Predicting each rating from those before it instead learns what the
/// next rating has to do with the last ones, which is of no use for other items: on ML-100K's folds that was worse than
/// the baseline.) Gradients are dense: a step costs at least the size of the tables. A refit copies the split.
///
/// The result's epochs are those of both trainings, the second's numbered on and without validation; its model has
/// been trained on the validation ratings, so that its figures on them say nothing. Where the second training is
/// stopped, the first's model is kept.
/// The same seed gives the same bits for any number of threads, on one binary and processor. Throws
/// std::invalid_argument on a bad configuration or where there are no training ratings, Error where the log has no
/// ratings, TrainingDiverged, and whatever the progress callback throws.
inline RatingFitResult<HistoryRatingModel> fit_history_ratings(const RatingSplit& split,
                                                               const HistoryRatingConfig& config = {},
                                                               const RatingFitOptions& options = {}) {
  config.check();
  std::size_t events = 0;  // of the first training
  RatingFitOptions first = options;
  if (options.progress)
    first.progress = [&](const RatingProgress& progress) {
      events = progress.events;
      options.progress(progress);
    };
  auto result = detail::fit_history_ratings_once(split, config, first);
  if (!config.refit || result.stopped || result.best_epoch == 0) return result;

  HistoryRatingConfig chosen = config;
  chosen.epochs = static_cast<std::int64_t>(result.best_epoch);
  chosen.neighbours_weight = result.model.config.neighbours_weight;
  const std::size_t epochs = result.epochs.size();
  RatingFitOptions again = options;
  if (options.progress)
    again.progress = [&](RatingProgress progress) {
      progress.refit = true;
      progress.epoch += epochs;
      progress.epochs += epochs;
      progress.events += events;
      progress.seconds += result.seconds;
      options.progress(progress);
    };
  auto refitted = detail::fit_history_ratings_once(with_validation_in_training(split), chosen, again);
  for (RatingEpoch& epoch : refitted.epochs) {
    epoch.epoch += epochs;
    result.epochs.push_back(epoch);
  }
  result.seconds += refitted.seconds;
  result.stopped = refitted.stopped;
  if (result.stopped) return result;
  result.model = std::move(refitted.model);
  result.model.config.epochs = config.epochs;
  result.refitted = true;
  return result;
}

}  // namespace lstmrec

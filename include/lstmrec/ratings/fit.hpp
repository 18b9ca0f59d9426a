#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/ratings/bias.hpp>
#include <lstmrec/ratings/metrics.hpp>
#include <lstmrec/ratings/model.hpp>
#include <lstmrec/ratings/neighbours.hpp>
#include <lstmrec/ratings/neighbours_weight.hpp>
#include <lstmrec/ratings/queries.hpp>
#include <lstmrec/ratings/split.hpp>
#include <lstmrec/train/checkpoint.hpp>
#include <lstmrec/train/epoch_loop.hpp>
#include <lstmrec/train/network_training.hpp>
#include <lstmrec/train/progress.hpp>
#include <lstmrec/train/schedule.hpp>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace lstmrec {

/// A trained rating model and how it got there.
template <class Model>
struct RatingFitResult : TrainingRecord {
  Model model;
};

namespace detail {

/// The training of a history rating network, for train_epochs. In every epoch a random part of each user's training
/// ratings is visible, drawn anew, and the rest is predicted.
class HistoryRatingTask {
 public:
  using Network = HistoryRatingNetwork<float>;

  /// Borrows model (but for its network, which it takes), split and options.
  HistoryRatingTask(HistoryRatingModel& model, const RatingSplit& split, const FitOptions& options)
      : model_(&model),
        threads_(options.threads),
        validation_(rating_queries(split, Part::validation)),
        validation_events_(asked_events(validation_)),
        by_user_(split.sequences.size()),
        shards_(static_cast<std::size_t>(model.config.training.shards)),
        one_(1),
        pool_(std::min(shards_.size(), options.threads == 0 ? default_threads() : options.threads)) {
    const Sequences& sequences = split.sequences;
    fingerprint_ = lstmrec::fingerprint(split);
    std::vector<bool> is_rated(sequences.items.size());
    for (std::size_t k = 0; k < split.parts.size(); ++k) {
      if (split.parts[k] != Part::train) continue;
      const Event event = sequences.events[k];
      by_user_[event.user].push_back(event);
      is_rated[event.item] = true;
    }
    // Training changes no vector of a user or an item without ratings in it, and what was drawn says nothing of them.
    for (std::uint32_t user = 0; user < by_user_.size(); ++user) {
      if (by_user_[user].empty())
        model.network.user_vectors.table.col(user).setZero();
      else
        users_.push_back(user);
    }
    for (std::uint32_t item = 0; item < is_rated.size(); ++item) {
      if (is_rated[item]) continue;
      model.network.event_vectors.table.col(item).setZero();
      model.network.item_vectors.table.col(item).setZero();
    }
    const auto& config = model.config.training;
    gradients_.assign(shards_.size(), zeros_like(model.network));
    training_.emplace(std::move(model.network), AdamOptions{.weight_decay = config.weight_decay}, config.ema_decay,
                      config.clip_norm);
    training_->reduce_gradients = options.reduce_gradients;
  }

  EpochRules rules() const {
    const auto& config = model_->config.training;
    const auto steps = static_cast<std::int64_t>(batches()) * config.epochs;
    return {.epochs = static_cast<std::size_t>(config.epochs),
            .patience = static_cast<std::size_t>(config.patience),
            .learning_rate =
                [&config, steps](std::int64_t step) {
                  return config.learning_rate * warmup_cosine(step, steps, config.warmup);
                },
            .identity = identity_of(model_->config, fingerprint_)};
  }

  NetworkTraining<Network>& training() { return *training_; }

  std::size_t begin_epoch(std::size_t epoch) {
    Random(mix_seed(model_->config.training.seed, epoch)).shuffle(users_);
    return batches();
  }

  BatchRecord run_batch(std::size_t epoch, std::size_t number, double learning_rate) {
    const auto batch_size = static_cast<std::size_t>(model_->config.training.batch_size);
    const std::size_t first = number * batch_size, size = std::min(batch_size, users_.size() - first);
    pool_.run(shards_.size(), [&](std::size_t s) {
      const std::size_t from = size * s / shards_.size(), to = size * (s + 1) / shards_.size();
      fill(shards_[s], std::span<const std::uint32_t>(users_).subspan(first + from, to - from), epoch);
    });
    Index count = 0;
    for (const Shard& shard : shards_) count += shard.batch.targets();
    if (count == 0) return {};
    pool_.run(shards_.size(), [&](std::size_t s) {
      set_zero(gradients_[s]);
      shards_[s].loss = shards_[s].batch.targets() == 0 ? 0
                                                        : training_->network().forward_backward(
                                                              shards_[s].batch, count, shards_[s].cache, gradients_[s]);
    });
    double loss = 0;
    for (const Shard& shard : shards_) loss += shard.loss;
    // The parameters are so few that a second thread would only be waited for.
    training_->step(gradients_, loss, learning_rate, epoch, number, one_);
    return {loss, static_cast<std::size_t>(count), static_cast<std::size_t>(count)};
  }

  std::optional<ValidationFigures> validate(const Network& network) const {
    if (validation_.empty()) return std::nullopt;
    const auto predicted = model_->predict_with(network, validation_);
    return ValidationFigures{
        .rmse =
            evaluate_ratings(predicted, validation_events_, {.threads = threads_, .bootstrap_samples = 0}).rmse.value};
  }

  const std::vector<RatingQuery>& validation() const { return validation_; }

 private:
  /// One worker's part of a batch of users.
  struct Shard {
    std::vector<RatingQuery> queries;
    std::vector<std::uint64_t> keys;
    RatingBatch batch;
    Network::Cache cache;
    double loss = 0;
  };

  std::size_t batches() const {
    const auto size = static_cast<std::size_t>(model_->config.training.batch_size);
    return (users_.size() + size - 1) / size;
  }

  void fill(Shard& shard, std::span<const std::uint32_t> users, std::size_t epoch) const {
    shard.queries.clear();
    shard.keys.clear();
    for (const std::uint32_t user : users) {
      shard.keys.push_back(mix_seed(model_->config.training.seed, epoch, user));
      Random random(shard.keys.back());
      const double visible = random.uniform(model_->config.min_visible_fraction, 1);
      std::vector<Event> shown, asked;
      for (const Event& event : by_user_[user]) (random.uniform() < visible ? shown : asked).push_back(event);
      shard.queries.push_back({user, std::move(shown), std::move(asked)});
    }
    shard.batch.fill(shard.queries, model_->bias, model_->levels, shard.keys);
  }

  const HistoryRatingModel* model_;
  std::size_t threads_;
  std::vector<RatingQuery> validation_;
  std::vector<Event> validation_events_;
  std::vector<std::vector<Event>> by_user_;  ///< Training ratings.
  std::vector<std::uint32_t> users_;         ///< Those with training ratings, in the order of this epoch.
  std::uint64_t fingerprint_ = 0;            ///< Of the split.
  std::vector<Shard> shards_;
  std::vector<Network> gradients_;
  std::optional<NetworkTraining<Network>> training_;
  ThreadPool one_, pool_;
};

/// One training of `fit_history_ratings`.
inline RatingFitResult<HistoryRatingModel> fit_history_ratings_once(const RatingSplit& split,
                                                                    const HistoryRatingConfig& config,
                                                                    const FitOptions& options) {
  if (options.memory > 0) throw ConfigError("memory is limited of a next-item training only, so it must be 0 here");
  check_split(split);
  const Sequences& sequences = split.sequences;
  if (!sequences.has_ratings) fail<DataError>({sequences.source, ": there are no ratings to learn from"});
  RatingFitResult<HistoryRatingModel> result;
  HistoryRatingModel& model = result.model;
  model.config = config;
  model.config.neighbours_weight = 0;  // the network is trained and validated alone
  const RatingBias baseline(split, {.user_regularisation = config.user_regularisation});
  model.bias = FoldInBias(baseline, config.user_regularisation);
  model.levels = RatingLevels::of(sequences.events.ratings);
  model.users = sequences.users;
  model.items = sequences.items;
  model.catalogue = sequences.catalogue;
  model.network = HistoryRatingNetwork<float>(
      static_cast<Index>(sequences.size()), static_cast<Index>(sequences.items.size()),
      static_cast<Index>(model.levels.size()), config.vector_size, config.hidden_size, config.dropout);
  Random random(config.training.seed);
  model.network.initialise(random);

  HistoryRatingTask task(model, split, options);
  using Interrupted = TrainingInterrupted<HistoryRatingModel>;
  try {
    model.network = train_epochs<HistoryRatingNetwork<float>>(task, task.rules(), options, result);
  } catch (TrainingInterrupted<HistoryRatingNetwork<float>>& interruption) {
    model.network = std::move(interruption.model());
    throw Interrupted(std::move(model), result, interruption.cause());
  }
  if (config.neighbours_weight > 0 || (config.neighbours_weight < 0 && !task.validation().empty())) {
    const auto begin = TrainingClock::now();
    try {
      TrainingTerminated::check(options.terminate);
      model.neighbours = RatingNeighbours(split, baseline);
      TrainingTerminated::check(options.terminate);
      model.config.neighbours_weight =
          config.neighbours_weight > 0 ? config.neighbours_weight : choose_neighbours_weight(model, task.validation());
    } catch (...) {
      model.neighbours = {};
      model.config.neighbours_weight = 0;
      throw Interrupted(std::move(model), result, std::current_exception());
    }
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
/// stopped or interrupted, the first's model is kept.
/// The same seed gives the same bits for any number of threads, on one binary and processor. Throws
/// ConfigError on a bad configuration, DataError where the log has no ratings or none to train on, TrainingDiverged,
/// and whatever the progress callback throws; after the first step as the cause of a
/// TrainingInterrupted<HistoryRatingModel>, which owns what had been learned by then. The checkpoints of the second
/// training lie in a folder `refit` of the first's.
inline RatingFitResult<HistoryRatingModel> fit_history_ratings(const RatingSplit& split,
                                                               const HistoryRatingConfig& config = {},
                                                               const FitOptions& options = {}) {
  config.check();
  std::size_t events = 0;  // of the first training
  FitOptions first = options, again = options;
  if (config.refit && !options.checkpoint.folder.empty()) {
    again.checkpoint.folder /= "refit";
    CheckpointFolder(again.checkpoint, {});  // what is wrong with it is said before the first training
  }
  if (options.progress)
    first.progress = [&](const TrainingProgress& progress) {
      events = progress.events;
      options.progress(progress);
    };
  auto result = detail::fit_history_ratings_once(split, config, first);
  if (!config.refit || result.stopped || result.best_epoch == 0) return result;

  HistoryRatingConfig chosen = config;
  chosen.training.epochs = static_cast<std::int64_t>(result.best_epoch);
  chosen.neighbours_weight = result.model.config.neighbours_weight;
  const std::size_t epochs = result.epochs.size();
  if (options.progress)
    again.progress = [&](TrainingProgress progress) {
      progress.refit = true;
      progress.epoch += epochs;
      progress.epochs += epochs;
      progress.events += events;
      progress.seconds += result.seconds;
      options.progress(progress);
    };
  RatingFitResult<HistoryRatingModel> refitted;
  using Interrupted = TrainingInterrupted<HistoryRatingModel>;
  try {
    refitted = detail::fit_history_ratings_once(with_validation_in_training(split), chosen, again);
  } catch (const Interrupted& interruption) {
    throw Interrupted(std::move(result.model), result, interruption.cause());
  } catch (...) {
    throw Interrupted(std::move(result.model), result, std::current_exception());
  }
  for (EpochRecord& epoch : refitted.epochs) {
    epoch.epoch += epochs;
    result.epochs.push_back(epoch);
  }
  result.seconds += refitted.seconds;
  result.stopped = refitted.stopped;
  if (result.stopped) return result;
  result.model = std::move(refitted.model);
  result.model.config.training.epochs = config.training.epochs;
  result.refitted = true;
  return result;
}

}  // namespace lstmrec

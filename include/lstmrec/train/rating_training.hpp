#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <lstmrec/train/adam.hpp>
#include <lstmrec/train/gradients.hpp>
#include <lstmrec/train/progress.hpp>
#include <lstmrec/train/weight_average.hpp>
#include <optional>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

namespace lstmrec {

/// Where the training of a rating model stands. `loss` is the mean squared error in training, events are ratings.
struct RatingProgress : ProgressSoFar {
  bool refit = false;                     ///< Whether this is the second training of a HistoryRatingModel.
  std::optional<double> validation_rmse;  ///< Set when the epoch has ended, if there are validation ratings.
};

/// How a training runs, as far as it does not change what is learned.
struct RatingFitOptions {
  std::size_t threads = 0;  ///< 0: as many as there are processors, but no more than shards.
  std::function<void(const RatingProgress&)> progress = {};  ///< Called after every batch and every epoch.
  /// When stop is requested, training ends after the batch; what it has by then is validated, and a
  /// HistoryRatingModel's neighbours are weighed. Of a refit that is stopped nothing is kept.
  std::stop_token stop = {};
};

/// What an epoch gave.
struct RatingEpoch {
  std::size_t epoch = 0;  ///< From 1.
  double loss = 0;        ///< Mean squared error in training.
  double ratings_per_second = 0;
  std::optional<double> validation_rmse;
};

/// A trained rating model and how it got there.
template <class Model>
struct RatingFitResult {
  Model model;
  std::vector<RatingEpoch> epochs;  ///< One an epoch that was begun.
  /// From 1: whose weights were kept, or how many epochs the refit had; 0 if that was not decided by validation.
  std::size_t best_epoch = 0;
  bool refitted = false;  ///< Trained once more, on the validation ratings too.
  bool stopped = false;   ///< By the stop token.
  double seconds = 0;
};

namespace detail {

/// What the trainings of both rating models differ in, beside network and batches.
struct RatingTrainingRules {
  std::size_t epochs, batch_size;
  std::size_t patience;  ///< 0: no early stopping.
  bool keeps_best;       ///< Keep the weights with the best validation, not the last.
  double clip_norm, average_decay;
  AdamOptions adam;
  std::uint64_t seed;
  std::function<double(std::int64_t step, std::int64_t steps)> learning_rate;
};

/// Trains result.model.network on batches of numbered units (users or ratings).
///
/// A shard offers `Index fill(span of units, epoch)`, which prepares its part of a batch and says how many ratings that
/// has, and `double run(network, count, gradients)`, which returns the squared error / count and adds its gradients.
/// `validate(model)` returns the validation RMSE, if any. Of the model only the network changes: it is the one
/// validated while `validate` runs, and at the end the one that is kept.
template <class Model, class Shard, class Validate>
void train_ratings(RatingFitResult<Model>& result, std::vector<std::uint32_t> units, std::vector<Shard>& shards,
                   const RatingTrainingRules& rules, const RatingFitOptions& options, Validate&& validate) {
  using Network = decltype(result.model.network);
  const auto begin = TrainingClock::now();
  Network network = result.model.network, kept = network;
  Adam<Network> adam(network, rules.adam);
  WeightAverage<Network> average(network, rules.average_decay);
  const bool averages = rules.average_decay > 0;  // if not, the average is the network
  std::vector<Network> gradients(shards.size(), zeros_like(network));
  std::vector<Index> counts(shards.size());
  std::vector<double> losses(shards.size());
  std::vector<const Network*> other_gradients;
  for (std::size_t s = 1; s < shards.size(); ++s) other_gradients.push_back(&gradients[s]);
  ThreadPool one(1);  // for the parameters, which are so few that a second thread would only be waited for
  ThreadPool pool(std::min(shards.size(), options.threads == 0 ? default_threads() : options.threads));

  RatingProgress progress;
  progress.epochs = rules.epochs;
  progress.batches = (units.size() + rules.batch_size - 1) / rules.batch_size;
  const auto all_steps = static_cast<std::int64_t>(progress.batches * rules.epochs);
  double best = std::numeric_limits<double>::infinity();
  std::size_t without_improvement = 0;
  std::int64_t step = 0;
  for (std::size_t epoch = 0; epoch < rules.epochs && !result.stopped; ++epoch) {
    Random(mix(rules.seed, epoch)).shuffle(units);
    progress.epoch = epoch + 1;
    progress.validation_rmse.reset();
    double squares = 0;
    std::size_t ratings = 0;
    const auto epoch_begin = TrainingClock::now();
    for (std::size_t number = 0; number < progress.batches && !result.stopped; ++number, ++step) {
      const std::size_t first = number * rules.batch_size, size = std::min(rules.batch_size, units.size() - first);
      const auto part = [&](std::size_t s) {
        const std::size_t from = size * s / shards.size(), to = size * (s + 1) / shards.size();
        return std::span<const std::uint32_t>(units).subspan(first + from, to - from);
      };
      pool.run(shards.size(), [&](std::size_t s) { counts[s] = shards[s].fill(part(s), epoch); });
      Index count = 0;
      for (const Index own : counts) count += own;
      if (count > 0) {
        pool.run(shards.size(), [&](std::size_t s) {
          set_zero(gradients[s]);
          losses[s] = counts[s] == 0 ? 0 : shards[s].run(network, count, gradients[s]);
        });
        double loss = 0;
        for (const double own : losses) loss += own;
        const double norm = sum_gradients(gradients[0], other_gradients, one);
        check_finite(loss, norm, epoch, number);
        clip_gradients(gradients[0], norm, rules.clip_norm, one);
        adam.update(network, gradients[0], rules.learning_rate(step, all_steps), one);
        if (averages) average.update(network, one);
        squares += loss * static_cast<double>(count);
        ratings += static_cast<std::size_t>(count);
      }
      progress.batch = number + 1;
      progress.events += static_cast<std::size_t>(count);
      progress.loss = ratings == 0 ? 0 : squares / static_cast<double>(ratings);
      progress.update_times(begin, epoch_begin, ratings);
      if (options.progress) options.progress(progress);
      result.stopped = options.stop.stop_requested();
    }

    Network& candidate = result.model.network;  // borrows the weights for validation
    const auto borrow = [&] { averages ? average.swap(candidate) : std::swap(network, candidate); };
    borrow();
    const std::optional<double> rmse = validate(std::as_const(result.model));
    ++without_improvement;
    if (!rules.keeps_best || !rmse) {
      kept = candidate;
    } else if (*rmse < best) {
      best = *rmse;
      result.best_epoch = epoch + 1;
      without_improvement = 0;
      kept = candidate;
    }
    borrow();
    result.epochs.push_back({epoch + 1, progress.loss, progress.events_per_second, rmse});
    progress.validation_rmse = rmse;
    progress.epoch_ended = true;
    progress.update_times(begin, epoch_begin, ratings);
    if (options.progress) options.progress(progress);
    progress.epoch_ended = false;
    if (rules.patience > 0 && rmse && without_improvement >= rules.patience) break;
  }
  result.model.network = std::move(kept);
  result.seconds = TrainingClock::seconds_since(begin);
}

}  // namespace detail

}  // namespace lstmrec

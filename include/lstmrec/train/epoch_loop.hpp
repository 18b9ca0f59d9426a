#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lstmrec/train/network_training.hpp>
#include <lstmrec/train/progress.hpp>
#include <optional>
#include <utility>

namespace lstmrec {

/// The result of a batch.
struct BatchRecord {
  double loss = 0;              ///< Mean over its predictions.
  std::size_t predictions = 0;  ///< What the loss is a mean over.
  std::size_t events = 0;       ///< What progress counts: inputs, or ratings.
};

/// Which weights a training keeps: those of the epoch with the best validation, or the last.
enum class Keep { best, last };

/// The rules of a training's epochs.
struct EpochRules {
  std::size_t epochs = 0;
  std::size_t patience = 0;  ///< Epochs without a better validation after which it stops; 0: never.
  Keep keep = Keep::best;    ///< Without anything to validate on, the last.
  std::function<double(std::int64_t step)> learning_rate;  ///< By the number of the step, from 0.
};

/// Trains a network over epochs of batches and returns the weights to keep. `record` takes how it went.
///
/// `Task` offers what differs from one task to the next: `training()`, a NetworkTraining; `begin_epoch(epoch)`, which
/// prepares an epoch (from 0) and returns its number of batches; `run_batch(epoch, batch, learning_rate)`, which steps
/// and returns a BatchRecord; `validate(network)`, which returns ValidationFigures, or none.
template <class Network, class Task>
Network train_epochs(Task& task, const EpochRules& rules, const FitOptions& options, TrainingRecord& record) {
  const auto begin = TrainingClock::now();
  NetworkTraining<Network>& training = task.training();
  std::optional<Network> best;
  std::optional<ValidationFigures> best_figures;
  TrainingProgress progress;
  progress.epochs = rules.epochs;
  std::int64_t step = 0;
  std::size_t without_improvement = 0;
  for (std::size_t epoch = 0; epoch < rules.epochs && !record.stopped; ++epoch) {
    progress.epoch = epoch + 1;
    progress.batches = task.begin_epoch(epoch);
    progress.batch = 0;
    progress.validation.reset();
    double loss_sum = 0;
    std::size_t epoch_events = 0, epoch_predictions = 0;
    const auto epoch_begin = TrainingClock::now();
    for (std::size_t number = 0; number < progress.batches && !record.stopped; ++number, ++step) {
      const BatchRecord batch = task.run_batch(epoch, number, rules.learning_rate(step));
      loss_sum += batch.loss * static_cast<double>(batch.predictions);
      epoch_predictions += batch.predictions;
      epoch_events += batch.events;
      progress.batch = number + 1;
      progress.events += batch.events;
      progress.loss = loss_sum / static_cast<double>(std::max<std::size_t>(1, epoch_predictions));
      progress.update_times(begin, epoch_begin, epoch_events);
      if (options.progress) options.progress(progress);
      record.stopped = options.stop.stop_requested();
    }

    training.catch_up();
    progress.validation = task.validate(training.averaged());
    if (progress.validation) {
      ++without_improvement;
      if (rules.keep == Keep::last) {
        record.best_epoch = progress.epoch;
      } else if (!best_figures || progress.validation->better_than(*best_figures)) {
        best_figures = progress.validation;
        record.best_epoch = progress.epoch;
        without_improvement = 0;
        best = training.averaged();
      }
    }
    record.epochs.push_back({progress.epoch, progress.loss, progress.events_per_second, progress.validation});
    progress.epoch_ended = true;
    progress.update_times(begin, epoch_begin, epoch_events);
    if (options.progress) options.progress(progress);
    progress.epoch_ended = false;
    if (rules.keep == Keep::best && rules.patience > 0 && without_improvement >= rules.patience) break;
  }
  record.seconds = TrainingClock::seconds_since(begin);
  return best ? std::move(*best) : training.averaged();
}

}  // namespace lstmrec

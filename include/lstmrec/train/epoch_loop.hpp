#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <lstmrec/train/checkpoint.hpp>
#include <lstmrec/train/network_training.hpp>
#include <lstmrec/train/progress.hpp>
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
  /// Epochs without a better validation after which it stops, once there has been one that did not miss every target;
  /// 0: never.
  std::size_t patience = 0;
  Keep keep = Keep::best;                                  ///< Without anything to validate on, the last.
  std::function<double(std::int64_t step)> learning_rate;  ///< By the number of the step, from 0.
  TrainingIdentity identity = {};                          ///< For its checkpoints.
};

namespace detail {

/// The loop of train_epochs, from a state on.
template <class Network, class Task>
void run_epochs(Task& task, const EpochRules& rules, const FitOptions& options, CheckpointFolder& checkpoints,
                LoopState<Network>& loop, TrainingRecord& record) {
  const auto begin = TrainingClock::now();
  const double seconds_before = record.seconds;
  const auto seconds = [&] { return seconds_before + TrainingClock::seconds_since(begin); };
  NetworkTraining<Network>& training = task.training();
  const auto write_checkpoint = [&] {
    record.seconds = seconds();
    checkpoints.write(training, loop, record);
  };
  TrainingProgress progress;
  // Between two batches the state is whole, so it is kept whatever goes wrong there. After a stop it is kept already.
  const auto between_batches = [&](const auto& body) {
    try {
      return body();
    } catch (...) {
      try {
        if (checkpoints.is_used() && !record.stopped) write_checkpoint();
      } catch (...) {  // the checkpoint before is there, and what went wrong first says more
      }
      throw;
    }
  };
  const auto report = [&] {
    between_batches([&] {
      if (options.progress) options.progress(progress);
      TrainingTerminated::check(options.terminate);
    });
  };
  const auto is_finished = [&] {
    if (loop.epoch >= rules.epochs) return true;
    return rules.keep == Keep::best && rules.patience > 0 && record.best_epoch > 0 &&
           loop.epoch >= record.best_epoch + rules.patience &&
           !record.epochs[record.best_epoch - 1].validation->all_missed();
  };
  for (std::size_t epoch = 0; epoch < loop.epoch; ++epoch) task.begin_epoch(epoch);  // those that a checkpoint has seen
  progress.epochs = rules.epochs;
  progress.events = loop.events;
  while (!is_finished() && !record.stopped) {
    progress.epoch = loop.epoch + 1;
    progress.batches = task.begin_epoch(loop.epoch);
    progress.validation.reset();
    const std::size_t events_before = loop.events;
    const auto epoch_begin = TrainingClock::now();
    const auto update = [&] {
      progress.batch = loop.batch;
      progress.events = loop.events;
      progress.loss = loop.loss_sum / static_cast<double>(std::max<std::size_t>(1, loop.predictions));
      progress.update_times(seconds(), epoch_begin, loop.events - events_before);
    };
    update();
    while (loop.batch < progress.batches && !record.stopped) {
      const BatchRecord batch = task.run_batch(loop.epoch, loop.batch, rules.learning_rate(loop.step));
      loop.loss_sum += batch.loss * static_cast<double>(batch.predictions);
      loop.predictions += batch.predictions;
      loop.events += batch.events;
      ++loop.batch;
      ++loop.step;
      update();
      report();
      record.stopped = options.stop.stop_requested();
      if (checkpoints.is_due() || (record.stopped && checkpoints.is_used())) write_checkpoint();
    }

    training.catch_up();
    progress.validation = between_batches([&] { return task.validate(training.averaged()); });
    record.epochs.push_back({progress.epoch, progress.loss, progress.events_per_second, progress.validation});
    if (progress.validation) {
      const bool is_first = record.best_epoch == 0;
      if (rules.keep == Keep::last) {
        record.best_epoch = progress.epoch;
      } else if (is_first || progress.validation->better_than(*record.epochs[record.best_epoch - 1].validation)) {
        record.best_epoch = progress.epoch;
        loop.best = training.averaged();
      }
    }
    progress.epoch_ended = true;
    update();
    ++loop.epoch;
    loop.batch = 0;
    loop.predictions = 0;
    loop.loss_sum = 0;
    if (!record.stopped && checkpoints.is_due_after_epoch(loop.epoch, is_finished())) write_checkpoint();
    report();
    progress.epoch_ended = false;
  }
  record.seconds = seconds();
}

}  // namespace detail

/// Trains a network over epochs of batches and returns the weights to keep. `record` takes how it went.
///
/// `Task` offers what differs from one task to the next: `training()`, a NetworkTraining; `begin_epoch(epoch)`, which
/// prepares an epoch, is called for every epoch from 0 on, and returns its number of batches; `run_batch(epoch, batch,
/// learning_rate)`, which steps and returns a BatchRecord; `validate(network)`, which returns ValidationFigures, or
/// none.
///
/// Throws what the task and the callbacks throw; after the first step as the cause of a TrainingInterrupted<Network>.
template <class Network, class Task>
Network train_epochs(Task& task, const EpochRules& rules, const FitOptions& options, TrainingRecord& record) {
  CheckpointFolder checkpoints(options.checkpoint, rules.identity);
  LoopState<Network> loop;
  NetworkTraining<Network>& training = task.training();
  checkpoints.resume(training, loop, record);
  const auto kept = [&] { return loop.best ? *std::move(loop.best) : training.take_averaged(); };
  try {
    detail::run_epochs(task, rules, options, checkpoints, loop, record);
  } catch (...) {
    if (loop.step == 0) throw;
    try {
      training.catch_up();
    } catch (...) {  // without memory for it, some columns of the average are those of some steps before
    }
    throw TrainingInterrupted<Network>(kept(), record, std::current_exception());
  }
  return kept();
}

}  // namespace lstmrec

#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>

namespace lstmrec {

/// Wall time.
struct TrainingClock {
  using Point = std::chrono::steady_clock::time_point;
  static Point now() { return std::chrono::steady_clock::now(); }
  static double seconds_since(Point begin) { return std::chrono::duration<double>(now() - begin).count(); }
};

/// Figures on the validation targets.
struct ValidationFigures {
  double hr10 = 0, ndcg10 = 0, mrr = 0;
};

/// What an epoch gave.
struct EpochRecord {
  std::size_t epoch = 0;  ///< From 1.
  double loss = 0;        ///< Mean over the epoch's inputs that have something to predict.
  double events_per_second = 0;
  std::optional<ValidationFigures> validation;
};

/// Where a training of any kind stands.
struct ProgressSoFar {
  std::size_t epoch = 0, epochs = 0;   ///< From 1, and how many are planned (a refit's are added when it begins).
  std::size_t batch = 0, batches = 0;  ///< Of this epoch, from 1.
  std::size_t events = 0;              ///< Inputs trained on so far, all epochs together.
  double loss = 0;                     ///< Mean over this epoch so far.
  double events_per_second = 0;        ///< In this epoch so far, validation left out.
  double seconds = 0;                  ///< Since the beginning.
  double seconds_left = 0;             ///< At the speed so far, if training is not stopped early.
  bool epoch_ended = false;            ///< True once an epoch, after its validation.

  /// Brings speed and seconds up to date; `epoch_events`: inputs of this epoch so far.
  void update_times(TrainingClock::Point begin, TrainingClock::Point epoch_begin, std::size_t epoch_events) {
    seconds = TrainingClock::seconds_since(begin);
    if (!epoch_ended) events_per_second = static_cast<double>(epoch_events) / TrainingClock::seconds_since(epoch_begin);
    const double part = static_cast<double>(batch) / static_cast<double>(batches);
    const double done = static_cast<double>(epoch - 1) + part;
    seconds_left = seconds * (static_cast<double>(epochs) - done) / done;
  }
};

/// Where a training stands, for a progress bar or a log.
struct TrainingProgress : ProgressSoFar {
  std::optional<ValidationFigures> validation;  ///< Set when the epoch has ended, if there are validation targets.
};

using ProgressCallback = std::function<void(const TrainingProgress&)>;

}  // namespace lstmrec

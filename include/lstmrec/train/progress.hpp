#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

namespace lstmrec {

/// Wall time.
struct TrainingClock {
  using Point = std::chrono::steady_clock::time_point;
  static Point now() { return std::chrono::steady_clock::now(); }
  static double seconds_since(Point begin) { return std::chrono::duration<double>(now() - begin).count(); }
};

/// Figures on the validation targets. Those of the other task are not a number.
struct ValidationFigures {
  double hr10 = none, ndcg10 = none, mrr = none;  ///< Of a next-item network.
  double rmse = none;                             ///< Of a rating network.

  /// Whether these are better than others of the same task: a higher NDCG@10, or a lower RMSE.
  bool better_than(const ValidationFigures& other) const { return ndcg10 > other.ndcg10 || rmse < other.rmse; }

 private:
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();
};

/// The result of an epoch.
struct EpochRecord {
  std::size_t epoch = 0;  ///< From 1.
  double loss = 0;        ///< Mean over the epoch's predictions: cross-entropy, or the squared error of ratings.
  double events_per_second = 0;
  std::optional<ValidationFigures> validation;
};

/// Where a training stands, for a progress bar or a log.
struct TrainingProgress {
  std::size_t epoch = 0, epochs = 0;   ///< From 1, and how many are planned (a refit's are added when it begins).
  std::size_t batch = 0, batches = 0;  ///< Of this epoch, from 1.
  std::size_t events = 0;              ///< Inputs or ratings trained on so far, all epochs together.
  double loss = 0;                     ///< Mean over this epoch so far.
  double events_per_second = 0;        ///< In this epoch so far, validation left out.
  double seconds = 0;                  ///< Since the beginning.
  double seconds_left = 0;             ///< At the speed so far, if training is not stopped early.
  bool epoch_ended = false;            ///< True once an epoch, after its validation.
  bool refit = false;                  ///< Whether this is the second training of a HistoryRatingModel.
  std::optional<ValidationFigures> validation;  ///< Set when the epoch has ended, if there is something to validate on.

  /// Brings speed and seconds up to date; `epoch_events`: inputs of this epoch so far.
  void update_times(TrainingClock::Point begin, TrainingClock::Point epoch_begin, std::size_t epoch_events) {
    seconds = TrainingClock::seconds_since(begin);
    if (!epoch_ended) events_per_second = static_cast<double>(epoch_events) / TrainingClock::seconds_since(epoch_begin);
    const double part = batches == 0 ? 1.0 : static_cast<double>(batch) / static_cast<double>(batches);
    const double done = static_cast<double>(epoch - 1) + part;
    seconds_left = seconds * (static_cast<double>(epochs) - done) / done;
  }
};

/// How a training runs, as far as it does not change what is learned.
struct FitOptions {
  std::size_t threads = 0;  ///< 0: as many as there are processors, but no more than shards.
  /// Called on the calling thread, after every batch and every epoch.
  std::function<void(const TrainingProgress&)> progress = {};
  /// When stop is requested, training ends after the batch; what it has by then is validated and kept. Of a refit that
  /// is stopped nothing is kept.
  std::stop_token stop = {};
  /// Called with the gradients of each batch, as blocks of all parameters in a fixed order, before the optimiser reads
  /// them: so that processes which train on parts of the data can sum theirs. Not with sampled negatives (ConfigError).
  std::function<void(std::span<const std::span<float>>)> reduce_gradients = {};
};

/// How a training went.
struct TrainingRecord {
  std::vector<EpochRecord> epochs;  ///< One an epoch that was begun.
  /// From 1: whose weights were kept, or how many epochs a refit had; 0 if nothing was validated.
  std::size_t best_epoch = 0;
  bool refitted = false;  ///< Trained once more, on the validation ratings too: see HistoryRatingConfig.
  bool stopped = false;   ///< By the stop token.
  double seconds = 0;
};

}  // namespace lstmrec

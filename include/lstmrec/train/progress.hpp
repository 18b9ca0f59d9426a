#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <limits>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/stop_token.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
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

  /// Whether these are better than others of the same task: a higher NDCG@10, of equal ones a higher MRR, which sees
  /// the whole ranking; or a lower RMSE.
  bool better_than(const ValidationFigures& other) const {
    return ndcg10 > other.ndcg10 || (ndcg10 == other.ndcg10 && mrr > other.mrr) || rmse < other.rmse;
  }
  /// Whether no target is in anybody's first 10: then nothing has been learned that a list could show.
  bool all_missed() const { return ndcg10 == 0; }

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

  /// Brings speed and seconds up to date; `epoch_events`: inputs since `epoch_begin`.
  void update_times(double seconds_now, TrainingClock::Point epoch_begin, std::size_t epoch_events) {
    seconds = seconds_now;
    if (!epoch_ended)
      events_per_second =
          epoch_events == 0 ? 0 : static_cast<double>(epoch_events) / TrainingClock::seconds_since(epoch_begin);
    const double part = batches == 0 ? 1.0 : static_cast<double>(batch) / static_cast<double>(batches);
    const double done = static_cast<double>(epoch - 1) + part;
    seconds_left = done == 0 ? 0 : seconds * (static_cast<double>(epochs) - done) / done;
  }
};

/// When and where a training writes its whole state, so that it can go on after the program or the machine has ended.
///
///     fit(split, config, {.checkpoint = {.folder = "checkpoints", .resume = true}});
///
/// A training that goes on from a checkpoint ends with the bits of one that was never interrupted, on the same binary
/// and processor. Configuration and data have to be those of then, or ConfigError is thrown; a loss, a block or a
/// callback of one's own cannot be compared. A file of the folder is whole at any moment (write_file_atomically); the
/// last two are kept, and those of a finished training stay, so that what comes after it can fail and be repeated too.
struct CheckpointOptions {
  std::filesystem::path folder = {};  ///< Made where it is missing. Empty: no checkpoints.
  /// A checkpoint is written after the first batch that ends so long after the last checkpoint, but not so often that
  /// writing takes more than a twentieth of the time.
  double minutes = 5;
  std::size_t epochs = 1;  ///< One is written at the end of every so many epochs, and at the end of the last.
  /// Go on from the newest checkpoint of the folder that can be read; without any, begin anew. Otherwise a folder that
  /// holds checkpoints is refused, so that none is lost to a forgotten option.
  bool resume = false;
  /// Called with the file when a checkpoint has been written.
  std::function<void(const std::filesystem::path&)> written = {};
};

/// How a training runs, as far as it does not change what is learned.
struct FitOptions {
  std::size_t threads = 0;  ///< 0: as many as there are processors.
  /// Called on the calling thread, after every batch and every epoch.
  std::function<void(const TrainingProgress&)> progress = {};
  /// When stop is requested, training ends after the batch; what it has by then is validated and kept. Of a refit that
  /// is stopped nothing is kept.
  StopToken stop = {};
  /// When this is requested, training ends at once, within a batch of training or of validation: with a checkpoint,
  /// where there are any, and a TrainingInterrupted whose cause is a TrainingTerminated.
  StopToken terminate = {};
  /// Called with the gradients of each batch, as blocks of all parameters in a fixed order, before the optimiser reads
  /// them: so that processes which train on parts of the data can sum theirs. Not with sampled negatives (ConfigError).
  std::function<void(std::span<const std::span<float>>)> reduce_gradients = {};
  CheckpointOptions checkpoint = {};
  /// Bytes that `fit` may take (see training_memory); it refuses to begin where it needs more. 0: what the system says
  /// is available. Trainings of ratings know no such limit and refuse any other value.
  std::uint64_t memory = 0;
};

/// How a training went.
struct TrainingRecord {
  std::vector<EpochRecord> epochs;  ///< One an epoch that was begun.
  /// From 1: whose weights were kept, or how many epochs a refit had; 0 if nothing was validated.
  std::size_t best_epoch = 0;
  bool refitted = false;  ///< Trained once more, on the validation ratings too: see HistoryRatingConfig.
  bool stopped = false;   ///< By the stop token.
  double seconds = 0;     ///< Those before an interruption included, where it went on from a checkpoint.
};

/// The exception that ends a training when FitOptions::terminate asks for it.
class TrainingTerminated : public Error {
 public:
  using Error::Error;
  /// Throws it where it is requested.
  static void check(const StopToken& terminate) {
    if (terminate.stop_requested()) throw TrainingTerminated("the program was told to end");
  }
};

/// The end of a training that something other than its stop token ended after its first step: memory that ran out, a
/// loss that is not finite, a disk that is full, an exception of a callback. It owns what had been learned by then, so
/// that nothing is lost: the weights of the best epoch so far, else those of the last step.
///
///     try {
///       save(fit(split).recommender, "model.safetensors");
///     } catch (const TrainingInterrupted<Recommender>& interruption) {
///       save(interruption.model(), "model.safetensors");
///       interruption.rethrow_cause();
///     }
///
/// An exception before the first step is thrown as it is.
template <class Model>
class TrainingInterrupted : public Error {
 public:
  /// `cause`: what was thrown.
  TrainingInterrupted(Model model, TrainingRecord record, std::exception_ptr cause)
      : Error(message_of(cause)), model_(std::move(model)), record_(std::move(record)), cause_(std::move(cause)) {}

  const Model& model() const { return model_; }
  Model& model() { return model_; }
  const TrainingRecord& record() const { return record_; }
  const std::exception_ptr& cause() const { return cause_; }
  [[noreturn]] void rethrow_cause() const { std::rethrow_exception(cause_); }

 private:
  static std::string message_of(const std::exception_ptr& cause) {
    try {
      std::rethrow_exception(cause);
    } catch (const std::exception& error) {
      return detail::message({"the training was interrupted: ", error.what()});
    } catch (...) {
      return "the training was interrupted";
    }
  }

  Model model_;
  TrainingRecord record_;
  std::exception_ptr cause_;
};

}  // namespace lstmrec

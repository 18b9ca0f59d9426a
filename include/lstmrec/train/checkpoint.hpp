#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <lstmrec/core/error.hpp>
#include <lstmrec/io/atomic_file.hpp>
#include <lstmrec/io/config_fields.hpp>
#include <lstmrec/io/tensor_reader.hpp>
#include <lstmrec/io/tensor_writer.hpp>
#include <lstmrec/train/network_tensors.hpp>
#include <lstmrec/train/network_training.hpp>
#include <lstmrec/train/progress.hpp>
#include <lstmrec/version.hpp>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace lstmrec {

/// The texts in which a checkpoint must agree with a training that goes on from it: the configuration, the version of
/// the library, and a hash of the data and of the weights that the training began with.
using TrainingIdentity = std::map<std::string, std::string>;

/// The identity of a training, as far as it lies in its configuration, its version of the library, and a hash of what
/// it learns from.
template <class Config>
TrainingIdentity identity_of(const Config& config, std::uint64_t fingerprint) {
  TensorWriter texts;
  put_config(texts, config);
  texts.metadata["version"] = LSTMREC_VERSION;
  texts.metadata["data"] = std::to_string(fingerprint);
  return std::move(texts.metadata);
}

/// Where the loop over epochs stands between two batches.
template <class Network>
struct LoopState {
  std::size_t epoch = 0, batch = 0;  ///< Of the next batch, from 0.
  std::int64_t step = 0;             ///< Batches of all epochs so far.
  std::size_t events = 0;            ///< Of all epochs so far.
  std::size_t predictions = 0;       ///< Of this epoch so far.
  double loss_sum = 0;               ///< Of this epoch's predictions.
  std::optional<Network> best;       ///< The weights with the best validation so far.

  /// Calls visitor(name, number) for every number.
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("epoch", self.epoch);
    visitor("batch", self.batch);
    visitor("step", self.step);
    visitor("events", self.events);
    visitor("predictions", self.predictions);
    visitor("loss_sum", self.loss_sum);
  }
};

namespace detail {

inline constexpr const char* checkpoint_format = "lstmrec checkpoint 1";

/// Calls visitor(name, figure) for every figure of an epoch.
template <class Record, class Visitor>
void visit_epoch(Record& epoch, Visitor&& visitor) {
  visitor("loss", epoch.loss);
  visitor("events_per_second", epoch.events_per_second);
}
template <class Figures, class Visitor>
void visit_figures(Figures& figures, Visitor&& visitor) {
  visitor("hr10", figures.hr10);
  visitor("ndcg10", figures.ndcg10);
  visitor("mrr", figures.mrr);
  visitor("rmse", figures.rmse);
}

/// Adds the record of a training to a file's metadata.
inline void put_record(TensorWriter& file, const TrainingRecord& record) {
  file.metadata["record.best_epoch"] = to_text(record.best_epoch);
  file.metadata["record.seconds"] = to_text(record.seconds);
  file.metadata["record.epochs"] = to_text(record.epochs.size());
  for (std::size_t k = 0; k < record.epochs.size(); ++k) {
    const std::string prefix = message({"record.", k + 1, "."});
    const auto put = [&](const char* name, double value) { file.metadata[prefix + name] = to_text(value); };
    visit_epoch(record.epochs[k], put);
    if (record.epochs[k].validation) visit_figures(*record.epochs[k].validation, put);
  }
}

inline void get_record(const TensorReader& file, TrainingRecord& record) {
  std::size_t epochs = 0;
  get_number(file, "record.best_epoch", record.best_epoch);
  get_number(file, "record.seconds", record.seconds);
  get_number(file, "record.epochs", epochs);
  record.epochs.clear();
  for (std::size_t k = 0; k < epochs; ++k) {
    const std::string prefix = message({"record.", k + 1, "."});
    const auto get = [&](const char* name, double& value) { get_number(file, prefix + name, value); };
    EpochRecord& epoch = record.epochs.emplace_back();
    epoch.epoch = k + 1;
    visit_epoch(epoch, get);
    if (file.text(prefix + "rmse") != nullptr) visit_figures(epoch.validation.emplace(), get);
  }
}

/// Throws ConfigError where a checkpoint is of another training.
inline void expect_identity(const TensorReader& file, const TrainingIdentity& identity) {
  for (const auto& [key, text] : identity) {
    const std::string* found = file.text(key);
    if (found != nullptr && *found == text) continue;
    fail<ConfigError>({file.path(), ": a checkpoint of another training: ", key, ": expected \"", text, "\", found ",
                       found_text(found), "; go on with the data and options of then, or choose another folder"});
  }
}

}  // namespace detail

/// Writes the whole state of a training between two batches to a file, whole or not at all. Throws Error with the
/// system's reason.
template <class Network>
void write_checkpoint(const std::filesystem::path& path, const TrainingIdentity& identity,
                      const NetworkTraining<Network>& training, const LoopState<Network>& loop,
                      const TrainingRecord& record) {
  TensorWriter file;
  file.metadata = identity;
  file.metadata["format"] = detail::checkpoint_format;
  LoopState<Network>::visit(loop, [&](const char* name, const auto& number) {
    file.metadata[detail::message({"loop.", name})] = detail::to_text(number);
  });
  detail::put_record(file, record);
  NetworkTraining<Network>::visit_state(training, [&](const std::string& name, const auto& value) {
    using Value = std::remove_cvref_t<decltype(value)>;
    if constexpr (std::is_arithmetic_v<Value>)
      file.metadata[name] = detail::to_text(value);
    else if constexpr (std::is_same_v<Value, Network>)
      put_network(file, name + ".", value);
    else
      file.put(name, {value.size()}, std::span(value));
  });
  if (loop.best) put_network(file, "best.", *loop.best);
  file.write(path);
}

/// Brings a training to the state that a checkpoint holds. `training`: of the same network and options. Throws
/// ConfigError where the checkpoint is of another training, Error where the file can't be read and ModelFileError where
/// it is no checkpoint; then the training's state is not specified.
template <class Network>
void read_checkpoint(const std::filesystem::path& path, const TrainingIdentity& identity,
                     NetworkTraining<Network>& training, LoopState<Network>& loop, TrainingRecord& record) {
  TensorReader file(path);
  expect_format(file, {&detail::checkpoint_format, 1});
  detail::expect_identity(file, identity);
  LoopState<Network>::visit(loop, [&](const char* name, auto& number) {
    detail::get_number(file, detail::message({"loop.", name}), number);
  });
  detail::get_record(file, record);
  NetworkTraining<Network>::visit_state(training, [&](const std::string& name, auto& value) {
    using Value = std::remove_cvref_t<decltype(value)>;
    if constexpr (std::is_arithmetic_v<Value>)
      detail::get_number(file, name, value);
    else if constexpr (std::is_same_v<Value, Network>)
      get_network(file, name + ".", value);
    else {
      file.expect_shape(name, {value.size()});
      file.get_into(name, std::span(value));
    }
  });
  loop.best.reset();
  for (const auto& [name, tensor] : file.header().tensors) {
    if (!name.starts_with("best.")) continue;
    loop.best = training.network();
    get_network(file, "best.", *loop.best);
    break;
  }
}

/// The checkpoints of one training: files `checkpoint-<step>.safetensors` in a folder, the last two of them.
class CheckpointFolder {
 public:
  /// Makes the folder and tries whether it can be written. Does nothing where the options name none. Throws Error where
  /// that fails, and ConfigError where the folder holds checkpoints from which the training is not to go on, where a
  /// training is to go on without a folder, and where the minutes are negative or not a number.
  CheckpointFolder(const CheckpointOptions& options, TrainingIdentity identity)
      : options_(options), identity_(std::move(identity)) {
    require(options_.minutes >= 0, "minutes between checkpoints must not be negative", options_.minutes);
    if (!is_used() && options_.resume) throw ConfigError("a training that resumes needs a folder of checkpoints");
    if (!is_used()) return;
    std::error_code failure;
    std::filesystem::create_directories(options_.folder, failure);
    if (failure) detail::fail<Error>({options_.folder.string(), ": cannot be made: ", failure.message()});
    check_writable(file_of(0));
    if (!options_.resume && !steps().empty())
      detail::fail<ConfigError>({options_.folder.string(),
                                 ": holds checkpoints of an earlier training; resume it, or choose another folder"});
  }

  bool is_used() const { return !options_.folder.empty(); }

  /// Whether a checkpoint is due after a batch, by the time since the last one.
  bool is_due() const {
    return is_used() &&
           TrainingClock::seconds_since(last_) >= std::max(60 * options_.minutes, 20 * seconds_of_writing_);
  }
  /// Whether one is due at the end of an epoch, by the number of those that have ended.
  bool is_due_after_epoch(std::size_t epochs, bool is_last) const {
    return is_used() && (is_last || (options_.epochs > 0 && epochs % options_.epochs == 0));
  }

  template <class Network>
  void write(const NetworkTraining<Network>& training, const LoopState<Network>& loop, const TrainingRecord& record) {
    const auto begin = TrainingClock::now();
    const std::filesystem::path path = file_of(loop.step);
    write_checkpoint(path, identity_, training, loop, record);
    remove_old();
    last_ = TrainingClock::now();
    seconds_of_writing_ = TrainingClock::seconds_since(begin);
    if (options_.written) options_.written(path);
  }

  /// Brings a training to the newest checkpoint that can be read, if it is to go on and there is one. Where none of
  /// those that are there can be read, throws what is wrong with the newest.
  template <class Network>
  void resume(NetworkTraining<Network>& training, LoopState<Network>& loop, TrainingRecord& record) const {
    if (!is_used() || !options_.resume) return;
    std::exception_ptr first;
    for (const std::int64_t step : steps()) {
      try {
        return read_checkpoint(file_of(step), identity_, training, loop, record);
      } catch (const ConfigError&) {
        throw;
      } catch (const Error&) {
        if (!first) first = std::current_exception();
      }
    }
    if (first) std::rethrow_exception(first);
  }

 private:
  static constexpr const char* prefix = "checkpoint-";
  static constexpr const char* suffix = ".safetensors";

  std::filesystem::path file_of(std::int64_t step) const {
    return options_.folder / detail::message({prefix, step, suffix});
  }

  /// The steps after which there are checkpoints, the newest first.
  std::vector<std::int64_t> steps() const {
    std::vector<std::int64_t> found;
    for_each_file([&](const std::filesystem::path&, std::int64_t step, const std::string& rest) {
      if (rest == suffix) found.push_back(step);
    });
    std::sort(found.begin(), found.end(), std::greater<>());
    return found;
  }

  /// Removes all checkpoints but the last two, and what a killed program has left of one that it was writing.
  void remove_old() const {
    const auto known = steps();
    for_each_file([&](const std::filesystem::path& path, std::int64_t step, const std::string& rest) {
      const bool is_old = rest == suffix && known.size() >= 2 && step < known[1];
      std::error_code ignored;  // one that stays is no harm
      if (is_old || rest.starts_with(std::string(suffix) + ".partial-")) std::filesystem::remove(path, ignored);
    });
  }

  /// Calls visit(path, step, rest of the name) for what has the name of a checkpoint, or begins with it.
  template <class Visit>
  void for_each_file(Visit&& visit) const {
    std::error_code failure;
    std::vector<std::filesystem::path> paths;
    for (auto entry = std::filesystem::directory_iterator(options_.folder, failure);
         !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure))
      paths.push_back(entry->path());
    for (const auto& path : paths) {
      const std::string name = path.filename().string();
      if (!name.starts_with(prefix)) continue;
      std::int64_t step = 0;
      const auto [end, error] =
          std::from_chars(name.data() + std::string_view(prefix).size(), name.data() + name.size(), step);
      if (error == std::errc{}) visit(path, step, std::string(end, name.data() + name.size()));
    }
  }

  CheckpointOptions options_;
  TrainingIdentity identity_;
  TrainingClock::Point last_ = TrainingClock::now();
  double seconds_of_writing_ = 0;
};

}  // namespace lstmrec

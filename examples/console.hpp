#pragma once

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cmath>
#include <concepts>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <iostream>
#include <limits>
#include <lstmrec/core/stop_token.hpp>
#include <lstmrec/io/atomic_file.hpp>
#include <lstmrec/io/fixed.hpp>
#include <lstmrec/lstmrec.hpp>
#include <lstmrec/train/progress.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "command_line.hpp"

/// The common part of the example programs: what they check, how they are interrupted and report progress.
namespace example {

/// A check of an option's text: empty if an Integer can hold it. CLI11 2.1 takes the nearest number that one can hold.
template <std::integral Integer>
std::string fits(const std::string& text) {
  Integer value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  const bool fits = failure == std::errc{} && stop == end;
  return fits ? ""
              : "expected a whole number of at most " + std::to_string(std::numeric_limits<Integer>::max()) + ", got " +
                    text;
}

/// A file, and the option that names it; the path is empty where the option is not given.
struct OptionFile {
  std::string option;
  std::filesystem::path path;
};

/// Throws Error for an output that could not be written later, and for one that is an input too or named twice, however
/// it is spelled: before anything is read, and an hour of training.
inline void check_outputs(const std::vector<OptionFile>& outputs, const std::vector<OptionFile>& inputs) {
  const auto same_file = [](const OptionFile& a, const OptionFile& b) {  // where both are there
    std::error_code failure;
    return std::filesystem::equivalent(a.path, b.path, failure);
  };
  const auto place = [](const OptionFile& output) {  // absolute, else a name that is not there stays as it is spelled
    return std::filesystem::weakly_canonical(std::filesystem::absolute(lstmrec::detail::written_file(output.path)));
  };
  const auto refuse = [](const OptionFile& output, const OptionFile& other, const char* why) {
    throw lstmrec::Error(output.option + " " + output.path.string() + " and " + other.option + " " +
                         other.path.string() + ": " + why);
  };
  for (auto output = outputs.begin(); output != outputs.end(); ++output) {
    if (output->path.empty()) continue;
    lstmrec::check_writable(output->path);
    for (const OptionFile& input : inputs)
      if (same_file(*output, input)) refuse(*output, input, "an input would be overwritten");
    for (auto other = outputs.begin(); other != output; ++other)
      if (!other->path.empty() && (same_file(*output, *other) || place(*output) == place(*other)))
        refuse(*output, *other, "two outputs would be written to the same file");
  }
}

/// While it lives, Ctrl-C asks for a stop and SIGTERM for an end instead of ending the program; a second Ctrl-C ends
/// it.
///
/// request_stop may not be called from a signal handler, so a thread of its own waits for the
/// signals, which all other threads that are made meanwhile leave to it.
class Signals {
 public:
  Signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, &before_);
    watcher_ = std::thread([this, signals] { watch(signals); });
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals() {
    closing_ = true;
    pthread_kill(watcher_.native_handle(), SIGINT);
    watcher_.join();
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

  lstmrec::StopToken stop() const { return stop_.get_token(); }
  lstmrec::StopToken terminate() const { return terminate_.get_token(); }
  /// True the first time after Ctrl-C.
  bool poll() { return stop_.stop_requested() && !std::exchange(polled_, true); }

 private:
  void watch(const sigset_t& signals) {
    for (int signal = 0; sigwait(&signals, &signal) == 0 && !closing_;) {
      if (signal == SIGTERM) {
        terminate_.request_stop();
      } else if (!stop_.request_stop()) {
        std::signal(SIGINT, SIG_DFL);
        pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
        std::raise(SIGINT);
      }
    }
  }

  sigset_t before_ = {};
  lstmrec::StopSource stop_, terminate_;
  std::atomic<bool> closing_ = false;
  bool polled_ = false;
  std::thread watcher_;
};

/// The options of a trainer that are about checkpoints.
inline void add_checkpoint_options(CommandLine& line, lstmrec::CheckpointOptions& checkpoint) {
  const auto folder =
      line.add_option("--checkpoint", checkpoint.folder,
                      "Write the whole state of the training to this folder as it goes on, the last two "
                      "states being kept, so that it can be resumed");
  line.add_option("--checkpoint-minutes", checkpoint.minutes, "Write one so long after the last")
      .needs(folder)
      .capture_default_str();
  line.add_option("--checkpoint-epochs", checkpoint.epochs,
                  "Write one at the end of every so many epochs; 0: of the last")
      .check(fits<std::size_t>)
      .needs(folder)
      .capture_default_str();
  line.add_flag(
          "--resume", checkpoint.resume,
          "Go on from the newest state in that folder, to the result of an undisturbed training; begin anew where "
          "there is none")
      .needs(folder);
}

/// Returns train(). Where it throws a TrainingInterrupted, saves what had been learned to `path`, if that is not empty,
/// and throws the cause.
template <class Model, class Train>
auto save_if_interrupted(const std::filesystem::path& path, Train&& train) {
  try {
    return train();
  } catch (const lstmrec::TrainingInterrupted<Model>& interruption) {
    if (!path.empty()) {
      try {
        save(interruption.model(), path);
        std::cerr << "what had been learned by then is written to " << path.string() << '\n';
      } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
      }
    }
    interruption.rethrow_cause();
  }
}

/// Which compiler made this program.
inline std::string compiler() {
#ifdef __clang__
  return "clang " __clang_version__;
#elif defined(__GNUC__)
  return "g++ " __VERSION__;
#else
  return "unknown";
#endif
}

using lstmrec::detail::fixed;

/// A sentence where this program was compiled for less than the processor offers, else empty.
inline std::string slow_build_note() {
#if defined(__GNUC__) && !defined(__OPTIMIZE__)
  return "compiled without optimisation, which makes training about 100 times as long";
#elif defined(__GNUC__) && defined(__x86_64__) && !(defined(__AVX2__) && defined(__FMA__))
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return "compiled without AVX2 and FMA, which this processor has: -march=native makes training several times as "
           "fast";
#endif
  return {};
}

/// `p = 0.012`, or `p <= 0.002` where the bootstrap has not been turned round once.
inline std::string p_text(double p, std::size_t samples) {
  const double least = 2.0 / static_cast<double>(1 + samples);
  return (p > least ? "p = " : "p <= ") + fixed(p, 3);
}

/// `4 min 05 s`
inline std::string duration(double seconds) {
  const auto whole = static_cast<long long>(std::llround(std::max(0.0, seconds)));
  if (whole < 60) return std::to_string(whole) + " s";
  const auto two = [](long long number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  if (whole < 3600) return std::to_string(whole / 60) + " min " + two(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + two(whole / 60 % 60) + " min";
}

/// `1 000 209`
inline std::string grouped(std::size_t number) {
  std::string text = std::to_string(number);
  for (std::size_t place = text.size(); place > 3; place -= 3) text.insert(place - 3, 1, ' ');
  return text;
}

/// Shows a training on standard error: a bar that moves where that is a terminal, else a line an epoch (and a line a
/// minute within long ones).
class ProgressPrinter {
 public:
  void operator()(const lstmrec::TrainingProgress& p) {
    if (p.epoch_ended) {
      clear_bar();
      const std::size_t columns = terminal_columns(STDERR_FILENO);
      const std::string line = epoch_line(p, true);
      std::cerr << (columns > 0 && line.size() >= columns ? epoch_line(p, false) : line) << '\n' << std::flush;
      if (!terminal_) shown_ = Clock::now();
    } else if (Clock::now() - shown_ >= interval()) {
      if (terminal_) {
        draw_bar(p);
      } else {
        std::cerr << place(p) << " batch " << p.batch << "/" << p.batches << "  loss " << fixed(p.loss, 3) << "  "
                  << duration(p.seconds_left) << " left\n"
                  << std::flush;
      }
      shown_ = Clock::now();
      is_first_ = false;
    }
  }

  /// Removes the bar, before something else is printed.
  void clear_bar() const {
    if (terminal_) std::cerr << "\r\033[K" << std::flush;
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// The first line comes soon, because it says how long the training will take.
  Clock::duration interval() const {
    if (terminal_) return std::chrono::milliseconds(100);
    return is_first_ ? std::chrono::seconds(1) : std::chrono::seconds(60);
  }

  /// Short, it has at most 76 characters where there are less than 10⁶ events/s and 100 h.
  static std::string epoch_line(const lstmrec::TrainingProgress& p, bool is_long) {
    std::string line = place(p) + "  loss " + fixed(p.loss, 3);
    if (p.validation) {
      line += (is_long ? "  validation NDCG@10 " : "  NDCG@10 ") + fixed(p.validation->ndcg10, 4);
      if (is_long) line += "  HR@10 " + fixed(p.validation->hr10, 4);
    }
    line += "  " + grouped(static_cast<std::size_t>(p.events_per_second)) + " events/s";
    return p.epoch < p.epochs ? line + "  " + duration(p.seconds_left) + " left" : line;
  }

  static std::string place(const lstmrec::TrainingProgress& p) {
    const std::string epochs = std::to_string(p.epochs), epoch = std::to_string(p.epoch);
    return "epoch " + std::string(epochs.size() - std::min(epochs.size(), epoch.size()), ' ') + epoch + "/" + epochs;
  }

  static void draw_bar(const lstmrec::TrainingProgress& p) {
    const double done = static_cast<double>(p.batch) / static_cast<double>(p.batches);
    const std::string left = place(p) + " [";
    const std::string right = "] " + std::to_string(static_cast<int>(100 * done)) + "%  loss " + fixed(p.loss, 3) +
                              "  " + grouped(static_cast<std::size_t>(p.events_per_second)) + " events/s  " +
                              duration(p.seconds_left) + " left";
    const std::size_t known = terminal_columns(STDERR_FILENO);
    const std::size_t columns = known > 0 ? known : 80, texts = left.size() + right.size() + 1;
    const std::size_t width = std::clamp<std::size_t>(columns > texts ? columns - texts : 0, 0, 40);
    const auto full = static_cast<std::size_t>(done * static_cast<double>(width));
    const std::string line = left + std::string(full, '#') + std::string(width - full, '.') + right;
    std::cerr << '\r' << line.substr(0, columns - 1) << "\033[K" << std::flush;  // a full line would scroll
  }

  bool terminal_ = isatty(STDERR_FILENO) != 0, is_first_ = true;
  Clock::time_point shown_ = Clock::now();
};

}  // namespace example

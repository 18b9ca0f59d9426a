// Prints peak memory and time of every stage from a file of events to lists, with default settings, for one size of log
// and catalogue a run, since a peak is a whole process's; or how time grows with the events of a user, with the items
// and with the targets of a user. All data are generated.

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <lstmrec/lstmrec.hpp>
#include <optional>
#include <ostream>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "generated_events.hpp"
#include "growth_chart.hpp"
#include "limits.hpp"

using namespace benchmark;
using namespace lstmrec;

namespace {

constexpr std::int64_t units = 64;

// Memory.

/// The most memory that this process has held since `forget_peak` was called last; where the system does not forget,
/// since its start.
double peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return 1024.0 * static_cast<double>(usage.ru_maxrss);
}
void forget_peak() { std::ofstream("/proc/self/clear_refs") << 5; }

double bytes_held() {
  double pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}
double bytes_free() {
  return static_cast<double>(sysconf(_SC_AVPHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

/// Prints the time and the peak of one stage after the other.
class Stages {
 public:
  explicit Stages(std::string row) : row_(std::move(row)) { forget_peak(); }

  /// A stage that has taken so long ends.
  void end(const std::string& name, double seconds, double limit = 0, const std::string& note = "") {
    print(name, row_, seconds, "s", limit, note);
    print(name + ": peak memory", row_, peak_bytes(), "bytes");
    forget_peak();
  }

  template <class Function>
  auto run(const std::string& name, Function&& function) {
    const double begin = seconds_now();
    auto result = function();
    end(name, seconds_now() - begin);
    return result;
  }

  const std::string& row() const { return row_; }

 private:
  std::string row_;
};

// Data.

/// Events of one user after the other: of Zipf's law, every second one followed by what always follows it.
class Walk {
 public:
  explicit Walk(std::size_t items) : items_(static_cast<std::int64_t>(items)) {}

  std::int64_t next_item() {
    const bool follows = random_.below(2) == 0;
    item_ = follows ? (7 * item_ + 1) % items_
                    : static_cast<std::int64_t>(std::pow(static_cast<double>(items_), random_.uniform())) - 1;
    return item_;
  }
  /// With MovieLens 1M's spread, at least 3.
  std::size_t next_length() {
    return static_cast<std::size_t>(std::min(2000.0, 20 + 76 * std::exp(0.9 * random_.normal())));
  }

 private:
  std::int64_t items_, item_ = 0;
  Random random_{1};
};

/// A folder for as long as the object lives.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("lstmrec-scale-" + std::to_string(getpid()))) {
    std::filesystem::create_directory(path_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }

  std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

void write_log(const std::filesystem::path& path, std::size_t events, std::size_t items) {
  std::ofstream out(path);
  Walk walk(items);
  std::string text = "userId,movieId,rating,timestamp\n";
  const auto number = [&](std::int64_t value, char after) {
    char digits[20];
    text.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    text += after;
  };
  std::size_t left = 0;
  std::int64_t user = 0, time = 0;
  for (std::size_t event = 0; event < events; ++event, --left) {
    if (left == 0) {
      left = walk.next_length();
      ++user;
    }
    number(user, ',');
    number(walk.next_item(), ',');
    text += "3.5,";
    number(956703932 + time++, '\n');
    if (text.size() < 1 << 20 && event + 1 < events) continue;
    out << text;
    text.clear();
  }
  out.close();
  if (!out) throw Error(path.string() + ": could not be written");
}

/// Adds the items that have no events.
void complete_catalogue(Sequences& sequences, std::size_t items) {
  for (std::size_t item = 0; item < items && sequences.items.size() < items; ++item)
    sequences.items.add(static_cast<std::int64_t>(item));
  sequences.catalogue.resize(items);
}

/// Users of the same number of events each, over a catalogue of the given size.
Split equal_histories(std::size_t users, std::size_t length, std::size_t items) {
  Interactions log;
  log.source = "memory";
  log.has_times = true;
  Walk walk(items);
  for (std::size_t user = 0; user < users; ++user)
    for (std::size_t time = 0; time < length; ++time)
      log.add(log.users.add(static_cast<std::int64_t>(user)), log.items.add(walk.next_item()), 0,
              static_cast<std::int64_t>(time));
  log.catalogue.resize(log.items.size());
  Sequences sequences = build_sequences(std::move(log));
  complete_catalogue(sequences, items);
  return leave_one_out(std::move(sequences));
}

// One row.

/// Trains with default settings on an epoch, or on its first million events, validates, and weighs a Markov chain.
Recommender trained(const Split& split, Stages& stages) {
  constexpr std::size_t most_events = 1'000'000;
  std::stop_source enough;
  double before = seconds_now();
  std::size_t first_events = 0;
  const auto progress = [&](const TrainingProgress& p) {
    const double now = seconds_now();
    if (p.epoch_ended) {
      stages.end("validate", now - before, 0, "all items are ranked for at most 2000 targets");
      before = now;
    } else if (p.batch == 1) {
      stages.end("prepare and take the first step", now - before);
      before = now;
      first_events = p.events;
    } else if (p.batch == p.batches || p.events >= most_events) {
      const double events = static_cast<double>(p.events - first_events);
      stages.end("train on " + std::to_string(p.events) + " events", now - before, 0,
                 p.batch == p.batches ? "an epoch" : "more would take too long for a measurement");
      print("train: an event", stages.row(), (now - before) / events, "s");
      print("train: an epoch", stages.row(),
            (now - before) / events * static_cast<double>(p.events) * static_cast<double>(p.batches) /
                static_cast<double>(p.batch),
            "s", 0, "what it would take at that speed");
      enough.request_stop();
      before = now;
    }
  };
  auto result =
      fit(split, {.embedding_size = units, .hidden_size = units}, {.progress = progress, .stop = enough.get_token()});
  stages.end("weigh the Markov chain", seconds_now() - before, 0,
             "weight " + std::to_string(result.recommender.markov_weight()) + ", " +
                 std::to_string(result.recommender.markov().transitions.items.size()) + " entries");
  return std::move(result.recommender);
}

void serve(const Recommender& recommender, Stages& stages) {
  const auto& vectors = recommender.network().output_vectors();
  const double reading = best_seconds([&] { kept = read_all(vectors.data(), vectors.size()); });
  Walk walk(static_cast<std::size_t>(recommender.items()));
  const double before = bytes_held();
  Session session(recommender);
  for (int event = 0; event < 100; ++event) session.observe(walk.next_item());
  stages.end("a list of ten", best_seconds([&] { kept = session.top_n(10)[0].score; }), reading,
             "limit: reading the items from memory");
  print("a session: memory", stages.row(), bytes_held() - before, "bytes");

  // Every parked user takes memory of its own; what they have seen is of one of a thousand.
  Ranker ranker(recommender);
  std::vector<UserState> seen(1000);
  const double events_begin = seconds_now();
  for (UserState& user : seen)
    for (int event = 0; event < 100; ++event) ranker.observe(user, walk.next_item());
  print("an event", stages.row(), (seconds_now() - events_begin) / 1e5, "s");
  const std::size_t most = bytes_free() > 4e9 ? 1'000'000 : 10'000;
  const double unparked = bytes_held();
  const double parking_begin = seconds_now();
  std::vector<UserState> parked;
  parked.reserve(most);
  for (std::size_t user = 0; user < most; ++user) parked.push_back(seen[user % seen.size()]);
  const double seconds = seconds_now() - parking_begin, bytes = bytes_held() - unparked;
  stages.end("park " + std::to_string(most) + " users", seconds, 0, "of 100 events each");
  print("a million parked users: memory", stages.row(), bytes * 1e6 / static_cast<double>(most), "bytes", 0,
        std::to_string(most) + " were made");
  kept = static_cast<float>(parked.back().events);
}

void row(std::size_t items, std::size_t events) {
  Stages stages(std::to_string(items) + " items, " + std::to_string(events) + " events");
  const Folder folder;
  const auto log = folder / "ratings.csv", model = folder / "model.safetensors";
  write_log(log, events, items);
  forget_peak();
  std::optional<Recommender> recommender;
  {
    Interactions interactions = stages.run("read", [&] { return read_movielens(log); });
    std::filesystem::remove(log);
    Sequences sequences = stages.run("sort into sequences", [&] { return build_sequences(std::move(interactions)); });
    complete_catalogue(sequences, items);
    forget_peak();
    const Split split = stages.run("split", [&] { return leave_one_out(std::move(sequences)); });
    recommender = trained(split, stages);
  }
  const double begin = seconds_now();
  save(*recommender, model);
  stages.end("save", seconds_now() - begin, 0, std::to_string(std::filesystem::file_size(model) / 1'000'000) + " MB");
  recommender.reset();
  forget_peak();
  recommender = stages.run("load", [&] { return load_recommender(model); });
  serve(*recommender, stages);
}

// Growth.

/// Measures seconds(x) at some sizes, and prints each and the slope.
template <class Seconds>
void print_curve(const std::string& name, const std::string& over, std::span<const std::size_t> sizes,
                 Seconds&& seconds, const std::string& note) {
  Curve curve{name, "", {}, {}};
  for (const std::size_t size : sizes) {
    curve.x.push_back(static_cast<double>(size));
    curve.y.push_back(seconds(size));
    print(name, over + " = " + std::to_string(size), curve.y.back(), "s");
  }
  print(name + ": slope", over, slope(curve), "", 0, note);
  Curve last{name, "", {}, {}};
  last.x.assign(curve.x.end() - 2, curve.x.end());
  last.y.assign(curve.y.end() - 2, curve.y.end());
  print(name + ": slope at the end", over, slope(last), "");
}

double training_seconds(const Split& split) {
  const double begin = seconds_now();
  fit(split, {.embedding_size = units,
              .hidden_size = units,
              .markov_weight = 0,
              .sampled_negatives = 2048,
              .training = {.epochs = 1}});
  return seconds_now() - begin;
}

double evaluation_seconds(const Recommender& recommender, const Split& split, std::span<const Target> targets) {
  return best_seconds(
      [&] { kept = static_cast<float>(evaluate(recommender, split, targets, {.bootstrap_samples = 0}).mrr.value); });
}

/// With a Markov chain.
Recommender untrained_with_chain(const Split& split) {
  const Recommender network = untrained(split, units);
  RecommenderConfig config = network.config();
  config.markov_weight = 1;
  return Recommender({.config = config,
                      .network = network.network(),
                      .item_ids = network.item_ids(),
                      .catalogue = network.catalogue(),
                      .item_counts = network.item_counts(),
                      .markov = MarkovChain(split)});
}

void growth_with_events() {
  const std::vector<std::size_t> lengths = {100, 1000, 10'000, 100'000};
  constexpr std::size_t items = 20'000;
  print_curve(
      "a Markov chain of 4 users", "events a user", lengths,
      [](std::size_t length) {
        const Split split = equal_histories(4, length, items);
        return best_seconds([&] { kept = MarkovChain(split).totals[0]; });
      },
      "linear");
  print_curve(
      "the last events of 4 users, ranked", "events a user", lengths,
      [](std::size_t length) {
        const Split split = equal_histories(4, length, items);
        return evaluation_seconds(untrained_with_chain(split), split, split.test);
      },
      "linear; short ones pay for ranking the items");
  for (const bool at_once : {false, true})
    print_curve(
        at_once ? "a session told a history at once" : "a session told one event after the other", "events", lengths,
        [&](std::size_t length) {
          const Split split = equal_histories(1, length, items);
          const Recommender recommender = untrained(split, units);
          std::vector<RawId> ids;
          for (const std::uint32_t item : split.sequences.events.items) ids.push_back(split.sequences.items.id(item));
          return best_seconds([&] {
            Session session(recommender);
            if (at_once)
              session.observe_all(ids);
            else
              for (const RawId& id : ids) session.observe(id);
            kept = static_cast<float>(session.events());
          });
        },
        "linear");
  print_curve(
      "an epoch of 4 users", "events a user", lengths,
      [](std::size_t length) { return training_seconds(equal_histories(4, length, items)); },
      "linear; short ones pay for the optimiser and the validation");
}

void growth_with_items() {
  const std::vector<std::size_t> sizes = {1000, 10'000, 100'000, 1'000'000};
  print_curve(
      "an epoch of 1000 users of 20 events, 2048 negatives", "items", sizes,
      [](std::size_t items) { return training_seconds(equal_histories(1000, 20, items)); },
      "below linear: a batch meets its own items and the negatives, the validation all");
  print_curve(
      "256 targets, ranked", "items", sizes,
      [](std::size_t items) {
        const Split split = equal_histories(256, 20, items);
        return evaluation_seconds(untrained_with_chain(split), split, split.test);
      },
      "linear");
  print_curve(
      "a list of ten", "items", sizes,
      [](std::size_t items) {
        const Split split = equal_histories(256, 20, items);
        const Recommender recommender = untrained_with_chain(split);
        Session session(recommender);
        for (int id = 0; id < 20; ++id) session.observe(id);
        return best_seconds([&] { kept = session.top_n(10)[0].score; });
      },
      "linear; it bends where the vectors no longer fit a cache");
}

void growth_with_targets() {
  const std::vector<std::size_t> counts = {100, 1000, 10'000, 100'000};
  constexpr std::size_t items = generated_items;
  const auto all_targets = [](std::size_t count) {
    Split split = equal_histories(2, count, items);
    split.test.clear();
    for (std::uint32_t user = 0; user < 2; ++user)
      for (std::uint32_t position = 0; position < count; ++position) split.test.push_back({user, position});
    return split;
  };
  print_curve(
      "all targets of two users, ranked", "targets a user", counts,
      [&](std::size_t count) {
        const Split split = all_targets(count);
        return evaluation_seconds(untrained(split, units), split, split.test);
      },
      "linear: one pass along a user's events");
  print_curve(
      "all targets of two users, calibrated", "targets a user", std::span(counts).first(3),
      [&](std::size_t count) {
        const Split split = all_targets(count);
        const Recommender recommender = untrained(split, units);
        const Evaluation evaluation = evaluate(recommender, split, split.test, {.bootstrap_samples = 0});
        return best_seconds([&] { kept = static_cast<float>(calibration(recommender, split, evaluation).error); });
      },
      "linear");
  print_curve(
      "all targets of two users, lists of ten written", "targets a user", std::span(counts).first(3),
      [&](std::size_t count) {
        const Split split = all_targets(count);
        const Recommender recommender = untrained(split, units);
        std::ofstream nowhere("/dev/null");
        return best_seconds([&] { write_ranked_lists(nowhere, recommender, split, split.test, {.length = 10}); });
      },
      "linear");
}

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  const auto is = [&](const char* word) { return words == std::vector<std::string>{word}; };
  if (is("events")) {
    growth_with_events();
  } else if (is("items")) {
    growth_with_items();
  } else if (is("targets")) {
    growth_with_targets();
  } else if (words.size() == 2 && std::atof(words[0].c_str()) >= 1 && std::atof(words[1].c_str()) >= 1) {
    row(static_cast<std::size_t>(std::atof(words[0].c_str())), static_cast<std::size_t>(std::atof(words[1].c_str())));
  } else {
    std::cerr << "usage: scale ITEMS EVENTS      such as 1e6 1e7: all stages at that size\n"
                 "       scale events | items | targets      how time grows with them\n";
    return 2;
  }
}

// Prints how time grows with the size of a problem: training, serving, loading and evaluation over events, items,
// units, length of the sequences and threads. Of every point also what the machine would take at least, from its peak
// and its reading speed in this run. All data are generated.

#include <unistd.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <lstmrec/lstmrec.hpp>
#include <map>
#include <stop_token>
#include <string>
#include <tuple>
#include <vector>

#include "generated_events.hpp"
#include "limits.hpp"

using namespace benchmark;
using namespace lstmrec;

namespace {

constexpr std::size_t few_items = generated_items;
constexpr std::int64_t few_units = 64;

/// One line of a curve: `value` in seconds.
void print_point(const std::string& curve, const std::string& over, double x, double value, double limit,
                 const std::string& note) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f", x);
  print(curve, over + " = " + text, value, "s", limit, note);
}

/// An item whose frequency falls with its number as Zipf's law says.
std::int64_t draw_item(Random& random, std::size_t items) {
  return static_cast<std::int64_t>(std::pow(static_cast<double>(items), random.uniform())) - 1;
}

/// Users of the same number of events each, over a catalogue of the given size.
Split equal_histories(std::size_t users, std::size_t length, std::size_t items = few_items) {
  Random random(1);
  std::vector<std::tuple<std::int64_t, std::int64_t, std::int64_t, float>> rows;
  rows.reserve(users * length);
  for (std::size_t user = 0; user < users; ++user)
    for (std::size_t time = 0; time < length; ++time)
      rows.emplace_back(static_cast<std::int64_t>(user), draw_item(random, items), static_cast<std::int64_t>(time),
                        1.0f);
  Split split = leave_one_out(build_sequences(make_interactions(rows)));
  for (std::size_t item = 0; item < items; ++item) split.sequences.items.add(static_cast<std::int64_t>(item));
  split.sequences.catalogue.resize(items);
  return split;
}

/// Weights that the products of an event meet in the network: 8 units² of the LSTM and as many of the feed-forward
/// part.
double network_weights(std::int64_t units) { return 16.0 * static_cast<double>(units * units); }

double item_weights(std::int64_t units, std::size_t items) {
  return static_cast<double>(items) * static_cast<double>(units);
}

double peak(std::size_t threads) {
  static std::map<std::size_t, double> known;
  double& value = known[threads];
  if (value == 0) value = peak_flops(threads);
  return value;
}

// Training.

/// Seconds an event, over the batches that fit into a second, the first left out.
double training_seconds(const Split& split, RecommenderConfig config, std::size_t threads) {
  config.markov_weight = 0;
  config.training.patience = 0;
  config.training.epochs = 1000;
  Split without_validation = split;
  without_validation.validation.clear();
  std::stop_source enough;
  double seconds = 0, before = 0;
  std::size_t events = 0, events_before = 0, batches = 0;
  const auto progress = [&](const TrainingProgress& p) {
    const double now = seconds_now();
    if (!p.epoch_ended && ++batches > 1) {
      seconds += now - before;
      events += p.events - events_before;
      if (seconds > 1) enough.request_stop();
    }
    before = now;
    events_before = p.events;
  };
  fit(without_validation, config, {.threads = threads, .progress = progress, .stop = enough.get_token()});
  return seconds / static_cast<double>(events);
}

double training_limit(std::int64_t units, std::size_t items, std::size_t threads) {
  return 6 * (network_weights(units) + item_weights(units, items)) / peak(threads);  // forward, and twice backward
}

RecommenderConfig config_of(std::int64_t units, std::int64_t window, std::int64_t batch_size) {
  return {.embedding_size = units,
          .hidden_size = units,
          .sampled_negatives = 0,
          .window = window,
          .training = {.batch_size = batch_size}};
}

void training() {
  for (const std::size_t users : {100, 1000, 10000, 100000}) {
    const double events = 100.0 * static_cast<double>(users);
    print_point("training: an epoch", "events", events,
                events * training_seconds(equal_histories(users, 100), config_of(few_units, 100, 24), 2),
                events * training_limit(few_units, few_items, 2),
                "Linear: an event costs the same however many there are. From the first second of an epoch.");
  }
  for (const std::size_t items : {1000, 10000, 100000, 1000000})
    print_point(
        "training: an event", "items", static_cast<double>(items),
        training_seconds(equal_histories(200, 100, items), config_of(few_units, 100, 24), 2),
        training_limit(few_units, items, 2),
        "Linear where the softmax over all items is most of the work; below some thousand items the network is. "
        "Every batch also goes through the gradients and moments of all items.");
  for (const std::size_t items : {1000, 10000, 100000, 1000000}) {
    RecommenderConfig config = config_of(224, 100, 80);  // GRU4Rec's published sizes
    config.feed_forward_factor = 0;
    config.sampled_negatives = 2048;
    print_point("training with 2048 negatives: an event", "items", static_cast<double>(items),
                training_seconds(equal_histories(960, 100, items), config, 2),
                6 * (8 * 224.0 * 224 + 2048 * 224.0) / peak(2),
                "Flat: a batch meets its own items and the negatives, whatever the catalogue. Of few items some are "
                "drawn twice and cost once.");
  }
  for (const std::int64_t units : {16, 32, 64, 128, 256, 512, 1024})
    print_point(
        "training: an event", "units", static_cast<double>(units),
        training_seconds(equal_histories(200, 100), config_of(units, 100, 24), 2), training_limit(units, few_items, 2),
        "From linear, where the softmax is most, to quadratic, where the network's matrices are: 16 units² meet "
        "3416 units.");
  for (const std::size_t length : {10, 30, 100, 300, 1000, 5000})
    print_point(
        "training: a sequence", "length", static_cast<double>(length),
        static_cast<double>(length) * training_seconds(equal_histories(64, length),
                                                       config_of(few_units, static_cast<std::int64_t>(length), 16), 2),
        static_cast<double>(length) * training_limit(few_units, few_items, 2),
        "Linear: backpropagation through all steps, at the same cost a step. Short ones pay for the optimiser, "
        "which goes through all parameters after every 16 of them.");
  for (const std::size_t threads : {1, 2})
    print_point("training: an event", "threads", static_cast<double>(threads),
                training_seconds(equal_histories(200, 100), config_of(few_units, 100, 24), threads),
                training_limit(few_units, few_items, threads), "Slope −1 if two threads do twice as much.");
}

// Serving.

/// Bytes of weights that an event and a list read in a prepared session.
double event_bytes(std::int64_t units) { return 4 * 12.0 * static_cast<double>(units * units); }
double list_bytes(std::int64_t units, std::size_t items) { return 4 * item_weights(units, items); }

void serving() {
  const auto next = [](Random& random, std::size_t items) { return RawId(draw_item(random, items)); };
  for (const std::size_t items : {1000, 10000, 100000, 1000000}) {
    Recommender recommender = untrained(equal_histories(1, 100, items), few_units);
    recommender.cache_input_projections();
    Session session(recommender);
    Random random(1);
    print_point("serving: an event and a list of 10", "items", static_cast<double>(items), best_seconds([&] {
                  session.observe(next(random, items));
                  kept = session.top_n(10)[0].score;
                }),
                read_seconds(event_bytes(few_units) + list_bytes(few_units, items)),
                "Linear: every item's vector is read and its score compared. It bends where the vectors no longer fit "
                "a cache, as the limit does.");
  }
  for (const std::int64_t units : {16, 32, 64, 128, 256, 512, 1024}) {
    Recommender recommender = untrained(equal_histories(1, 100, 1000), units);
    recommender.cache_input_projections();
    Session session(recommender);
    Random random(1);
    print_point("serving: an event", "units", static_cast<double>(units),
                best_seconds([&] { session.observe(next(random, 1000)); }), read_seconds(event_bytes(units)),
                "Quadratic: 12 units² weights are read. Below 64 units what does not depend on it is most; beyond 128 "
                "the weights no longer fit the first cache, beyond 256 the second.");
  }
  for (const std::size_t length : {10, 100, 1000, 5000}) {
    Recommender recommender = untrained(equal_histories(1, 100), few_units);
    recommender.cache_input_projections();
    Random random(1);
    const auto events = static_cast<double>(length);
    const auto one_session = [&] {
      Session session(recommender);
      for (std::size_t event = 0; event < length; ++event) session.observe(next(random, few_items));
      kept = session.top_n(10)[0].score;
    };
    print_point("serving: a session and its list", "length", events, best_seconds(one_session),
                events * read_seconds(event_bytes(few_units)) + read_seconds(list_bytes(few_units, few_items)),
                "Linear: an event costs the same, however long the history is. Short ones pay for the list.");
  }
  for (const std::size_t threads : {1, 2}) {
    Recommender recommender = untrained(equal_histories(1, 100), few_units);
    recommender.cache_input_projections();
    std::vector<Session> sessions(threads, Session(recommender));
    std::vector<Random> random(threads, Random(1));
    const auto count = static_cast<double>(threads);
    const double seconds = best_seconds(threads, [&](std::size_t thread) {
      sessions[thread].observe(next(random[thread], few_items));
      kept = sessions[thread].top_n(10)[0].score;
    });
    print_point("serving: an event and a list of 10", "threads", count, seconds / count,
                read_seconds(event_bytes(few_units) + list_bytes(few_units, few_items), threads) / count,
                "Slope −1 if two threads serve twice as many.");
  }
}

// Loading.

/// A file for as long as the object lives.
class RatingsFile {
 public:
  RatingsFile(std::size_t rows, std::size_t items)
      : folder_(std::filesystem::temp_directory_path() / ("lstmrec-growth-" + std::to_string(getpid()))) {
    std::filesystem::create_directory(folder_);
    std::ofstream out(path_ = folder_ / "ratings.csv");
    Random random(1);
    std::string text = "userId,movieId,rating,timestamp\n";
    const auto number = [&](std::int64_t value, char after) {
      char digits[20];
      text.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
      text += after;
    };
    for (std::size_t row = 0; row < rows; ++row) {
      number(static_cast<std::int64_t>(1 + row / 165), ',');
      number(1 + draw_item(random, items), ',');
      text += "3.5,";
      number(static_cast<std::int64_t>(956703932 + random.below(10000000)), '\n');
      if (text.size() < 1 << 20 && row + 1 < rows) continue;
      out << text;
      text.clear();
    }
  }
  RatingsFile(const RatingsFile&) = delete;
  RatingsFile& operator=(const RatingsFile&) = delete;
  ~RatingsFile() { std::filesystem::remove_all(folder_); }

  double loading_seconds() const {
    return best_seconds([&] { kept = static_cast<float>(build_sequences(read_movielens(path_)).size()); });
  }

  /// The limit: to copy the file's bytes to where a program can see them.
  double reading_seconds() const {
    std::vector<char> buffer(1 << 18);
    return best_seconds([&] {
      std::FILE* const file = std::fopen(path_.c_str(), "rb");
      std::setvbuf(file, nullptr, _IONBF, 0);
      while (std::fread(buffer.data(), 1, buffer.size(), file) > 0) {
      }
      std::fclose(file);
    });
  }

 private:
  std::filesystem::path folder_, path_;
};

void loading() {
  for (const std::size_t rows : {10000, 100000, 1000000, 10000000}) {
    const RatingsFile file(rows, 30000);
    print_point("loading: a ratings.csv into sequences", "events", static_cast<double>(rows), file.loading_seconds(),
                file.reading_seconds(),
                "Linear, but for sorting each user's events by time. The limit is copying the file out of the system's "
                "cache.");
  }
  for (const std::size_t items : {1000, 10000, 100000, 1000000}) {
    const RatingsFile file(1000000, items);
    print_point("loading: a million events", "items", static_cast<double>(items), file.loading_seconds(),
                file.reading_seconds(), "Flat: an id is found in a table. It rises where the table outgrows a cache.");
  }
}

// Evaluation.

void print_evaluation(const std::string& curve, const std::string& over, double x, const Split& split,
                      std::int64_t units, std::size_t threads, const std::string& note) {
  const Recommender recommender = untrained(split, units);
  double steps = 0;
  for (const Target target : split.test) steps += static_cast<double>(target.position);
  const double flop = 2 * (steps * network_weights(units) +
                           static_cast<double>(split.test.size()) * item_weights(units, split.sequences.items.size()));
  const double seconds = best_seconds([&] {
    kept = static_cast<float>(
        evaluate(recommender, split, split.test, {.threads = threads, .bootstrap_samples = 0}).mrr.value);
  });
  print_point(curve, over, x, seconds, flop / peak(threads), note);
}

void evaluation() {
  for (const std::size_t users : {100, 1000, 10000, 100000})
    print_evaluation("evaluation: last event of every user", "events", 100.0 * static_cast<double>(users),
                     equal_histories(users, 100), few_units, 2,
                     "Linear: 100 events a user, all items ranked for each.");
  for (const std::size_t items : {1000, 10000, 100000, 1000000})
    print_evaluation("evaluation: 256 users of 100 events", "items", static_cast<double>(items),
                     equal_histories(256, 100, items), few_units, 2,
                     "Linear where scoring and ranking all items is most of the work, beyond ten thousand.");
  for (const std::int64_t units : {16, 32, 64, 128, 256, 512, 1024})
    print_evaluation("evaluation: 256 users of 100 events", "units", static_cast<double>(units),
                     equal_histories(256, 100), units, 2,
                     "Towards quadratic: 16 units² a step. Ranking the items costs the same for any number of units.");
  for (const std::size_t length : {10, 100, 1000, 5000})
    print_evaluation("evaluation: 128 users", "length", static_cast<double>(length), equal_histories(128, length),
                     few_units, 2, "Linear in the steps; short ones pay for ranking the items.");
  for (const std::size_t threads : {1, 2})
    print_evaluation("evaluation: 1000 users of 100 events", "threads", static_cast<double>(threads),
                     equal_histories(1000, 100), few_units, threads, "Slope −1 if two threads do twice as much.");
}

}  // namespace

int main() {
  training();
  serving();
  loading();
  evaluation();
}

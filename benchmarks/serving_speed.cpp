// Prints the time of what a server does, each beside what the machine would take at least: a step, a history, a list
// and an evaluation, with peak and reading speed as measured in this run. All data are generated, no network is
// trained.

#include <cstddef>
#include <cstdint>
#include <lstmrec/lstmrec.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "generated_events.hpp"
#include "limits.hpp"

using namespace benchmark;
using namespace lstmrec;

namespace {

constexpr std::int64_t items = generated_items;

double weights_read(double count) { return read_seconds(count * sizeof(float)); }

/// The seconds of a step's three logistic functions and two hyperbolic tangents.
double activation_seconds(Index units) {
  Eigen::ArrayXf x = Eigen::ArrayXf::Constant(5 * units, 0.3f), y = x;
  return best_seconds([&] {
    y.head(3 * units) = x.head(3 * units).logistic();
    y.tail(2 * units) = x.tail(2 * units).tanh();
    kept = y(0);
  });
}

template <class Cell>
void measure_step(const std::string& name, Cell cell) {
  Random random(1);
  cell.initialise(random);
  auto state = cell.initial_state();
  const Vector<float> x = Vector<float>::Constant(cell.input_size(), 0.1f);
  const double seconds = best_seconds([&] {
    cell.step(x, state);
    kept = state.hidden(0);
  });
  const auto weights = static_cast<double>(cell.input_weight.size() + cell.recurrent_weight.size());
  print("LSTM, one sequence, 1 thread", name, seconds, "s",
        weights_read(weights) + activation_seconds(cell.hidden_size()),
        "limit: reading the weights, and the gates' functions");
}

void measure_sessions(const Split& split, std::int64_t units, double peak) {
  Recommender recommender = untrained(split, units);
  const auto size = static_cast<double>(units);
  const std::string name = std::to_string(units) + " units";
  const double recurrent = weights_read(4 * size * size), gates = activation_seconds(units);
  const std::int64_t ids[] = {5, 17, 400, 3000};
  std::size_t next = 0;
  for (const bool prepared : {false, true}) {
    if (prepared) recommender.cache_input_projections();
    Session session(recommender);
    std::vector<std::int64_t> history;
    for (std::size_t event = 0; event < 200; ++event) history.push_back(ids[event % 4]);
    const double seconds = best_seconds([&] {
      session.observe_all(history);
      kept = static_cast<float>(session.events());
    });
    const double input = prepared ? 0 : 200 * 8 * size * size / peak;
    print(prepared ? "session, history of 200 events, prepared" : "session, history of 200 events", name, seconds, "s",
          input + 200 * (recurrent + gates),
          "limit: input products at peak, 200 times the recurrent weights and gates");
  }
  Session session(recommender);
  session.observe(ids[0]);
  const Vector<float> h = Vector<float>::Constant(units, 0.1f);
  Vector<float> scores(items);
  const double product = best_seconds([&] {
    recommender.network().score(h, scores);
    kept = scores(0);
  });
  std::vector<ScoredItem> best(10);
  const double list = best_seconds([&] {
    recommender.network().score(h, scores);
    kept = top_k({scores.data(), static_cast<std::size_t>(scores.size())}, best)[0].score;
  });
  print("the ten best of 3416 items", name, list, "s", product, "limit: the scores alone");
  const double event_and_list = best_seconds([&] {
    session.observe(ids[++next % 4]);
    kept = session.top_n(10)[0].score;
  });
  print("session, an event and a list of ten", name, event_and_list, "s",
        recurrent + gates + weights_read(8 * size * size) + weights_read(size * items),
        "limit: reading all weights but the input's, which is prepared");
  for (const std::size_t threads : {1, 2}) {
    std::vector<Session> sessions(threads, Session(recommender));
    const double seconds = best_seconds(threads, [&](std::size_t thread) {
      for (const std::int64_t id : ids) sessions[thread].observe(id);
      kept = sessions[thread].top_n(10)[0].score;
    });
    print("sessions, four events and a list of ten each", name + ", " + in_threads(threads),
          static_cast<double>(threads) / seconds, "lists/s");
  }
}

void measure_evaluation(const Split& split, std::int64_t units) {
  Recommender recommender = untrained(split, units);
  recommender.cache_input_projections();
  const auto size = static_cast<double>(units);
  // Without the catalogue's own history, which is longer than anybody's.
  const auto targets = std::span(split.test).subspan(1);
  double steps = 0;
  for (const Target target : targets) steps += static_cast<double>(target.position);
  const auto users = static_cast<double>(targets.size());
  const double flop = 2 * steps * 4 * size * size + 2 * users * (8 * size * size + size * static_cast<double>(items));
  for (const std::size_t threads : {1, 2}) {
    const double seconds = best_seconds(
        [&] {
          kept = static_cast<float>(
              evaluate(recommender, split, targets, {.threads = threads, .bootstrap_samples = 0}).mrr.value);
        },
        1);
    print("evaluation, full ranking, metrics included", std::to_string(units) + " units, " + in_threads(threads),
          flop / seconds / 1e9, "GFLOP/s", peak_flops(threads) / 1e9);
  }
}

void measure_large_catalogue() {
  constexpr Index count = 1'000'000, size = 64;
  RecommenderParts<NextItemNetwork<float>> parts;
  parts.config = {.embedding_size = size, .hidden_size = size, .markov_weight = 0, .exclude_seen = false};
  parts.network = NextItemNetwork<float>(count, parts.config);
  Random random(1);
  parts.network.initialise(random);
  for (std::int64_t item = 0; item < count; ++item) parts.item_ids.add(item);
  parts.catalogue.resize(count);
  parts.item_counts.resize(count);
  const Recommender recommender(std::move(parts));
  const auto& vectors = recommender.network().output_vectors();
  const Vector<float> h = Vector<float>::Constant(size, 0.1f);
  Vector<float> scores(count);
  std::vector<ScoredItem> best(10);
  const double seconds = best_seconds([&] {
    recommender.network().score(h, scores);
    kept = top_k({scores.data(), static_cast<std::size_t>(count)}, best)[0].score;
  });
  const double reading = best_seconds([&] { kept = read_all(vectors.data(), vectors.size()); });
  print("the ten best of a million items of 64 numbers", "1 query at once, 1 thread", seconds, "s", reading,
        "limit: reading the items from memory");

  // 64 users whose histories are an event each: next to nothing beside the lists.
  std::vector<std::uint32_t> events;
  for (std::uint32_t user = 0; user < 64; ++user) events.push_back(1000 * user);
  std::vector<History> histories;
  for (std::size_t user = 0; user < events.size(); ++user) histories.push_back(History(events).subspan(user, 1));
  const BatchRanker ranker(recommender);
  const Candidates candidates(recommender);
  for (const std::size_t threads : {1, 2})
    print("the ten best of a million items of 64 numbers", "64 queries at once, " + in_threads(threads),
          best_seconds(
              threads, [&](std::size_t) { kept = ranker.top_n(histories, 10, candidates)[0][0].score; }, 2) /
              64 / static_cast<double>(threads),
          "s", 2.0 * size * static_cast<double>(count) / peak_flops(threads),
          "limit: the product at peak; each thread has 64 queries of its own");
}

}  // namespace

int main() {
  measure_step("64 units, 1 step, fixed size", LstmCell<float, 64, 64>());
  for (const Index size : {64, 128, 256})
    measure_step(std::to_string(size) + " units, 1 step", LstmCell<float>(size, size));
  const Split few = generated_split(4), many = generated_split(1000);
  const double peak = peak_flops(1);
  for (const std::int64_t units : {64, 128, 256}) measure_sessions(few, units, peak);
  for (const std::int64_t units : {64, 256}) measure_evaluation(many, units);
  measure_large_catalogue();
}

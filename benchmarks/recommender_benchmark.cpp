#include <lstmrec/lstmrec.hpp>

#include <cmath>
#include <cstdint>
#include <tuple>
#include <vector>

#include "throughput.hpp"

using namespace lstmrec;

namespace {

constexpr std::int64_t items = 3416;

/// Histories with MovieLens 1M's spread of lengths (log-normal, median about 96) and a catalogue of its size.
Split random_split(std::size_t users) {
  Random random(1);
  std::vector<std::tuple<std::int64_t, std::int64_t, std::int64_t, float>> rows;
  for (std::int64_t item = 0; item < items; ++item) rows.emplace_back(-1, item, item, 1.0f);  // so that all are known
  for (std::size_t user = 0; user < users; ++user) {
    const auto length = static_cast<std::int64_t>(std::min(2000.0, 20 + 76 * std::exp(0.9 * random.normal())));
    for (std::int64_t time = 0; time < length; ++time)
      rows.emplace_back(static_cast<std::int64_t>(user), static_cast<std::int64_t>(random.below(items)), time, 1.0f);
  }
  return leave_one_out(sequences(make_interactions(rows)));
}

/// The weights that the products of one event touch: a block's 16 size², and the catalogue.
double weights(std::int64_t size) { return static_cast<double>(16 * size * size + items * size); }

}  // namespace

TEST_CASE("Whole training step: 64 windows, full softmax over 3416 items, clipping, Adam, averaging", "[!benchmark]") {
  const Split split = random_split(64);
  for (const std::int64_t size : {64, 128, 256}) {
    const RecommenderConfig config{.embedding_size = size, .hidden_size = size, .epochs = 1};
    std::size_t events = 0;
    fit(split, config, {.progress = [&](const TrainingProgress& p) { events = p.events; }});
    const auto n = static_cast<double>(events);
    // One epoch of one or two batches; the network's initialisation is inside.
    measure("epoch of " + std::to_string(events) + " events, " + std::to_string(size) + " units",
            {n, 6 * n * weights(size)}, [&] { return fit(split, config).epochs.size(); });
  }
}

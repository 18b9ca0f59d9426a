#include <cstdint>
#include <lstmrec/lstmrec.hpp>

#include "generated_events.hpp"
#include "throughput.hpp"

using namespace lstmrec;

namespace {

constexpr std::int64_t items = generated_items;

/// The weights that the products of one event touch: a block's 16 size², and the catalogue.
double weights(std::int64_t size) { return static_cast<double>(16 * size * size + items * size); }

}  // namespace

TEST_CASE("Whole training step: 64 windows, full softmax over 3416 items, clipping, Adam, averaging", "[!benchmark]") {
  const Split split = generated_split(64);
  for (const std::int64_t size : {64, 128, 256}) {
    const RecommenderConfig config{.embedding_size = size, .hidden_size = size, .training = {.epochs = 1}};
    std::size_t events = 0;
    fit(split, config, {.progress = [&](const TrainingProgress& p) { events = p.events; }});
    const auto n = static_cast<double>(events);
    // One epoch of one or two batches; the network's initialisation is inside.
    measure("epoch of " + std::to_string(events) + " events, " + std::to_string(size) + " units",
            {n, 6 * n * weights(size)}, [&] { return fit(split, config).epochs.size(); });
  }
}

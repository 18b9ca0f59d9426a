// Trains the default network for one epoch and prints events/s, beside peers/training_pytorch.py:
//
//     training_speed LOG [UNITS...]      LOG: as for read_movielens, a sequences.txt for the comparison

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <lstmrec/lstmrec.hpp>
#include <string>
#include <vector>

#include "limits.hpp"

namespace {

using lstmrec::Index;

/// The seconds that an event's products take alone, at the shapes of the training below: shards of 12 sequences, tiles
/// of 128 events before the items. Weights are packed before; gradients have nothing that could be.
double seconds_of_products(Index units, Index items, std::size_t threads) {
  double seconds = 0;
  const auto add = [&](Index rows, Index columns, Index depth, bool weights, double events) {
    benchmark::Products products(rows, columns, depth, threads);
    const double flops = weights ? products.library_packed() : products.library();
    seconds += products.flop() / flops / (events * static_cast<double>(threads));
  };
  constexpr Index sequences = 12, tile = lstmrec::ItemHead<>::tile, events = 2048;
  // Recurrent, input, and two of the feed-forward part.
  for (const Index columns : {sequences, events, events, events}) {
    add(4 * units, columns, units, true, static_cast<double>(columns));
    add(units, columns, 4 * units, true, static_cast<double>(columns));  // and its gradient: the other way round
    add(4 * units, units, events, false, static_cast<double>(events));
  }
  add(items, tile, units, true, static_cast<double>(tile));
  add(units, tile, items, true, static_cast<double>(tile));
  add(units, items, tile, false, static_cast<double>(tile));
  return seconds;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace lstmrec;
  if (argc < 2) {
    std::cerr << "usage: training_speed LOG [UNITS...]\n";
    return 2;
  }
  Split split = leave_one_out(build_sequences(read_movielens(argv[1])));
  split.validation.clear();
  const auto items = static_cast<double>(split.sequences.items.size());
  std::vector<std::int64_t> sizes;
  for (int i = 2; i < argc; ++i) sizes.push_back(std::stoll(argv[i]));
  if (sizes.empty()) sizes = {64, 128, 256};
  for (const std::size_t threads : {1, 2}) {
    const double peak = benchmark::peak_flops(threads);
    for (const std::int64_t units : sizes) {
      const auto result = fit(split,
                              {.embedding_size = units,
                               .hidden_size = units,
                               .markov_weight = 0,
                               .training = {.epochs = 1, .batch_size = 24}},
                              {.threads = threads});
      const auto n = static_cast<double>(units);
      const double flop = 6 * (16 * n * n + items * n);  // an event's: forward, and twice that backward
      const double reached = result.epochs.front().events_per_second;
      const double alone = 1 / seconds_of_products(units, static_cast<Index>(items), threads);
      benchmark::print("training, " + std::to_string(split.sequences.items.size()) + " items",
                       std::to_string(units) + " units, " + benchmark::in_threads(threads), reached, "events/s",
                       peak / flop, "its products alone, at these shapes: " + std::to_string(std::lround(alone)));
    }
  }
}

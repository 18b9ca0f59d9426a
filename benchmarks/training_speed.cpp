// Trains the default network for one epoch and prints events/s, beside peers/training_pytorch.py:
//
//     training_speed LOG [UNITS...]      LOG: as for read_movielens, a sequences.txt for the comparison

#include <cstdint>
#include <iostream>
#include <lstmrec/lstmrec.hpp>
#include <string>
#include <vector>

#include "limits.hpp"

int main(int argc, char** argv) {
  using namespace lstmrec;
  if (argc < 2) {
    std::cerr << "usage: training_speed LOG [UNITS...]\n";
    return 2;
  }
  Split split = leave_one_out(sequences(read_movielens(argv[1])));
  split.validation.clear();
  const auto items = static_cast<double>(split.sequences.items.size());
  std::vector<std::int64_t> sizes;
  for (int i = 2; i < argc; ++i) sizes.push_back(std::stoll(argv[i]));
  if (sizes.empty()) sizes = {64, 128, 256};
  for (const std::size_t threads : {1, 2}) {
    const double peak = benchmark::peak_flops(threads);
    for (const std::int64_t units : sizes) {
      const auto result =
          fit(split, {.embedding_size = units, .hidden_size = units, .counts_weight = 0, .epochs = 1, .batch_size = 24},
              {.threads = threads});
      const auto n = static_cast<double>(units);
      const double flop = 6 * (16 * n * n + items * n);  // an event's: forward, and twice that backward
      benchmark::print("training, " + std::to_string(split.sequences.items.size()) + " items",
                       std::to_string(units) + " units, " + benchmark::in_threads(threads),
                       result.epochs.front().events_per_second, "events/s", peak / flop);
    }
  }
}

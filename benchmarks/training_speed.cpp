// Trains the default network for one epoch and prints events/s, beside peers/training_pytorch.py:
//
//     training_speed LOG [UNITS...]      LOG: as for read_movielens, a sequences.txt for the comparison

#include <cstdint>
#include <iostream>
#include <lstmrec/lstmrec.hpp>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  using namespace lstmrec;
  if (argc < 2) {
    std::cerr << "usage: training_speed LOG [UNITS...]\n";
    return 2;
  }
  Split split = leave_one_out(sequences(read_movielens(argv[1])));
  split.validation.clear();
  std::vector<std::int64_t> sizes;
  for (int i = 2; i < argc; ++i) sizes.push_back(std::stoll(argv[i]));
  if (sizes.empty()) sizes = {64, 128, 256};
  for (const std::int64_t units : sizes) {
    std::cout << "lstmrec, " << units << " units, " << split.sequences.items.size() << " items:";
    for (const std::size_t threads : {1, 2}) {
      const auto result =
          fit(split, {.embedding_size = units, .hidden_size = units, .counts_weight = 0, .epochs = 1, .batch_size = 24},
              {.threads = threads});
      std::cout << (threads == 1 ? " " : ", ") << threads << " threads "
                << static_cast<std::int64_t>(result.epochs.front().events_per_second) << " events/s" << std::flush;
    }
    std::cout << '\n';
  }
}

// Trains the textbook rating model on generated ratings and prints ratings/s, beside peers/ratings_keras.py:
//
//     ratings_speed [EPOCHS [ROWS]]      10 epochs of 1000000 ratings, unless told otherwise
//
// Time: from the sorted ratings to the model, all of it.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <lstmrec/ratings.hpp>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "limits.hpp"
#include "textbook_ratings/fit.hpp"

int main(int argc, char** argv) {
  using namespace lstmrec;
  using namespace textbook;
  const std::int64_t epochs = argc > 1 ? std::stoll(argv[1]) : 10;
  const std::uint64_t rows = argc > 2 ? std::stoull(argv[2]) : 1000000;
  Random random(1);
  std::vector<std::tuple<std::int64_t, std::int64_t, std::int64_t, float>> ratings;
  for (std::uint64_t row = 0; row < rows; ++row)
    ratings.emplace_back(random.below(6040), random.below(3706), 956703932 + random.below(89750658),
                         static_cast<float>(1 + random.below(5)));
  RatingSplit split;
  split.sequences = build_sequences(make_interactions(ratings));
  split.parts.assign(split.sequences.events.size(), Part::train);

  const TextbookRatingConfig config{.epochs = epochs};
  const double begin = benchmark::seconds_now();
  const auto result = fit_textbook_ratings(split, config);
  const double seconds = benchmark::seconds_now() - begin;
  benchmark::kept = static_cast<float>(result.epochs.back().loss);

  const auto n = static_cast<double>(config.hidden_size);
  const double steps = TextbookRatingNetwork<float>::steps;
  const double flop = 6 * 4 * n * ((steps - 1) * n + steps);  // forward, and twice that backward; h = 0 before step 0
  benchmark::print("training, textbook rating model", std::to_string(config.hidden_size) + " units",
                   static_cast<double>(epochs) * static_cast<double>(rows) / seconds, "ratings/s",
                   benchmark::peak_flops(1) / flop,
                   "1 thread, " + std::to_string(epochs) + " epochs of " + std::to_string(rows) + " in " +
                       std::to_string(std::llround(seconds)) + " s");
}

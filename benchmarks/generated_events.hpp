#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/lstmrec.hpp>
#include <tuple>
#include <vector>

// What several benchmarks work on: generated histories, and networks that nobody has trained.

/// MovieLens 1M's number of items.
inline constexpr std::int64_t generated_items = 3416;

/// Histories with MovieLens 1M's spread of lengths (log-normal, median about 96).
inline lstmrec::Split generated_split(std::size_t users) {
  lstmrec::Random random(1);
  std::vector<std::tuple<std::int64_t, std::int64_t, std::int64_t, float>> rows;
  for (std::int64_t item = 0; item < generated_items; ++item) rows.emplace_back(-1, item, item, 1.0f);  // all are known
  for (std::size_t user = 0; user < users; ++user) {
    const auto length = static_cast<std::int64_t>(std::min(2000.0, 20 + 76 * std::exp(0.9 * random.normal())));
    for (std::int64_t time = 0; time < length; ++time)
      rows.emplace_back(static_cast<std::int64_t>(user), static_cast<std::int64_t>(random.below(generated_items)), time,
                        1.0f);
  }
  return lstmrec::leave_one_out(lstmrec::sequences(lstmrec::make_interactions(rows)));
}

/// With embedding size and hidden size `units`.
inline lstmrec::Recommender untrained(const lstmrec::Split& split, std::int64_t units) {
  lstmrec::Recommender recommender;
  recommender.config = {.embedding_size = units, .hidden_size = units};
  recommender.item_ids = split.sequences.items;
  recommender.catalogue = split.sequences.catalogue;
  recommender.item_counts = lstmrec::training_counts(split);
  recommender.network =
      lstmrec::NextItemNetwork<float>(static_cast<lstmrec::Index>(split.sequences.items.size()), recommender.config);
  lstmrec::Random random(1);
  recommender.network.initialise(random);
  return recommender;
}

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/lstmrec.hpp>
#include <tuple>
#include <utility>
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
  return lstmrec::leave_one_out(lstmrec::build_sequences(lstmrec::make_interactions(rows)));
}

/// With embedding size and hidden size `units`.
inline lstmrec::Recommender untrained(const lstmrec::Split& split, std::int64_t units) {
  lstmrec::RecommenderParts<lstmrec::NextItemNetwork<float>> parts;
  parts.config = {.embedding_size = units, .hidden_size = units, .markov_weight = 0};
  parts.item_ids = split.sequences.items;
  parts.catalogue = split.sequences.catalogue;
  parts.item_counts = lstmrec::training_counts(split);
  parts.network =
      lstmrec::NextItemNetwork<float>(static_cast<lstmrec::Index>(split.sequences.items.size()), parts.config);
  lstmrec::Random random(1);
  parts.network.initialise(random);
  return lstmrec::Recommender(std::move(parts));
}

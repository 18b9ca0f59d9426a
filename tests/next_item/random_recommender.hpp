#pragma once

#include <cstdint>
#include <lstmrec/core/random.hpp>
#include <lstmrec/next_item/recommender.hpp>
#include <lstmrec/nn/initialisers.hpp>
#include <lstmrec/nn/parameters.hpp>

namespace lstmrec {

/// The parts of a recommender that nobody has trained: items of the ids 0, 1, …, and weights drawn by the seed, which
/// are large enough to tell histories apart.
template <class Network = NextItemNetwork<float>>
RecommenderParts<Network> random_parts(Index items, const RecommenderConfig& config, std::uint64_t seed = 1) {
  RecommenderParts<Network> parts;
  parts.config = config;
  parts.network = Network(items, config);
  Random random(seed);
  for_each_parameter([&](auto& parameter) { fill_normal(parameter, 0.5, random); }, parts.network);
  for (std::int64_t item = 0; item < items; ++item) {
    parts.item_ids.add(item);
    parts.item_counts.push_back(static_cast<std::uint32_t>(item % 7));
  }
  parts.catalogue.resize(static_cast<std::size_t>(items));
  return parts;
}

}  // namespace lstmrec

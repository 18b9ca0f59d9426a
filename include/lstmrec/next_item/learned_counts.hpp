#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/baselines/markov.hpp>
#include <lstmrec/baselines/session_knn.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/next_item/config.hpp>
#include <lstmrec/next_item/replay_memory.hpp>
#include <lstmrec/next_item/training_memory.hpp>
#include <vector>

namespace lstmrec::detail {

/// The parts of a recommender that are counted, not learned by steps. Chain and sessions are empty where their weights
/// are 0.
struct LearnedCounts {
  std::vector<std::uint32_t> item_counts;
  MarkovChain markov = {};
  MarkovChain markov_with_item_knn = {};  ///< Another chain to choose from, or empty.
  SessionKnn session_knn = {};
  ReplayMemory memory = {};
};

/// The weight that is tried beside 0.
inline constexpr double tried_item_knn_weight = 0.2;

/// Counts the training part. `config`: resolved.
inline LearnedCounts counts_of(const Split& split, const RecommenderConfig& config) {
  LearnedCounts counts{training_counts(split)};
  const std::size_t items = counts.item_counts.size();
  const auto chain = [&](double item_knn_weight) {
    return MarkovChain(split, {.followers = followers_of(config, items), .item_knn_weight = item_knn_weight});
  };
  const bool can_choose = !split.validation.empty();
  if (config.markov_weight > 0 || (config.markov_weight < 0 && can_choose))
    counts.markov = chain(std::max(0.0, config.item_knn_weight));
  if (config.markov_weight < 0 && config.item_knn_weight < 0 && can_choose)
    counts.markov_with_item_knn = chain(tried_item_knn_weight);
  if (config.session_knn_weight > 0 || (config.session_knn_weight < 0 && can_choose))
    counts.session_knn = SessionKnn(split, SessionKnnOptions::stan(), session_entries_of(config, items));
  counts.memory = remembered({}, split, static_cast<std::size_t>(config.memory_sequences),
                             session_entries_of(config, items), config.training.seed);
  return counts;
}

}  // namespace lstmrec::detail

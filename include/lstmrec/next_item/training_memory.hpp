#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/baselines/markov.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/next_item/config.hpp>
#include <lstmrec/next_item/network.hpp>
#include <lstmrec/next_item/resolved_config.hpp>
#include <lstmrec/nn/parameters.hpp>

namespace lstmrec {

/// The most followers that a recommender's Markov chain keeps of each item: 128 while the chain stays below 1 GiB, and
/// always so many that it takes no more memory than the item vectors.
inline std::size_t followers_of(const RecommenderConfig& config, std::size_t items) {
  constexpr std::size_t enough = 128, entries = std::size_t{1} << 27;  // of 8 bytes
  const auto as_vectors = static_cast<std::size_t>(std::max<std::int64_t>(1, config.embedding_size / 2 - 2));
  return std::max(as_vectors, std::min(enough, entries / std::max<std::size_t>(1, items)));
}

/// The most entries that a recommender's session kNN keeps, a sequence having one for each of its distinct items: so
/// many that they take no more memory than the item vectors, but at least 12 MiB. They are those of the sequences that
/// ended last.
inline std::size_t session_entries_of(const RecommenderConfig& config, std::size_t items) {
  return std::max(std::size_t{1} << 20, items * static_cast<std::size_t>(config.embedding_size) / 3);
}

/// The memory that `fit` needs beside the split, in bytes: an estimate from sizes alone, within 15% where these are not
/// tiny and the network is the library's own (tests/training_memory).
struct TrainingMemory {
  std::uint64_t network = 0;    ///< The weights in training, their average, those of the best epoch, and the moments.
  std::uint64_t gradients = 0;  ///< Of the item tables once or twice, of all else for each part of a batch.
  std::uint64_t batch = 0;      ///< A batch's way through the network, the packed item vectors, tiles of logits.
  std::uint64_t markov_chain = 0;  ///< With what counting takes beside it.
  std::uint64_t session_knn = 0;
  std::uint64_t validation = 0;  ///< Cached input projections and what each thread holds.
  std::uint64_t data = 0;        ///< Vocabulary, counts, and what batches know of the log.

  std::uint64_t total() const { return network + gradients + batch + markov_chain + session_knn + validation + data; }
};

/// `threads` as in FitOptions. Cost: one pass over the users.
template <class Network = NextItemNetwork<float>>
TrainingMemory training_memory(const Split& split, const RecommenderConfig& asked, std::size_t threads = 0) {
  const RecommenderConfig config = resolved(asked, split);
  if (threads == 0) threads = default_threads();
  const auto number = [](auto value) { return static_cast<std::uint64_t>(value); };
  const std::uint64_t items = split.sequences.items.size(), events = split.sequences.events.size();
  const std::uint64_t embedding = number(config.embedding_size), hidden = number(config.hidden_size);
  std::uint64_t shared = 0, of_item = 0;  // numbers
  const Network of_one(1, config);
  for (const auto& view : parameter_views(of_one)) (is_by_item(view.kind) ? of_item : shared) += number(view.size());
  std::uint64_t longest = 0;
  for (const std::uint32_t length : split.train_length) longest = std::max<std::uint64_t>(longest, length);
  const std::uint64_t columns = number(config.training.batch_size) * std::min(number(config.window), longest);
  // With sampled negatives a step is made on the items that a batch meets: its inputs, its labels and the negatives.
  const bool is_sampled = config.sampled_negatives > 0;
  const std::uint64_t negatives = number(config.sampled_negatives);
  const std::uint64_t met =
      is_sampled ? std::min(items, negatives + columns * number(1 + config.target_horizon)) : items;
  const std::uint64_t rows = is_sampled ? negatives : items;

  TrainingMemory memory;
  const auto parts = static_cast<std::size_t>(config.training.shards);
  const auto head_rows = static_cast<Index>(rows);
  const bool has_content = config.item_features > 0;  // which takes a copy in training, and one in validation
  const std::uint64_t copies = 3 + (config.training.ema_decay > 0) + !split.validation.empty() * (has_content ? 2 : 1);
  memory.network = 4 * (copies * (items * of_item + shared) + has_content * (met * of_item + shared));
  memory.gradients = 4 * (met * of_item * (is_sampled ? 2 : 1) +
                          met * (embedding + 1) * (ItemHead<float>::sums_of(head_rows, parts) - 1) + shared * parts);
  const std::uint64_t attention =
      config.attention_window > 0
          ? 24 * hidden + 4 * std::min({number(config.attention_window) + 31, number(config.window), longest})
          : 0;
  memory.batch =
      columns * (12 * embedding +
                 number(config.blocks) * (3 * hidden * number(12 + 2 * config.feed_forward_factor) + attention)) +
      4 * rows * (128 * ItemHead<float>::tiles_at_once(head_rows, parts, threads) + 2 * embedding);
  if (config.markov_weight != 0) {
    const std::uint64_t chain = MarkovChain::bytes(items, events, followers_of(config, items));
    // There may be two chains to choose from. What counting similar items takes is freed before the network is made.
    memory.markov_chain = (config.item_knn_weight < 0 ? 2 : 1) * chain + 8 * std::min<std::uint64_t>(events, 1u << 24);
  }
  if (config.session_knn_weight != 0)
    memory.session_knn =
        12 * std::min<std::uint64_t>(events, session_entries_of(config, items)) +
        (16 + 24 * threads) * std::min<std::uint64_t>(split.sequences.size(), session_entries_of(config, items)) +
        20 * items * threads;
  if (!split.validation.empty())
    memory.validation = (is_sampled ? 0 : items * (16 * hidden + 4 * embedding)) +
                        threads * (800'000 + 192 * 4 * number(config.attention_window * config.blocks) * hidden);
  memory.data = items * (is_sampled ? 120 : 100) + (*config.exclude_seen ? 4 * events : 0);
  return memory;
}

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/baselines/recent_items.hpp>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/data/event_context.hpp>
#include <lstmrec/data/item_features.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/next_item/batch_builder.hpp>
#include <lstmrec/next_item/config.hpp>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

namespace lstmrec {

/// The features of a split's items that a training uses: see RecommenderConfig::item_features.
inline ItemFeatures find_item_features(const Split& split, const RecommenderConfig& config) {
  if (config.item_features == 0) return {};
  return find_item_features(
      split.sequences.catalogue,
      {.title_words = config.title_words,
       .most = config.item_features < 0 ? most_item_features : static_cast<std::size_t>(config.item_features)});
}

/// The kinds of training events, at most as many of the most common ones as a context knows, in ascending order.
inline std::vector<std::uint32_t> known_kinds(const Split& split) {
  std::map<std::uint32_t, std::size_t> counts;
  for (std::size_t user = 0; user < split.sequences.size(); ++user)
    for (const std::uint32_t kind : split.train(user).kinds)
      if (kind != 0) ++counts[kind];
  std::vector<std::pair<std::size_t, std::uint32_t>> by_count;
  for (const auto& [kind, count] : counts) by_count.emplace_back(~count, kind);
  std::sort(by_count.begin(), by_count.end());
  by_count.resize(std::min(by_count.size(), EventContext::most_kinds));
  std::vector<std::uint32_t> kinds;
  for (const auto& [count, kind] : by_count) kinds.push_back(kind);
  std::sort(kinds.begin(), kinds.end());
  return kinds;
}

/// Throws ConfigError where a network of this configuration would read what the log does not have.
inline void expect_context(const Split& split, const RecommenderConfig& config) {
  const Sequences& sequences = split.sequences;
  const auto expect = [&](bool asked, bool has, const char* name, const char* what) {
    if (asked && !has)
      detail::fail<ConfigError>({name, " is set, but ", sequences.source, " has no ", what, " of events"});
  };
  expect(config.gap_inputs, sequences.has_times, "gap_inputs", "times");
  expect(config.hour_inputs, sequences.has_times, "hour_inputs", "times");
  expect(config.question_time, sequences.has_times, "question_time", "times");
  expect(config.rating_inputs, sequences.has_ratings, "rating_inputs", "ratings");
  expect(config.kind_inputs, !sequences.events.kinds.empty(), "kind_inputs", "kinds");
}

/// Turns the events of a split into the codes that a network of this configuration reads. Ratings have up to
/// EventContext::most_rating_levels levels: all that training events have, or else as many of their quantiles. Throws
/// what expect_context throws, and DataError on a rating that is not finite.
inline EventContext event_context(const Split& split, const RecommenderConfig& config) {
  if (config.context_inputs() == ContextInputs()) return {};
  expect_context(split, config);
  const Sequences& sequences = split.sequences;
  std::vector<float> levels;
  if (config.rating_inputs) {
    for (std::size_t user = 0; user < sequences.size(); ++user) {
      const auto ratings = split.train(user).ratings;
      levels.insert(levels.end(), ratings.begin(), ratings.end());
    }
    if (!std::all_of(levels.begin(), levels.end(), [](float rating) { return std::isfinite(rating); }))
      throw DataError(sequences.source + ": a rating is not finite");
    levels = rating_levels(std::move(levels));
  }
  return EventContext(config.context_inputs(), sequences.ticks_per_second, std::move(levels),
                      config.kind_inputs ? known_kinds(split) : std::vector<std::uint32_t>());
}

/// The configuration with which `fit` trains: everything is decided that it leaves to the data, but for the weights
/// of Markov chain and session kNN, which are decided after training. Cost: one pass over the users, and one over the
/// catalogue where features of items are used.
inline RecommenderConfig resolved(RecommenderConfig config, const Split& split) {
  if (!config.exclude_seen) config.exclude_seen = repeat_share(split) <= 0.01;
  // Similar items are tried where counting their pairs costs no more than a chain, and they are chosen with its weight.
  const std::size_t events = std::accumulate(split.train_length.begin(), split.train_length.end(), std::size_t{0});
  if (config.item_knn_weight < 0 && (config.markov_weight >= 0 || user_pairs(split.train_length) > 64 * events))
    config.item_knn_weight = 0;
  if (config.item_features != 0)
    config.item_features = static_cast<std::int64_t>(find_item_features(split, config).size());
  if (config.sampled_negatives < 0) config.sampled_negatives = split.sequences.items.size() > 20000 ? 2048 : 0;
  // Small data needs small batches to get enough steps; large batches are only faster.
  if (config.training.batch_size == 0) {
    const auto parts =
        cut_subsequences(split, static_cast<std::uint32_t>(config.window), mix_seed(config.training.seed, 0));
    config.training.batch_size = std::clamp<std::int64_t>(static_cast<std::int64_t>(parts.size()) / 384, 8, 64);
  }
  return config;
}

}  // namespace lstmrec

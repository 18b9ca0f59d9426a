#pragma once

/// The bodies of update.hpp.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/baselines/markov.hpp>
#include <lstmrec/baselines/session_knn.hpp>
#include <lstmrec/data/fingerprint.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/next_item/fit_inl.hpp>
#include <lstmrec/next_item/learned_counts.hpp>
#include <lstmrec/next_item/recommender.hpp>
#include <lstmrec/next_item/replay_memory.hpp>
#include <lstmrec/next_item/training_memory.hpp>
#include <lstmrec/next_item/update.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

namespace lstmrec {

namespace detail {

/// How many old sequences are learned again in every epoch of an update: as many as the new log has, at most 30 000. So
/// an update costs twice the new log, however long the old one is.
inline std::size_t replayed_sequences(const Split& split) {
  const auto learned =
      std::count_if(split.train_length.begin(), split.train_length.end(), [](auto length) { return length >= 2; });
  return std::min<std::size_t>(30000, static_cast<std::size_t>(learned));
}

/// A split with a recommender's items before those that it does not know.
template <class Network>
Split with_items_of(const BasicRecommender<Network>& before, const Split& split) {
  Split result = split;
  Sequences& sequences = result.sequences;
  sequences.items = before.item_ids();
  sequences.catalogue = before.catalogue();
  std::vector<std::uint32_t> renumbered;
  for (std::uint32_t item = 0; item < split.sequences.items.size(); ++item) {
    const std::uint32_t number = sequences.items.add(split.sequences.items.id(item));
    renumbered.push_back(number);
    const ItemInfo& info = split.sequences.catalogue[item];
    if (number == sequences.catalogue.size())
      sequences.catalogue.push_back(info);
    else if (!info.title.empty() || !info.genres.empty())
      sequences.catalogue[number] = info;
  }
  for (std::uint32_t& item : sequences.events.items) item = renumbered[item];
  return result;
}

/// Adds the sequences of a memory to the training part, behind all others. Their times, ratings and kinds are not
/// known: these are EventContext::no_time, which is earlier than all others, no number, and 0.
inline void add_memory(const ReplayMemory& memory, Split& split) {
  Sequences& sequences = split.sequences;
  EventColumns& events = sequences.events;
  for (std::size_t n = 0; n < memory.size(); ++n) {
    const auto items = memory[n];
    events.users.insert(events.users.end(), items.size(), static_cast<std::uint32_t>(sequences.size()));
    events.items.insert(events.items.end(), items.begin(), items.end());
    if (sequences.has_times) events.times.insert(events.times.end(), items.size(), EventContext::no_time);
    if (sequences.has_ratings)
      events.ratings.insert(events.ratings.end(), items.size(), std::numeric_limits<float>::quiet_NaN());
    if (!events.weights.empty()) events.weights.insert(events.weights.end(), items.size(), 1);
    if (!events.kinds.empty()) events.kinds.insert(events.kinds.end(), items.size(), 0);
    sequences.offsets.push_back(events.size());
    split.train_length.push_back(static_cast<std::uint32_t>(items.size()));
  }
}

/// The counts of a recommender and of the training part of a new log, whose first items are the recommender's.
template <class Network>
LearnedCounts merged_counts(const BasicRecommender<Network>& before, const Split& split,
                            const RecommenderConfig& config) {
  LearnedCounts counts{training_counts(split)};
  for (std::size_t item = 0; item < before.item_counts().size(); ++item) {
    std::uint32_t& count = counts.item_counts[item];
    count += std::min(before.item_counts()[item], std::numeric_limits<std::uint32_t>::max() - count);
  }
  const std::size_t items = counts.item_counts.size();
  if (config.markov_weight > 0) {
    MarkovOptions options = before.markov().options;
    options.smoothing = 0;  // else the smoothing's part of similar items would be added with every update
    counts.markov = merged(before.markov(), MarkovChain(split, options), counts.item_counts);
  }
  if (config.session_knn_weight > 0) {
    const SessionKnn more(split, before.session_knn().options, session_entries_of(config, items));
    counts.session_knn = merged(before.session_knn(), more, counts.item_counts, session_entries_of(config, items));
  }
  if (config.session_knn_weight == 0)
    counts.memory = remembered(before.memory(), split, static_cast<std::size_t>(config.memory_sequences),
                               session_entries_of(config, items), mix_seed(config.training.seed, fingerprint(split)));
  return counts;
}

}  // namespace detail

template <class Network>
BasicFitResult<Network> update(const BasicRecommender<Network>& before, const Split& split, RecommenderConfig config,
                               const FitOptions& options, const ItemLossRef<float>& loss) {
  detail::expect_same_network(before, config);
  config.markov_weight = before.markov_weight();
  config.item_knn_weight = before.config().item_knn_weight;
  config.session_knn_weight = before.session_knn_weight();
  config.check();
  check_split(split);
  if (split.sequences.catalogue.size() != split.sequences.items.size())
    throw std::invalid_argument("the split's catalogue must have an entry an item");
  TrainedOn learned = trained_on(split);
  learned.events += before.trained_on().events;
  learned.last_time = std::max(learned.last_time, before.trained_on().last_time);
  const Split renumbered = detail::with_items_of(before, split);
  Split with_memory = renumbered;
  detail::add_memory(before.uses_session_knn() ? memory_of(before.session_knn()) : before.memory(), with_memory);
  return detail::fit<Network>(
      {&before, learned, {static_cast<std::uint32_t>(split.sequences.size()), detail::replayed_sequences(split)}},
      with_memory, config, options, loss,
      [&](const RecommenderConfig& resolved) { return detail::merged_counts(before, renumbered, resolved); });
}
template <class Network>
BasicFitResult<Network> update(const BasicRecommender<Network>& before, const Split& split, std::int64_t epochs,
                               const FitOptions& options, const ItemLossRef<float>& loss) {
  return update(before, split, continued_config(before, epochs), options, loss);
}

}  // namespace lstmrec

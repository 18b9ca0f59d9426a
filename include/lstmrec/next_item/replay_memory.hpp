#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/baselines/session_knn.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/data/split.hpp>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

namespace lstmrec {

/// A random sample of the sequences that a model has learned from, which a later update learns again, so that it does
/// not forget what the new log does not hold (experience replay). Every sequence is in it with the same probability,
/// however many logs they have come from: of each a key is drawn, and those of the lowest keys are kept.
/// Items only: 4 bytes an event, 16 a sequence.
struct ReplayMemory {
  std::vector<std::uint64_t> keys;         ///< Of each sequence, ascending.
  std::vector<std::size_t> offsets = {0};  ///< Sequence n has items[offsets[n]] … items[offsets[n + 1] − 1].
  std::vector<std::uint32_t> items;

  std::size_t size() const { return keys.size(); }
  std::span<const std::uint32_t> operator[](std::size_t sequence) const {
    return std::span(items).subspan(offsets[sequence], offsets[sequence + 1] - offsets[sequence]);
  }

  /// Throws std::invalid_argument, whose message begins with the name of a member, unless these are sequences of items
  /// below `count`.
  void check(std::size_t count) const {
    using detail::fail, std::invalid_argument;
    if (offsets.size() != keys.size() + 1 || offsets.front() != 0 || offsets.back() != items.size() ||
        !std::is_sorted(offsets.begin(), offsets.end()))
      fail<invalid_argument>({"offsets: expected ", keys.size(), " sequences of ", items.size(), " items"});
    if (!std::is_sorted(keys.begin(), keys.end())) throw invalid_argument("keys: expected to rise");
    for (const std::uint32_t item : items)
      if (item >= count) fail<invalid_argument>({"items: expected numbers below ", count, ", found ", item});
  }
};

/// A memory of the sequences of `before` and of those of a training part with two events or more, whose items have the
/// same numbers: of at most so many sequences, the last 1000 events of each, and so many events in all.
inline ReplayMemory remembered(const ReplayMemory& before, const Split& split, std::size_t most_sequences,
                               std::size_t most_events, std::uint64_t seed) {
  constexpr std::size_t longest = 1000;  // of a robot, whose sequence would take the place of all others
  std::vector<std::pair<std::uint64_t, std::span<const std::uint32_t>>> all;
  for (std::size_t n = 0; n < before.size(); ++n) all.emplace_back(before.keys[n], before[n]);
  for (std::uint32_t user = 0; user < split.sequences.size() && most_sequences > 0; ++user)
    if (const auto events = split.train(user).items; events.size() >= 2)
      all.emplace_back(mix_seed(seed, user), events.last(std::min(events.size(), longest)));
  const std::size_t kept = std::min(most_sequences, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end(),
                    [](const auto& a, const auto& b) { return a.first < b.first; });
  ReplayMemory memory;
  for (std::size_t n = 0; n < kept && memory.items.size() + all[n].second.size() <= most_events; ++n) {
    memory.keys.push_back(all[n].first);
    memory.items.insert(memory.items.end(), all[n].second.begin(), all[n].second.end());
    memory.offsets.push_back(memory.items.size());
  }
  return memory;
}

/// The sequences of session kNN as a memory, of each the last 1000 events. Session kNN knows the last place of each
/// item only. An item stands there once, or twice where the place before it belonged to an item that came again later:
/// most often that was the same one.
inline ReplayMemory memory_of(const SessionKnn& knn) {
  constexpr std::size_t longest = 1000;
  ReplayMemory memory;
  std::vector<std::uint32_t> items;
  for (std::size_t n = 0; n < knn.sequences(); ++n) {
    items.clear();
    std::uint32_t place = 0;
    for (std::size_t k = knn.offsets[n + 1]; k-- > knn.offsets[n];) {  // the last place comes first
      items.insert(items.end(), knn.places[k] > place + 1 ? 2 : 1, knn.sequence_items[k]);
      place = knn.places[k];
    }
    memory.keys.push_back(n);
    memory.items.insert(memory.items.end(), items.end() - static_cast<std::ptrdiff_t>(std::min(longest, items.size())),
                        items.end());
    memory.offsets.push_back(memory.items.size());
  }
  return memory;
}

}  // namespace lstmrec

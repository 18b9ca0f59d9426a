#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/vocabulary.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace lstmrec {

/// The same events user by user, each user's in time order; events with equal times stay in the order of the source.
struct Sequences {
  std::vector<Event> events;               ///< By user, then time, then row.
  std::vector<std::size_t> offsets = {0};  ///< User u has events[offsets[u]] … events[offsets[u + 1] − 1].
  Vocabulary users;
  Vocabulary items;
  std::vector<ItemInfo> catalogue;  ///< By item index: as many entries as `items`.
  bool has_times = false;
  bool has_ratings = false;
  std::string source;

  /// The events of one user, never empty.
  History operator[](std::size_t user) const {
    return History(events).subspan(offsets[user], offsets[user + 1] - offsets[user]);
  }
  std::size_t size() const { return offsets.size() - 1; }  ///< Users.
};

/// What counts as an event. The defaults keep everything.
struct SequenceOptions {
  std::size_t min_item_count = 1;  ///< Items with fewer events are dropped, and users likewise,
  std::size_t min_user_count = 1;  ///< again and again until neither rule drops anything.
  float min_rating = -std::numeric_limits<float>::infinity();
  bool keep_repeats = true;  ///< If not, only the first event of each (user, item) stays.
};

namespace detail {

/// Removes the ids without events from a vocabulary; returns old index → new index.
inline std::vector<std::uint32_t> compact(const std::vector<std::size_t>& counts, Vocabulary& vocabulary) {
  std::vector<std::uint32_t> renumbered(counts.size());
  Vocabulary kept;
  for (std::uint32_t index = 0; index < counts.size(); ++index) {
    if (counts[index] > 0) renumbered[index] = kept.add(vocabulary.id(index));
  }
  vocabulary = std::move(kept);
  return renumbered;
}

}  // namespace detail

/// Sorts a log into sequences, after dropping what the options exclude. Order: ratings below the limit go first, then
/// repeats, then rare items and users. Users and items that are left keep their order; those without events go.
/// The log is moved from and sorted in place, so nothing of the size of the events is allocated.
/// Throws Error naming the source and the options where nothing is left, or where a rating limit meets a log without
/// ratings; std::invalid_argument where an event's index is not in its vocabulary.
/// Cost: O(n log n), or O(n) for a log that is in order already.
inline Sequences sequences(Interactions log, const SequenceOptions& options = {}) {
  const std::size_t users = log.users.size(), items = log.items.size();
  if (log.catalogue.size() != items) {
    throw std::invalid_argument("the catalogue must have an entry an item: " + std::to_string(items) + ", got " +
                                std::to_string(log.catalogue.size()));
  }
  for (const Event& event : log.events) {
    if (event.user >= users || event.item >= items) {
      throw std::invalid_argument("row " + std::to_string(event.row) + ": user or item is not in the vocabulary");
    }
  }
  const bool limits_rating = options.min_rating != -std::numeric_limits<float>::infinity();
  if (limits_rating && !log.has_ratings) throw Error(log.source + ": a lowest rating is set, but there are no ratings");

  std::vector<Event>& events = log.events;
  if (limits_rating) std::erase_if(events, [&](const Event& event) { return !(event.rating >= options.min_rating); });

  const auto earlier = [](const Event& a, const Event& b) {
    return std::tie(a.user, a.time, a.row) < std::tie(b.user, b.time, b.row);
  };
  if (!std::is_sorted(events.begin(), events.end(), earlier)) std::sort(events.begin(), events.end(), earlier);

  if (!options.keep_repeats) {
    std::vector<std::uint32_t> last_taker(items, std::numeric_limits<std::uint32_t>::max());  // by item: the last user
    std::erase_if(events,
                  [&](const Event& event) { return std::exchange(last_taker[event.item], event.user) == event.user; });
  }

  std::vector<std::size_t> user_counts, item_counts;
  for (bool stable = false; !stable;) {
    user_counts.assign(users, 0);
    item_counts.assign(items, 0);
    for (const Event& event : events) ++user_counts[event.user], ++item_counts[event.item];
    stable =
        std::erase_if(events, [&](const Event& event) {
          return user_counts[event.user] < options.min_user_count || item_counts[event.item] < options.min_item_count;
        }) == 0;
  }
  if (events.empty()) {
    throw Error(log.source + ": no events are left with at least " + std::to_string(options.min_item_count) +
                " an item, " + std::to_string(options.min_user_count) + " a user" +
                (limits_rating ? ", ratings from " + std::to_string(options.min_rating) : ""));
  }

  const auto renumbered_user = detail::compact(user_counts, log.users);
  const auto renumbered_item = detail::compact(item_counts, log.items);
  std::vector<std::size_t> offsets(log.users.size() + 1, 0);
  for (Event& event : events) {
    event.user = renumbered_user[event.user];
    event.item = renumbered_item[event.item];
    ++offsets[event.user + 1];
  }
  for (std::size_t user = 0; user < log.users.size(); ++user) offsets[user + 1] += offsets[user];
  for (std::size_t item = 0; item < items; ++item) {
    const std::size_t target = renumbered_item[item];
    if (item_counts[item] > 0 && target != item) log.catalogue[target] = std::move(log.catalogue[item]);
  }
  log.catalogue.resize(log.items.size());

  return {std::move(log.events),    std::move(offsets), std::move(log.users), std::move(log.items),
          std::move(log.catalogue), log.has_times,      log.has_ratings,      std::move(log.source)};
}

}  // namespace lstmrec

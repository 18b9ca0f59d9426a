#pragma once

/// The bodies of sequences.hpp.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/data/event_columns.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/data/vocabulary.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace lstmrec {

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

/// Moves row order[k] to place k, for all k and in place; uses `order` up.
inline void permute_rows(EventColumns& events, std::vector<std::uint32_t>& order) {
  for (std::uint32_t start = 0; start < order.size(); ++start) {
    if (order[start] == start) continue;
    // Along a cycle of the permutation each row moves on by one; a place that is filled points to itself.
    const Event first = events[start];
    std::uint32_t place = start;
    while (order[place] != start) {
      const std::uint32_t next = order[place];
      events.set_row(place, events[next]);
      order[place] = place;
      place = next;
    }
    events.set_row(place, first);
    order[place] = place;
  }
}

/// Sorts by user, then time, then row.
inline void sort_by_user_and_time(EventColumns& events, std::size_t users) {
  const auto is_later = [&](std::size_t row) {  // than the row before it
    if (events.users[row - 1] != events.users[row]) return events.users[row - 1] < events.users[row];
    return events.times.empty() || events.times[row - 1] <= events.times[row];
  };
  std::size_t row = 1;
  while (row < events.size() && is_later(row)) ++row;
  if (row >= events.size()) return;

  std::vector<std::size_t> ends(users + 1, 0);  // by user: first where its rows begin, in the end where they end
  for (const std::uint32_t user : events.users) ++ends[user + 1];
  for (std::size_t user = 0; user < users; ++user) ends[user + 1] += ends[user];
  std::vector<std::uint32_t> order(events.size());
  for (std::uint32_t k = 0; k < events.size(); ++k) order[ends[events.users[k]]++] = k;
  if (!events.times.empty()) {
    const auto earlier = [&](std::uint32_t a, std::uint32_t b) {
      return events.times[a] != events.times[b] ? events.times[a] < events.times[b] : a < b;
    };
    auto begin = order.begin();
    for (std::size_t user = 0; user < users; ++user) {
      const auto end = order.begin() + static_cast<std::ptrdiff_t>(ends[user]);
      if (!std::is_sorted(begin, end, earlier)) std::sort(begin, end, earlier);
      begin = end;
    }
  }
  permute_rows(events, order);
}

/// Orders the events of a user that have equal times, which follow each other, by a hash.
inline void shuffle_ties(EventColumns& events, std::uint64_t seed) {
  std::vector<std::pair<std::uint64_t, Event>> tied;
  for (std::size_t begin = 0, end = 0; begin < events.size(); begin = end) {
    for (end = begin;
         end < events.size() && events.users[end] == events.users[begin] && events.times[end] == events.times[begin];)
      ++end;
    if (end - begin == 1) continue;
    tied.clear();
    for (std::size_t row = begin; row < end; ++row)
      tied.emplace_back(mix_seed(seed, events.users[row], events.items[row]), events[row]);
    std::stable_sort(tied.begin(), tied.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t row = begin; row < end; ++row) events.set_row(row, tied[row - begin].second);
  }
}

/// Gives an event whose repeats will be dropped the largest weight among them, and the kind of that one, in a log that
/// is sorted: a purchase after a view of the same item stays a purchase.
inline void keep_largest_weights(const SequenceOptions& options, std::size_t items, EventColumns& events) {
  std::vector<std::size_t> last(options.keep_repeats ? 0 : items, events.size());  // by item: the event before it
  for (std::size_t row = events.size(); row-- > 0;) {
    std::size_t next = events.size();  // the next event of the user and item whose repeat is dropped
    if (!options.keep_repeats)
      next = std::exchange(last[events.items[row]], row);
    else if (!options.keep_immediate_repeats && row + 1 < events.size() && events.items[row + 1] == events.items[row])
      next = row + 1;
    if (next == events.size() || events.users[next] != events.users[row] || events.weights[next] <= events.weights[row])
      continue;
    events.weights[row] = events.weights[next];
    if (!events.kinds.empty()) events.kinds[row] = events.kinds[next];
  }
}

/// Makes the visits of a log, which is sorted, its users.
inline void cut_into_visits(Interactions& log, double longest_pause) {
  if (!(longest_pause >= 0)) fail<ConfigError>({"longest_pause must be at least 0, got ", longest_pause});
  if (!log.has_times) fail<DataError>({log.source, ": visits need times, and there are none"});
  EventColumns& events = log.events;
  const double ticks = longest_pause * static_cast<double>(log.ticks_per_second);
  Vocabulary visits;
  std::uint32_t user = 0;
  std::size_t of_user = 0;  // visits so far
  for (std::size_t row = 0; row < events.size(); ++row) {
    const bool is_new_user = row == 0 || events.users[row] != user;
    user = events.users[row];
    if (is_new_user) of_user = 0;
    if (is_new_user || static_cast<double>(events.times[row]) - static_cast<double>(events.times[row - 1]) > ticks) {
      const RawId& id = log.users.id(user);
      const std::size_t known = visits.size();
      const auto visit = ++of_user == 1 ? id : RawId(id.text() + "#" + std::to_string(of_user));
      if (visits.add(visit) != known || (of_user > 1 && log.users.find(visit)))
        fail<DataError>({log.source, ": a visit would have the id of the user ", visit.text()});
    }
    events.users[row] = static_cast<std::uint32_t>(visits.size() - 1);
  }
  log.users = std::move(visits);
}

}  // namespace detail

LSTMREC_INLINE Sequences build_sequences(Interactions log, const SequenceOptions& options) {
  const std::size_t items = log.items.size();
  EventColumns& events = log.events;
  if (log.catalogue.size() != items) {
    detail::fail<std::invalid_argument>(
        {"the catalogue must have an entry an item: ", items, ", got ", log.catalogue.size()});
  }
  const auto fits = [&](std::size_t size, bool exists) { return size == (exists ? events.size() : 0); };
  if (!fits(events.users.size(), true) || !fits(events.times.size(), log.has_times) ||
      !fits(events.ratings.size(), log.has_ratings) || !fits(events.weights.size(), !events.weights.empty()) ||
      !fits(events.kinds.size(), !events.kinds.empty()))
    throw std::invalid_argument("a log's columns must be equally long, and there where it says so");
  for (std::size_t row = 0; row < events.size(); ++row) {
    if (events.users[row] >= log.users.size() || events.items[row] >= items) {
      detail::fail<std::invalid_argument>({"row ", row, ": user or item is not in the vocabulary"});
    }
  }
  if (!std::all_of(events.weights.begin(), events.weights.end(),
                   [](float weight) { return weight >= 0 && std::isfinite(weight); }))
    throw std::invalid_argument("weights of events must be finite and not negative");
  const bool limits_rating = options.min_rating != -std::numeric_limits<float>::infinity();
  if (limits_rating && !log.has_ratings)
    detail::fail<DataError>({log.source, ": a lowest rating is set, but there are no ratings"});
  if (limits_rating) events.keep_rows([&](std::size_t row) { return events.ratings[row] >= options.min_rating; });

  detail::sort_by_user_and_time(events, log.users.size());
  if (options.shuffle_ties && log.has_times) detail::shuffle_ties(events, *options.shuffle_ties);
  if (options.longest_pause != std::numeric_limits<double>::infinity())
    detail::cut_into_visits(log, options.longest_pause);
  if (!events.weights.empty()) detail::keep_largest_weights(options, items, events);
  if (!options.keep_immediate_repeats) {
    std::uint32_t user = 0, item = static_cast<std::uint32_t>(items);  // of the row before; at first no item
    events.keep_rows([&](std::size_t row) {
      const bool is_same_user = std::exchange(user, events.users[row]) == events.users[row];
      const bool is_same_item = std::exchange(item, events.items[row]) == events.items[row];
      return !(is_same_user && is_same_item);
    });
  }
  if (!options.keep_repeats) {
    std::vector<std::uint32_t> last_taker(items, std::numeric_limits<std::uint32_t>::max());  // by item: the last user
    events.keep_rows([&](std::size_t row) {
      return std::exchange(last_taker[events.items[row]], events.users[row]) != events.users[row];
    });
  }
  const std::size_t users = log.users.size();
  std::vector<std::size_t> user_counts, item_counts;
  for (std::size_t dropped = 1; dropped > 0;) {
    user_counts.assign(users, 0);
    item_counts.assign(items, 0);
    for (const std::uint32_t user : events.users) ++user_counts[user];
    for (const std::uint32_t item : events.items) ++item_counts[item];
    dropped = events.keep_rows([&](std::size_t row) {
      return user_counts[events.users[row]] >= options.min_user_count &&
             item_counts[events.items[row]] >= options.min_item_count;
    });
  }
  if (events.empty()) {
    detail::fail<DataError>(
        {log.source, ": no events are left with at least ", options.min_item_count, " an item, ",
         options.min_user_count, " a user",
         limits_rating ? detail::message({", ratings from ", static_cast<double>(options.min_rating)}) : ""});
  }
  const auto renumbered_user = detail::compact(user_counts, log.users);
  const auto renumbered_item = detail::compact(item_counts, log.items);
  std::vector<std::size_t> offsets(log.users.size() + 1, 0);
  for (std::uint32_t& user : events.users) {
    user = renumbered_user[user];
    ++offsets[user + 1];
  }
  for (std::uint32_t& item : events.items) item = renumbered_item[item];
  for (std::size_t user = 0; user < log.users.size(); ++user) offsets[user + 1] += offsets[user];
  for (std::size_t item = 0; item < items; ++item) {
    const std::size_t target = renumbered_item[item];
    if (item_counts[item] > 0 && target != item) log.catalogue[target] = std::move(log.catalogue[item]);
  }
  log.catalogue.resize(log.items.size());
  return {std::move(log.events), std::move(offsets),       std::move(log.users),
          std::move(log.items),  std::move(log.catalogue), log.has_times,
          log.has_ratings,       log.ticks_per_second,     std::move(log.source)};
}

}  // namespace lstmrec

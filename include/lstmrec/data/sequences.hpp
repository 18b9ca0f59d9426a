#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/core/compiled.hpp>
#include <lstmrec/data/event_columns.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/vocabulary.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lstmrec {

/// The events of a log user by user, each user's in time order; events with equal times stay in the order of the
/// source.
struct Sequences {
  EventColumns events;                     ///< By user, then time, then place in the source.
  std::vector<std::size_t> offsets = {0};  ///< User u has events[offsets[u]] … events[offsets[u + 1] − 1].
  Vocabulary users;
  Vocabulary items;
  std::vector<ItemInfo> catalogue;  ///< By item index: as many entries as `items`.
  bool has_times = false;
  bool has_ratings = false;
  std::int64_t ticks_per_second = 1;  ///< Of the times.
  std::string source = "memory";      ///< For messages: this, or the file.

  /// The events of one user, never empty.
  History operator[](std::size_t user) const& {
    History history = events.rows(offsets[user], offsets[user + 1]);
    history.numbering = items.fingerprint();
    return history;
  }
  History operator[](std::size_t) const&& = delete;  // a history is borrowed
  /// What an event of a user counts as a target: see EventColumns::weights.
  float weight(std::size_t user, std::size_t position) const { return events.weight(offsets[user] + position); }
  std::size_t size() const { return offsets.size() - 1; }  ///< Users.
};

/// Rules by which events are dropped and ordered. The defaults keep everything.
struct SequenceOptions {
  std::size_t min_item_count = 1;  ///< Items with fewer events are dropped, and users with fewer events,
  std::size_t min_user_count = 1;  ///< again and again until neither rule drops anything.
  float min_rating = -std::numeric_limits<float>::infinity();
  bool keep_repeats = true;  ///< If not, only the first event of each (user, item) stays.
  /// If not, an event of the item that the event before it in its sequence has is dropped.
  bool keep_immediate_repeats = true;
  /// Where a user pauses longer, in seconds, a new visit begins, which is a sequence of its own. The first visit of a
  /// user has the user's id, the second of `ann` the id `ann#2`, and so on.
  double longest_pause = std::numeric_limits<double>::infinity();
  /// A seed, by a hash of which the events of a user that have equal times are ordered; unset: as in the source. That
  /// may be the order of the items' ids, from which a network would learn what is not there in use.
  std::optional<std::uint64_t> shuffle_ties = {};
};

/// Sorts a log into sequences, after dropping what the options exclude. Order: ratings below the limit go first; then
/// users are cut into visits, which count as users from then on; then go repeats, and then rare items and users. Users
/// and items that are left keep their order; those without events go. The log is moved from and sorted in place;
/// sorting takes 4 bytes an event and 8 a user while it runs. Throws DataError naming the source and the options where
/// nothing is left, where a rating limit meets a log without ratings or a pause one without times, or where a visit
/// would have the id of another user; ConfigError unless the pause is at least 0; std::invalid_argument where an
/// event's index is not in its vocabulary or a column is not as long as the others. Cost: O(n log n), or O(n) for a log
/// that is in order already.
LSTMREC_INLINE Sequences build_sequences(Interactions log, const SequenceOptions& options = {});

}  // namespace lstmrec

#ifndef LSTMREC_COMPILED
#include <lstmrec/data/sequences_inl.hpp>
#endif

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/core/compiled.hpp>
#include <lstmrec/data/event_columns.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/vocabulary.hpp>
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
  std::string source = "memory";  ///< For messages: this, or the file.

  /// The events of one user, never empty.
  History operator[](std::size_t user) const& { return events.rows(offsets[user], offsets[user + 1]); }
  History operator[](std::size_t) const&& = delete;        // a history is borrowed
  std::size_t size() const { return offsets.size() - 1; }  ///< Users.
};

/// Rules by which events are dropped. The defaults keep everything.
struct SequenceOptions {
  std::size_t min_item_count = 1;  ///< Items with fewer events are dropped, and users with fewer events,
  std::size_t min_user_count = 1;  ///< again and again until neither rule drops anything.
  float min_rating = -std::numeric_limits<float>::infinity();
  bool keep_repeats = true;  ///< If not, only the first event of each (user, item) stays.
};

/// Sorts a log into sequences, after dropping what the options exclude. Order: ratings below the limit go first, then
/// repeats, then rare items and users. Users and items that are left keep their order; those without events go.
/// The log is moved from and sorted in place; sorting takes 4 bytes an event and 8 a user while it runs.
/// Throws DataError naming the source and the options where nothing is left, or where a rating limit meets a log
/// without ratings; std::invalid_argument where an event's index is not in its vocabulary or a column is not as long as
/// the others. Cost: O(n log n), or O(n)
/// for a log that is in order already.
LSTMREC_INLINE Sequences build_sequences(Interactions log, const SequenceOptions& options = {});

}  // namespace lstmrec

#ifndef LSTMREC_COMPILED
#include <lstmrec/data/sequences_inl.hpp>
#endif

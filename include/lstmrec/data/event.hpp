#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lstmrec {

/// One interaction, in dense indices. 24 bytes: the sort's tie-breaker is a member, so sorting needs no memory.
struct Event {
  std::int64_t time = 0;   ///< Seconds since 1970; the position in the sequence where the data has no times.
  std::uint32_t user = 0;  ///< Dense index.
  std::uint32_t item = 0;  ///< Dense index.
  float rating = 0;        ///< 0 where the data has no ratings.
  std::uint32_t row = 0;   ///< Position in the source, counted from 0: the order of events with equal times.
};
static_assert(sizeof(Event) == 24);

/// Some leading part of a user's events, in time order: what a scorer may look at.
using History = std::span<const Event>;

/// What a catalogue knows of an item beside its id; empty where the data says nothing.
struct ItemInfo {
  std::string title;                ///< UTF-8.
  std::vector<std::string> genres;  ///< UTF-8.
};

}  // namespace lstmrec

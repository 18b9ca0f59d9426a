#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/data/event.hpp>
#include <lstmrec/ratings/split.hpp>
#include <utility>
#include <vector>

namespace lstmrec {

/// The index of a user whom a model was not trained on.
inline constexpr std::uint32_t unknown_user = std::numeric_limits<std::uint32_t>::max();

/// Ratings of one user that are to be predicted, and those that may be looked at for it.
struct RatingQuery {
  std::uint32_t user = unknown_user;  ///< Dense index.
  std::vector<Event> visible;         ///< The user's visible ratings, in time order.
  std::vector<Event>
      asked;  ///< The items (and the times, if known) to predict ratings of; their own ratings are not read.
};

/// One query a user with ratings in `part`, as matrix factorisation has it: for the validation part the user's training
/// ratings are visible, for the test part those and the validation ratings, whether earlier or later than the target.
inline std::vector<RatingQuery> rating_queries(const RatingSplit& split, Part part) {
  std::vector<RatingQuery> queries;
  const Sequences& sequences = split.sequences;
  for (std::uint32_t user = 0; user < sequences.size(); ++user) {
    RatingQuery one{user, {}, {}};
    for (std::size_t k = sequences.offsets[user]; k < sequences.offsets[user + 1]; ++k) {
      if (split.parts[k] == part)
        one.asked.push_back(sequences.events[k]);
      else if (split.parts[k] < part)
        one.visible.push_back(sequences.events[k]);
    }
    if (!one.asked.empty()) queries.push_back(std::move(one));
  }
  return queries;
}

/// One query a rating in `part`, as it would be met in time: all of the user's ratings before it are visible, those of
/// its own part too, and nothing later. Copies the history of every query.
inline std::vector<RatingQuery> chronological_queries(const RatingSplit& split, Part part) {
  std::vector<RatingQuery> queries;
  const Sequences& sequences = split.sequences;
  for (std::uint32_t user = 0; user < sequences.size(); ++user) {
    const History events = sequences[user];
    for (std::size_t k = 0; k < events.size(); ++k) {
      if (split.parts[sequences.offsets[user] + k] != part) continue;
      const History before = events.first(k);
      queries.push_back({user, {before.begin(), before.end()}, {events[k]}});
    }
  }
  return queries;
}

/// All events that are asked for, one after the other: the order in which the models return their predictions.
inline std::vector<Event> asked_events(const std::vector<RatingQuery>& queries) {
  std::vector<Event> events;
  for (const RatingQuery& query : queries) events.insert(events.end(), query.asked.begin(), query.asked.end());
  return events;
}

}  // namespace lstmrec

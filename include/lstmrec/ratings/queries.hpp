#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <lstmrec/data/event.hpp>
#include <lstmrec/ratings/split.hpp>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace lstmrec {

/// The index of a user whom a model was not trained on.
inline constexpr std::uint32_t unknown_user = std::numeric_limits<std::uint32_t>::max();

/// A leading part of a user's events, in time order. Copies share the events, so that any number of queries of one user
/// takes the memory of one.
class LeadingEvents {
 public:
  LeadingEvents() = default;
  LeadingEvents(std::vector<Event> events)
      : events_(std::make_shared<const std::vector<Event>>(std::move(events))), size_(events_->size()) {}
  LeadingEvents(std::initializer_list<Event> events) : LeadingEvents(std::vector<Event>(events)) {}

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const Event* begin() const { return events_ ? events_->data() : nullptr; }
  const Event* end() const { return begin() + size_; }
  const Event& operator[](std::size_t k) const { return begin()[k]; }

  /// Whether both are parts of the same events, so that the shorter is the beginning of the longer. Empty parts share
  /// nothing.
  bool shares_with(const LeadingEvents& other) const { return !empty() && !other.empty() && begin() == other.begin(); }

  /// The first `count` of them, at most all.
  LeadingEvents first(std::size_t count) const {
    LeadingEvents part = *this;
    part.size_ = std::min(count, size_);
    return part;
  }

 private:
  std::shared_ptr<const std::vector<Event>> events_;
  std::size_t size_ = 0;
};

/// Ratings of one user that are to be predicted, and those that may be looked at for it.
struct RatingQuery {
  std::uint32_t user = unknown_user;  ///< Dense index.
  LeadingEvents visible;              ///< The user's visible ratings, in time order.
  std::vector<Event>
      asked;  ///< The items (and the times, if known) to predict ratings of; their own ratings are not read.
};

/// One query a user with ratings in `part`, as matrix factorisation has it: for the validation part the user's training
/// ratings are visible, for the test part those and the validation ratings, whether earlier or later than the target.
inline std::vector<RatingQuery> rating_queries(const RatingSplit& split, Part part) {
  check_split(split);
  std::vector<RatingQuery> queries;
  const Sequences& sequences = split.sequences;
  for (std::uint32_t user = 0; user < sequences.size(); ++user) {
    std::vector<Event> visible, asked;
    for (std::size_t k = sequences.offsets[user]; k < sequences.offsets[user + 1]; ++k) {
      if (split.parts[k] == part)
        asked.push_back(sequences.events[k]);
      else if (split.parts[k] < part)
        visible.push_back(sequences.events[k]);
    }
    if (!asked.empty()) queries.push_back({user, std::move(visible), std::move(asked)});
  }
  return queries;
}

/// One query a rating in `part`, as it would be met in time: all of the user's ratings before it are visible, those of
/// its own part too, and nothing later. Memory: linear in the ratings, since a user's queries share them. Predicting
/// them reads each user's ratings once.
inline std::vector<RatingQuery> chronological_queries(const RatingSplit& split, Part part) {
  check_split(split);
  std::vector<RatingQuery> queries;
  const Sequences& sequences = split.sequences;
  for (std::uint32_t user = 0; user < sequences.size(); ++user) {
    const History history = sequences[user];
    const LeadingEvents events(std::vector<Event>(history.begin(), history.end()));
    for (std::size_t k = 0; k < events.size(); ++k)
      if (split.parts[sequences.offsets[user] + k] == part) queries.push_back({user, events.first(k), {events[k]}});
  }
  return queries;
}

/// How many queries from the first on look at parts of the same events. They are read in one pass.
inline std::size_t queries_of_one_history(std::span<const RatingQuery> queries) {
  std::size_t count = std::min<std::size_t>(1, queries.size());
  while (count < queries.size() && queries[count].visible.shares_with(queries.front().visible)) ++count;
  return count;
}

/// All events that are asked for, one after the other: the order in which the models return their predictions.
inline std::vector<Event> asked_events(const std::vector<RatingQuery>& queries) {
  std::vector<Event> events;
  for (const RatingQuery& query : queries) events.insert(events.end(), query.asked.begin(), query.asked.end());
  return events;
}

}  // namespace lstmrec

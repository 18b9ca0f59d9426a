#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/rating_split.hpp>
#include <utility>
#include <vector>

namespace lstmrec {

/// The index of a user whom a model was not trained on.
inline constexpr std::uint32_t unknown_user = std::numeric_limits<std::uint32_t>::max();

/// Ratings of one user that are to be predicted, and what may be looked at for it.
struct RatingCase {
  std::uint32_t user = unknown_user;  ///< Dense index.
  std::vector<Event> visible;         ///< The user's visible ratings, in time order.
  std::vector<Event> targets;  ///< The items (and the time, if known) to predict for; their ratings are not read.
};

/// One case a user with ratings in `part`, as matrix factorisation has it: for the validation part the user's training
/// ratings are visible, for the test part those and the validation ratings, whether earlier or later than the target.
inline std::vector<RatingCase> rating_cases(const RatingSplit& split, Part part) {
  std::vector<RatingCase> cases;
  const Sequences& sequences = split.sequences;
  for (std::uint32_t user = 0; user < sequences.size(); ++user) {
    RatingCase one{user, {}, {}};
    for (std::size_t k = sequences.offsets[user]; k < sequences.offsets[user + 1]; ++k) {
      if (split.parts[k] == part)
        one.targets.push_back(sequences.events[k]);
      else if (split.parts[k] < part)
        one.visible.push_back(sequences.events[k]);
    }
    if (!one.targets.empty()) cases.push_back(std::move(one));
  }
  return cases;
}

/// One case a rating in `part`, as it would be met in time: all of the user's ratings before it are visible, those of
/// its own part too, and nothing later. Copies the history of every case.
inline std::vector<RatingCase> rating_cases_in_time(const RatingSplit& split, Part part) {
  std::vector<RatingCase> cases;
  const Sequences& sequences = split.sequences;
  for (std::uint32_t user = 0; user < sequences.size(); ++user) {
    const History events = sequences[user];
    for (std::size_t k = 0; k < events.size(); ++k)
      if (split.parts[sequences.offsets[user] + k] == part)
        cases.push_back({user, {events.begin(), events.begin() + static_cast<std::ptrdiff_t>(k)}, {events[k]}});
  }
  return cases;
}

/// All targets of some cases, one after the other: the order in which the models return their predictions.
inline std::vector<Event> targets_of(const std::vector<RatingCase>& cases) {
  std::vector<Event> targets;
  for (const RatingCase& one : cases) targets.insert(targets.end(), one.targets.begin(), one.targets.end());
  return targets;
}

}  // namespace lstmrec

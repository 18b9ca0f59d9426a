#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/fingerprint.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/data/split.hpp>
#include <numeric>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace lstmrec {

/// The part of a split that an event belongs to.
enum class Part : std::uint8_t { train, validation, test };

/// Sequences with a part for each event, for predicting ratings. Unlike in `Split`, the parts of a user may alternate:
/// as matrix factorisation has it, all training events are visible, those later than the predicted one too.
struct RatingSplit {
  Sequences sequences;
  std::vector<Part> parts;  ///< One for each of sequences.events.
  std::string protocol;     ///< One line for tables.
};

/// Throws std::invalid_argument unless there is a part for each event.
inline void check_split(const RatingSplit& split) {
  if (split.parts.size() != split.sequences.events.size())
    detail::fail<std::invalid_argument>(
        {"expected a part for each of ", split.sequences.events.size(), " events, got ", split.parts.size()});
}

/// A hash that tells splits apart: of the log and of each event's part.
inline std::uint64_t fingerprint(const RatingSplit& split) {
  return detail::add_to_hash(fingerprint(split.sequences), split.parts);
}

namespace detail {

inline void require_ratings(const Sequences& sequences) {
  if (!sequences.has_ratings)
    fail<DataError>({sequences.source, ": a split of ratings needs ratings, and there are none"});
}

inline std::size_t share(double fraction, std::size_t count) {
  return static_cast<std::size_t>(std::llround(fraction * static_cast<double>(count)));
}

/// Moves `wanted` training events, drawn without replacement, into another part.
/// Selection sampling: Knuth, "The Art of Computer Programming", volume 2, algorithm S.
inline void draw(std::vector<Part>& parts, Part part, std::size_t wanted, Random& random) {
  auto left = static_cast<std::size_t>(std::count(parts.begin(), parts.end(), Part::train));
  for (Part& candidate : parts) {
    if (candidate != Part::train) continue;
    if (random.below(left--) < wanted) {
      candidate = part;
      --wanted;
    }
  }
}

/// Moves ratings that a user gives an item again to the part of the user's first rating of it, so that none that is to
/// be predicted can be looked up. Returns their number.
inline std::size_t unite_repeats(const Sequences& sequences, std::vector<Part>& parts) {
  std::size_t repeats = 0;
  std::vector<std::size_t> rows;
  for (std::size_t user = 0; user < sequences.size(); ++user) {
    rows.resize(sequences[user].size());
    std::iota(rows.begin(), rows.end(), sequences.offsets[user]);
    const auto item_of = [&](std::size_t row) { return sequences.events.items[row]; };
    std::stable_sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) { return item_of(a) < item_of(b); });
    for (std::size_t k = 1; k < rows.size(); ++k) {
      if (item_of(rows[k]) != item_of(rows[k - 1])) continue;
      parts[rows[k]] = parts[rows[k - 1]];
      ++repeats;
    }
  }
  return repeats;
}

}  // namespace detail

/// Draws the test and the validation part from all events. Throws Error where there are no ratings, as do the others,
/// or too few for a test part; the validation part may stay empty. All ratings that a user gives one item are in one
/// part.
inline RatingSplit split_ratings_random(Sequences sequences, double validation_fraction = .1, double test_fraction = .1,
                                        std::uint64_t seed = 1) {
  detail::require_ratings(sequences);
  detail::check_fractions(validation_fraction, test_fraction);
  const std::size_t events = sequences.events.size();
  std::vector<Part> parts(events, Part::train);
  Random random(seed);
  const std::size_t test = detail::share(test_fraction, events);
  if (test == 0) detail::fail<DataError>({sequences.source, ": ", events, " ratings are too few for a test part"});
  detail::draw(parts, Part::test, test, random);
  detail::draw(parts, Part::validation, detail::share(validation_fraction, events), random);
  const std::size_t repeats = detail::unite_repeats(sequences, parts);
  const auto drawn = static_cast<std::size_t>(std::count(parts.begin(), parts.end(), Part::test));
  std::string protocol =
      detail::message({"random (", drawn, " test ratings, seed ", seed, "), all training ratings visible"});
  if (repeats > 0)
    protocol += detail::message({"; ", repeats, " repeated ratings of an item stand in the part of the first"});
  return {std::move(sequences), std::move(parts), std::move(protocol)};
}

/// Takes a given test part, such as `read_movielens("u1.test")`, and draws the validation part (a fraction of all
/// events) from the rest. Throws Error where an event of the fold is not in the sequences exactly once: the figure
/// would not be that of the fold.
inline RatingSplit split_ratings_by_fold(Sequences sequences, const Interactions& test_fold,
                                         double validation_fraction = .1, std::uint64_t seed = 1) {
  detail::require_ratings(sequences);
  using Key = std::tuple<std::uint32_t, std::uint32_t, std::int64_t>;
  std::vector<Key> fold;
  fold.reserve(test_fold.events.size());
  for (const Event& event : test_fold.events) {
    const auto user = sequences.users.find(test_fold.users.id(event.user));
    const auto item = sequences.items.find(test_fold.items.id(event.item));
    if (user && item) fold.emplace_back(*user, *item, event.time);
  }
  std::sort(fold.begin(), fold.end());
  std::vector<Part> parts(sequences.events.size(), Part::train);
  std::vector<bool> taken(fold.size(), false);
  std::size_t found = 0;
  bool repeated = false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Event& event = sequences.events[i];
    const Key key(event.user, event.item, event.time);
    const auto place = std::lower_bound(fold.begin(), fold.end(), key);
    if (place == fold.end() || *place != key) continue;
    parts[i] = Part::test;
    const auto index = static_cast<std::size_t>(place - fold.begin());
    repeated = repeated || taken[index];
    taken[index] = true;
    ++found;
  }
  if (repeated || found != test_fold.events.size()) {
    detail::fail<DataError>({test_fold.source, ": expected each of its ", test_fold.events.size(), " ratings once in ",
                             sequences.source, ", found ", found});
  }
  detail::check_fractions(validation_fraction, static_cast<double>(found) / static_cast<double>(parts.size()));
  Random random(seed);
  detail::draw(parts, Part::validation, detail::share(validation_fraction, parts.size()), random);
  return {std::move(sequences), std::move(parts),
          "given fold (" + test_fold.source + ", " + std::to_string(found) +
              " test ratings), all training ratings visible"};
}

/// A split with its validation part moved to the training part: for a last training, when everything has been chosen.
inline RatingSplit with_validation_in_training(RatingSplit split) {
  std::replace(split.parts.begin(), split.parts.end(), Part::validation, Part::train);
  return split;
}

/// Cuts all events at two points in time, as `split_by_time` does: every training event is earlier than every
/// validation event, and those than every test event.
inline RatingSplit split_ratings_by_time(Sequences sequences, double validation_fraction = .1,
                                         double test_fraction = .1) {
  detail::require_ratings(sequences);
  const auto begins = detail::time_boundaries(sequences, validation_fraction, test_fraction);
  std::vector<Part> parts;
  parts.reserve(sequences.events.size());
  for (const Event& event : sequences.events) {
    parts.push_back(event.time >= begins.test         ? Part::test
                    : event.time >= begins.validation ? Part::validation
                                                      : Part::train);
  }
  const auto test = std::count(parts.begin(), parts.end(), Part::test);
  return {std::move(sequences), std::move(parts),
          "by time (validation from " + std::to_string(begins.validation) + ", test from " +
              std::to_string(begins.test) + "), " + std::to_string(test) + " test ratings"};
}

}  // namespace lstmrec

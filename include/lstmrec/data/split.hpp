#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/sequences.hpp>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace lstmrec {

/// An event to predict: sequences[user][position], from sequences[user].first(position).
struct Target {
  std::uint32_t user = 0;
  std::uint32_t position = 0;
};

/// Sequences with the events that training may see, and those that are to be predicted.
/// Every event is in one part at most, and a target's history never holds anything later than the target.
struct Split {
  Sequences sequences;
  std::vector<std::uint32_t> train_length;  ///< By user: how many of its leading events training sees.
  std::vector<Target> validation;           ///< By user, then position; the same for `test`.
  std::vector<Target> test;
  std::string protocol;  ///< One line for tables.

  History train(std::size_t user) const { return sequences[user].first(train_length[user]); }
  History history(Target target) const { return sequences[target.user].first(target.position); }
  const Event& event(Target target) const { return sequences[target.user][target.position]; }
};

namespace detail {

/// Throws std::invalid_argument unless there is something to test and something to train on.
inline void check_fractions(double validation, double test) {
  if (!(validation >= 0 && test > 0 && validation + test < 1)) {
    throw std::invalid_argument("fractions must be validation >= 0, test > 0, validation + test < 1, got " +
                                std::to_string(validation) + " and " + std::to_string(test));
  }
}

/// The times from which on an event belongs to the validation part and to the test part.
struct TimeBoundaries {
  std::int64_t validation, test;
};

/// Boundaries at the quantiles 1 − validation − test and 1 − test of all times. The parts are cut between two different
/// times, so they may be a little larger than asked for. Throws Error where the log has no times, or where so many
/// times are equal that a part would stay empty. Takes 8 bytes an event while it runs.
inline TimeBoundaries time_boundaries(const Sequences& sequences, double validation, double test) {
  check_fractions(validation, test);
  if (!sequences.has_times) throw Error(sequences.source + ": a split by time needs times, and there are none");
  std::vector<std::int64_t> times(sequences.events.size());
  std::transform(sequences.events.begin(), sequences.events.end(), times.begin(),
                 [](const Event& e) { return e.time; });
  std::sort(times.begin(), times.end());
  const auto from_end = [&](double fraction) {
    return times.size() - static_cast<std::size_t>(std::llround(fraction * static_cast<double>(times.size())));
  };
  const std::size_t test_begin = from_end(test), validation_begin = from_end(validation + test);
  if (validation_begin == 0 || test_begin == times.size() || times.front() == times[validation_begin] ||
      (validation > 0 && times[validation_begin] == times[test_begin])) {
    throw Error(sequences.source + ": too few different times for a training, a validation and a test part");
  }
  return {times[validation_begin], times[test_begin]};
}

}  // namespace detail

/// Each user's last event is a test target, the one before a validation target, the rest is trained on. A test target's
/// history includes the validation event. Users with fewer than three events are trained on and never targets.
/// Throws Error where no user has three.
inline Split leave_one_out(Sequences sequences) {
  Split split;
  for (std::uint32_t user = 0; user < sequences.size(); ++user) {
    const auto length = static_cast<std::uint32_t>(sequences[user].size());
    const bool has_targets = length >= 3;
    split.train_length.push_back(has_targets ? length - 2 : length);
    if (!has_targets) continue;
    split.validation.push_back({user, length - 2});
    split.test.push_back({user, length - 1});
  }
  if (split.test.empty()) throw Error(sequences.source + ": leave-one-out needs a user with at least 3 events");
  split.protocol = "leave-one-out (last event = test, the one before = validation; equal times in file order), " +
                   std::to_string(split.test.size()) + " users";
  split.sequences = std::move(sequences);
  return split;
}

/// Everything is trained on and nothing is a target: for the recommender that is put to use, trained once more with
/// what validation has chosen, so that it knows the users' last events and the newest items too.
///
///     RecommenderConfig chosen = result.recommender.config;  // of fit(split, …): weight of counts, size of batches
///     chosen.epochs = result.best_epoch;                     // 0 where the split had nothing to validate on
///     const auto recommender = fit(train_on_all(std::move(split.sequences)), chosen).recommender;
///
/// No figure can be given of it: whatever it is tested on, it has seen. Nothing can be chosen either: a counts_weight
/// of −1 becomes 0.
inline Split train_on_all(Sequences sequences) {
  Split split;
  for (std::size_t user = 0; user < sequences.size(); ++user)
    split.train_length.push_back(static_cast<std::uint32_t>(sequences[user].size()));
  split.protocol = "all events trained on";
  split.sequences = std::move(sequences);
  return split;
}

/// Cuts all events at two points in time: what lies before is trained on, every event after is a target. Events with
/// equal times lie on one side. A user's targets see all of the user's events before them, whatever their part.
/// Throws Error where the log has no times or too few different ones.
inline Split split_by_time(Sequences sequences, double validation_fraction = .1, double test_fraction = .1) {
  const auto begins = detail::time_boundaries(sequences, validation_fraction, test_fraction);
  Split split;
  split.train_length.resize(sequences.size());
  for (std::uint32_t user = 0; user < sequences.size(); ++user) {
    const History events = sequences[user];
    for (std::uint32_t position = 0; position < events.size(); ++position) {
      const std::int64_t time = events[position].time;
      if (time >= begins.test) {
        split.test.push_back({user, position});
      } else if (time >= begins.validation) {
        split.validation.push_back({user, position});
      } else {
        split.train_length[user] = position + 1;
      }
    }
  }
  split.protocol = "by time (validation from " + std::to_string(begins.validation) + ", test from " +
                   std::to_string(begins.test) + "), " + std::to_string(split.test.size()) + " test events";
  split.sequences = std::move(sequences);
  return split;
}

/// Holds whole users out: training sees nothing of them, and the target is their last event. Users with one event have
/// no history to predict from and are always trained on. Of other users training sees everything, later events too.
/// Throws Error where a part that was asked for would stay empty.
inline Split split_by_users(Sequences sequences, double validation_fraction = .1, double test_fraction = .1,
                            std::uint64_t seed = 1) {
  detail::check_fractions(validation_fraction, test_fraction);
  Split split;
  std::vector<std::uint32_t> candidates;
  for (std::uint32_t user = 0; user < sequences.size(); ++user) {
    split.train_length.push_back(static_cast<std::uint32_t>(sequences[user].size()));
    if (sequences[user].size() >= 2) candidates.push_back(user);
  }
  Random(seed).shuffle(candidates);
  auto next = candidates.begin();
  const auto hold_out = [&](double fraction) {
    const auto count = std::llround(fraction * static_cast<double>(candidates.size()));
    if (fraction > 0 && count == 0) throw Error(sequences.source + ": too few users to hold a part of them out");
    std::sort(next, next + count);
    std::vector<Target> targets;
    for (; count > static_cast<long long>(targets.size()); ++next) {
      targets.push_back({*next, split.train_length[*next] - 1});
      split.train_length[*next] = 0;
    }
    return targets;
  };
  split.validation = hold_out(validation_fraction);
  split.test = hold_out(test_fraction);
  if (std::all_of(split.train_length.begin(), split.train_length.end(), [](auto length) { return length == 0; })) {
    throw Error(sequences.source + ": too few users to leave some for training");
  }
  split.protocol = "by users (" + std::to_string(split.validation.size()) + " validation and " +
                   std::to_string(split.test.size()) + " test users held out, seed " + std::to_string(seed) +
                   "), last event";
  split.sequences = std::move(sequences);
  return split;
}

}  // namespace lstmrec

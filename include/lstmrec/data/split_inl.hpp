#pragma once

/// The bodies of split.hpp.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/data/split.hpp>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace lstmrec {

namespace detail {

LSTMREC_INLINE void check_fractions(double validation, double test) {
  if (!(validation >= 0 && test > 0 && validation + test < 1)) {
    fail<ConfigError>({"fractions must be validation >= 0, test > 0, validation + test < 1, got ",
                       std::to_string(validation), " and ", std::to_string(test)});
  }
}

LSTMREC_INLINE TimeBoundaries time_boundaries(const Sequences& sequences, double validation, double test) {
  check_fractions(validation, test);
  if (!sequences.has_times) fail<DataError>({sequences.source, ": a split by time needs times, and there are none"});
  std::vector<std::int64_t> times = sequences.events.times;
  std::sort(times.begin(), times.end());
  const auto from_end = [&](double fraction) {
    return times.size() - static_cast<std::size_t>(std::llround(fraction * static_cast<double>(times.size())));
  };
  const std::size_t test_begin = from_end(test), validation_begin = from_end(validation + test);
  if (validation_begin == 0 || test_begin == times.size() || times.front() == times[validation_begin] ||
      (validation > 0 && times[validation_begin] == times[test_begin])) {
    fail<DataError>({sequences.source, ": too few different times for a training, a validation and a test part"});
  }
  return {times[validation_begin], times[test_begin]};
}

}  // namespace detail

LSTMREC_INLINE void check_split(const Split& split) {
  const Sequences& sequences = split.sequences;
  const auto fail = [](std::initializer_list<detail::MessagePart> what) {
    detail::fail<std::invalid_argument>({"the split does not hold together: ", detail::message(what)});
  };
  const std::vector<std::size_t>& offsets = sequences.offsets;
  if (offsets.empty() || offsets.front() != 0 || offsets.back() != sequences.events.size() ||
      !std::is_sorted(offsets.begin(), offsets.end()))
    fail({"offsets: expected to rise from 0 to ", sequences.events.size()});
  if (split.train_length.size() != sequences.size())
    fail({"expected one train_length a user: ", sequences.size(), ", got ", split.train_length.size()});
  for (const std::uint32_t item : sequences.events.items)
    if (item >= sequences.items.size()) fail({"expected items below ", sequences.items.size(), ", got ", item});
  const auto& times = sequences.events.times;
  for (std::size_t row = 1; row < times.size(); ++row)
    if (times[row] < times[row - 1] && !std::binary_search(offsets.begin(), offsets.end(), row))
      fail({"event ", row, " is earlier than the one before it of its user"});
  for (std::size_t user = 0; user < sequences.size(); ++user)
    if (split.train_length[user] > offsets[user + 1] - offsets[user])
      fail({"user ", user, " has ", offsets[user + 1] - offsets[user], " events, and the train_length ",
            split.train_length[user]});
  for (const auto* targets : {&split.validation, &split.test})
    for (const Target target : *targets)
      if (target.user >= sequences.size() || target.position >= offsets[target.user + 1] - offsets[target.user] ||
          target.position < split.train_length[target.user])
        fail({"a target has to be an event that training does not see, got user ", target.user, ", position ",
              target.position});
}

LSTMREC_INLINE Split leave_one_out(Sequences sequences) {
  Split split;
  for (std::uint32_t user = 0; user < sequences.size(); ++user) {
    const auto length = static_cast<std::uint32_t>(sequences[user].size());
    const bool has_targets = length >= 3;
    split.train_length.push_back(has_targets ? length - 2 : length);
    if (!has_targets) continue;
    split.validation.push_back({user, length - 2});
    split.test.push_back({user, length - 1});
  }
  if (split.test.empty())
    detail::fail<DataError>({sequences.source, ": leave-one-out needs a user with at least 3 events"});
  split.protocol =
      detail::message({"leave-one-out (last event = test, the one before = validation; equal times in file order), ",
                       split.test.size(), " users"});
  split.sequences = std::move(sequences);
  return split;
}

LSTMREC_INLINE Split train_on_all(Sequences sequences) {
  Split split;
  for (std::size_t user = 0; user < sequences.size(); ++user)
    split.train_length.push_back(static_cast<std::uint32_t>(sequences[user].size()));
  split.protocol = "all events trained on";
  split.sequences = std::move(sequences);
  return split;
}

LSTMREC_INLINE Split split_by_time(Sequences sequences, double validation_fraction, double test_fraction) {
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
  split.protocol = detail::message({"by time (validation from ", begins.validation, ", test from ", begins.test, "), ",
                                    split.test.size(), " test events"});
  split.sequences = std::move(sequences);
  return split;
}

LSTMREC_INLINE Split split_by_users(Sequences sequences, double validation_fraction, double test_fraction,
                                    std::uint64_t seed) {
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
    if (fraction > 0 && count == 0)
      detail::fail<DataError>({sequences.source, ": too few users to hold a part of them out"});
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
    detail::fail<DataError>({sequences.source, ": too few users to leave some for training"});
  }
  split.protocol = detail::message({"by users (", split.validation.size(), " validation and ", split.test.size(),
                                    " test users held out, seed ", seed, "), last event"});
  split.sequences = std::move(sequences);
  return split;
}

}  // namespace lstmrec

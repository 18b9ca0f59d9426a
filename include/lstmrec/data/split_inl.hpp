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
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace lstmrec {

namespace detail {

LSTMREC_INLINE void check_fractions(double validation, double test) {
  if (!(validation >= 0 && test > 0 && validation + test < 1)) {
    fail<ConfigError>(
        {"fractions must be validation >= 0, test > 0, validation + test < 1, got ", validation, " and ", test});
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

namespace detail {

/// How many of a user's first `length` events there are up to the last that counts as a target.
inline std::uint32_t length_to_last_target(const Sequences& sequences, std::uint32_t user, std::uint32_t length) {
  while (length > 0 && sequences.weight(user, length - 1) == 0) --length;
  return length;
}

}  // namespace detail

LSTMREC_INLINE Split leave_one_out(Sequences sequences) {
  Split split;
  for (std::uint32_t user = 0; user < sequences.size(); ++user) {
    const auto length = static_cast<std::uint32_t>(sequences[user].size());
    const std::uint32_t to_test = detail::length_to_last_target(sequences, user, length);
    const std::uint32_t to_validation = to_test == 0 ? 0 : detail::length_to_last_target(sequences, user, to_test - 1);
    const bool has_targets = to_validation >= 2;
    split.train_length.push_back(has_targets ? to_validation - 1 : length);
    if (!has_targets) continue;
    split.validation.push_back({user, to_validation - 1});
    split.test.push_back({user, to_test - 1});
  }
  if (split.test.empty())
    detail::fail<DataError>({sequences.source, ": leave-one-out needs a user with at least 3 events",
                             sequences.events.weights.empty() ? "" : ", two of which count as targets"});
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
      if (time < begins.validation)
        split.train_length[user] = position + 1;
      else if (sequences.weight(user, position) > 0)
        (time >= begins.test ? split.test : split.validation).push_back({user, position});
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
    if (detail::length_to_last_target(sequences, user, split.train_length.back()) >= 2) candidates.push_back(user);
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
      targets.push_back({*next, detail::length_to_last_target(sequences, *next, split.train_length[*next]) - 1});
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

LSTMREC_INLINE bool hold_out(Split& split, std::uint32_t user, Targets& targets, HeldOutTargets which) {
  const std::uint32_t end = detail::length_to_last_target(split.sequences, user, split.train_length[user]);
  if (end < 2) return false;
  split.train_length[user] = 0;
  for (std::uint32_t k = which == HeldOutTargets::every ? 1 : end - 1; k < end; ++k)
    if (split.sequences.weight(user, k) > 0) targets.push_back({user, k});
  return true;
}

namespace detail {

/// Appends the sequences of a held-out log to those of a split, with the events of items that the split knows.
class HeldOutSequences {
 public:
  HeldOutSequences(Split& split, const Sequences& log, HeldOutTargets which)
      : split_(&split), log_(&log), which_(which) {
    Sequences& all = split.sequences;
    if (log.has_times != all.has_times || log.has_ratings != all.has_ratings ||
        log.ticks_per_second != all.ticks_per_second)
      fail<DataError>({log.source, ": expected the times and ratings of ", all.source, ", got others or none"});
    for (std::uint32_t item = 0; item < log.items.size(); ++item) items_.push_back(all.items.find(log.items.id(item)));
  }

  Targets append() {
    Sequences& all = split_->sequences;
    Targets targets;
    for (std::size_t number = 0; number < log_->size(); ++number) {
      const RawId& id = log_->users.id(static_cast<std::uint32_t>(number));
      const std::uint32_t user = all.users.add(id);
      if (user != all.size())
        fail<DataError>({log_->source, ": expected users that training does not see, got ", id.text(), ", which is in ",
                         all.source});
      const std::size_t begin = log_->offsets[number], size = log_->offsets[number + 1] - begin;
      const std::size_t last =
          length_to_last_target(*log_, static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(size));
      std::uint32_t length = 0;
      for (std::size_t k = 0; k < size; ++k) {
        Event event = log_->events[begin + k];
        const auto item = items_[event.item];
        if (k > 0 && event.weight > 0 && (which_ == HeldOutTargets::every || k + 1 == last)) {
          if (item && length > 0)
            targets.push_back({user, length});
          else
            targets.unknown.push_back(user);
        }
        if (!item) continue;
        event.user = user;
        event.item = *item;
        all.events.append(event, all.has_times, all.has_ratings);
        ++length;
      }
      all.offsets.push_back(all.events.size());
      split_->train_length.push_back(0);
    }
    if (targets.empty())
      fail<DataError>({log_->source, ": expected events to predict, got none of items that training knows"});
    return targets;
  }

 private:
  Split* split_;
  const Sequences* log_;
  HeldOutTargets which_;
  std::vector<std::optional<std::uint32_t>> items_;  ///< By item of the log.
};

/// Takes the last tenth of the training sequences out of training.
LSTMREC_INLINE Targets hold_out_last_tenth(Split& split, HeldOutTargets which) {
  const Sequences& sequences = split.sequences;
  const std::size_t users = sequences.size(), count = users / 10;
  std::vector<std::uint32_t> order(users);
  std::iota(order.begin(), order.end(), 0u);
  if (sequences.has_times)
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return sequences[a].front().time < sequences[b].front().time;
    });
  std::vector<std::uint32_t> last(order.end() - static_cast<std::ptrdiff_t>(count), order.end());
  std::sort(last.begin(), last.end());
  Targets targets;
  for (const std::uint32_t user : last) hold_out(split, user, targets, which);
  return targets;
}

}  // namespace detail

LSTMREC_INLINE Split held_out_log(Sequences training, const Sequences& test, HeldOutTargets targets,
                                  const Sequences* validation) {
  Split split = train_on_all(std::move(training));
  const std::size_t training_users = split.sequences.size();
  std::string chosen_by;
  if (validation == nullptr) {
    split.validation = detail::hold_out_last_tenth(split, targets);
    chosen_by = "the last tenth of the training sequences";
  } else {
    split.validation = detail::HeldOutSequences(split, *validation, targets).append();
    chosen_by = validation->source;
  }
  split.test = detail::HeldOutSequences(split, test, targets).append();
  if (std::all_of(split.train_length.begin(), split.train_length.end(), [](auto length) { return length == 0; }))
    detail::fail<DataError>({split.sequences.source, ": expected sequences to train on, got none"});
  const bool is_every = targets == HeldOutTargets::every;
  split.protocol =
      detail::message({"trained on ", split.sequences.source, " (", training_users, " sequences), chosen on ",
                       chosen_by, ", tested on ", test.source, " (", test.size(), " sequences; ",
                       is_every ? "every event from those before it" : "the last event of each", ")"});
  return split;
}

}  // namespace lstmrec

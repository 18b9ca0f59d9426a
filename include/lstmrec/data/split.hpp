#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/compiled.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/event_columns.hpp>
#include <lstmrec/data/sequences.hpp>
#include <string>
#include <vector>

namespace lstmrec {

/// An event to predict: sequences[user][position], from sequences[user].first(position).
struct Target {
  std::uint32_t user = 0;
  std::uint32_t position = 0;
};

/// Events to predict, and those that cannot be since training knows nothing of their items.
struct Targets : std::vector<Target> {
  using std::vector<Target>::vector;
  using std::vector<Target>::operator=;

  std::vector<std::uint32_t> unknown;  ///< The user of each event that is a miss whatever is predicted, in their order.
};

/// Sequences with the events that training may see, and those that are to be predicted. Events that count 0 as targets
/// (EventColumns::weights) are never among these: "last" below means the last of the others.
/// Every event is in one part at most, and a target's history never holds anything later than the target.
struct Split {
  Sequences sequences;
  std::vector<std::uint32_t> train_length;  ///< By user: how many of its leading events training sees.
  Targets validation;                       ///< By user, then position; the same for `test`.
  Targets test;
  std::string protocol;  ///< One line for tables.

  History train(std::size_t user) const& { return sequences[user].first(train_length[user]); }
  /// What is before a target, with the time at which it happens, which only models made for that look at.
  History history(Target target) const& {
    const History all = sequences[target.user];
    History history = all.first(target.position);
    if (target.position < all.times.size()) history.asked_at = all.times[target.position];
    return history;
  }
  History train(std::size_t) const&& = delete;  // a history is borrowed
  History history(Target) const&& = delete;
  Event event(Target target) const { return sequences[target.user][target.position]; }
};

/// Throws std::invalid_argument where a split that was not made by the functions below does not hold together: every
/// event is of an item, each user's stand in time order, training sees no more events of a user than there are, and no
/// validation or test target is among those. One pass over the events.
LSTMREC_INLINE void check_split(const Split& split);

/// How many events each item has in the training part, by item index. Throws what check_split throws.
inline std::vector<std::uint32_t> training_counts(const Split& split) {
  check_split(split);
  std::vector<std::uint32_t> counts(split.sequences.items.size());
  for (std::size_t user = 0; user < split.sequences.size(); ++user)
    for (const std::uint32_t item : split.train(user).items) ++counts[item];
  return counts;
}

/// How large a part of the training events repeats an earlier item of its sequence.
inline double repeat_share(const Split& split) {
  std::size_t events = 0, repeats = 0;
  std::vector<std::uint32_t> items;
  for (std::size_t user = 0; user < split.sequences.size(); ++user) {
    distinct_items(split.train(user), items);
    events += split.train_length[user];
    repeats += split.train_length[user] - items.size();
  }
  return static_cast<double>(repeats) / static_cast<double>(std::max<std::size_t>(1, events));
}

namespace detail {

/// Throws ConfigError unless there is something to test and something to train on.
LSTMREC_INLINE void check_fractions(double validation, double test);

/// The times from which on an event belongs to the validation part and to the test part.
struct TimeBoundaries {
  std::int64_t validation, test;
};

/// Boundaries at the quantiles 1 − validation − test and 1 − test of all times. The parts are cut between two different
/// times, so they may be a little larger than asked for. Throws Error where the log has no times, or where so many
/// times are equal that a part would stay empty. Takes 8 bytes an event while it runs.
LSTMREC_INLINE TimeBoundaries time_boundaries(const Sequences& sequences, double validation, double test);

}  // namespace detail

/// Each user's last event is a test target, the one before a validation target, the rest is trained on. A test target's
/// history includes the validation event. Users with fewer than three events are trained on and never targets.
/// Throws Error where no user has three.
LSTMREC_INLINE Split leave_one_out(Sequences sequences);

/// Everything is trained on and nothing is a target: for the recommender that is put to use, trained once more with
/// what validation has chosen, so that it knows the users' last events and the newest items too.
///
///     RecommenderConfig chosen = result.recommender.config();  // of fit(split, …): Markov weight, batch size
///     chosen.training.epochs = result.best_epoch;              // 0 where the split had nothing to validate on
///     const auto recommender = fit(train_on_all(std::move(split.sequences)), chosen).recommender;
///
/// No figure can be given of it: whatever it is tested on, it has seen. Nothing can be chosen either: a markov_weight
/// of −1 becomes 0.
LSTMREC_INLINE Split train_on_all(Sequences sequences);

/// A split with its validation part moved to the training part: for a last training before the test, when everything
/// has been chosen. Held-out sequences are moved up to their last target; those without one stay out.
inline Split with_validation_in_training(Split split) {
  for (const Target target : split.validation)
    split.train_length[target.user] = std::max(split.train_length[target.user], target.position + 1);
  split.validation = {};
  return split;
}

/// Cuts all events at two points in time: what lies before is trained on, every event after is a target. Events with
/// equal times lie on one side. A user's targets see all of the user's events before them, whatever their part.
/// Throws Error where the log has no times or too few different ones.
LSTMREC_INLINE Split split_by_time(Sequences sequences, double validation_fraction = .1, double test_fraction = .1);

/// Holds whole users out: training sees nothing of them, and the target is their last event. Users with one event have
/// no history to predict from and are always trained on. Of other users training sees everything, later events too.
/// Throws Error where a part that was asked for would stay empty.
LSTMREC_INLINE Split split_by_users(Sequences sequences, double validation_fraction = .1, double test_fraction = .1,
                                    std::uint64_t seed = 1);

/// Which events of a held-out sequence are predicted.
enum class HeldOutTargets {
  every,  ///< All but the first, each from those before it.
  last
};

/// Takes a sequence of the training part out of it and makes its events targets, unless there is nothing to predict in
/// it: then training keeps it. Returns whether it was taken out.
LSTMREC_INLINE bool hold_out(Split& split, std::uint32_t user, Targets& targets,
                             HeldOutTargets which = HeldOutTargets::every);

/// Trains on one log and tests on another, of which training sees nothing: other users, or later visits.
///
/// Items that only the held-out logs have are taken out of their sequences; where one had to be predicted, that is a
/// miss (Targets::unknown), and so is a target that no known item stands before. `validation`: null, or the log whose
/// sequences choose; without one the last tenth of the training sequences, by the times of their first events (by their
/// order, where there are no times), is taken out of training and chooses.
///
///     const Split split = held_out_log(build_sequences(read_log("train.csv")), build_sequences(read_log("test.csv")));
///
/// Throws DataError where a user stands in two of the logs, where only some have times or ratings, or where nothing is
/// left to train on or to predict.
LSTMREC_INLINE Split held_out_log(Sequences training, const Sequences& test,
                                  HeldOutTargets targets = HeldOutTargets::every,
                                  const Sequences* validation = nullptr);

}  // namespace lstmrec

#ifndef LSTMREC_COMPILED
#include <lstmrec/data/split_inl.hpp>
#endif

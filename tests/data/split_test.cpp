#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/data/split.hpp>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "data/logs.hpp"
#include "data/thrown.hpp"

using namespace lstmrec;

namespace {

using Splitter = std::function<Split(Sequences)>;

const std::vector<std::pair<std::string, Splitter>> splitters{
    {"leave one out", [](Sequences all) { return leave_one_out(std::move(all)); }},
    {"by time", [](Sequences all) { return split_by_time(std::move(all), .2, .15); }},
    {"by time, no validation", [](Sequences all) { return split_by_time(std::move(all), 0, .3); }},
    {"by users", [](Sequences all) { return split_by_users(std::move(all), .2, .3, 7); }}};

std::set<std::pair<std::uint32_t, std::uint32_t>> places(const std::vector<Target>& targets) {
  std::set<std::pair<std::uint32_t, std::uint32_t>> set;
  for (const Target& target : targets) set.emplace(target.user, target.position);
  return set;
}

}  // namespace

TEST_CASE("The parts of every split are disjoint, in order, and never later than their target") {
  for (const auto& [name, splitter] : splitters) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      CAPTURE(name, seed);
      const Split split = splitter(build_sequences(make_interactions(numbered_log(seed, 400))));
      REQUIRE_FALSE(split.test.empty());
      REQUIRE_FALSE(split.protocol.empty());
      REQUIRE(split.train_length.size() == split.sequences.size());
      auto taken = places(split.validation);
      taken.merge(places(split.test));
      REQUIRE(taken.size() == split.validation.size() + split.test.size());  // disjoint, and no target twice
      for (const auto* targets : {&split.validation, &split.test}) {
        REQUIRE(std::is_sorted(targets->begin(), targets->end(), [](const Target& a, const Target& b) {
          return std::pair(a.user, a.position) < std::pair(b.user, b.position);
        }));
        for (const Target& target : *targets) {
          REQUIRE(target.position < split.sequences[target.user].size());
          REQUIRE(target.position >= split.train_length[target.user]);  // never trained on
          REQUIRE(split.event(target) == split.sequences[target.user][target.position]);
          REQUIRE(split.history(target).size() == target.position);
          for (const Event& event : split.history(target)) {
            REQUIRE(std::pair(event.time, row_of(event)) <
                    std::pair(split.event(target).time, row_of(split.event(target))));
          }
        }
      }
    }
  }
}

TEST_CASE("Changing the events after a target leaves its history and its training part as they were") {
  for (const auto& [name, splitter] : splitters) {
    const auto rows = numbered_log(11, 400);
    const Split before = splitter(build_sequences(make_interactions(rows)));
    auto targets = before.validation;
    targets.insert(targets.end(), before.test.begin(), before.test.end());
    for (const Target& target : targets) {
      CAPTURE(name, target.user, target.position);
      const Event& event = before.event(target);
      const auto user = before.sequences.users.id(target.user);
      std::vector<std::size_t> later;  // the user's rows after the target
      for (std::size_t row = 0; row < rows.size(); ++row) {
        if (user == RawId(std::get<0>(rows[row])) &&
            std::pair(std::get<2>(rows[row]), row) > std::pair(event.time, row_of(event))) {
          later.push_back(row);
        }
      }
      auto changed = rows;
      Random random(target.position);
      for (std::size_t i = later.size(); i > 1; --i) {
        std::swap(std::get<1>(changed[later[i - 1]]), std::get<1>(changed[later[random.below(i)]]));
      }
      const Split after = splitter(build_sequences(make_interactions(changed)));
      REQUIRE(raw(after.sequences, after.history(target)) == raw(before.sequences, before.history(target)));
      if (name != "by users") {
        const auto length = std::min(before.train_length[target.user], target.position);
        REQUIRE(raw(after.sequences, after.train(target.user).first(length)) ==
                raw(before.sequences, before.train(target.user).first(length)));
      }
    }
  }
}

TEST_CASE("Leave-one-out takes the last two events of users with at least three") {
  const std::vector<LogRow> rows{{1, 10, 0, 1.f}, {2, 10, 0, 1.f}, {2, 11, 1, 1.f}, {3, 10, 0, 1.f}, {3, 11, 1, 1.f},
                                 {3, 12, 2, 1.f}, {4, 14, 9, 1.f}, {4, 13, 8, 1.f}, {4, 12, 7, 1.f}, {4, 11, 6, 1.f}};
  const Split split = leave_one_out(build_sequences(make_interactions(rows)));
  REQUIRE(split.train_length == std::vector<std::uint32_t>{1, 2, 1, 2});
  REQUIRE(places(split.validation) == std::set<std::pair<std::uint32_t, std::uint32_t>>{{2, 1}, {3, 2}});
  REQUIRE(places(split.test) == std::set<std::pair<std::uint32_t, std::uint32_t>>{{2, 2}, {3, 3}});
  REQUIRE(split.sequences.items.id(split.event(split.test[1]).item) == RawId(14));
  REQUIRE(split.train(3).size() == 2);
  REQUIRE(contains(split.protocol, "2 users"));
}

TEST_CASE("Leave-one-out needs a user with three events") {
  const std::vector<LogRow> rows{{1, 10, 0, 1.f}, {2, 10, 0, 1.f}, {2, 11, 1, 1.f}};
  REQUIRE(thrown<Error>([&] { leave_one_out(build_sequences(make_interactions(rows))); }) ==
          "memory: leave-one-out needs a user with at least 3 events");
}

TEST_CASE("A split by time puts all events before all targets and equal times on one side") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Split split = split_by_time(build_sequences(make_interactions(random_log(seed, 500))), .1, .2);
    const auto times_of = [&](const std::vector<Target>& targets) {
      std::vector<std::int64_t> times;
      for (const Target& target : targets) times.push_back(split.event(target).time);
      std::sort(times.begin(), times.end());
      return times;
    };
    const auto validation = times_of(split.validation), test = times_of(split.test);
    std::size_t trained = 0;
    for (std::uint32_t user = 0; user < split.sequences.size(); ++user) {
      trained += split.train(user).size();
      for (const Event& event : split.train(user)) REQUIRE(event.time < validation.front());
    }
    REQUIRE(validation.back() < test.front());
    REQUIRE(trained + validation.size() + test.size() == 500);
    // At least the shares that were asked for; more only by events with the boundary's time, here about 12 a time.
    REQUIRE(test.size() >= 100);
    REQUIRE(validation.size() + test.size() >= 150);
    REQUIRE(test.size() < 130);
    REQUIRE(validation.size() + test.size() < 180);
  }
}

TEST_CASE("A split by time needs times, and enough different ones") {
  auto log = make_interactions(random_log(1, 100));
  log.has_times = false;
  log.events.times.clear();
  REQUIRE(thrown<Error>([&] { split_by_time(build_sequences(log)); }) ==
          "memory: a split by time needs times, and there are none");
  REQUIRE(
      contains(thrown<Error>([&] { split_by_time(build_sequences(make_interactions(random_log(1, 100, 20, 30, 1)))); }),
               "memory: too few different times"));
  REQUIRE(
      contains(thrown<Error>([&] { split_by_time(build_sequences(make_interactions(random_log(1, 100, 20, 30, 2)))); }),
               "memory: too few different times"));
  REQUIRE(
      contains(thrown<Error>([&] { split_by_time(build_sequences(make_interactions(random_log(1, 100))), .1, 1e-9); }),
               "memory: too few different times"));
  const std::vector<LogRow> extreme{{1, 1, std::numeric_limits<std::int64_t>::min(), 1.f},
                                    {1, 2, 0, 1.f},
                                    {1, 3, std::numeric_limits<std::int64_t>::max(), 1.f}};
  const Split split = split_by_time(build_sequences(make_interactions(extreme)), .33, .33);
  REQUIRE(split.train_length[0] == 1);
  REQUIRE(split.test[0].position == 2);
}

TEST_CASE("A split by users holds whole users out, the same ones for the same seed") {
  const auto all = build_sequences(make_interactions(random_log(3, 2000, 200)));
  const Split split = split_by_users(all, .1, .2, 5);
  std::size_t long_enough = 0, held_out = 0;
  for (std::uint32_t user = 0; user < all.size(); ++user) {
    if (all[user].size() >= 2) ++long_enough;
    if (split.train(user).empty()) {
      ++held_out;
    } else {
      REQUIRE(split.train(user).size() == all[user].size());
    }
  }
  REQUIRE(long_enough < all.size());  // users with one event are in the log, and stay in training
  REQUIRE(split.validation.size() == static_cast<std::size_t>(std::llround(.1 * static_cast<double>(long_enough))));
  REQUIRE(split.test.size() == static_cast<std::size_t>(std::llround(.2 * static_cast<double>(long_enough))));
  REQUIRE(held_out == split.validation.size() + split.test.size());
  for (const Target& target : split.test) {
    REQUIRE(split.train_length[target.user] == 0);
    REQUIRE(target.position + 1 == all[target.user].size());
  }
  REQUIRE(places(split_by_users(all, .1, .2, 5).test) == places(split.test));
  REQUIRE(places(split_by_users(all, .1, .2, 6).test) != places(split.test));
}

TEST_CASE("A split by users needs enough users") {
  const std::vector<LogRow> rows{{1, 1, 0, 1.f}, {1, 2, 1, 1.f}, {2, 1, 0, 1.f}, {2, 2, 1, 1.f}};
  REQUIRE(contains(thrown<Error>([&] { split_by_users(build_sequences(make_interactions(rows)), .1, .5); }),
                   "memory: too few users"));
  REQUIRE(contains(thrown<Error>([&] { split_by_users(build_sequences(make_interactions(rows)), .3, .6); }),
                   "memory: too few users to leave some for training"));
}

TEST_CASE("Fractions that leave nothing to test or to train on are refused") {
  const auto all = build_sequences(make_interactions(random_log(1, 100)));
  const double not_a_number = std::numeric_limits<double>::quiet_NaN();
  for (const auto& [validation, test] : std::vector<std::pair<double, double>>{
           {-.1, .1}, {.1, -.1}, {.1, 0}, {.5, .5}, {0, 1}, {not_a_number, .1}, {.1, not_a_number}}) {
    CAPTURE(validation, test);
    REQUIRE_THROWS_AS(split_by_time(all, validation, test), ConfigError);
    REQUIRE_THROWS_AS(split_by_users(all, validation, test), ConfigError);
  }
}

TEST_CASE("Training on all leaves nothing to predict") {
  const Split split = train_on_all(build_sequences(make_interactions(random_log(3, 500, 20, 30))));
  CHECK(split.validation.empty());
  CHECK(split.test.empty());
  std::size_t events = 0;
  for (std::size_t user = 0; user < split.sequences.size(); ++user) events += split.train(user).size();
  CHECK(events == 500);
}

namespace {

using TextRow = std::tuple<std::string, std::string, std::int64_t, float>;

Sequences sequences_of(const std::vector<TextRow>& rows) { return build_sequences(make_interactions(rows)); }

/// A history with its target, in raw ids: "a b > c".
std::vector<std::string> questions(const Split& split, const std::vector<Target>& targets) {
  std::vector<std::string> all;
  for (const Target& target : targets) {
    all.emplace_back();
    for (const std::uint32_t item : split.history(target).items)
      all.back() += split.sequences.items.id(item).text() + " ";
    all.back() += "> " + split.sequences.items.id(split.event(target).item).text();
  }
  return all;
}

}  // namespace

TEST_CASE("A held-out log is predicted event by event, and what training does not know of it is missed") {
  const Sequences training = sequences_of({{"u", "a", 1, 1}, {"u", "b", 2, 1}, {"v", "c", 1, 1}});
  // x has y, unknown to training, in the middle and at the end; y begins with one; z has nothing known.
  const Sequences test = sequences_of({{"x", "c", 1, 1},
                                       {"x", "y", 2, 1},
                                       {"x", "a", 3, 1},
                                       {"x", "y", 4, 1},
                                       {"y", "y", 1, 1},
                                       {"y", "b", 2, 1},
                                       {"y", "c", 3, 1},
                                       {"z", "q", 1, 1},
                                       {"z", "q", 2, 1}});
  const Sequences chosen_on = sequences_of({{"w", "b", 1, 1}, {"w", "a", 2, 1}});
  using Questions = std::vector<std::string>;
  using Users = std::vector<std::uint32_t>;
  const Split every = held_out_log(training, test, HeldOutTargets::every, &chosen_on);
  REQUIRE(every.train_length == Users{2, 1, 0, 0, 0, 0});
  REQUIRE(questions(every, every.validation) == Questions{"b > a"});
  REQUIRE(every.validation.unknown.empty());
  REQUIRE(questions(every, every.test) == Questions{"c > a", "b > c"});
  REQUIRE(every.test.unknown == Users{3, 3, 4, 5});
  REQUIRE(every.sequences.items.size() == 3);
  REQUIRE(every.sequences.users.size() == 6);
  REQUIRE(every.sequences.size() == 6);
  REQUIRE(every.protocol ==
          "trained on memory (2 sequences), chosen on memory, tested on memory (3 sequences; every "
          "event from those before it)");

  const Split last = held_out_log(training, test, HeldOutTargets::last, &chosen_on);
  REQUIRE(questions(last, last.test) == Questions{"b > c"});
  REQUIRE(last.test.unknown == Users{3, 5});

  REQUIRE(thrown<DataError>([&] { held_out_log(training, training, HeldOutTargets::every, &chosen_on); }) ==
          "memory: expected users that training does not see, got u, which is in memory");
  REQUIRE(thrown<DataError>([&] {
            held_out_log(training, sequences_of({{"z", "q", 1, 1}, {"z", "q", 2, 1}}));
          }) == "memory: expected events to predict, got none of items that training knows");
  Interactions without_times = make_interactions(std::vector<TextRow>{{"x", "a", 1, 1}, {"x", "b", 1, 1}});
  without_times.has_times = false;
  without_times.events.times.clear();
  const Sequences untimed = build_sequences(std::move(without_times));
  REQUIRE(thrown<DataError>([&] { held_out_log(training, untimed); }) ==
          "memory: expected the times and ratings of memory, got others or none");
}

TEST_CASE("Without a log to choose on, the last tenth of the training sequences chooses") {
  std::vector<TextRow> rows;
  for (int user = 0; user < 40; ++user)
    for (int k = 0; k < 3; ++k)
      rows.emplace_back("u" + std::to_string(user), std::to_string(k), 1000 - 10 * user + k, 1.0f);
  const Sequences test = sequences_of({{"x", "0", 2000, 1}, {"x", "1", 2001, 1}});
  const Split split = held_out_log(sequences_of(rows), test);
  REQUIRE(split.validation.size() == 8);  // the first four users began last
  for (std::uint32_t user = 0; user < 40; ++user) REQUIRE(split.train_length[user] == (user < 4 ? 0 : 3));
  REQUIRE(questions(split, split.validation)[1] == "0 1 > 2");
  REQUIRE(held_out_log(sequences_of(rows), test, HeldOutTargets::last).validation.size() == 4);
}

TEST_CASE("Splits: events that count nothing as targets are never predicted") {
  std::vector<std::tuple<int, int, long>> rows;
  for (int user = 0; user < 20; ++user)
    for (int k = 0; k < 6; ++k) rows.emplace_back(user, k, 10 * k + user);
  Sequences sequences = build_sequences(make_interactions(rows));
  for (int user = 0; user < 20; ++user)  // 0 1 0 1 1 0
    for (const float weight : {0.f, 1.f, 0.f, 1.f, 1.f, 0.f}) sequences.events.weights.push_back(weight);
  const auto positions = [](const Targets& targets) {
    std::vector<std::uint32_t> all;
    for (const Target target : targets)
      if (target.user == targets.front().user) all.push_back(target.position);
    return all;
  };
  const Split last = leave_one_out(sequences);
  CHECK(positions(last.validation) == std::vector<std::uint32_t>{3});
  CHECK(positions(last.test) == std::vector<std::uint32_t>{4});
  CHECK(last.train_length[0] == 3);
  const Split by_users = split_by_users(sequences);
  CHECK(positions(by_users.test) == std::vector<std::uint32_t>{4});
  for (const Target target : split_by_time(sequences).test) CHECK(target.position == 4);
  const auto others = [&] {
    std::vector<std::tuple<std::string, int, long>> test;
    for (int k = 0; k < 6; ++k) test.emplace_back("x", k, k);
    Sequences held_out = build_sequences(make_interactions(test));
    held_out.events.weights = {0, 1, 0, 1, 1, 0};
    return held_out;
  }();
  const Split every = held_out_log(sequences, others);
  CHECK(positions(every.test) == std::vector<std::uint32_t>{1, 3, 4});
  CHECK(positions(every.validation) == std::vector<std::uint32_t>{1, 3, 4});
  CHECK(positions(held_out_log(sequences, others, HeldOutTargets::last).test) == std::vector<std::uint32_t>{4});
  CHECK(every.sequences.events.weights.size() == every.sequences.events.size());

  // Nobody with two events to predict.
  Sequences single = sequences;
  single.events.weights.assign(single.events.size(), 0);
  CHECK_THROWS_AS(leave_one_out(single), DataError);
}

TEST_CASE("A split that does not hold together is refused, and so is one of nothing") {
  const Split whole = leave_one_out(build_sequences(make_interactions(random_log(3, 500, 20, 30))));
  const auto refusal_of = [&](auto&& change) {
    Split split = whole;
    change(split);
    return thrown<std::invalid_argument>([&] { training_counts(split); });
  };
  const auto length = std::to_string(whole.sequences[0].size());
  CHECK(refusal_of([](Split&) {}) == "");
  CHECK(refusal_of([](Split& s) {
          s.train_length.pop_back();
        }).starts_with("the split does not hold together: expected one train_length a user: "));
  CHECK(refusal_of([](Split& s) { s.train_length[0] = 9999; }) ==
        "the split does not hold together: user 0 has " + length + " events, and the train_length 9999");
  CHECK(contains(refusal_of([](Split& s) { s.sequences.events.items[3] = 9999; }), ", got 9999"));
  CHECK(contains(refusal_of([](Split& s) { s.sequences.offsets.pop_back(); }), "offsets: expected to rise from 0 to"));
  CHECK(contains(refusal_of([](Split& s) { s.test[0].user = 9999; }), "got user 9999"));
  CHECK(contains(refusal_of([](Split& s) { s.validation[0].position = 9999; }), "position 9999"));
  CHECK(contains(refusal_of([](Split& s) { s.test[0].position = 0; }),
                 "a target has to be an event that training does not see"));

  CHECK(refusal_of([](Split& s) { s.sequences.events.times[1] = -1; }) ==
        "the split does not hold together: event 1 is earlier than the one before it of its user");
  CHECK(refusal_of([](Split& s) { s = {}; }) == "");
  CHECK(thrown<DataError>([] { leave_one_out({}); }) == "memory: leave-one-out needs a user with at least 3 events");
  CHECK(thrown<DataError>([] { split_by_time({}); }) == "memory: a split by time needs times, and there are none");
  CHECK(thrown<DataError>([] { split_by_users({}); }) == "memory: too few users to hold a part of them out");
  CHECK(thrown<DataError>([] { build_sequences({}); }) ==
        "memory: no events are left with at least 1 an item, 1 a user");
}

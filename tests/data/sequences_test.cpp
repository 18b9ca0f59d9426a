#include <algorithm>
#include <cmath>
#include <iterator>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/data/ties.hpp>
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

/// All sequences in raw ids, by raw user.
std::map<std::int64_t, std::vector<LogRow>> by_user(const Sequences& all) {
  std::map<std::int64_t, std::vector<LogRow>> rows;
  for (std::uint32_t user = 0; user < all.size(); ++user) rows[all.users.id(user).integer()] = raw(all, all[user]);
  return rows;
}

/// The same by the shortest way, from the rows: stable sort by time, user by user.
std::map<std::int64_t, std::vector<LogRow>> expected_by_user(const std::vector<LogRow>& log) {
  std::map<std::int64_t, std::vector<LogRow>> rows;
  for (const LogRow& row : log) rows[std::get<0>(row)].push_back(row);
  for (auto& [user, own] : rows) {
    std::stable_sort(own.begin(), own.end(),
                     [](const LogRow& a, const LogRow& b) { return std::get<2>(a) < std::get<2>(b); });
  }
  return rows;
}

void require_consistent(const Sequences& all) {
  REQUIRE(all.size() == all.users.size());
  REQUIRE(all.catalogue.size() == all.items.size());
  REQUIRE(all.offsets.front() == 0);
  REQUIRE(all.offsets.back() == all.events.size());
  std::set<std::uint32_t> items;
  for (std::uint32_t user = 0; user < all.size(); ++user) {
    REQUIRE_FALSE(all[user].empty());
    for (const Event& event : all[user]) {
      REQUIRE(event.user == user);
      REQUIRE(event.item < all.items.size());
      items.insert(event.item);
    }
  }
  REQUIRE(items.size() == all.items.size());
}

}  // namespace

TEST_CASE("Sequences are in time order, and events with equal times in the order of the source") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto rows = random_log(seed, 400);
    const auto all = build_sequences(make_interactions(rows));
    require_consistent(all);
    REQUIRE(by_user(all) == expected_by_user(rows));
  }
}

TEST_CASE("Only the order of rows with equal times matters") {
  Random random(5);
  const auto rows = random_log(1, 400);
  auto mixed = rows;
  random.shuffle(mixed);
  std::map<std::pair<std::int64_t, std::int64_t>, std::vector<LogRow>> ties;  // by (user, time), in the first order
  for (const LogRow& row : rows) ties[{std::get<0>(row), std::get<2>(row)}].push_back(row);
  for (LogRow& row : mixed) {
    auto& tied = ties[{std::get<0>(row), std::get<2>(row)}];
    row = tied.front();
    tied.erase(tied.begin());
  }
  REQUIRE(mixed != rows);
  REQUIRE(by_user(build_sequences(make_interactions(mixed))) == by_user(build_sequences(make_interactions(rows))));
}

TEST_CASE("Users and items keep the order of their first appearance") {
  const std::vector<LogRow> rows{{9, 4, 50, 1.f}, {2, 5, 10, 1.f}, {9, 5, 20, 1.f}, {1, 4, 0, 1.f}};
  const auto all = build_sequences(make_interactions(rows));
  REQUIRE(all.users.id(0) == RawId(9));
  REQUIRE(all.users.id(1) == RawId(2));
  REQUIRE(all.users.id(2) == RawId(1));
  REQUIRE(all.items.id(0) == RawId(4));
  REQUIRE(all[0][0].item == 1);
}

TEST_CASE("Low ratings are dropped, and with them users and items without events") {
  const auto rows = random_log(2, 300);
  for (const float lowest : {.5f, 2.5f, 5.f}) {
    std::vector<LogRow> kept;
    std::copy_if(rows.begin(), rows.end(), std::back_inserter(kept),
                 [&](const LogRow& row) { return std::get<3>(row) >= lowest; });
    REQUIRE_FALSE(kept.empty());
    const auto all = build_sequences(make_interactions(rows), {.min_rating = lowest});
    require_consistent(all);
    REQUIRE(by_user(all) == expected_by_user(kept));
  }
}

TEST_CASE("Without repeats the first event of each user and item stays") {
  const auto rows = random_log(4, 800, 10, 12);
  auto expected = expected_by_user(rows);
  for (auto& [user, own] : expected) {
    std::set<std::int64_t> seen;
    std::erase_if(own, [&](const LogRow& row) { return !seen.insert(std::get<1>(row)).second; });
  }
  const auto all = build_sequences(make_interactions(rows), {.keep_repeats = false});
  require_consistent(all);
  REQUIRE(all.events.size() < rows.size());
  REQUIRE(by_user(all) == expected);
}

TEST_CASE("Minimum counts hold for what is left, and nothing more is dropped") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto rows = random_log(seed, 200);
    // The same by definition: drop one offender after the other until there is none.
    std::vector<LogRow> kept = rows;
    for (bool stable = false; !stable;) {
      std::map<std::int64_t, std::size_t> users, items;
      for (const LogRow& row : kept) ++users[std::get<0>(row)], ++items[std::get<1>(row)];
      const auto offender = std::find_if(kept.begin(), kept.end(), [&](const LogRow& row) {
        return users[std::get<0>(row)] < 6 || items[std::get<1>(row)] < 5;
      });
      stable = offender == kept.end();
      if (!stable) kept.erase(offender);
    }
    REQUIRE_FALSE(kept.empty());
    REQUIRE(kept.size() < rows.size());
    const auto all = build_sequences(make_interactions(rows), {.min_item_count = 5, .min_user_count = 6});
    require_consistent(all);
    REQUIRE(by_user(all) == expected_by_user(kept));
  }
}

TEST_CASE("Minimum counts are repeated until stable") {
  // Item 1 is rare; without it user 1 is; without that user item 2 is; without that user 2 is.
  const std::vector<LogRow> rows{{1, 1, 0, 1.f}, {1, 2, 1, 1.f}, {2, 2, 0, 1.f}, {2, 3, 1, 1.f},
                                 {3, 3, 0, 1.f}, {3, 4, 1, 1.f}, {4, 3, 0, 1.f}, {4, 4, 1, 1.f}};
  const auto all = build_sequences(make_interactions(rows), {.min_item_count = 2, .min_user_count = 2});
  REQUIRE(all.size() == 2);
  REQUIRE(all.users.id(0) == RawId(3));
  REQUIRE(all.items.size() == 2);
  REQUIRE(all.items.id(1) == RawId(4));
}

TEST_CASE("What is known of an item follows it when others are dropped") {
  auto log = make_interactions(random_log(6, 300));
  for (std::uint32_t item = 0; item < log.items.size(); ++item) log.catalogue[item].title = log.items.id(item).text();
  const std::size_t before = log.items.size();
  const auto all = build_sequences(std::move(log), {.min_item_count = 9, .min_rating = 1});
  REQUIRE(all.items.size() < before);
  for (std::uint32_t item = 0; item < all.items.size(); ++item) {
    REQUIRE(all.catalogue[item].title == all.items.id(item).text());
  }
}

TEST_CASE("A filter that leaves nothing names the source and itself") {
  const auto rows = random_log(7, 50);
  REQUIRE(thrown<Error>([&] {
            build_sequences(make_interactions(rows), {.min_item_count = 1000, .min_user_count = 3});
          }) == "memory: no events are left with at least 1000 an item, 3 a user");
  REQUIRE(
      contains(thrown<Error>([&] { build_sequences(make_interactions(rows), {.min_rating = 6}); }), "ratings from 6"));
  REQUIRE(contains(thrown<Error>([&] { build_sequences(make_interactions(rows), {.min_rating = NAN}); }),
                   "ratings from nan"));
  REQUIRE(
      contains(thrown<Error>([] { build_sequences(make_interactions(std::vector<LogRow>{})); }), "memory: no events"));
}

TEST_CASE("A lowest rating is refused where there are no ratings") {
  auto log = make_interactions(random_log(8, 50));
  log.has_ratings = false;
  log.events.ratings.clear();
  REQUIRE(thrown<Error>([&] { build_sequences(log, {.min_rating = 3}); }) ==
          "memory: a lowest rating is set, but there are no ratings");
}

TEST_CASE("A log whose parts do not fit each other is refused") {
  auto log = make_interactions(random_log(9, 50));
  log.events.items[3] = static_cast<std::uint32_t>(log.items.size());
  REQUIRE_THROWS_AS(build_sequences(log), std::invalid_argument);
  log = make_interactions(random_log(9, 50));
  log.events.users[3] = static_cast<std::uint32_t>(log.users.size());
  REQUIRE_THROWS_AS(build_sequences(log), std::invalid_argument);
  log = make_interactions(random_log(9, 50));
  log.catalogue.pop_back();
  REQUIRE_THROWS_AS(build_sequences(log), std::invalid_argument);
}

TEST_CASE("Default sequences hold no user") { REQUIRE(Sequences{}.size() == 0); }

TEST_CASE("A log whose columns do not fit each other is a caller's bug") {
  const auto log = [] { return make_interactions(std::vector<LogRow>{{1, 2, 3, 4.0f}, {1, 3, 5, 4.0f}}); };
  auto shorter = log();
  shorter.events.users.pop_back();
  CHECK_THROWS_AS(build_sequences(shorter), std::invalid_argument);
  auto without_ratings = log();
  without_ratings.events.ratings.clear();
  CHECK_THROWS_AS(build_sequences(without_ratings, {.min_rating = 1}), std::invalid_argument);
  auto with_times = log();
  with_times.has_times = false;
  CHECK_THROWS_AS(build_sequences(with_times), std::invalid_argument);
}

namespace {

std::vector<std::string> visits_of(const std::vector<std::tuple<std::string, std::string, std::int64_t, float>>& rows,
                                   const SequenceOptions& options, std::int64_t ticks_per_second = 1) {
  Interactions log = make_interactions(rows);
  log.ticks_per_second = ticks_per_second;
  const Sequences sequences = build_sequences(std::move(log), options);
  std::vector<std::string> visits;
  for (std::uint32_t visit = 0; visit < sequences.size(); ++visit) {
    visits.push_back(sequences.users.id(visit).text() + ":");
    for (const std::uint32_t item : sequences[visit].items) visits.back() += " " + sequences.items.id(item).text();
  }
  return visits;
}

}  // namespace

TEST_CASE("Visits begin where a user pauses longer") {
  using Visits = std::vector<std::string>;
  const std::vector<std::tuple<std::string, std::string, std::int64_t, float>> rows{
      {"bob", "x", 7, 1},  {"ann", "a", 100, 1}, {"ann", "b", 160, 1}, {"ann", "b", 161, 1},
      {"ann", "c", 10, 1}, {"ann", "b", 222, 1}, {"bob", "x", 3000, 1}};
  REQUIRE(visits_of(rows, {}) == Visits{"bob: x x", "ann: c a b b b"});
  REQUIRE(visits_of(rows, {.longest_pause = 60}) == Visits{"bob: x", "bob#2: x", "ann: c", "ann#2: a b b", "ann#3: b"});
  REQUIRE(visits_of(rows, {.longest_pause = 61}) == Visits{"bob: x", "bob#2: x", "ann: c", "ann#2: a b b b"});
  REQUIRE(visits_of(rows, {.longest_pause = .06}, 1000) == visits_of(rows, {.longest_pause = 60}));
  REQUIRE(visits_of(rows, {.keep_immediate_repeats = false}) == Visits{"bob: x", "ann: c a b"});
  REQUIRE(visits_of(rows, {.keep_immediate_repeats = false, .longest_pause = 60}) ==
          Visits{"bob: x", "bob#2: x", "ann: c", "ann#2: a b", "ann#3: b"});
  REQUIRE(visits_of(rows, {.min_user_count = 2, .longest_pause = 60}) == Visits{"ann#2: a b b"});
  auto clash = rows;
  clash.emplace_back("bob#2", "x", 1, 1.0f);
  REQUIRE(thrown<DataError>([&] { visits_of(clash, {.longest_pause = 60}); }) ==
          "memory: a visit would have the id of the user bob#2");
  REQUIRE(thrown<ConfigError>([&] { visits_of(rows, {.longest_pause = -1}); }).starts_with("longest_pause must be"));
  Interactions without_times = make_interactions(rows);
  without_times.has_times = false;
  without_times.events.times.clear();
  REQUIRE(thrown<DataError>([&] { build_sequences(without_times, {.longest_pause = 60}); }) ==
          "memory: visits need times, and there are none");
}

TEST_CASE("Sequences: of repeats that are dropped the largest weight and its kind are kept, and weights are checked") {
  Interactions log;
  for (const auto& [user, item, weight] : std::vector<std::tuple<int, int, float>>{
           {1, 7, 0.f}, {1, 7, 3.f}, {1, 8, 0.f}, {1, 7, 1.f}, {2, 7, 0.f}, {2, 8, 0.f}, {2, 8, 2.f}})
    log.observe(user, item, 0, 0, weight, 10 + static_cast<std::uint32_t>(weight));
  using Kinds = std::vector<std::uint32_t>;
  CHECK(build_sequences(log, {.keep_immediate_repeats = false}).events.kinds == Kinds{13, 10, 11, 10, 12});
  CHECK(build_sequences(log, {.keep_repeats = false}).events.kinds == Kinds{13, 10, 10, 12});
  CHECK(build_sequences(log, {.keep_immediate_repeats = false}).events.weights == std::vector<float>{3, 0, 1, 0, 2});
  CHECK(build_sequences(log, {.keep_repeats = false}).events.weights == std::vector<float>{3, 0, 0, 2});
  log.events.kinds.pop_back();
  CHECK_THROWS_AS(build_sequences(log), std::invalid_argument);
  log.events.kinds.push_back(0);
  log.events.weights[2] = -1;
  CHECK_THROWS_AS(build_sequences(log), std::invalid_argument);
}

TEST_CASE("Events with equal times can be ordered by a hash of a seed") {
  std::vector<LogRow> rows;
  for (int user = 0; user < 40; ++user)
    for (int item = 0; item < 10; ++item) rows.emplace_back(user, item, item / 5, 1.0f);
  const auto sorted = build_sequences(make_interactions(rows));
  const auto shuffled = build_sequences(make_interactions(rows), {.shuffle_ties = 1});
  const Split split = train_on_all(sorted), split_shuffled = train_on_all(shuffled);
  const Targets targets{{0, 1}, {0, 5}, {3, 9}};
  REQUIRE(count_ties(split, targets).events == 320);
  REQUIRE(count_ties(split, targets).ascending == 320);
  REQUIRE(count_ties(split, targets).targets == 2);
  REQUIRE(count_ties(split_shuffled, targets).events == 320);
  REQUIRE(count_ties(split_shuffled, targets).ascending > 120);
  REQUIRE(count_ties(split_shuffled, targets).ascending < 200);
  const auto other = build_sequences(make_interactions(rows), {.shuffle_ties = 2});
  std::size_t differing = 0;
  for (std::size_t user = 0; user < 40; ++user) {
    auto a = raw(shuffled, shuffled[user]), b = raw(sorted, sorted[user]);
    differing += raw(other, other[user]) != a;
    for (std::size_t k = 0; k < 10; ++k) REQUIRE(std::get<2>(a[k]) == std::get<2>(b[k]));
    std::sort(a.begin(), a.end());
    REQUIRE(a == b);
  }
  REQUIRE(differing == 40);
}

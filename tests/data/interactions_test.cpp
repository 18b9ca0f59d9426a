#include <cmath>
#include <cstddef>
#include <cstdint>
#include <list>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/sequences.hpp>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "data/logs.hpp"
#include "data/thrown.hpp"

using namespace lstmrec;

TEST_CASE("Interactions are made from tuples") {
  const std::vector<std::tuple<std::string, int, long, int>> rows{
      {"ann", 296, 100, 5}, {"bob", 593, 50, 4}, {"ann", 593, 99, 3}};
  const auto log = make_interactions(rows);
  REQUIRE(log.users.size() == 2);
  REQUIRE(log.items.size() == 2);
  REQUIRE(log.catalogue.size() == 2);
  REQUIRE(log.has_times);
  REQUIRE(log.has_ratings);
  REQUIRE(log.events.size() == 3);
  const Event& last = log.events[2];
  REQUIRE(log.users.id(last.user) == RawId("ann"));
  REQUIRE(log.items.id(last.item) == RawId(593));
  REQUIRE(last.time == 99);
  REQUIRE(last.rating == 3);
}

TEST_CASE("Interactions are filled event by event") {
  Interactions log;
  log.has_times = log.has_ratings = true;
  log.observe("ann", 296, 100, 5);
  log.observe("bob", 593, 50, 4);
  log.observe("ann", "593", 99, 3);
  const std::vector<std::tuple<std::string, int, long, int>> rows{
      {"ann", 296, 100, 5}, {"bob", 593, 50, 4}, {"ann", 593, 99, 3}};
  const auto same = make_interactions(rows);
  CHECK(log.users == same.users);
  CHECK(log.items == same.items);
  CHECK(log.catalogue.size() == 2);
  CHECK(log.events.items == same.events.items);
  CHECK(log.events.times == same.events.times);
  CHECK(log.events.ratings == same.events.ratings);

  Interactions bare;
  bare.observe(1, "b");
  bare.observe(1, "a");
  CHECK(bare.events.times.empty());
  CHECK(build_sequences(std::move(bare)).offsets == std::vector<std::size_t>{0, 2});
}

TEST_CASE("Interactions are made from plain structs in any range") {
  struct Play {
    int listener;
    const char* song;
    long long at;
    double stars;
  };
  const std::list<Play> plays{{1, "a", 5, 4.5}, {2, "a", 4, .5}};
  const auto log = make_interactions(plays);
  REQUIRE(log.users.size() == 2);
  REQUIRE(log.items.index("a") == 0);
  REQUIRE(log.events[0].rating == 4.5f);
  REQUIRE(make_interactions(std::vector<LogRow>{}).events.empty());
}

TEST_CASE("Interactions are made from rows without ratings, and without times") {
  const std::vector<std::tuple<std::string, int, long>> clicks{{"ann", 7, 20}, {"ann", 8, 10}};
  const Interactions timed = make_interactions(clicks);
  CHECK(timed.has_times);
  CHECK_FALSE(timed.has_ratings);
  CHECK(timed.events.times == std::vector<std::int64_t>{20, 10});
  CHECK(timed.events.ratings.empty());

  struct Pair {
    int user;
    std::string item;
  };
  const Interactions pairs = make_interactions(std::vector<Pair>{{1, "b"}, {1, "a"}, {2, "b"}});
  CHECK_FALSE(pairs.has_times);
  CHECK(pairs.events.times.empty());
  CHECK(pairs.items.id(0).text() == "b");
  CHECK(pairs.events.items == std::vector<std::uint32_t>{0, 1, 0});  // in the order of the range
}

TEST_CASE("Interactions are made from a range that is only read where it can be changed") {
  struct View {  // as std::views::filter is, which some compilers refuse with another's library
    std::vector<LogRow> rows;
    auto begin() { return rows.begin(); }
    auto end() { return rows.end(); }
  };
  View view{random_log(4, 50)};
  REQUIRE(make_interactions(view).events.size() == 50);
  REQUIRE(make_interactions(View{{{1, 7, 2, 3.f}}}).items.id(0) == RawId(7));
}

TEST_CASE("A time that no signed integer holds is refused with its row") {
  using Row = std::tuple<int, int, std::uint64_t, float>;
  constexpr std::uint64_t last = std::uint64_t{1} << 63;
  REQUIRE(make_interactions(std::vector<Row>{{1, 1, last - 1, 1.f}}).events[0].time == INT64_MAX);
  REQUIRE(thrown<DataError>([&] {
            make_interactions(std::vector<Row>{{1, 1, 1, 1.f}, {1, 2, last, 1.f}});
          }) == "row 1: the time must be at most 9223372036854775807, got 9223372036854775808");
}

TEST_CASE("A rating that is not finite is refused with its row") {
  const std::vector<LogRow> not_a_number{{1, 1, 1, 1.f}, {1, 2, 2, NAN}};
  REQUIRE(contains(thrown<DataError>([&] { make_interactions(not_a_number); }), "row 1: the rating must be finite"));
  const std::vector<std::tuple<int, int, int, double>> infinite{{1, 1, 1, 1e300}};
  REQUIRE_THROWS_AS(make_interactions(infinite), DataError);
}

TEST_CASE("Ids survive the round trip to dense indices and back") {
  const auto rows = random_log(3, 500);
  const auto log = make_interactions(rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Event& event = log.events[i];
    REQUIRE(LogRow(log.users.id(event.user).integer(), log.items.id(event.item).integer(), event.time, event.rating) ==
            rows[i]);
  }
}

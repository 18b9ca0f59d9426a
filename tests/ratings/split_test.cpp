#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/ratings/bias.hpp>
#include <lstmrec/ratings/metrics.hpp>
#include <lstmrec/ratings/queries.hpp>
#include <lstmrec/ratings/split.hpp>
#include <map>
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

std::size_t count(const RatingSplit& split, Part part) {
  return static_cast<std::size_t>(std::count(split.parts.begin(), split.parts.end(), part));
}

}  // namespace

TEST_CASE("A random split of ratings has exactly the parts asked for, the same for the same seed") {
  const auto all = build_sequences(make_interactions(random_log(1, 1000, 100, 300)), {.keep_repeats = false});
  REQUIRE(all.events.size() > 500);
  const auto split = split_ratings_random(all, .15, .2, 3);
  const auto share = [&](double part) { return std::llround(part * static_cast<double>(all.events.size())); };
  REQUIRE(split.parts.size() == all.events.size());
  REQUIRE(static_cast<long long>(count(split, Part::validation)) == share(.15));
  REQUIRE(static_cast<long long>(count(split, Part::test)) == share(.2));
  REQUIRE(split.parts == split_ratings_random(all, .15, .2, 3).parts);
  REQUIRE(split.parts != split_ratings_random(all, .15, .2, 4).parts);
  REQUIRE(contains(split.protocol, "all training ratings visible"));
  REQUIRE_THROWS_AS(split_ratings_random(all, .5, .5, 1), ConfigError);
}

TEST_CASE("Every rating is as likely to be tested as any other") {
  const auto all = build_sequences(make_interactions(random_log(1, 50)));
  std::vector<int> tested(50, 0), validated(50, 0);
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    const auto split = split_ratings_random(all, .2, .2, seed);
    for (std::size_t i = 0; i < 50; ++i) {
      tested[i] += split.parts[i] == Part::test ? 1 : 0;
      validated[i] += split.parts[i] == Part::validation ? 1 : 0;
    }
  }
  // 800 expected, with a deviation of 25.
  for (std::size_t i = 0; i < 50; ++i) {
    REQUIRE(std::abs(tested[i] - 800) < 125);
    REQUIRE(std::abs(validated[i] - 800) < 125);
  }
}

TEST_CASE("A given fold becomes the test part") {
  std::vector<LogRow> rows, fold;
  for (int i = 0; i < 300; ++i) {
    rows.emplace_back(i % 17, i % 23, i, 3.f);
    if (i % 5 == 2) fold.insert(fold.begin(), rows.back());  // in another order, so with other dense indices
  }
  auto test_fold = make_interactions(fold);
  test_fold.source = "u1.test";
  const auto split = split_ratings_by_fold(build_sequences(make_interactions(rows)), test_fold, .1, 1);
  for (std::size_t i = 0; i < split.parts.size(); ++i) {
    REQUIRE((split.parts[i] == Part::test) == (split.sequences.events[i].time % 5 == 2));
  }
  REQUIRE(count(split, Part::test) == 60);
  REQUIRE(count(split, Part::validation) == 30);
  REQUIRE(contains(split.protocol, "u1.test, 60 test ratings"));
  REQUIRE(count(split_ratings_by_fold(build_sequences(make_interactions(rows)), test_fold, 0), Part::validation) == 0);
  REQUIRE_THROWS_AS(split_ratings_by_fold(build_sequences(make_interactions(rows)), test_fold, .8), ConfigError);
}

TEST_CASE("A fold that is not a part of the log is refused") {
  const std::vector<LogRow> rows{{1, 1, 0, 3.f}, {1, 2, 1, 3.f}, {2, 1, 2, 3.f}, {2, 2, 3, 3.f}, {2, 2, 3, 4.f}};
  const auto message = [&](const std::vector<LogRow>& fold) {
    return thrown<Error>(
        [&] { split_ratings_by_fold(build_sequences(make_interactions(rows)), make_interactions(fold), .1); });
  };
  REQUIRE(message({{1, 2, 1, 3.f}}) == "");
  REQUIRE(message({{1, 2, 1, 3.f}, {1, 2, 9, 3.f}}) ==
          "memory: expected each of its 2 ratings once in memory, found 1");
  REQUIRE_FALSE(message({{1, 7, 1, 3.f}}).empty());                  // an unknown item
  REQUIRE_FALSE(message({{1, 2, 1, 3.f}, {1, 2, 1, 3.f}}).empty());  // the same rating twice
  REQUIRE_FALSE(message({{2, 2, 3, 3.f}}).empty());                  // twice in the log
  REQUIRE_FALSE(message({{2, 2, 3, 3.f}, {7, 7, 7, 7.f}}).empty());  // as many as found, but others
}

TEST_CASE("A split of ratings by time trains on the earliest") {
  const auto split = split_ratings_by_time(build_sequences(make_interactions(random_log(5, 500))), .1, .2);
  std::int64_t last_trained = std::numeric_limits<std::int64_t>::min(), first_validated = 100000, last_validated = -1,
               first_tested = 100000;
  for (std::size_t i = 0; i < split.parts.size(); ++i) {
    const std::int64_t time = split.sequences.events[i].time;
    if (split.parts[i] == Part::train) last_trained = std::max(last_trained, time);
    if (split.parts[i] == Part::validation) first_validated = std::min(first_validated, time);
    if (split.parts[i] == Part::validation) last_validated = std::max(last_validated, time);
    if (split.parts[i] == Part::test) first_tested = std::min(first_tested, time);
  }
  REQUIRE(last_trained < first_validated);
  REQUIRE(last_validated < first_tested);
  REQUIRE(count(split, Part::train) > 300);
  REQUIRE(count(split, Part::test) >= 100);
}

TEST_CASE("A random split of a few ratings has a test part or is refused") {
  const auto all = [](std::size_t count) { return build_sequences(make_interactions(random_log(5, count))); };
  REQUIRE(thrown<Error>([&] { split_ratings_random(all(4), .05, .1); }) ==
          "memory: 4 ratings are too few for a test part");
  const auto split = split_ratings_random(all(5), .05, .1);
  REQUIRE(count(split, Part::test) == 1);
  REQUIRE(count(split, Part::validation) == 0);
}

TEST_CASE("A split of ratings needs ratings") {
  auto log = make_interactions(random_log(5, 100));
  const auto fold = log;
  log.has_ratings = false;
  log.events.ratings.clear();
  const auto all = build_sequences(log);
  const std::string expected = "memory: a split of ratings needs ratings, and there are none";
  REQUIRE(thrown<Error>([&] { split_ratings_random(all); }) == expected);
  REQUIRE(thrown<Error>([&] { split_ratings_by_fold(all, fold); }) == expected);
  REQUIRE(thrown<Error>([&] { split_ratings_by_time(all); }) == expected);
}

TEST_CASE("Ratings of one item by one user are in one part") {
  std::vector<std::tuple<int, int, int, float>> rows;
  for (int twice = 0; twice < 2; ++twice)
    for (int k = 0; k < 400; ++k) rows.emplace_back(k / 20, k % 20, k, static_cast<float>(k % 5));
  const RatingSplit split = split_ratings_random(build_sequences(make_interactions(rows)), .1, .2, 3);
  std::map<std::pair<std::uint32_t, std::uint32_t>, Part> parts;
  std::size_t tested = 0;
  for (std::size_t row = 0; row < split.parts.size(); ++row) {
    const Event event = split.sequences.events[row];
    const auto place = parts.emplace(std::pair(event.user, event.item), split.parts[row]).first;
    REQUIRE(place->second == split.parts[row]);
    tested += split.parts[row] == Part::test;
  }
  REQUIRE(tested > 80);
  REQUIRE(split.protocol == "random (" + std::to_string(tested) +
                                " test ratings, seed 3), all training ratings visible; "
                                "400 repeated ratings of an item stand in the part of the first");
}

TEST_CASE("A split of ratings without a part for each event is refused, and one of nothing gets a sentence") {
  RatingSplit split = split_ratings_random(build_sequences(make_interactions(random_log(5, 100))));
  split.parts.pop_back();
  const std::string expected = "expected a part for each of 100 events, got 99";
  CHECK(thrown<std::invalid_argument>([&] { RatingBias bias(split); }) == expected);
  CHECK(thrown<std::invalid_argument>([&] { rating_queries(split, Part::test); }) == expected);
  CHECK(thrown<std::invalid_argument>([&] { chronological_queries(split, Part::test); }) == expected);
  CHECK(thrown<std::invalid_argument>([&] { events_of(split, Part::test); }) == expected);
  CHECK(rating_queries({}, Part::test).empty());
  CHECK(thrown<DataError>([] { RatingBias bias(RatingSplit{}); }) ==
        "a rating baseline needs at least one training rating");
  CHECK(thrown<DataError>([] { split_ratings_random({}); }) ==
        "memory: a split of ratings needs ratings, and there are none");
}

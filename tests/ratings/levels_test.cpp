#include <cmath>
#include <limits>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/ratings/levels.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"
#include "data/logs.hpp"
#include "data/thrown.hpp"

using namespace lstmrec;

TEST_CASE("Ratings become levels, half stars as levels of their own") {
  const auto log =
      make_interactions(std::vector<LogRow>{{1, 1, 0, 4.f}, {1, 2, 1, .5f}, {1, 3, 2, 4.5f}, {1, 4, 3, .5f}});
  const RatingLevels levels = RatingLevels::of(log.events.ratings);
  REQUIRE(levels.values() == std::vector<float>{.5f, 4.f, 4.5f});
  for (std::uint32_t level = 0; level < levels.size(); ++level) REQUIRE(levels.level(levels.value(level)) == level);
  REQUIRE_THROWS_AS(levels.level(5.f), DataError);
  REQUIRE_THROWS_AS(levels.level(2.f), DataError);
  REQUIRE_THROWS_AS(levels.level(std::numeric_limits<float>::quiet_NaN()), DataError);
  REQUIRE_THROWS_AS(levels.value(3), std::out_of_range);
  REQUIRE(RatingLevels(levels.values()).level(4.5f) == 2);
}

TEST_CASE("There are at most 256 levels, finite and rising") {
  std::vector<float> ratings(256);
  for (std::size_t i = 0; i < ratings.size(); ++i) ratings[i] = static_cast<float>(255 - i);
  REQUIRE(RatingLevels::of(ratings).size() == 256);
  ratings.push_back(.5f);
  REQUIRE_THROWS_AS(RatingLevels::of(ratings), DataError);
  REQUIRE_THROWS_AS(RatingLevels(std::vector<float>{1, 1}), DataError);
  REQUIRE_THROWS_AS(RatingLevels(std::vector<float>{2, 1}), DataError);
  REQUIRE_THROWS_AS(RatingLevels(std::vector<float>{1, INFINITY}), DataError);
  REQUIRE_THROWS_AS(RatingLevels(std::vector<float>{NAN}), DataError);
  std::vector<float> many(257);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<float>(i);
  REQUIRE_THROWS_AS(RatingLevels(many), DataError);
}

TEST_CASE("The log gap is 0 for no or negative time, and finite for any") {
  REQUIRE(log_gap(100, 100) == 0);
  REQUIRE(log_gap(100, 50) == 0);
  REQUIRE(log_gap(100, 199) == Approx(std::log(100.)));
  REQUIRE(std::isfinite(log_gap(std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max())));
}

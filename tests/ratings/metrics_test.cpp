#include <cmath>
#include <cstddef>
#include <limits>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/ratings/metrics.hpp>
#include <lstmrec/ratings/split.hpp>
#include <stdexcept>
#include <vector>

#include "catch.hpp"
#include "data/logs.hpp"

using namespace lstmrec;

TEST_CASE("RMSE and MAE by hand") {
  const std::vector<Event> events{{.user = 0, .rating = 3}, {.user = 1, .rating = 5}, {.user = 0, .rating = 1}};
  const std::vector<float> predicted{4, 5, 3};
  const auto result = evaluate_ratings(predicted, events);
  CHECK(result.rmse.value == Approx(std::sqrt((1. + 0 + 4) / 3)));
  CHECK(result.mae.value == Approx((1. + 0 + 2) / 3));
  CHECK(result.ratings == 3);
  CHECK(result.users == 2);
  // Drawn are user 0 twice, user 1 twice, or both.
  CHECK(result.rmse.low == 0);
  CHECK(result.rmse.high == Approx(std::sqrt(5 / 2.)));
  CHECK(result.mae.high == Approx(1.5));
}

TEST_CASE("rating errors don't depend on threads") {
  const RatingSplit split = split_ratings_random(build_sequences(make_interactions(random_log(2, 3000))), .1, .3, 1);
  const auto events = events_of(split, Part::test);
  CHECK(events.size() > 800);
  const std::vector<float> predicted(events.size(), 3.0f);
  const auto one = evaluate_ratings(predicted, events, {.threads = 1});
  const auto two = evaluate_ratings(predicted, events, {.threads = 2});
  CHECK(one.rmse.low < one.rmse.value);
  CHECK(one.rmse.low == two.rmse.low);
  CHECK(one.mae.high == two.mae.high);
}

TEST_CASE("rating errors need a finite prediction for each rating") {
  const std::vector<Event> events{{.user = 0, .rating = 3}, {.user = 1, .rating = 5}};
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  CHECK_THROWS_AS(evaluate_ratings({}, {}), DataError);
  CHECK_THROWS_AS(evaluate_ratings(std::vector<float>{1}, events), std::invalid_argument);
  CHECK_THROWS_AS(evaluate_ratings(std::vector<float>{1, nan}, events), Error);
  CHECK_THROWS_AS(evaluate_ratings(std::vector<float>{infinity, 1}, events), Error);
}

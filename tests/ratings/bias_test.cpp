#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/movielens.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/ratings/bias.hpp>
#include <lstmrec/ratings/metrics.hpp>
#include <lstmrec/ratings/split.hpp>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "catch.hpp"
#include "real_data.hpp"

using namespace lstmrec;

namespace {

// Training ratings of users 0 and 1 for items 0 and 1: 5, 3 and 4; user 1's rating of item 1 is to be predicted.
RatingSplit four_ratings() {
  const std::vector<std::tuple<int, int, int, float>> rows{
      {0, 0, 1, 5.f}, {0, 1, 2, 3.f}, {1, 0, 1, 4.f}, {1, 1, 2, 1.f}};
  return {build_sequences(make_interactions(rows)), {Part::train, Part::train, Part::train, Part::test}, "test"};
}

RatingEvaluation test_errors(const RatingBias& bias, const RatingSplit& split) {
  const auto events = events_of(split, Part::test);
  std::vector<float> predicted;
  for (const Event& event : events) predicted.push_back(bias.predict(event.user, event.item));
  return evaluate_ratings(predicted, events, {.bootstrap_samples = 0});
}

}  // namespace

TEST_CASE("rating biases by hand") {
  const RatingBias bias(four_ratings(), {.user_regularisation = 1, .item_regularisation = 2, .epochs = 1});
  CHECK(bias.mean == Approx(4));
  CHECK(bias.item_bias[0] == Approx((1. + 0) / (2 + 2)));
  CHECK(bias.item_bias[1] == Approx(-1. / (2 + 1)));
  CHECK(bias.user_bias[0] == Approx((1 - .25 + -1 + 1 / 3.) / (1 + 2)));
  CHECK(bias.user_bias[1] == Approx((0 - .25) / (1 + 1)));
  CHECK(bias.predict(1, 1) == Approx(4 - 1 / 3. - .125));
}

TEST_CASE("without regularisation too, who has no ratings has bias 0") {
  RatingSplit split = four_ratings();
  for (const std::size_t k : {0, 1}) split.parts[k] = Part::test;  // leaves user 1's rating of item 0
  const RatingBias bias(split, {.user_regularisation = 0, .item_regularisation = 0});
  CHECK(bias.predict(0, 0) == 4.f);
  CHECK(bias.predict(1, 1) == 4.f);
  const FoldInBias visible(bias, 0);
  CHECK(visible.user_bias(0, 0) == 0);
  CHECK(visible.user_bias(3, 2) == 1.5);
}

TEST_CASE("without epochs the rating baseline is the global mean") {
  const RatingBias mean(four_ratings(), {.epochs = 0});
  CHECK(mean.predict(0, 0) == 4.f);
  CHECK(mean.predict(1, 1) == 4.f);
}

TEST_CASE("predicted ratings stay within those of the training part") {
  RatingBias bias(four_ratings());
  bias.user_bias[0] = 9;
  bias.user_bias[1] = -9;
  CHECK(bias.predict(0, 0) == 5.f);
  CHECK(bias.predict(1, 0) == 3.f);
}

TEST_CASE("a rating baseline needs training ratings and sensible options") {
  RatingSplit split = four_ratings();
  CHECK_THROWS_AS(RatingBias(split, {.user_regularisation = -1}), ConfigError);
  CHECK_THROWS_AS(RatingBias(split, {.item_regularisation = -1}), ConfigError);
  split.parts.assign(4, Part::test);
  CHECK_THROWS_AS(RatingBias(split), DataError);
}

TEST_CASE("user and item bias reach Surprise's figure on MovieLens 100K's five folds") {
  const auto folder = real_data("ml-100k");
  if (!folder) return;
  double bias = 0, mean = 0;
  for (int fold = 1; fold <= 5; ++fold) {
    const auto test = read_movielens(*folder / ("u" + std::to_string(fold) + ".test"));
    const RatingSplit split = split_ratings_by_fold(build_sequences(read_movielens(*folder)), test, 0);
    bias += test_errors(RatingBias(split), split).rmse.value / 5;
    mean += test_errors(RatingBias(split, {.epochs = 0}), split).rmse.value / 5;
  }
  CHECK(bias == Approx(0.945736).margin(1e-5));  // scikit-surprise 1.1's BaselineOnly on the same folds
  CHECK(mean == Approx(1.1256).margin(1e-4));
}

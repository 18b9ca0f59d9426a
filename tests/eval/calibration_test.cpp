#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/core/random.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/eval/calibration.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <stdexcept>
#include <vector>

#include "catch.hpp"
#include "eval/scorers.hpp"
#include "eval/small_split.hpp"

using namespace lstmrec;

namespace {

// 600 users with item 0 in training and validation; the test item is 1 with probability 0.7, else 2.
Split weighted_coin() {
  Random random(3);
  std::vector<std::vector<std::uint32_t>> users;
  for (int user = 0; user < 600; ++user) users.push_back({0, 3, random.uniform() < 0.7 ? 1u : 2u});
  return split_of(users, 4);
}

auto sure_of_item_1(float probability) {
  return scorer_of(4, [=](History, std::uint32_t item) {
    return item == 1 ? std::log(probability) : item == 2 ? std::log(1 - probability) : -1e30f;
  });
}

}  // namespace

TEST_CASE("a scorer that knows the probabilities is calibrated, and one that is too sure is not") {
  const Split split = weighted_coin();
  const auto of = [&](float probability) {
    const auto scorer = sure_of_item_1(probability);
    return calibration(scorer, split, evaluate(scorer, split, split.test), {.cutoff = 1, .bins = 3});
  };
  const auto right = of(0.7f);
  REQUIRE(right.bins.size() == 3);
  double targets = 0, observed = 0, error = 0;
  for (const auto& bin : right.bins) {
    CHECK(bin.predicted == Approx(0.7));
    CHECK(bin.targets == 200);
    targets += static_cast<double>(bin.targets);
    observed += static_cast<double>(bin.targets) * bin.observed;
    error += static_cast<double>(bin.targets) * std::abs(bin.predicted - bin.observed);
  }
  CHECK(observed / targets == Approx(0.7).margin(0.05));
  CHECK(right.error == Approx(error / targets));
  CHECK(right.error < 0.06);
  CHECK(of(0.99f).error == Approx(0.99 - observed / targets).margin(1e-6));
}

TEST_CASE("a list of all items holds all probability, and seen items hold none") {
  const Split split = weighted_coin();
  const auto scorer = constant(4);
  const auto evaluation = evaluate(scorer, split, split.test);
  CHECK(calibration(scorer, split, evaluation, {.cutoff = 4, .bins = 1}).error == Approx(0).margin(1e-9));
  // Of 4 items 0 and 3 are seen: a list of one holds half of the probability, or a quarter where seen items count.
  CHECK(calibration(scorer, split, evaluation, {.cutoff = 1, .bins = 1}).bins[0].predicted == Approx(0.5));
  CHECK(calibration(scorer, split, evaluation, {.cutoff = 1, .bins = 1, .exclude_seen = false}).bins[0].predicted ==
        Approx(0.25));
}

TEST_CASE("calibration: scores without a finite best, and users who have seen all items") {
  const Split split = weighted_coin();
  const auto infinite = [](float best) {
    return scorer_of(
        4, [=](History, std::uint32_t item) { return item == 1 ? best : -std::numeric_limits<float>::infinity(); });
  };
  const auto predicted = [&](const auto& scorer) {
    return calibration(scorer, split, evaluate(scorer, split, split.test), {.cutoff = 1, .bins = 1}).bins[0].predicted;
  };
  CHECK(predicted(infinite(-std::numeric_limits<float>::infinity())) == Approx(0.5));  // two items alike
  CHECK(predicted(infinite(std::numeric_limits<float>::infinity())) == Approx(1));

  const Split all_seen = split_of({{0, 1, 0}, {1, 0, 1}}, 2);
  const auto scorer = constant(2);
  const auto nothing = calibration(scorer, all_seen, evaluate(scorer, all_seen, all_seen.test), {.bins = 1});
  CHECK((nothing.bins[0].predicted == 0 && nothing.bins[0].observed == 0));
}

TEST_CASE("calibration does not depend on threads, and bins ascend") {
  std::vector<std::vector<std::uint32_t>> users;
  for (std::uint32_t user = 0; user < 300; ++user) users.push_back({user % 7, 7 + user % 3, 10 + user % 5, user % 4});
  const Split split = split_of(users, 20);
  const auto scorer = arbitrary(20);
  const auto evaluation = evaluate(scorer, split, split.test);
  const auto one = calibration(scorer, split, evaluation, {.bins = 4, .threads = 1});
  const auto two = calibration(scorer, split, evaluation, {.bins = 4, .threads = 3});
  REQUIRE(one.bins.size() == 4);
  CHECK(one.error == two.error);
  for (std::size_t b = 1; b < 4; ++b) CHECK(one.bins[b].predicted >= one.bins[b - 1].predicted);
}

TEST_CASE("calibration refuses what makes no sense") {
  const Split split = weighted_coin();
  const auto evaluation = evaluate(constant(4), split, split.test);
  CHECK_THROWS_AS(calibration(constant(4), split, evaluation, {.bins = 0}), ConfigError);
  CHECK_THROWS_AS(calibration(constant(4), split, evaluation, {.cutoff = 0}), ConfigError);
  CHECK_THROWS_AS(calibration(constant(5), split, evaluation), std::invalid_argument);
}

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/data/split.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/eval/slices.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"
#include "eval/scorers.hpp"
#include "eval/small_split.hpp"

using namespace lstmrec;

namespace {

Evaluation of_ranks(std::vector<std::uint32_t> ranks) {
  Evaluation evaluation;
  for (std::uint32_t user = 0; user < ranks.size(); ++user) evaluation.targets.push_back({user, user});
  evaluation.ranks = std::move(ranks);
  return evaluation;
}

}  // namespace

TEST_CASE("slices hold about equally many targets, and equal values together") {
  const auto evaluation = of_ranks({1, 3, 20, 1, 1, 30});
  const std::vector<std::uint32_t> values{9, 2, 4, 2, 2, 7};
  const auto found = slices(evaluation, values, 3, 10);
  REQUIRE(found.size() == 3);
  CHECK((found[0].low == 2 && found[0].high == 2 && found[0].targets == 3));
  CHECK(found[0].hr == 1);
  CHECK(found[0].ndcg == Approx((1 + 1 + 0.5) / 3));
  CHECK((found[1].low == 4 && found[1].high == 4 && found[1].targets == 1));
  CHECK(found[1].hr == 0);
  CHECK((found[2].low == 7 && found[2].high == 9 && found[2].targets == 2));
  CHECK(found[2].hr == 0.5);
  CHECK(slices(evaluation, values, 1).size() == 1);
  CHECK(slices(evaluation, values, 1, 20).front().hr == Approx(5 / 6.));
  CHECK(slices(evaluation, std::vector<std::uint32_t>(6, 1), 4).size() == 1);
  CHECK_THROWS_AS(slices(evaluation, values, 0), ConfigError);
  CHECK_THROWS_AS(slices(evaluation, values, 3, 0), ConfigError);
  CHECK_THROWS_AS(slices(evaluation, std::vector<std::uint32_t>(5, 1)), std::invalid_argument);
}

TEST_CASE("slices by history length and by popularity of the target") {
  // Training parts: 0 1 2 | 1 | 0; test items 4 after 4 events, 0 after 2, 1 after 2. Training counts 2 2 1 0 0.
  const Split split = split_of({{0, 1, 2, 3, 4}, {1, 2, 0}, {0, 3, 1}}, 5);
  const auto evaluation = evaluate(oracle(5), split, split.test);
  const auto by_history = slices_by_history(evaluation, 2);
  REQUIRE(by_history.size() == 2);
  CHECK((by_history[0].low == 2 && by_history[0].high == 2 && by_history[0].targets == 2));
  CHECK((by_history[1].low == 4 && by_history[1].targets == 1 && by_history[1].hr == 1));
  const auto by_popularity = slices_by_popularity(evaluation, split, 3);
  REQUIRE(by_popularity.size() == 2);
  CHECK((by_popularity[0].high == 0 && by_popularity[0].targets == 1));
  CHECK((by_popularity[1].low == 2 && by_popularity[1].high == 2 && by_popularity[1].targets == 2));
}

TEST_CASE("slices by genre count an item in each of its genres") {
  Split split = split_of({{0, 1, 2}, {1, 0, 3}, {3, 1, 0}}, 4);
  auto& catalogue = split.sequences.catalogue;
  catalogue[2].genres = {"Drama", "War"};
  catalogue[3].genres = {"Drama"};
  catalogue[0].genres = {"Comedy"};
  Evaluation evaluation = evaluate(constant(4), split, split.test);
  evaluation.ranks = {1, 20, 3};  // of the items 2, 3 and 0
  const auto found = slices_by_genre(evaluation, split);
  REQUIRE(found.size() == 3);
  CHECK((found[0].genre == "Drama" && found[0].targets == 2 && found[0].hr == 0.5 && found[0].ndcg == 0.5));
  CHECK((found[1].genre == "Comedy" && found[1].targets == 1 && found[1].hr == 1 && found[1].ndcg == Approx(0.5)));
  CHECK((found[2].genre == "War" && found[2].targets == 1 && found[2].ndcg == 1));

  // As many genres as items: what was found for one is not looked for in a row of all of them.
  std::vector<std::vector<std::uint32_t>> users;
  for (std::uint32_t user = 0; user < 5000; ++user) users.push_back({0, 1, user});
  Split many = split_of(users, 5000);
  for (std::size_t item = 0; item < 5000; ++item) many.sequences.catalogue[item].genres = {std::to_string(item % 2500)};
  Evaluation all;
  all.targets = many.test;
  all.ranks.assign(5000, 1);
  const auto twos = slices_by_genre(all, many);
  REQUIRE(twos.size() == 2500);
  CHECK((twos.front().genre == "0" && twos[1].genre == "1" && twos[2].genre == "10" && twos.back().targets == 2));

  for (auto& info : catalogue) info.genres.clear();
  CHECK(slices_by_genre(evaluation, split).empty());
}

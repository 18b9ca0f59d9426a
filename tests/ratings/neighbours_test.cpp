#include <algorithm>
#include <cmath>
#include <limits>
#include <lstmrec/core/random.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/ratings/neighbours.hpp>
#include <lstmrec/ratings/split.hpp>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "catch.hpp"

using namespace lstmrec;

namespace {

using Rows = std::vector<std::tuple<int, int, int, float>>;

RatingSplit all_training(const Rows& rows) {
  RatingSplit split{build_sequences(make_interactions(rows)), {}, "test"};
  split.parts.assign(split.sequences.events.size(), Part::train);
  return split;
}

/// Biases of zero, so that z = r − 3.
RatingBias three(const RatingSplit& split) {
  RatingBias bias(split, {.epochs = 0});
  bias.mean = 3;
  return bias;
}

/// Users 0 and 1 have rated items 0 and 1 (z: 2 and 1, −1 and −2), user 2 items 0 and 2 (1 and 2).
RatingSplit six_ratings() {
  return all_training({{0, 0, 1, 5.f}, {0, 1, 2, 4.f}, {1, 0, 1, 2.f}, {1, 1, 2, 1.f}, {2, 0, 1, 4.f}, {2, 2, 2, 5.f}});
}

RatingSplit random_ratings() {
  Random random(3);
  Rows rows;
  for (int user = 0; user < 40; ++user)
    for (int item = 0; item < 25; ++item)
      if (random.uniform() < 0.4) rows.emplace_back(user, item, item, static_cast<float>(1 + random.below(5)));
  return split_ratings_random(build_sequences(make_interactions(rows)), 0, .1);
}

}  // namespace

TEST_CASE("rating neighbours by hand") {
  const RatingSplit split = six_ratings();
  const RatingNeighbours neighbours(split, three(split), {.shrinkage = 1});
  const SparseRows& rows = neighbours.similarities;
  REQUIRE(rows.rows() == 3);
  REQUIRE(rows.items == std::vector<std::uint32_t>{1, 0});  // item 2 has but one user in common with another
  const float similarity = 4.f / 5 * 1 / (1 + 1);
  CHECK(rows.values[0] == Approx(similarity));
  CHECK(rows.values[1] == Approx(similarity));

  const std::vector<RatingQuery> cases{
      {unknown_user, {Event{.item = 1, .rating = 5}}, {Event{.item = 0}, Event{.item = 2}}},
      {unknown_user, {}, {Event{.item = 0}}}};
  const auto ratings = neighbours.ratings(cases, FoldInBias(three(split), 1));
  REQUIRE(ratings.size() == 3);
  CHECK(ratings[0].baseline == Approx(4));  // b_u = 2 / (1 + 1), z = 1
  CHECK(ratings[0].similarity == Approx(.4));
  CHECK(ratings[0].residual == Approx(.4));
  CHECK(ratings[0].blend(3, .5) == Approx((3 + .5 * .4 * 5) / (1 + .5 * .4)));
  CHECK(ratings[0].blend(3, 0) == 3.f);
  CHECK(ratings[1].blend(3, .5) == 3.f);
  CHECK(ratings[2].baseline == Approx(3));
  CHECK(ratings[2].blend(2, .5) == 2.f);
}

TEST_CASE("rating neighbours agree with a plain dense computation") {
  const RatingSplit split = random_ratings();
  const RatingBias bias(split);
  const std::size_t users = split.sequences.size(), items = split.sequences.items.size();
  std::vector<std::vector<double>> z(users, std::vector<double>(items, std::nan("")));
  for (std::size_t k = 0; k < split.parts.size(); ++k) {
    const Event& e = split.sequences.events[k];
    if (split.parts[k] == Part::train)
      z[e.user][e.item] = static_cast<double>(e.rating) - bias.mean - bias.item_bias[e.item] - bias.user_bias[e.user];
  }
  const auto cases = rating_queries(split, Part::test);
  const auto targets = asked_events(cases);
  REQUIRE(targets.size() > 20);
  for (const std::size_t kept : {1u, 4u, 1000u}) {
    const RatingNeighbours neighbours(split, bias, {.neighbours = kept, .shrinkage = 7});
    const auto ratings = neighbours.ratings(cases, FoldInBias(bias, 15));
    double largest = 0, sum = 0;
    for (std::size_t t = 0; t < targets.size(); ++t) {
      const auto& mine = z[targets[t].user];
      std::vector<std::pair<double, std::size_t>> similar;
      for (std::size_t j = 0; j < items; ++j) {
        double product = 0, a = 0, b = 0, n = 0;
        for (std::size_t u = 0; u < users; ++u) {
          const double p = z[u][targets[t].item], q = z[u][j];
          if (std::isnan(p) || std::isnan(q)) continue;
          product += p * q;
          a += p * p;
          b += q * q;
          ++n;
        }
        if (j != targets[t].item && n > 1 && product > 0)
          similar.emplace_back(-product / std::sqrt(a * b) * (n - 1) / (n - 1 + 7), j);
      }
      std::sort(similar.begin(), similar.end());
      similar.resize(std::min(similar.size(), kept));
      double similarity = 0, residual = 0;
      for (const auto& [minus, j] : similar)
        if (!std::isnan(mine[j])) {
          similarity -= minus;
          residual -= minus * mine[j];
        }
      const double baseline = bias.mean + bias.item_bias[targets[t].item] + bias.user_bias[targets[t].user];
      largest = std::max({largest, std::abs(similarity - ratings[t].similarity),
                          std::abs(residual - ratings[t].residual), std::abs(baseline - ratings[t].baseline)});
      sum += similarity;
    }
    CHECK(largest < 1e-5);
    CHECK(sum > 0.1);
  }
}

TEST_CASE("rating neighbours: of an item rated again the last rating counts") {
  const RatingSplit once = six_ratings();
  const RatingSplit twice = all_training(
      {{0, 0, 0, 1.f}, {0, 0, 1, 5.f}, {0, 1, 2, 4.f}, {1, 0, 1, 2.f}, {1, 1, 2, 1.f}, {2, 0, 1, 4.f}, {2, 2, 2, 5.f}});
  const RatingNeighbours a(once, three(once)), b(twice, three(twice));
  CHECK(a.similarities.items == b.similarities.items);
  CHECK(a.similarities.values == b.similarities.values);
  const std::vector<RatingQuery> cases{
      {unknown_user, {Event{.item = 1, .rating = 1}, Event{.item = 1, .rating = 5}}, {Event{.item = 0}}}};
  const auto rating = a.ratings(cases, FoldInBias(three(once), 1)).front();
  CHECK(rating.residual == Approx(2 * rating.similarity));  // b_u = (−2 + 2) / 3
}

TEST_CASE("rating neighbours learn a robot's last items alone") {
  // Item 1 is user 0's first, and item 2 the one that is rated again: with a limit of two, 0 and 2 are the last.
  const Rows others{{1, 0, 1, 2.f}, {1, 1, 2, 1.f}, {1, 2, 3, 2.f}, {2, 0, 1, 4.f}, {2, 2, 2, 5.f}};
  Rows rows{{0, 2, 0, 1.f}, {0, 1, 1, 5.f}, {0, 0, 2, 4.f}, {0, 2, 3, 4.f}}, last{{0, 0, 2, 4.f}, {0, 2, 3, 4.f}};
  rows.insert(rows.end(), others.begin(), others.end());
  last.insert(last.end(), others.begin(), others.end());
  const auto rows_of = [](const Rows& log, std::size_t limit) {
    const RatingSplit split = all_training(log);
    const SparseRows kept = RatingNeighbours(split, three(split), {.user_items = limit}).similarities;
    std::vector<std::tuple<std::int64_t, std::int64_t, float>> found;
    for (std::size_t item = 0; item < kept.rows(); ++item)
      for (std::size_t k = 0; k < kept[item].size(); ++k)
        found.emplace_back(split.sequences.items.id(static_cast<std::uint32_t>(item)).integer(),
                           split.sequences.items.id(kept[item].items[k]).integer(), kept[item].values[k]);
    std::sort(found.begin(), found.end());
    return found;
  };
  // User 1's last two are 1 and 2 in both.
  CHECK(rows_of(rows, 2) == rows_of(last, 2));
  CHECK(rows_of(rows, 2) != rows_of(rows, 3));
  CHECK(rows_of(rows, 3) == rows_of(rows, 1000));
}

TEST_CASE("rating neighbours: only training ratings make them") {
  RatingSplit split = random_ratings();
  const RatingBias bias(split);
  const RatingNeighbours before(split, bias);
  for (std::size_t k = 0; k < split.parts.size(); ++k)
    if (split.parts[k] != Part::train) split.sequences.events.ratings[k] = 1;
  const RatingNeighbours after(split, bias);
  CHECK(before.similarities.items == after.similarities.items);
  CHECK(before.similarities.values == after.similarities.values);
}

TEST_CASE("rating neighbours: options outside their ranges are refused") {
  const RatingSplit split = six_ratings();
  const RatingBias bias(split);
  CHECK_THROWS_AS(RatingNeighbours(split, bias, {.neighbours = 0}), ConfigError);
  for (const double shrinkage : {0.0, std::numeric_limits<double>::infinity()})
    CHECK_THROWS_AS(RatingNeighbours(split, bias, {.shrinkage = shrinkage}), ConfigError);
  CHECK_THROWS_AS(RatingNeighbours(split, bias, {.user_items = 0}), ConfigError);
  CHECK_THROWS_AS(RatingNeighbours(split, RatingBias()), std::invalid_argument);
}

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <lstmrec/baselines/linear.hpp>
#include <lstmrec/baselines/linear_inl.hpp>  // in double precision
#include <lstmrec/baselines/popularity.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/split.hpp>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include "baselines/scores_of.hpp"
#include "catch.hpp"
#include "eval/small_split.hpp"

using namespace lstmrec;

namespace {

using DenseRows = std::vector<std::vector<double>>;

DenseRows zeros(std::size_t rows, std::size_t columns) { return DenseRows(rows, std::vector<double>(columns)); }

/// The last events of a history, decayed, as a dense row.
std::vector<double> decayed_row(History history, std::size_t items, std::size_t window, double decay) {
  std::vector<double> row(items);
  for (std::size_t age = 0; age < window && age < history.size(); ++age)
    row[history[history.size() - 1 - age].item] += std::pow(decay, age);
  return row;
}

/// (XᵀX + λ I)⁻¹ XᵀY by Gauss and Jordan's elimination, from rows that are written out.
DenseRows ridge(const DenseRows& x, const DenseRows& y, double lambda) {
  const std::size_t n = x.front().size();
  DenseRows a = zeros(n, n), b = zeros(n, y.front().size());
  for (std::size_t row = 0; row < x.size(); ++row)
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) a[i][j] += x[row][i] * x[row][j];
      for (std::size_t j = 0; j < b[i].size(); ++j) b[i][j] += x[row][i] * y[row][j];
    }
  for (std::size_t i = 0; i < n; ++i) a[i][i] += lambda;
  for (std::size_t pivot = 0; pivot < n; ++pivot)
    for (std::size_t i = 0; i < n; ++i) {
      if (i == pivot) continue;
      const double factor = a[i][pivot] / a[pivot][pivot];
      for (std::size_t j = pivot; j < n; ++j) a[i][j] -= factor * a[pivot][j];
      for (std::size_t j = 0; j < b[i].size(); ++j) b[i][j] -= factor * b[pivot][j];
    }
  for (std::size_t i = 0; i < n; ++i)
    for (double& value : b[i]) value /= a[i][i];
  return b;
}

std::vector<double> product(const std::vector<double>& x, const DenseRows& b) {
  std::vector<double> scores(b.front().size());
  for (std::size_t i = 0; i < x.size(); ++i)
    for (std::size_t j = 0; j < scores.size(); ++j) scores[j] += x[i] * b[i][j];
  return scores;
}

void check_scores(const Split& split, const LinearScorer& scorer, const DenseRows& b, std::size_t window,
                  double decay) {
  for (const Target target : split.test) {
    const auto x = decayed_row(split.history(target), b.size(), window, decay);
    const auto found = scores_of(scorer, split.history(target)), expected = product(x, b);
    for (std::size_t item = 0; item < b.size(); ++item) CHECK(found[item] == Approx(expected[item]).margin(1e-5));
  }
}

}  // namespace

TEST_CASE("EASE equals its definition: each item by regression on a user's others") {
  const Split split = random_split();
  const std::size_t items = split.sequences.items.size(), users = split.sequences.size();
  DenseRows x = zeros(users, items);
  for (std::size_t user = 0; user < users; ++user)
    for (const Event& event : split.train(user)) x[user][event.item] = 1;

  // B's column j minimises its own sum of squares without the item j.
  DenseRows b = zeros(items, items);
  for (std::size_t j = 0; j < items; ++j) {
    DenseRows others = x, own = zeros(users, 1);
    for (std::size_t user = 0; user < users; ++user) own[user][0] = std::exchange(others[user][j], 0.0);
    const DenseRows column = ridge(others, own, 7);
    for (std::size_t i = 0; i < items; ++i) b[i][j] = column[i][0];
    CHECK(b[j][j] == 0);
  }
  check_scores(split, EaseEquations(split).solve(7), b, 50, .9);
  check_scores(split, EaseEquations<double>(split, {3, .5}).solve(7), b, 3, .5);
}

TEST_CASE("the decayed ridge equals its definition on sequences with repeats") {
  const Split split = random_split();
  const std::size_t items = split.sequences.items.size();
  for (const auto& [window, decay] : {std::pair<std::size_t, double>(20, .8), {1, .8}, {3, 1.0}}) {
    DenseRows x, y;
    for (std::size_t user = 0; user < split.sequences.size(); ++user) {
      const History train = split.train(user);
      for (std::size_t position = 1; position < train.size(); ++position) {
        x.push_back(decayed_row(train.first(position), items, window, decay));
        y.push_back(decayed_row(train.subspan(position, 1), items, 1, 1));
      }
    }
    const DenseRows b = ridge(x, y, 3);
    check_scores(split, DecayedRidgeEquations(split, {window, decay}).solve(3), b, window, decay);
    check_scores(split, DecayedRidgeEquations<double>(split, {window, decay}).solve(3), b, window, decay);
  }
}

TEST_CASE("linear baselines give popularity to an empty history") {
  const Split split = random_split();
  const auto shares = scores_of(Popularity(split), {});
  CHECK(scores_of(EaseEquations(split).solve(1), {}) == shares);
  CHECK(scores_of(DecayedRidgeEquations(split).solve(1), {}) == shares);
}

TEST_CASE("linear baselines refuse options out of range, and catalogues whose squares don't fit") {
  const Split split = split_of({{0, 1, 2, 3, 4}, {0, 1, 4, 3}, {3, 0, 2, 1, 4}}, 5);
  CHECK_THROWS_AS(EaseEquations(split, {0, .9}), ConfigError);
  CHECK_THROWS_AS(EaseEquations(split, {50, 1.5}), ConfigError);
  CHECK_THROWS_AS(DecayedRidgeEquations(split, {0, .8}), ConfigError);
  CHECK_THROWS_AS(DecayedRidgeEquations(split, {20, 0}), ConfigError);
  for (const double lambda : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK_THROWS_AS(EaseEquations(split).solve(lambda), Error);
    CHECK_THROWS_AS(DecayedRidgeEquations(split).solve(lambda), Error);
  }
  // Who has 0 has 1 as well, so nothing but λ tells them apart, and this one a float can't add to 3.
  CHECK_THROWS_AS(EaseEquations(split_of({{0, 1, 2, 2}, {0, 1, 2, 2}, {0, 1, 2, 2}}, 3)).solve(1e-12), Error);

  CHECK_NOTHROW(check_linear_items(10'000));
  const Split large = split_of({{0, 1, 2, 3}}, 10'001);
  CHECK_THROWS_AS(EaseEquations(large), ConfigError);
  CHECK_THROWS_AS(DecayedRidgeEquations(large), ConfigError);
}

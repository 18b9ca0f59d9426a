#include <cmath>
#include <cstdint>
#include <lstmrec/core/alias_table.hpp>
#include <vector>

#include "catch.hpp"

using namespace lstmrec;

TEST_CASE("Alias table: draws come with their probabilities, and none where there is none") {
  const std::vector<double> weights = {3, 0, 1e-3, 40, 5, 5, 0, 12};
  const AliasTable table(weights);
  double sum = 0;
  for (const double weight : weights) sum += weight;
  constexpr int draws = 2'000'000;
  std::vector<int> counts(weights.size(), 0);
  Random random(1);
  for (int i = 0; i < draws; ++i) ++counts[table.draw(random)];
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double expected = draws * weights[i] / sum;
    INFO("outcome " << i);
    CHECK(std::abs(counts[i] - expected) <= 4 * std::sqrt(expected));
  }
}

TEST_CASE("Alias table: one outcome, and many of one weight") {
  Random random(1);
  const std::vector<double> one = {0.25};
  CHECK(AliasTable(one).draw(random) == 0);
  const std::vector<double> many(1000, 1e-9);
  const AliasTable table(many);
  std::vector<int> counts(many.size(), 0);
  for (int i = 0; i < 1'000'000; ++i) ++counts[table.draw(random)];
  for (const int count : counts) CHECK(std::abs(count - 1000) < 160);  // five deviations
}

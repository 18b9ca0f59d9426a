#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/baselines/best_of_row.hpp>
#include <lstmrec/baselines/decayed_window.hpp>
#include <lstmrec/baselines/row_accumulator.hpp>
#include <lstmrec/baselines/sparse_rows.hpp>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/core/top_k.hpp>
#include <lstmrec/data/event.hpp>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "data/thrown.hpp"

using namespace lstmrec;

namespace {

/// A random matrix of `columns` columns with a few entries a row.
SparseRows random_matrix(std::size_t rows, std::size_t columns) {
  Random random(3);
  SparseRows matrix;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::uint32_t column = 0; column < columns; ++column)
      if (random.below(5) == 0) matrix.push(column, static_cast<float>(random.uniform(-1, 1)));
    matrix.end_row();
  }
  return matrix;
}

}  // namespace

TEST_CASE("a row accumulator adds up by column, in the order of meeting, and forgets the row once it is taken") {
  Random random(1);
  RowAccumulator<double> sums(50);
  RowAccumulator<std::uint32_t> counts(50);
  for (int row = 0; row < 100; ++row) {
    std::map<std::uint32_t, std::pair<double, std::uint32_t>> expected;
    std::vector<std::uint32_t> order;
    for (std::uint64_t left = random.below(40); left > 0; --left) {
      const auto column = static_cast<std::uint32_t>(random.below(50));
      const double value = random.uniform(-1, 1);
      sums[column] += value;
      ++counts[column];
      if (expected.count(column) == 0) order.push_back(column);
      expected[column].first += value;
      ++expected[column].second;
    }
    auto next = order.begin();
    sums.take([&](std::uint32_t column, double sum) {
      REQUIRE(next != order.end());
      REQUIRE((column == *next++ && sum == expected[column].first));
    });
    REQUIRE(next == order.end());
    next = order.begin();
    counts.take([&](std::uint32_t column, std::uint32_t count) {
      REQUIRE(next != order.end());
      REQUIRE((column == *next++ && count == expected[column].second));
    });
    REQUIRE(next == order.end());
  }
}

TEST_CASE("a column whose sum is 0 is met all the same, and every column can be") {
  RowAccumulator<double> sums(3);
  sums[2] += 1;
  sums[2] -= 1;
  sums[0] += 0;
  std::vector<std::uint32_t> met;
  sums.take([&](std::uint32_t column, double sum) {
    CHECK(sum == 0);
    met.push_back(column);
  });
  CHECK(met == std::vector<std::uint32_t>{2, 0});
  for (const std::uint32_t column : {1u, 0u, 2u, 1u}) sums[column] += column + 1;
  std::vector<double> all;
  sums.take([&](std::uint32_t, double sum) { all.push_back(sum); });
  CHECK(all == std::vector<double>{4, 1, 3});
  sums.take([](std::uint32_t, double) { FAIL("nothing is left"); });
}

TEST_CASE("the best entries of a row are kept, of equal ones those of the lower column") {
  Random random(2);
  for (int round = 0; round < 200; ++round) {
    std::vector<ScoredItem> row;
    for (std::uint32_t column = 0; column < 60; ++column)
      if (random.below(2) == 0) row.push_back({column, static_cast<float>(random.below(6))});
    random.shuffle(row);
    const std::size_t n = random.below(40);
    std::vector<ScoredItem> expected = row;
    std::sort(expected.begin(), expected.end(), ranks_before);
    expected.resize(std::min(expected.size(), n));
    std::sort(expected.begin(), expected.end(),
              [](const ScoredItem& a, const ScoredItem& b) { return a.item < b.item; });

    SparseRows rows;
    rows.push(9, 9);
    rows.end_row();
    push_best(rows, row, n);
    CHECK(row.empty());
    REQUIRE(rows.rows() == 2);
    CHECK((rows[0].size() == 1 && rows[0].items[0] == 9));
    REQUIRE(rows[1].size() == expected.size());
    for (std::size_t k = 0; k < expected.size(); ++k)
      REQUIRE((rows[1].items[k] == expected[k].item && rows[1].values[k] == expected[k].score));
  }
}

TEST_CASE("a row is added to a part of the columns as it is to all of them") {
  constexpr std::size_t columns = 100;
  const SparseRows matrix = random_matrix(20, columns);
  std::vector<float> all(columns, 0.25f);
  for (std::size_t row = 0; row < matrix.rows(); ++row) {
    std::vector<float> expected(columns, 0.25f);
    for (std::size_t k = 0; k < matrix[row].size(); ++k)
      expected[matrix[row].items[k]] += 0.5f * matrix[row].values[k];  // 0.5: exact, with or without fused products
    std::fill(all.begin(), all.end(), 0.25f);
    matrix.add_row(row, 0.5f, all);
    REQUIRE(all == expected);
    for (const std::size_t width : {1u, 7u, 64u}) {
      std::vector<float> parts(columns, 0.25f);
      for (std::size_t first = 0; first < columns; first += width)
        matrix.add_row(row, 0.5f, std::span(parts).subspan(first, std::min(width, columns - first)),
                       static_cast<std::uint32_t>(first));
      REQUIRE(parts == expected);
    }
  }
}

TEST_CASE("a decayed window gives the last items, the newest first, each with less weight") {
  const std::vector<std::uint32_t> items{5, 6, 7, 6};
  const auto weighted = [&](const DecayedWindow& window, const History& history) {
    std::vector<std::pair<std::uint32_t, double>> result;
    window.for_each(history, [&](std::uint32_t item, double weight) { result.emplace_back(item, weight); });
    return result;
  };
  using Weighted = std::vector<std::pair<std::uint32_t, double>>;
  const History history(items);
  CHECK(weighted({10, .5}, history) == Weighted{{6, 1}, {7, .5}, {6, .25}, {5, .125}});
  CHECK(weighted({4, .5}, history) == Weighted{{6, 1}, {7, .5}, {6, .25}, {5, .125}});
  CHECK(weighted({2, .5}, history) == Weighted{{6, 1}, {7, .5}});
  CHECK(weighted({1, .5}, history.first(1)) == Weighted{{5, 1}});
  CHECK(weighted({3, 1}, history) == Weighted{{6, 1}, {7, 1}, {6, 1}});
  CHECK(weighted({3, .5}, History()).empty());
}

TEST_CASE("a decayed window refuses options outside their ranges, and names rule and value") {
  const auto complaint = [](const DecayedWindow& window) { return thrown<ConfigError>([&] { window.check(); }); };
  CHECK(complaint({1, 1}).empty());
  CHECK(complaint({1000000, 1e-9}).empty());
  CHECK(complaint({0, .5}) == "window must be in [1, 1000000], got 0");
  CHECK(complaint({1000001, .5}) == "window must be in [1, 1000000], got 1000001");
  CHECK(complaint({5, 0}) == "decay must be in (0, 1], got 0");
  CHECK(complaint({5, 1.5}) == "decay must be in (0, 1], got 1.5");
  CHECK(complaint({5, std::nan("")}) == "decay must be in (0, 1], got nan");
}

#include <cmath>
#include <cstdint>
#include <lstmrec/nn/dropout.hpp>
#include <span>
#include <vector>

#include "catch.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

namespace {

Matrix<double> mask_of(const Dropout& dropout, std::span<const std::uint64_t> seeds, Index rows) {
  Matrix<double> mask = Matrix<double>::Ones(rows, static_cast<Index>(seeds.size()));
  dropout.apply(seeds, mask);
  return mask;
}

}  // namespace

TEST_CASE("Dropout: zeroes the right part and keeps the mean") {
  const auto seeds = some_keys(500);
  for (const double rate : {0.1, 0.3, 0.5, 0.9}) {
    const Matrix<double> mask = mask_of({.rate = rate, .layer_id = 3}, seeds, 403);
    const auto count = static_cast<double>(mask.size());
    const auto zeros = static_cast<double>((mask.array() == 0).count());
    const double deviation = std::sqrt(rate * (1 - rate) / count);
    CHECK(zeros / count == Approx(rate).margin(5 * deviation));
    CHECK(mask.mean() == Approx(1).margin(5 * deviation / (1 - rate)));
    CHECK(mask.maxCoeff() == Approx(1 / (1 - rate)).epsilon(1e-3));
    // No row and no column has a rate of its own.
    for (Index row = 0; row < mask.rows(); row += 101)
      CHECK(static_cast<double>((mask.row(row).array() == 0).count()) / 500 == Approx(rate).margin(0.11));
    for (Index column = 0; column < mask.cols(); column += 101)
      CHECK(static_cast<double>((mask.col(column).array() == 0).count()) / 403 == Approx(rate).margin(0.12));
  }
}

TEST_CASE("Dropout: the expectation is kept exactly at rates that are no multiple of 1/65536") {
  // Of 65536 equally likely draws `zeros` give zero and the others give the scale.
  for (const double rate : {1e-6, 0.3, 0.99999}) {
    const double zeros = std::floor(rate * 65536);
    const Matrix<double> mask = mask_of({.rate = rate, .layer_id = 0}, some_keys(400), 1000);
    CHECK(mask.maxCoeff() * (65536 - zeros) / 65536 == Approx(1).epsilon(1e-12));
  }
}

TEST_CASE("Dropout: a column's mask depends on its seed and the layer alone") {
  const auto seeds = some_keys(9);
  const Dropout dropout{.rate = 0.4, .layer_id = 1};
  const Matrix<double> together = mask_of(dropout, seeds, 50);
  for (std::size_t j = 0; j < seeds.size(); ++j)
    CHECK(mask_of(dropout, std::span(seeds).subspan(j, 1), 50) == together.col(static_cast<Index>(j)));
  const Matrix<double> elsewhere = mask_of({.rate = 0.4, .layer_id = 2}, seeds, 50);
  CHECK(static_cast<double>((together.array() == elsewhere.array()).count()) / 450 < 0.7);  // 0.52 by chance
  CHECK(together.col(0) != together.col(1));
}

TEST_CASE("Dropout: backward is the same mask") {
  const auto seeds = some_keys(5);
  const Dropout dropout{.rate = 0.4, .layer_id = 1};
  const Matrix<double> mask = mask_of(dropout, seeds, 7), d_output = random_matrix(7, 5, 1);
  Matrix<double> d = d_output;
  dropout.apply(seeds, d);
  CHECK(d == d_output.cwiseProduct(mask));
  // In a block of a larger matrix, nothing beside it is touched.
  Matrix<double> large = Matrix<double>::Constant(9, 7, 3.0);
  large.block(1, 1, 7, 5) = d_output;
  dropout.apply(seeds, large.block(1, 1, 7, 5));
  CHECK(large.block(1, 1, 7, 5) == d);
  large.block(1, 1, 7, 5).setConstant(3.0);
  CHECK((large.array() == 3.0).all());
}

TEST_CASE("Dropout: without seeds or at rate zero nothing happens") {
  const Matrix<double> x = random_matrix(7, 5, 1);
  Matrix<double> y = x;
  Dropout{.rate = 0.5, .layer_id = 0}.apply({}, y);
  CHECK(y == x);
  Dropout{.rate = 0, .layer_id = 0}.apply(some_keys(5), y);
  CHECK(y == x);
}

#include <Eigen/Cholesky>
#include <cstdint>
#include <lstmrec/core/random.hpp>
#include <lstmrec/core/ridge.hpp>
#include <vector>

#include "catch.hpp"

using namespace lstmrec;

TEST_CASE(
    "ridge: what the normal equations say, with features that nobody has and rows that nothing is to be said of") {
  constexpr Index things = 30, features = 8, size = 3;
  Random random(1);
  FeatureRows rows;
  Matrix<double> c = Matrix<double>::Zero(features, things), y(size, things);
  std::vector<double> weights;
  for (Index thing = 0; thing < things; ++thing) {
    for (std::uint32_t feature = 0; feature + 1 < features; ++feature)  // nobody has the last
      if (random.uniform() < 0.4) {
        const auto value = static_cast<float>(random.uniform(0.5, 1.5));
        rows.push(feature, value);
        c(feature, thing) = static_cast<double>(value);
      }
    rows.end_row();
    weights.push_back(random.uniform());
    for (Index k = 0; k < size; ++k) y(k, thing) = k == 1 ? 0 : random.normal();
  }
  for (const double lambda : {0.1, 10.0}) {
    const Matrix<double> x = ridge(rows, weights, y, features, lambda);
    const auto w = Eigen::Map<const Vector<double>>(weights.data(), things);
    Matrix<double> gram = c * w.asDiagonal() * c.transpose();
    gram.diagonal().array() += lambda;
    const Matrix<double> expected = gram.ldlt().solve(c * w.asDiagonal() * y.transpose()).transpose();
    CHECK((x - expected).norm() < 1e-8 * expected.norm());
    CHECK(x.row(1).isZero(0));
    CHECK(x.col(features - 1).isZero(0));
  }
  CHECK(ridge(FeatureRows(), {}, Matrix<double>(size, 0), features, 1).isZero(0));
}

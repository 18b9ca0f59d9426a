#pragma once

#include <cmath>
#include <lstmrec/core/products.hpp>
#include <lstmrec/core/random.hpp>

namespace lstmrec {

/// Fills with independent normal numbers of mean zero and the given standard deviation.
template <class Derived>
void fill_normal(Eigen::DenseBase<Derived>& matrix, double deviation, Random& random) {
  using Scalar = typename Derived::Scalar;
  for (Index column = 0; column < matrix.cols(); ++column)
    for (Index row = 0; row < matrix.rows(); ++row)
      matrix(row, column) = static_cast<Scalar>(deviation * random.normal());
}

/// Fills a matrix that maps `inputs` to `outputs` numbers uniformly in ±√(6 / (inputs + outputs)).
/// Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010, eq. 16.
template <class Derived>
void fill_glorot(Eigen::DenseBase<Derived>& matrix, Index inputs, Index outputs, Random& random) {
  using Scalar = typename Derived::Scalar;
  const double limit = std::sqrt(6.0 / static_cast<double>(inputs + outputs));
  for (Index column = 0; column < matrix.cols(); ++column)
    for (Index row = 0; row < matrix.rows(); ++row)
      matrix(row, column) = static_cast<Scalar>(random.uniform(-limit, limit));
}

/// Fills a rows ≥ columns matrix with orthonormal columns, drawn uniformly: Gram and Schmidt's process, each projection
/// taken off twice, on a normal matrix. Saxe, McClelland, Ganguli, "Exact solutions to the nonlinear dynamics of
/// learning in deep linear neural networks", 2014. Cost: 4 rows columns² operations.
template <class Derived>
void fill_orthogonal(Eigen::DenseBase<Derived>& matrix, Random& random) {
  Matrix<double> q(matrix.rows(), matrix.cols());
  fill_normal(q, 1.0, random);
  const MatrixRef<double> columns = q;
  for (Index column = 0; column < q.cols(); ++column) {
    for (int pass = 0; pass < 2; ++pass)
      for (Index earlier = 0; earlier < column; ++earlier)
        linalg::add_scaled(-linalg::dot(columns.col(earlier), columns.col(column)), columns.col(earlier),
                           columns.col(column));
    const auto unit = columns.col(column);
    const double length = std::sqrt(linalg::dot(unit, unit));
    for (Index row = 0; row < q.rows(); ++row) q(row, column) /= length;
  }
  for (Index k = 0; k < q.size(); ++k)
    matrix(k % q.rows(), k / q.rows()) = static_cast<typename Derived::Scalar>(q.data()[k]);
}

}  // namespace lstmrec

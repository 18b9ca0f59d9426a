#pragma once

/// The bodies of linear.hpp.

#include <Eigen/Cholesky>
#include <cmath>
#include <lstmrec/baselines/linear.hpp>
#include <lstmrec/core/error.hpp>

namespace lstmrec {

namespace detail {

/// (A + λ I)⁻¹ right, of a symmetric A. Throws ConfigError unless λ makes it positive definite.
template <class Scalar>
Matrix<Scalar> solve_regularised(Matrix<Scalar> a, double lambda, Matrix<Scalar> right) {
  if (!(lambda > 0 && std::isfinite(lambda))) throw ConfigError("lambda must be positive and finite");
  a.diagonal().array() += static_cast<Scalar>(lambda);
  const Eigen::LLT<Eigen::Ref<Matrix<Scalar>>> factor(a);  // in place
  if (factor.info() != Eigen::Success)
    throw DataError("lambda is too small for this data: rounding leaves the system not positive definite");
  factor.solveInPlace(right);
  return right;
}

}  // namespace detail

template <class Scalar>
LinearScorer EaseEquations<Scalar>::solve(double lambda) const {
  const Matrix<Scalar> p =
      detail::solve_regularised<Scalar>(gram, lambda, Matrix<Scalar>::Identity(gram.rows(), gram.cols()));
  LinearScorer scorer{history, popularity, {}};
  scorer.weights = (p.diagonal().cwiseInverse().asDiagonal() * -p).template cast<float>();
  scorer.weights.diagonal().setZero();
  return scorer;
}

template <class Scalar>
LinearScorer DecayedRidgeEquations<Scalar>::solve(double lambda) const {
  LinearScorer scorer{history, popularity, {}};
  scorer.weights = detail::solve_regularised<Scalar>(gram, lambda, right).transpose().template cast<float>();
  return scorer;
}

}  // namespace lstmrec

#pragma once

#include <cassert>
#include <cstddef>
#include <lstmrec/core/feature_rows.hpp>
#include <lstmrec/core/matrix.hpp>
#include <span>

namespace lstmrec {

/// The linear map from features to vectors that fits best, by ridge regression:
///
///     X = argmin Σ wᵢ ‖yᵢ − X cᵢ‖² + λ ‖X‖²      size × features
///
/// rows: the features c of as many things as Y (size × things) has columns; weights: one a thing. Solved by conjugate
/// gradients on the normal equations, all rows of X side by side, so that nothing of features² is in memory: Hestenes
/// and Stiefel, "Methods of conjugate gradients for solving linear systems", 1952. Cost: iterations × entries × size.
inline Matrix<double> ridge(const FeatureRows& rows, std::span<const double> weights, const Matrix<double>& y,
                            Index features, double lambda, int iterations = 100) {
  assert(static_cast<Index>(rows.rows()) == y.cols() && weights.size() == rows.rows());
  // X A := Σ wᵢ (X cᵢ) cᵢᵀ + λ X
  const auto apply = [&](const Matrix<double>& x) {
    Matrix<double> result = lambda * x;
    Vector<double> image(y.rows());
    for (std::size_t thing = 0; thing < rows.rows(); ++thing) {
      const auto row = rows[thing];
      image.setZero();
      for (std::size_t k = 0; k < row.size(); ++k) image += static_cast<double>(row.values[k]) * x.col(row.features[k]);
      for (std::size_t k = 0; k < row.size(); ++k)
        result.col(row.features[k]) += weights[thing] * static_cast<double>(row.values[k]) * image;
    }
    return result;
  };
  Matrix<double> x = Matrix<double>::Zero(y.rows(), features), residual = x;
  for (std::size_t thing = 0; thing < rows.rows(); ++thing)
    for (std::size_t k = 0; k < rows[thing].size(); ++k)
      residual.col(rows[thing].features[k]) +=
          weights[thing] * static_cast<double>(rows[thing].values[k]) * y.col(static_cast<Index>(thing));
  const double enough = 1e-20 * residual.squaredNorm();
  Matrix<double> direction = residual;
  Vector<double> square = residual.rowwise().squaredNorm();
  for (int k = 0; k < iterations && square.sum() > enough; ++k) {
    const Matrix<double> image = apply(direction);
    const Vector<double> curvature = direction.cwiseProduct(image).rowwise().sum();
    // A row that is solved already takes no further step.
    const Vector<double> step = (curvature.array() > 0).select(square.array() / curvature.array(), 0.0);
    x += step.asDiagonal() * direction;
    residual -= step.asDiagonal() * image;
    const Vector<double> before = square;
    square = residual.rowwise().squaredNorm();
    const Vector<double> turn = (before.array() > 0).select(square.array() / before.array(), 0.0);
    direction = residual + turn.asDiagonal() * direction;
  }
  return x;
}

}  // namespace lstmrec

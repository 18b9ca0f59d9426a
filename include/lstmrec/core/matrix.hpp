#pragma once

#include <Eigen/Core>

namespace lstmrec {

using Eigen::Index;

/// A run-time sized matrix, column-major: one event a column, so that an event's features are contiguous.
template <class Scalar>
using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;

/// A run-time sized column vector.
template <class Scalar>
using Vector = Eigen::Matrix<Scalar, Eigen::Dynamic, 1>;

/// A borrowed matrix whose columns are contiguous: a whole matrix or a block of its columns or rows.
template <class Scalar>
using MatrixRef = Eigen::Ref<Matrix<Scalar>, 0, Eigen::OuterStride<>>;

/// The read-only MatrixRef. Never bind it to an expression: that would copy.
template <class Scalar>
using ConstMatrixRef = Eigen::Ref<const Matrix<Scalar>, 0, Eigen::OuterStride<>>;

/// A compile-time size times a factor; a run-time size stays one.
template <int Factor, int Size>
inline constexpr int times = Size == Eigen::Dynamic ? Eigen::Dynamic : Factor * Size;

}  // namespace lstmrec

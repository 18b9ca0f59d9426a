#pragma once

#include <Eigen/Core>
#include <cassert>
#include <type_traits>

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

/// Numbers that lie one after the other, for pointwise formulas.
template <class Scalar, int Count = Eigen::Dynamic>
using Values = Eigen::Map<Eigen::Array<Scalar, Count, 1>>;

/// The read-only Values.
template <class Scalar, int Count = Eigen::Dynamic>
using ConstValues = Eigen::Map<const Eigen::Array<Scalar, Count, 1>>;

template <int Count = Eigen::Dynamic, class Scalar>
Values<Scalar, Count> values(Scalar* first, Index count) {
  return {first, count};
}

template <int Count = Eigen::Dynamic, class Scalar>
ConstValues<Scalar, Count> values(const Scalar* first, Index count) {
  return {first, count};
}

/// The numbers of a matrix or a column. Unless their number is fixed they have one type, whatever they are a part of:
/// so a formula is compiled once.
template <class Numbers>
auto values(Numbers&& numbers) {
  assert(numbers.innerStride() == 1 && (numbers.cols() <= 1 || numbers.outerStride() == numbers.rows()));
  return values<std::remove_cvref_t<Numbers>::SizeAtCompileTime>(numbers.data(), numbers.size());
}

/// A compile-time size times a factor; a run-time size stays one.
template <int Factor, int Size>
inline constexpr int times = Size == Eigen::Dynamic ? Size : Factor * Size;

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <cassert>
#include <lstmrec/core/eigen.hpp>
#include <type_traits>

namespace lstmrec {

using Eigen::Index;

/// A run-time sized matrix, column-major: one event a column, so that an event's features are contiguous.
template <class Scalar>
using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor>;

/// A matrix of which some sizes are known when compiling; column-major, but for row vectors, of which Eigen asks it.
template <class Scalar, int Rows, int Columns>
using SizedMatrix =
    Eigen::Matrix<Scalar, Rows, Columns, Rows == 1 && Columns != 1 ? int{Eigen::RowMajor} : int{Eigen::ColMajor}>;

/// A run-time sized column vector.
template <class Scalar>
using Vector = Eigen::Matrix<Scalar, Eigen::Dynamic, 1, Eigen::ColMajor>;

namespace detail {

/// How many numbers lie from one column to the next. Eigen stores every row vector row by row.
template <class Derived>
Eigen::OuterStride<> column_stride(const Derived& matrix) {
  static_assert(!Derived::IsRowMajor || Derived::IsVectorAtCompileTime, "columns must be contiguous");
  static_assert(Derived::IsVectorAtCompileTime || Derived::InnerStrideAtCompileTime == 1 ||
                    Derived::InnerStrideAtCompileTime == Eigen::Dynamic,
                "columns must be contiguous");
  return Eigen::OuterStride<>(Derived::IsRowMajor ? matrix.innerStride() : matrix.outerStride());
}

}  // namespace detail

/// A borrowed matrix whose columns are contiguous: a whole matrix or a block of its columns or rows. It is made of any
/// such matrix without a copy (Eigen's own Ref<const> may copy, and its code for that is compiled at every call), and
/// its parts are of the same type, so that what works on them is compiled once.
template <class Scalar>
struct ConstMatrixRef : Eigen::Map<const Matrix<Scalar>, 0, Eigen::OuterStride<>> {
  using Base = Eigen::Map<const Matrix<Scalar>, 0, Eigen::OuterStride<>>;
  /// `stride`: from one column to the next.
  ConstMatrixRef(const Scalar* data, Index rows, Index columns, Index stride)
      : Base(data, rows, columns, Eigen::OuterStride<>(stride)) {}
  template <class Derived>
  ConstMatrixRef(const Eigen::DenseBase<Derived>& matrix)
      : Base(matrix.derived().data(), matrix.rows(), matrix.cols(), detail::column_stride(matrix.derived())) {
    assert(matrix.rows() <= 1 || matrix.derived().innerStride() == 1);
  }

  ConstMatrixRef middleCols(Index first, Index count) const {
    assert(first >= 0 && count >= 0 && first + count <= this->cols());
    return {this->data() + first * this->outerStride(), this->rows(), count, this->outerStride()};
  }
  ConstMatrixRef leftCols(Index count) const { return middleCols(0, count); }
  ConstMatrixRef rightCols(Index count) const { return middleCols(this->cols() - count, count); }
  Eigen::Map<const Vector<Scalar>> col(Index column) const {
    assert(column >= 0 && column < this->cols());
    return {this->data() + column * this->outerStride(), this->rows()};
  }
  ConstMatrixRef middleRows(Index first, Index count) const {
    assert(first >= 0 && count >= 0 && first + count <= this->rows());
    return {this->data() + first, count, this->cols(), this->outerStride()};
  }
  ConstMatrixRef topRows(Index count) const { return middleRows(0, count); }
  ConstMatrixRef bottomRows(Index count) const { return middleRows(this->rows() - count, count); }
};

/// The ConstMatrixRef that may be written to. A copy of it borrows the same numbers; an assignment copies numbers.
template <class Scalar>
struct MatrixRef : Eigen::Map<Matrix<Scalar>, 0, Eigen::OuterStride<>> {
  using Base = Eigen::Map<Matrix<Scalar>, 0, Eigen::OuterStride<>>;
  MatrixRef(const MatrixRef&) = default;
  MatrixRef(Scalar* data, Index rows, Index columns, Index stride)
      : Base(data, rows, columns, Eigen::OuterStride<>(stride)) {}
  template <class Derived>
  MatrixRef(Eigen::PlainObjectBase<Derived>&& temporary) = delete;  // what is written to it would be lost
  template <class Derived>
  MatrixRef(Eigen::DenseBase<Derived>&& matrix) : MatrixRef(matrix.derived(), 0) {}
  template <class Derived>
  MatrixRef(Eigen::DenseBase<Derived>& matrix) : MatrixRef(matrix.derived(), 0) {}
  template <class Derived>
  MatrixRef(const Eigen::MapBase<Derived, Eigen::WriteAccessors>& matrix)
      : MatrixRef(const_cast<Derived&>(matrix.derived()), 0) {}
  using Base::operator=;
  MatrixRef& operator=(const MatrixRef& other) {  // of the numbers, as with every other matrix
    Base::operator=(other);
    return *this;
  }

  MatrixRef middleCols(Index first, Index count) const {
    assert(first >= 0 && count >= 0 && first + count <= this->cols());
    return {this->m_data + first * this->outerStride(), this->rows(), count, this->outerStride()};
  }
  MatrixRef leftCols(Index count) const { return middleCols(0, count); }
  MatrixRef rightCols(Index count) const { return middleCols(this->cols() - count, count); }
  Eigen::Map<Vector<Scalar>> col(Index column) const {
    assert(column >= 0 && column < this->cols());
    return {this->m_data + column * this->outerStride(), this->rows()};
  }
  MatrixRef middleRows(Index first, Index count) const {
    assert(first >= 0 && count >= 0 && first + count <= this->rows());
    return {this->m_data + first, count, this->cols(), this->outerStride()};
  }
  MatrixRef topRows(Index count) const { return middleRows(0, count); }
  MatrixRef bottomRows(Index count) const { return middleRows(this->rows() - count, count); }

 private:
  template <class Derived>
  MatrixRef(Derived& matrix, int) : Base(matrix.data(), matrix.rows(), matrix.cols(), detail::column_stride(matrix)) {
    assert(matrix.rows() <= 1 || matrix.innerStride() == 1);
  }
};

/// Numbers that lie one after the other, for pointwise formulas.
template <class Scalar, int Count = Eigen::Dynamic>
using Values = Eigen::Map<Eigen::Array<Scalar, Count, 1>>;

/// The read-only Values.
template <class Scalar, int Count = Eigen::Dynamic>
using ConstValues = Eigen::Map<const Eigen::Array<Scalar, Count, 1>>;

namespace linalg {

/// A matrix or column of equal numbers, of fixed or run-time sizes.
template <class Plain>
Plain filled(Index rows, Index columns, typename Plain::Scalar value = 0) {
  Plain matrix(rows, columns);
  std::fill_n(matrix.data(), matrix.size(), value);
  return matrix;
}

template <int Count = Eigen::Dynamic, class Scalar>
Values<Scalar, Count> flat(Scalar* first, Index count) {
  return {first, count};
}

template <int Count = Eigen::Dynamic, class Scalar>
ConstValues<Scalar, Count> flat(const Scalar* first, Index count) {
  return {first, count};
}

/// The numbers of a matrix or a column. Unless their number is fixed they have one type, whatever they are a part of:
/// so a formula is compiled once.
template <class Numbers>
auto flat(Numbers&& numbers) {
  assert(numbers.innerStride() == 1 && (numbers.cols() <= 1 || numbers.outerStride() == numbers.rows()));
  return flat<std::remove_cvref_t<Numbers>::SizeAtCompileTime>(numbers.data(), numbers.size());
}

/// A compile-time size times a factor; a run-time size stays one.
template <int Factor, int Size>
inline constexpr int scaled_size = Size == Eigen::Dynamic ? Size : Factor* Size;

}  // namespace linalg

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <cassert>
#include <lstmrec/core/lanes.hpp>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/product_kernel.hpp>
#include <type_traits>

namespace lstmrec {

namespace detail {

/// to := to + factor · from, for `count` numbers.
template <class Scalar>
void add_scaled(Index count, Scalar factor, const Scalar* from, Scalar* to) {
  for_each_lane<Scalar>(count, [=](auto at) { at.store(to, at[to] + factor * at[from]); });
}

/// to := to + from, for `count` numbers.
template <class Scalar>
void add_numbers(Index count, const Scalar* from, Scalar* to) {
  for_each_lane<Scalar>(count, [=](auto at) { at.store(to, at[to] + at[from]); });
}

template <class Scalar>
void product(const ConstMatrixRef<Scalar>& a, const ConstMatrixRef<Scalar>& b, MatrixRef<Scalar> c, bool add) {
  assert(a.cols() == b.rows() && c.rows() == a.rows() && c.cols() == b.cols());
  if (b.cols() == 1)
    multiply_column(a, b.data(), c.data(), add);
  else
    multiply(strided(a), PackedRows<Scalar>{}, strided(b), c, add);
}

template <class Scalar>
void transposed_product(const ConstMatrixRef<Scalar>& a, const ConstMatrixRef<Scalar>& b, MatrixRef<Scalar> c,
                        bool add) {
  multiply(strided(a).transposed(), PackedRows<Scalar>{}, strided(b), c, add);
}

template <class Scalar>
void product_transposed(const ConstMatrixRef<Scalar>& a, const ConstMatrixRef<Scalar>& b, MatrixRef<Scalar> c,
                        bool add) {
  if (b.rows() == 1 && add) {  // to pack A would take longer than to read it once
    for (Index column = 0; column < a.cols(); ++column)
      add_scaled(a.rows(), b(0, column), a.data() + column * a.outerStride(), c.data());
    return;
  }
  multiply(strided(a), PackedRows<Scalar>{}, strided(b).transposed(), c, add);
}

template <class Scalar>
Scalar dot(Index count, const Scalar* a, const Scalar* b) {
  return sum_of_lanes<Scalar>(count, [=](auto at) { return at[a] * at[b]; });
}

/// to(k) := column k of A times b, for some columns beside each other.
template <Index Columns, class Scalar>
void dots_of_columns(Index count, const Scalar* a, Index stride, const Scalar* b, Scalar* to) {
  using namespace Eigen::internal;
  using Packet = typename Lanes<Scalar>::Value;
  constexpr Index size = Lanes<Scalar>::size;
  Packet sums[Columns];
  for (Packet& sum : sums) sum = pset1<Packet>(Scalar(0));
  Index row = 0;
  for (; row + size <= count; row += size) {
    const Packet b_rows = ploadu<Packet>(b + row);
#pragma GCC unroll 4
    for (Index k = 0; k < Columns; ++k) sums[k] = pmadd(ploadu<Packet>(a + row + k * stride), b_rows, sums[k]);
  }
#pragma GCC unroll 4
  for (Index k = 0; k < Columns; ++k) to[k] = predux(sums[k]);
  for (; row < count; ++row)
    for (Index k = 0; k < Columns; ++k) to[k] += a[row + k * stride] * b[row];
}

template <class Scalar>
void dots(const ConstMatrixRef<Scalar>& a, const Scalar* b, Scalar* to) {
  Index k = 0;
  for (; k + 4 <= a.cols(); k += 4)
    dots_of_columns<4>(a.rows(), a.data() + k * a.outerStride(), a.outerStride(), b, to + k);
  for (; k < a.cols(); ++k) dots_of_columns<1>(a.rows(), a.data() + k * a.outerStride(), a.outerStride(), b, to + k);
}

template <class Scalar>
void copy(const ConstMatrixRef<Scalar>& from, MatrixRef<Scalar> to) {
  assert(from.rows() == to.rows() && from.cols() == to.cols());
  for (Index column = 0; column < from.cols(); ++column)
    std::copy_n(from.data() + column * from.outerStride(), from.rows(), to.data() + column * to.outerStride());
}

template <class Scalar>
void add(const ConstMatrixRef<Scalar>& from, MatrixRef<Scalar> to) {
  assert(from.rows() == to.rows() && from.cols() == to.cols());
  for (Index column = 0; column < from.cols(); ++column)
    add_numbers(from.rows(), from.data() + column * from.outerStride(), to.data() + column * to.outerStride());
}

template <class Scalar>
void set_zero(MatrixRef<Scalar> matrix) {
  for (Index column = 0; column < matrix.cols(); ++column)
    std::fill_n(matrix.data() + column * matrix.outerStride(), matrix.rows(), Scalar(0));
}

template <class Scalar>
void add_to_columns(const ConstMatrixRef<Scalar>& a, MatrixRef<Scalar> c) {
  assert(a.size() == c.rows());
  for (Index column = 0; column < c.cols(); ++column)
    add_numbers(c.rows(), a.data(), c.data() + column * c.outerStride());
}

template <class Scalar>
void add_row_sums(const ConstMatrixRef<Scalar>& a, MatrixRef<Scalar> sums) {
  assert(sums.size() == a.rows());
  for (Index column = 0; column < a.cols(); ++column)
    add_numbers(a.rows(), a.data() + column * a.outerStride(), sums.data());
}

}  // namespace detail

/// Batched products, and views of matrices, in a namespace of their own: their names are common words.
namespace linalg {

// All batched products of the library go through these functions. The arguments are matrices or blocks of them; C must
// overlap neither A nor B. Each thread that takes products keeps 0.8 MB of scratch (double: 1.5) until it ends.

/// C = A B.
template <class A, class B, class C>
void product(const A& a, const B& b, C&& c) {
  detail::product<typename A::Scalar>(a, b, c, false);
}

/// C = C + A B.
template <class A, class B, class C>
void add_product(const A& a, const B& b, C&& c) {
  detail::product<typename A::Scalar>(a, b, c, true);
}

/// C = A B, with A packed before.
template <class Scalar, class B, class C>
void product(const PackedMatrix<Scalar>& a, const B& b, C&& c) {
  a.multiply(b, c, false);
}

/// C = C + A B, with A packed before.
template <class Scalar, class B, class C>
void add_product(const PackedMatrix<Scalar>& a, const B& b, C&& c) {
  a.multiply(b, c, true);
}

/// C = Aᵀ B.
template <class A, class B, class C>
void transposed_product(const A& a, const B& b, C&& c) {
  detail::transposed_product<typename A::Scalar>(a, b, c, false);
}

/// C = C + A Bᵀ.
template <class A, class B, class C>
void add_product_transposed(const A& a, const B& b, C&& c) {
  detail::product_transposed<typename A::Scalar>(a, b, c, true);
}

/// aᵀ b of two columns.
template <class A, class B>
typename A::Scalar dot(const A& a, const B& b) {
  assert(a.size() == b.size());
  return detail::dot<typename A::Scalar>(a.size(), a.data(), b.data());
}

/// to := Aᵀ b of one column b: reads A once, in one stream through memory, and packs and allocates nothing.
template <class A, class B, class To>
void dots(const A& a, const B& b, To&& to) {
  assert(a.rows() == b.size() && a.cols() == to.size());
  detail::dots<typename A::Scalar>(a, b.data(), to.data());
}

/// to := from. Matrices, or blocks of them, that do not overlap.
template <class From, class To>
void copy(const From& from, To&& to) {
  detail::copy<typename From::Scalar>(from, to);
}

/// to := to + from.
template <class From, class To>
void add(const From& from, To&& to) {
  detail::add<typename From::Scalar>(from, to);
}

/// to := to + factor · from, for columns.
template <class Scalar, class From, class To>
void add_scaled(Scalar factor, const From& from, To&& to) {
  assert(from.size() == to.size());
  detail::add_scaled<Scalar>(from.size(), factor, from.data(), to.data());
}

/// Sets a matrix or a block of one to zero.
template <class To>
void set_zero(To&& to) {
  detail::set_zero<typename std::remove_cvref_t<To>::Scalar>(to);
}

/// Adds a vector to every column of C.
template <class A, class C>
void add_to_columns(const A& a, C&& c) {
  detail::add_to_columns<typename A::Scalar>(a, c);
}

/// sums = sums + the sum of A's columns.
template <class A, class Sums>
void add_row_sums(const A& a, Sums&& sums) {
  detail::add_row_sums<typename A::Scalar>(a, sums);
}

}  // namespace linalg

}  // namespace lstmrec

#pragma once

#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/product_kernel.hpp>

namespace lstmrec {

namespace detail {

template <class Scalar>
void product(const ConstMatrixRef<Scalar>& a, const ConstMatrixRef<Scalar>& b, MatrixRef<Scalar> c, bool add) {
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
    for (Index column = 0; column < a.cols(); ++column) c.col(0) += b(0, column) * a.col(column);
    return;
  }
  multiply(strided(a), PackedRows<Scalar>{}, strided(b).transposed(), c, add);
}

template <class Scalar>
void add_to_columns(const Eigen::Ref<const Vector<Scalar>>& a, MatrixRef<Scalar> c) {
  c.colwise() += a;
}

template <class Scalar>
void add_row_sums(const ConstMatrixRef<Scalar>& a, Eigen::Ref<Vector<Scalar>> sums) {
  for (Index column = 0; column < a.cols(); ++column) sums += a.col(column);
}

}  // namespace detail

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
void product(const LeftFactor<Scalar>& a, const B& b, C&& c) {
  a.multiply(b, c, false);
}

/// C = C + A B, with A packed before.
template <class Scalar, class B, class C>
void add_product(const LeftFactor<Scalar>& a, const B& b, C&& c) {
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

}  // namespace lstmrec

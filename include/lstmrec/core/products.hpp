#pragma once

#include <lstmrec/core/matrix.hpp>

#ifdef _OPENMP
extern "C" {
int omp_get_max_threads();
void omp_set_num_threads(int);
}
#endif

namespace lstmrec {

namespace detail {

/// Keeps Eigen from starting OpenMP threads inside one product: the library's threads are over shards and queries,
/// and a second level would only get in their way. The setting is this thread's own and is put back. A program that
/// calls Eigen::setNbThreads itself overrules it.
struct OneEigenThread {
#ifdef _OPENMP
  const int before = omp_get_max_threads();
  OneEigenThread() { omp_set_num_threads(1); }
  ~OneEigenThread() { omp_set_num_threads(before); }
  OneEigenThread(const OneEigenThread&) = delete;
  OneEigenThread& operator=(const OneEigenThread&) = delete;
#else
  OneEigenThread() {}
#endif
};

template <class Scalar>
void add_product(const ConstMatrixRef<Scalar>& a, const ConstMatrixRef<Scalar>& b, MatrixRef<Scalar> c) {
  const OneEigenThread guard;
  c.noalias() += a * b;
}

template <class Scalar>
void add_transposed_product(const ConstMatrixRef<Scalar>& a, const ConstMatrixRef<Scalar>& b, MatrixRef<Scalar> c) {
  const OneEigenThread guard;
  c.noalias() += a.transpose() * b;
}

template <class Scalar>
void add_product_transposed(const ConstMatrixRef<Scalar>& a, const ConstMatrixRef<Scalar>& b, MatrixRef<Scalar> c) {
  const OneEigenThread guard;
  c.noalias() += a * b.transpose();
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

// All batched products of the library go through these functions: one place to look for speed, and three instantiations
// of Eigen's kernels a scalar type. The arguments are matrices or blocks of them; C must overlap neither A nor B.

/// C = C + A B.
template <class A, class B, class C>
void add_product(const A& a, const B& b, C&& c) {
  detail::add_product<typename A::Scalar>(a, b, c);
}

/// C = C + Aᵀ B.
template <class A, class B, class C>
void add_transposed_product(const A& a, const B& b, C&& c) {
  detail::add_transposed_product<typename A::Scalar>(a, b, c);
}

/// C = C + A Bᵀ.
template <class A, class B, class C>
void add_product_transposed(const A& a, const B& b, C&& c) {
  detail::add_product_transposed<typename A::Scalar>(a, b, c);
}

/// C = A B. Eigen, too, computes it as a sum.
template <class A, class B, class C>
void product(const A& a, const B& b, C&& c) {
  c.setZero();
  add_product(a, b, c);
}

/// C = Aᵀ B.
template <class A, class B, class C>
void transposed_product(const A& a, const B& b, C&& c) {
  c.setZero();
  add_transposed_product(a, b, c);
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

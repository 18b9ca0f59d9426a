#pragma once

#include <cassert>
#include <cstdint>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/products.hpp>
#include <lstmrec/nn/initialisers.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <span>

namespace lstmrec {

/// A table of vectors, one column an index: y = E eᵢ. `kind` says what the indices are: items of the catalogue
/// (ParameterKind::item_embedding) or anything else.
template <class Scalar_ = float, ParameterKind kind = ParameterKind::embedding>
struct Embedding {
  using Scalar = Scalar_;
  Matrix<Scalar> table;  ///< E, size × count.

  Embedding() = default;
  Embedding(Index count, Index size) : table(linalg::filled<Matrix<Scalar>>(size, count)) {}

  Index size() const { return table.rows(); }
  Index count() const { return table.cols(); }

  /// Normal with the given standard deviation.
  void initialise(Random& random, double deviation) { fill_normal(table, deviation, random); }

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... layers) {
    visitor("table", kind, layers.table...);
  }

  /// output.col(j) := table.col(indices[j]). output: size × indices.
  void forward(std::span<const std::uint32_t> indices, MatrixRef<Scalar> output) const {
    for (std::size_t j = 0; j < indices.size(); ++j) {
      assert(indices[j] < count());
      linalg::copy(ConstMatrixRef<Scalar>(table).col(indices[j]), output.col(static_cast<Index>(j)));
    }
  }

  /// Adds to `gradients`: the columns of the indices only.
  void backward(std::span<const std::uint32_t> indices, ConstMatrixRef<Scalar> d_output, Embedding& gradients) const {
    backward(indices, d_output, gradients, 0, static_cast<std::uint32_t>(count()));
  }

  /// Adds to the columns first … end − 1 of `gradients`, which threads can so share.
  void backward(std::span<const std::uint32_t> indices, ConstMatrixRef<Scalar> d_output, Embedding& gradients,
                std::uint32_t first, std::uint32_t end) const {
    for (std::size_t j = 0; j < indices.size(); ++j)
      if (indices[j] >= first && indices[j] < end)
        linalg::add(d_output.col(static_cast<Index>(j)), MatrixRef<Scalar>(gradients.table).col(indices[j]));
  }
};

}  // namespace lstmrec

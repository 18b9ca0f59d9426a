#pragma once

#include <cassert>
#include <lstmrec/core/products.hpp>
#include <lstmrec/nn/initialisers.hpp>
#include <lstmrec/nn/parameters.hpp>

namespace lstmrec {

/// A fully connected layer, y = W x + b.
template <class Scalar_ = float>
struct Dense {
  using Scalar = Scalar_;
  Matrix<Scalar> weight;  ///< W, output × input.
  Vector<Scalar> bias;    ///< b, output.

  Dense() = default;
  Dense(Index input, Index output)
      : weight(linalg::filled<Matrix<Scalar>>(output, input)), bias(linalg::filled<Vector<Scalar>>(output, 1)) {}

  Index input_size() const { return weight.cols(); }
  Index output_size() const { return weight.rows(); }

  /// Glorot-uniform weights, zero biases.
  void initialise(Random& random) {
    fill_glorot(weight, input_size(), output_size(), random);
    bias = linalg::filled<Vector<Scalar>>(output_size(), 1);
  }

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... layers) {
    visitor("weight", ParameterKind::weight, layers.weight...);
    visitor("bias", ParameterKind::bias, layers.bias...);
  }

  /// y (output × columns) := W x + b. x: input × columns. Allocates nothing for one column.
  void forward(ConstMatrixRef<Scalar> x, MatrixRef<Scalar> y) const {
    linalg::product(weight, x, y);
    linalg::add_to_columns(bias, y);
  }

  /// Adds to `gradients` and overwrites d_input (input × columns).
  void backward(ConstMatrixRef<Scalar> x, ConstMatrixRef<Scalar> d_output, Dense& gradients,
                MatrixRef<Scalar> d_input) const {
    add_gradients(x, d_output, gradients);
    linalg::transposed_product(weight, d_output, d_input);
  }

  /// The first half of `backward`.
  static void add_gradients(ConstMatrixRef<Scalar> x, ConstMatrixRef<Scalar> d_output, Dense& gradients) {
    linalg::add_product_transposed(d_output, x, gradients.weight);
    linalg::add_row_sums(d_output, gradients.bias);
  }
};

}  // namespace lstmrec

#pragma once

#include <cmath>
#include <lstmrec/core/buffer.hpp>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/nn/parameters.hpp>

namespace lstmrec {

/// Layer normalisation of every column: y = γ ∘ x̂ + β, x̂ = (x − mean x) / √(var x + ε), ε = 1e-5.
/// Ba, Kiros, Hinton, "Layer normalization", 2016, eq. 4.
template <class Scalar_ = float>
struct LayerNorm {
  using Scalar = Scalar_;
  static constexpr double epsilon = 1e-5;

  /// What `backward` reads.
  struct Cache {
    Buffer<Scalar> normalised;         ///< x̂, size × columns.
    Buffer<Scalar> inverse_deviation;  ///< 1 / √(var x + ε), 1 × columns.
  };

  Vector<Scalar> gain;  ///< γ.
  Vector<Scalar> bias;  ///< β.

  LayerNorm() = default;
  explicit LayerNorm(Index size) : gain(Vector<Scalar>::Ones(size)), bias(Vector<Scalar>::Zero(size)) {}

  Index size() const { return gain.rows(); }

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... layers) {
    visitor("gain", Kind::bias, layers.gain...);
    visitor("bias", Kind::bias, layers.bias...);
  }

  /// In place, keeping nothing: x (size × columns) := y.
  void apply(MatrixRef<Scalar> x) const {
    for (Index column = 0; column < x.cols(); ++column) {
      auto y = values(x.col(column));
      y -= y.mean();
      y *= inverse_deviation(y);
      y = y * values(gain) + values(bias);
    }
  }

  /// In place, keeping what `backward` needs: x (size × columns) := y.
  void forward(MatrixRef<Scalar> x, Cache& cache) const {
    auto normalised = cache.normalised.resize(size(), x.cols());
    auto inverse = cache.inverse_deviation.resize(1, x.cols());
    for (Index column = 0; column < x.cols(); ++column) {
      auto y = values(x.col(column));
      auto unit = values(normalised.col(column));
      unit = y - y.mean();
      inverse(column) = inverse_deviation(unit);
      unit *= inverse(column);
      y = unit * values(gain) + values(bias);
    }
  }

  /// Adds to `gradients` and turns the gradient of y into that of x, in place.
  void backward(const Cache& cache, LayerNorm& gradients, MatrixRef<Scalar> d) const {
    const auto normalised = cache.normalised.view();
    const auto inverse = cache.inverse_deviation.view();
    auto d_gain = values(gradients.gain), d_bias = values(gradients.bias);
    for (Index column = 0; column < d.cols(); ++column) {
      auto dy = values(d.col(column));
      const auto unit = values(normalised.col(column));
      // y = γ ∘ x̂ + β
      d_gain += dy * unit;
      d_bias += dy;
      dy *= values(gain);
      // x̂ = (x − mean) / deviation: what changes mean or deviation alone has no effect on x̂
      const Scalar along_ones = dy.mean();
      const Scalar along_unit = (dy * unit).sum() / static_cast<Scalar>(size());
      dy = (dy - along_ones - unit * along_unit) * inverse(column);
    }
  }

 private:
  /// Of numbers of mean zero.
  Scalar inverse_deviation(const Values<Scalar>& x) const {
    return Scalar(1) / std::sqrt(x.square().sum() / static_cast<Scalar>(size()) + static_cast<Scalar>(epsilon));
  }
};

}  // namespace lstmrec

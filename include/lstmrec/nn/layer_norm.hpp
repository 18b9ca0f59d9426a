#pragma once

#include <cmath>
#include <lstmrec/core/buffer.hpp>
#include <lstmrec/core/lanes.hpp>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/products.hpp>
#include <lstmrec/nn/parameters.hpp>

namespace lstmrec {

/// Layer normalisation of every column: y = γ ∘ x̂ + β, x̂ = (x − mean x) / √(var x + ε), ε = 1e-5.
/// Ba, Kiros, Hinton, "Layer normalization", 2016, eq. 4.
template <class Scalar_ = float>
struct LayerNorm {
  using Scalar = Scalar_;
  static constexpr double epsilon = 1e-5;

  /// Everything that `backward` reads.
  struct Cache {
    Buffer<Scalar> normalised;         ///< x̂, size × columns.
    Buffer<Scalar> inverse_deviation;  ///< 1 / √(var x + ε), 1 × columns.
  };

  Vector<Scalar> gain;  ///< γ.
  Vector<Scalar> bias;  ///< β.

  LayerNorm() = default;
  explicit LayerNorm(Index size)
      : gain(linalg::filled<Vector<Scalar>>(size, 1, 1)), bias(linalg::filled<Vector<Scalar>>(size, 1)) {}

  Index size() const { return gain.rows(); }

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... layers) {
    visitor("gain", ParameterKind::bias, layers.gain...);
    visitor("bias", ParameterKind::bias, layers.bias...);
  }

  /// In place, keeping nothing: x (size × columns) := y.
  void apply(MatrixRef<Scalar> x) const {
    for (Index column = 0; column < x.cols(); ++column) {
      Scalar* const y = x.col(column).data();
      normalise(y, y);
      scale(y, y);
    }
  }

  /// In place, keeping what `backward` needs: x (size × columns) := y.
  void forward(MatrixRef<Scalar> x, Cache& cache) const {
    auto normalised = cache.normalised.resize(size(), x.cols());
    auto inverse = cache.inverse_deviation.resize(1, x.cols());
    for (Index column = 0; column < x.cols(); ++column) {
      Scalar *const y = x.col(column).data(), *const unit = normalised.col(column).data();
      inverse(0, column) = normalise(y, unit);
      scale(unit, y);
    }
  }

  /// Adds to `gradients` and turns the gradient of y into that of x, in place.
  void backward(const Cache& cache, LayerNorm& gradients, MatrixRef<Scalar> d) const {
    const auto normalised = cache.normalised.view();
    const auto inverse = cache.inverse_deviation.view();
    Scalar *const d_gain = gradients.gain.data(), *const d_bias = gradients.bias.data();
    const Scalar* const gains = gain.data();
    for (Index column = 0; column < d.cols(); ++column) {
      Scalar* const dy = d.col(column).data();
      const Scalar* const unit = normalised.col(column).data();
      // y = γ ∘ x̂ + β
      for_each_lane<Scalar>(size(), [=](auto at) {
        at.store(d_gain, at[d_gain] + at[dy] * at[unit]);
        at.store(d_bias, at[d_bias] + at[dy]);
        at.store(dy, at[dy] * at[gains]);
      });
      // x̂ = (x − mean) / deviation: a change of mean or deviation alone has no effect on x̂
      const auto count = static_cast<Scalar>(size());
      const Scalar along_ones = sum_of_lanes<Scalar>(size(), [=](auto at) { return at[dy]; }) / count;
      const Scalar along_unit = detail::dot(size(), dy, unit) / count;
      const Scalar factor = inverse(0, column);
      for_each_lane<Scalar>(size(),
                            [=](auto at) { at.store(dy, (at[dy] - along_ones - along_unit * at[unit]) * factor); });
    }
  }

 private:
  /// unit := x̂ of one column; returns 1 / √(var x + ε).
  Scalar normalise(const Scalar* x, Scalar* unit) const {
    const auto count = static_cast<Scalar>(size());
    const Scalar mean = sum_of_lanes<Scalar>(size(), [=](auto at) { return at[x]; }) / count;
    for_each_lane<Scalar>(size(), [=](auto at) { at.store(unit, at[x] - mean); });
    const Scalar variance = detail::dot(size(), unit, unit) / count;
    const Scalar inverse = Scalar(1) / std::sqrt(variance + static_cast<Scalar>(epsilon));
    for_each_lane<Scalar>(size(), [=](auto at) { at.store(unit, inverse * at[unit]); });
    return inverse;
  }

  /// y := γ ∘ unit + β.
  void scale(const Scalar* unit, Scalar* y) const {
    const Scalar *const gains = gain.data(), *const biases = bias.data();
    for_each_lane<Scalar>(size(), [=](auto at) { at.store(y, at[unit] * at[gains] + at[biases]); });
  }
};

}  // namespace lstmrec

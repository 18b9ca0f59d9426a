#pragma once

#include <algorithm>
#include <cmath>
#include <lstmrec/nn/parameters.hpp>
#include <string>

namespace lstmrec {

/// The entry at which analytic and numeric gradient differ most.
struct GradientDifference {
  double relative = 0;  ///< |analytic − numeric| / max(1, |analytic|, |numeric|).
  std::string name;     ///< The parameter, such as `blocks.0.recurrent.bias`.
  Index row = 0, column = 0;
  double analytic = 0, numeric = 0;
};

/// Compares d (rows × columns) with central differences (L(x + ε) − L(x − ε)) / 2ε of `loss()` in every entry of x,
/// which `loss` must read. x is put back. For double; costs two evaluations of the loss an entry.
template <class X, class D, class Loss>
GradientDifference check_gradient(const std::string& name, X& x, const D& d, Loss&& loss, double epsilon = 1e-5) {
  GradientDifference worst{-1, name, 0, 0, 0, 0};
  for (Index column = 0; column < x.cols(); ++column)
    for (Index row = 0; row < x.rows(); ++row) {
      const auto value = x(row, column);
      x(row, column) = value + epsilon;
      const double above = loss();
      x(row, column) = value - epsilon;
      const double below = loss();
      x(row, column) = value;
      const double numeric = (above - below) / (2 * epsilon), analytic = d(row, column);
      const double scale = std::max({1.0, std::abs(analytic), std::abs(numeric)});
      const double relative = std::abs(analytic - numeric) / scale;
      // A NaN compares false, so it has to be asked for.
      if (relative > worst.relative || std::isnan(relative)) worst = {relative, name, row, column, analytic, numeric};
      if (std::isnan(relative)) return worst;
    }
  return worst;
}

/// check_gradient for all parameters of a layer: compares `gradients` with differences of `loss()`, which must read
/// `layer`.
///
///     auto gradients = zeros_like(layer);
///     … forward, backward …
///     CHECK(check_gradients(layer, gradients, [&] { … forward; return the loss … }).relative < 1e-7);
template <class Layer, class Loss>
GradientDifference check_gradients(Layer& layer, const Layer& gradients, Loss&& loss, double epsilon = 1e-5) {
  GradientDifference worst{-1, {}, 0, 0, 0, 0};
  for_each_named_parameter(
      [&](const std::string& name, auto& parameter, const auto& gradient) {
        const auto difference = check_gradient(name, parameter, gradient, loss, epsilon);
        if (!std::isnan(worst.relative) && !(difference.relative <= worst.relative)) worst = difference;
      },
      layer, gradients);
  return worst;
}

}  // namespace lstmrec

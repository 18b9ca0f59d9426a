#pragma once

#include <lstmrec/core/packed_steps.hpp>
#include <lstmrec/nn/gradient_check.hpp>

#include "catch.hpp"
#include "nn/support.hpp"

/// Compares the gradients of a layer from 3 to 4 numbers, and that of its input, with differences. Returns the former.
template <class Layer>
Layer check_layer_gradients(Layer& layer, const lstmrec::PackedSteps& steps) {
  using namespace lstmrec;
  Matrix<double> x = random_matrix(3, steps.columns(), 2);
  const Matrix<double> weights = random_matrix(4, steps.columns(), 3);
  typename Layer::Cache cache;
  Matrix<double> hidden = filled_with_nan(4, steps.columns());
  const auto loss = [&] {
    layer.forward(x, steps, cache, hidden);
    return hidden.cwiseProduct(weights).sum();
  };
  loss();
  auto gradients = ones_like(layer);
  Matrix<double> d_hidden = weights, d_x = filled_with_nan(3, steps.columns());
  layer.backward(x, steps, cache, d_hidden, gradients, d_x);
  subtract_ones(gradients);
  CHECK(check_gradients(layer, gradients, loss).relative < gradient_tolerance);
  CHECK(check_gradient("x", x, d_x, loss).relative < gradient_tolerance);
  return gradients;
}

#pragma once

#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/packed_steps.hpp>
#include <string>

#include "catch.hpp"
#include "golden/golden.hpp"
#include "nn/support.hpp"

/// Checks a layer's output and all its gradients against a golden file.
///
/// What all layers share: the loss is the sum of the outputs times given weights, and the gradients are pre-seeded.
/// run(layer, x, output, d_output, gradients, d_x): forward and backward.
template <class Layer, class Run>
void compare_with_golden(const Golden& golden, const std::string& name, Layer layer, Run&& run) {
  constexpr double tolerance = 1e-12;
  INFO(name);
  golden.load(name + ".", layer);
  const lstmrec::Matrix<double> x = golden[name + ".x"];
  lstmrec::Matrix<double> d_output = golden[name + ".weights"];
  lstmrec::Matrix<double> output = filled_with_nan(d_output.rows(), d_output.cols()),
                          d_x = filled_with_nan(x.rows(), x.cols());
  auto gradients = ones_like(layer);
  run(layer, x, output, d_output, gradients, d_x);
  subtract_ones(gradients);
  CHECK(golden.distance_to(name + ".output", output) < tolerance);
  CHECK(golden.distance_to(name + ".d.x", d_x) < tolerance);
  CHECK(golden.distance(name + ".d.", gradients) < tolerance);
}

/// The same for a layer that runs along the packed sequences of the file.
template <class Layer>
void compare_recurrent_with_golden(const Golden& golden, const std::string& name, const Layer& layer) {
  const lstmrec::PackedSteps steps(golden.list<lstmrec::Index>("lengths"));
  compare_with_golden(golden, name, layer,
                      [&](auto& filled, auto& x, auto& output, auto& d_output, auto& gradients, auto& d_x) {
                        typename Layer::Cache cache;
                        filled.forward(x, steps, cache, output);
                        filled.backward(x, steps, cache, d_output, gradients, d_x);
                      });
}

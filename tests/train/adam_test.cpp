#include <lstmrec/nn/dense.hpp>
#include <lstmrec/train/adam.hpp>
#include <string>

#include "catch.hpp"
#include "golden/golden.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

namespace {

/// Eight steps on the golden gradients; returns the distance from the golden result.
double distance_from_golden(const std::string& result, const AdamOptions& options) {
  const Golden golden("torch_training.txt");
  Dense<double> layer(2, 3), gradients(2, 3);
  golden.load("optimiser.", layer);
  Adam<Dense<double>> adam(layer, options);
  for (int step = 0; step < 8; ++step) {
    gradients.weight = golden["optimiser.d_weight" + std::to_string(step)];
    gradients.bias = golden["optimiser.d_bias" + std::to_string(step)];
    adam.update(layer, gradients, 0.05);
  }
  return golden.distance("optimiser." + result + ".", layer);
}

}  // namespace

TEST_CASE("Adam: PyTorch's steps, with the epsilon of the paper's Algorithm 1") {
  CHECK(distance_from_golden("adam", {.epsilon = 1e-2}) < 1e-14);
}

TEST_CASE("AdamW: PyTorch's decoupled decay, of weights and not of biases") {
  CHECK(distance_from_golden("adamw", {.epsilon = 1e-2, .weight_decay = 0.3}) < 1e-14);
}

TEST_CASE("Adam: Keras' place of epsilon") {
  CHECK(distance_from_golden("keras", {.epsilon = 1e-2, .epsilon_place = EpsilonPlace::uncorrected}) < 1e-14);
  CHECK(distance_from_golden("keras", {.epsilon = 1e-2}) > 1e-3);  // the golden values do tell them apart
}

TEST_CASE("Adam: parameters longer than a block are all updated, float as double") {
  Dense<double> layer(300, 20), gradients(300, 20);
  randomise(layer, 1);
  randomise(gradients, 2);
  Dense<float> single(300, 20), single_gradients(300, 20);
  copy_parameters(single, layer);
  copy_parameters(single_gradients, gradients);
  const auto before = layer;
  Adam<Dense<double>> adam(layer, {.weight_decay = 0.1});
  Adam<Dense<float>> single_adam(single, {.weight_decay = 0.1});
  adam.update(layer, gradients, 0.01);
  single_adam.update(single, single_gradients, 0.01);
  // The first step has the length of the learning rate in every entry, unless the gradient is as small as epsilon.
  const Matrix<double> direction = gradients.weight.array() / (gradients.weight.array().abs() + 1e-8);
  CHECK(distance(layer.weight, before.weight * (1 - 0.01 * 0.1) - 0.01 * direction) < 1e-14);
  CHECK(parameter_distance(layer, single) < 1e-6);
}

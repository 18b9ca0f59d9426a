// Values and gradients of every layer against PyTorch's, in double.
#include <lstmrec/nn/dense.hpp>
#include <lstmrec/nn/feed_forward.hpp>
#include <lstmrec/nn/layer_norm.hpp>
#include <lstmrec/nn/recurrent.hpp>
#include <lstmrec/nn/residual_recurrent_block.hpp>
#include <string>

#include "catch.hpp"
#include "golden/golden.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

namespace {

constexpr double tolerance = 1e-12;

/// What all layers share: the loss is the sum of the outputs times given weights, and the gradients are pre-seeded.
/// run(layer, x, output, d_output, gradients, d_x): forward and backward.
template <class Layer, class Run>
void compare(const std::string& name, Layer layer, Run&& run) {
  const Golden golden("torch_layers.txt");
  golden.load(name + ".", layer);
  const Matrix<double> x = golden[name + ".x"];
  Matrix<double> d_output = golden[name + ".weights"];
  Matrix<double> output = filled_with_nan(d_output.rows(), d_output.cols()), d_x = filled_with_nan(x.rows(), x.cols());
  auto gradients = ones_like(layer);
  run(layer, x, output, d_output, gradients, d_x);
  subtract_ones(gradients);
  CHECK(golden.distance_to(name + ".output", output) < tolerance);
  CHECK(golden.distance_to(name + ".d.x", d_x) < tolerance);
  CHECK(golden.distance(name + ".d.", gradients) < tolerance);
}

PackedSteps golden_steps() { return PackedSteps(Golden("torch_layers.txt").list<Index>("lengths")); }

}  // namespace

TEST_CASE("PyTorch: Lstm over ragged packed sequences") {
  const PackedSteps steps = golden_steps();
  const auto run = [&](auto& layer, auto& x, auto& output, auto& d_output, auto& gradients, auto& d_x) {
    typename std::remove_cvref_t<decltype(layer)>::Cache cache;
    layer.forward(x, steps, cache, output);
    layer.backward(x, steps, cache, d_output, gradients, d_x);
  };
  compare("lstm", Lstm<double>(3, 4), run);
  compare("lstm", Lstm<double, 3, 4>(), run);
}

TEST_CASE("PyTorch: LayerNorm") {
  compare("layer_norm", LayerNorm<double>(5),
          [](auto& layer, auto& x, auto& output, auto& d_output, auto& gradients, auto& d_x) {
            LayerNorm<double>::Cache cache;
            output = x;
            layer.forward(output, cache);
            d_x = d_output;
            layer.backward(cache, gradients, d_x);
            Matrix<double> applied = x;
            layer.apply(applied);
            CHECK(distance(applied, output) < tolerance);
          });
}

TEST_CASE("PyTorch: Dense") {
  compare("dense", Dense<double>(4, 3),
          [](auto& layer, auto& x, auto& output, auto& d_output, auto& gradients, auto& d_x) {
            layer.forward(x, output);
            layer.backward(x, d_output, gradients, d_x);
          });
}

TEST_CASE("PyTorch: FeedForward with gelu in its tanh form") {
  compare("feed_forward", FeedForward<double>(4, 9),
          [](auto& layer, auto& x, auto& output, auto& d_output, auto& gradients, auto& d_x) {
            FeedForward<double>::Cache cache;
            layer.forward(x, cache, output);
            layer.backward(x, cache, d_output, gradients, d_x);
          });
}

TEST_CASE("PyTorch: ResidualRecurrentBlock") {
  using Block = ResidualRecurrentBlock<LstmCell<double>>;
  const PackedSteps steps = golden_steps();
  compare("block", Block(4, 9, 0.0, 0),
          [&](auto& block, auto& x, auto& output, auto& d_output, auto& gradients, auto& d_x) {
            Block::Cache cache;
            block.forward(x, steps, {}, cache, output);
            block.backward(x, steps, {}, cache, d_output, gradients, d_x);
          });
}

// Values and gradients of every layer against PyTorch's, in double.
#include <lstmrec/nn/any_cell.hpp>
#include <lstmrec/nn/dense.hpp>
#include <lstmrec/nn/feed_forward.hpp>
#include <lstmrec/nn/layer_norm.hpp>
#include <lstmrec/nn/recurrent.hpp>
#include <lstmrec/nn/recurrent_block.hpp>
#include <string>

#include "catch.hpp"
#include "golden/golden.hpp"
#include "nn/golden_layer.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

namespace {

constexpr double tolerance = 1e-12;

template <class Layer, class Run>
void compare(const std::string& name, const Layer& layer, Run&& run) {
  compare_with_golden(Golden("torch_layers.txt"), name, layer, run);
}

}  // namespace

TEST_CASE("PyTorch: Lstm over ragged packed sequences") {
  const Golden golden("torch_layers.txt");
  compare_recurrent_with_golden(golden, "lstm", Lstm<double>(3, 4));
  compare_recurrent_with_golden(golden, "lstm", Lstm<double, 3, 4>());
  compare_recurrent_with_golden(golden, "lstm", Recurrent<AnyCell<double>>(3, 4, {CellKind::lstm}));
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

TEST_CASE("PyTorch: RecurrentBlock of an Lstm") {
  using Block = RecurrentBlock<Lstm<double>>;
  const PackedSteps steps(Golden("torch_layers.txt").list<Index>("lengths"));
  compare("block", Block(Lstm<double>(4, 4), 9, 0.0, 0),
          [&](auto& block, auto& x, auto& output, auto& d_output, auto& gradients, auto& d_x) {
            Block::Cache cache;
            block.forward(x, steps, {}, cache, output);
            block.backward(x, steps, {}, cache, d_output, gradients, d_x);
          });
}

// Gradients of what runs along sequences against central differences: layers and blocks of every cell.
#include <cstdint>
#include <lstmrec/nn/attentive.hpp>
#include <lstmrec/nn/gradient_check.hpp>
#include <lstmrec/nn/recurrent.hpp>
#include <lstmrec/nn/recurrent_block.hpp>
#include <string>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "nn/every_cell.hpp"
#include "nn/layer_gradients.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

namespace {

template <class Layer>
void check_layer(Layer layer) {
  const PackedSteps steps(ragged_lengths);
  randomise(layer, 1);
  const auto gradients = check_layer_gradients(layer, steps);

  // Without the gradient of x, the others are the same.
  const Matrix<double> x = random_matrix(3, steps.columns(), 2);
  Matrix<double> d_hidden = random_matrix(4, steps.columns(), 3), hidden(4, steps.columns());
  typename Layer::Cache cache;
  layer.forward(x, steps, cache, hidden);
  auto gradients_alone = ones_like(layer);
  layer.backward(x, steps, cache, d_hidden, gradients_alone);
  subtract_ones(gradients_alone);
  CHECK(same_bits(gradients_alone, gradients));
}

/// Three blocks with dropout, one on the other; `layer` is of size 4.
template <class Layer>
void check_three_blocks(const Layer& layer, Index middle, BlockKind kind) {
  using Block = RecurrentBlock<Layer>;
  const PackedSteps steps(ragged_lengths);
  std::vector<Block> blocks;
  for (std::uint64_t number = 0; number < 3; ++number) {
    blocks.emplace_back(layer, middle, 0.3, number, kind);
    randomise(blocks.back(), number + 1);
  }
  const auto seeds = some_keys(steps.columns());
  Matrix<double> x = random_matrix(4, steps.columns(), 2);
  const Matrix<double> weights = random_matrix(4, steps.columns(), 3);
  std::vector<typename Block::Cache> caches(3);
  std::vector<Matrix<double>> outputs(3, filled_with_nan(4, steps.columns()));
  const auto loss = [&] {
    for (std::size_t i = 0; i < 3; ++i)
      blocks[i].forward(i == 0 ? x : outputs[i - 1], steps, seeds, caches[i], outputs[i]);
    return outputs[2].cwiseProduct(weights).sum();
  };
  loss();
  std::vector<Block> gradients;
  for (const auto& block : blocks) gradients.push_back(ones_like(block));
  Matrix<double> d_output = weights, d_input = filled_with_nan(4, steps.columns());
  for (std::size_t i = 3; i-- > 0;) {
    blocks[i].backward(i == 0 ? x : outputs[i - 1], steps, seeds, caches[i], d_output, gradients[i], d_input);
    d_output.swap(d_input);
  }
  for (std::size_t i = 0; i < 3; ++i) {
    subtract_ones(gradients[i]);
    const auto difference = check_gradients(blocks[i], gradients[i], loss);
    INFO("block " << i << ", " << difference.name << "(" << difference.row << ", " << difference.column << ")");
    CHECK(difference.relative < gradient_tolerance);
  }
  CHECK(check_gradient("x", x, d_output, loss).relative < gradient_tolerance);
}

}  // namespace

TEST_CASE("Every cell: gradients of parameters and input agree with differences") {
  for_each_layer<double>(3, 4, [](const std::string& name, const auto& layer) {
    INFO(name);
    check_layer(layer);
  });
  for_each_equations([]<class Equations>(Equations) { check_layer(Recurrent<GatedCell<Equations, double, 3, 4>>()); });
}

TEST_CASE("Three stacked blocks with dropout: gradients agree with differences for every cell") {
  for_each_layer<double>(4, 4, [](const std::string& name, const auto& layer) {
    INFO(name);
    check_three_blocks(layer, 9, BlockKind::residual);
  });
}

TEST_CASE("Three stacked blocks without feed-forward parts: gradients agree with differences for every cell") {
  for_each_layer<double>(4, 4, [](const std::string& name, const auto& layer) {
    INFO(name);
    check_three_blocks(layer, 0, BlockKind::residual);
  });
}

TEST_CASE("Three stacked plain blocks with dropout: gradients agree with differences for every cell") {
  for_each_layer<double>(4, 4, [](const std::string& name, const auto& layer) {
    INFO(name);
    check_three_blocks(layer, 9, BlockKind::plain);
  });
}

TEST_CASE("Three stacked blocks with attention and dropout: gradients agree with differences") {
  for (const BlockKind kind : {BlockKind::residual, BlockKind::plain})
    check_three_blocks(Attentive<Lstm<double>>({4, 4}, 3), 9, kind);
}

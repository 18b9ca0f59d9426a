/// A block of one's own, without an edit to the library: a network takes any type that satisfies NetworkBlock, and fit,
/// save, load, sessions and evaluation work for it.
///
/// Here it is a decaying sum of what has been seen; own_block.hpp holds the block, which is all that the library needs.
///
/// The program checks the gradient against differences, trains, and saves and serves the result.
/// Usage, from the repository's root: own_block [MovieLens release [file of the model]]

#include "own_block.hpp"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <iostream>
#include <lstmrec/nn.hpp>
#include <lstmrec/own_network.hpp>
#include <vector>

using namespace lstmrec;
using own_block::DecayingSum;

/// The largest difference between the block's gradient and central differences, over ragged sequences.
double check_block() {
  const std::vector<Index> lengths{5, 4, 2};
  const PackedSteps steps(lengths);
  DecayingSum<double> block(3, {}, 0), gradients(3, {}, 0);
  Random random(1);
  Matrix<double> x(3, steps.columns()), weights(3, steps.columns()), output(3, steps.columns()), d_x = output;
  for (double& number : x.reshaped()) number = random.normal();
  for (double& number : weights.reshaped()) number = random.normal();
  for (double& number : block.decay) number = random.normal();
  DecayingSum<double>::Cache cache;
  const auto loss = [&] {
    block.forward(x, steps, {}, cache, output);
    return output.cwiseProduct(weights).sum();
  };
  loss();
  Matrix<double> d_output = weights;
  block.backward(x, steps, {}, cache, d_output, gradients, d_x);
  return std::max(check_gradients(block, gradients, loss).relative, check_gradient("x", x, d_x, loss).relative);
}

int main(int argc, char** argv) try {
  const double difference = check_block();
  std::cout << "gradient and differences agree to " << difference << '\n';
  if (!(difference < 1e-7)) return 1;

  using Network = NextItemNetwork<float, DecayingSum<float>>;
  const auto split = leave_one_out(build_sequences(read_movielens(argc > 1 ? argv[1] : "data/sample")));
  const auto recommender =
      fit<Network>(split, {.embedding_size = 32, .hidden_size = 32, .training = {.epochs = 8}}).recommender;
  std::cout << evaluate(recommender, split, split.test, {.cutoffs = {10}}) << '\n';

  const std::filesystem::path path = argc > 2 ? argv[2] : "own_block.safetensors";
  save(recommender, path);
  const auto loaded = load_recommender<Network>(path);
  BasicSession session(loaded);
  session.observe(loaded.item_ids().id(0));
  for (const auto& [item, title, score] : session.top_n(3)) std::cout << title << '\n';
} catch (const std::exception& e) {
  std::cerr << "own_block: " << e.what() << '\n';
  return 1;
}

#include <cmath>
#include <cstdint>
#include <lstmrec/nn/feed_forward.hpp>
#include <lstmrec/nn/losses.hpp>
#include <lstmrec/nn/lstm_cell.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <lstmrec/nn/residual_recurrent_block.hpp>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

TEST_CASE("Parameters: nested names, in one order, with their kinds") {
  using Block = ResidualRecurrentBlock<LstmCell<float>>;
  const Block block(4, 9, 0, 0);
  std::vector<std::string> names;
  for_each_named_parameter([&](const std::string& name, const auto&) { names.push_back(name); }, block);
  CHECK(names == std::vector<std::string>{"recurrent.input_weight", "recurrent.recurrent_weight", "recurrent.bias",
                                          "recurrent_norm.gain", "recurrent_norm.bias", "feed_forward.expand.weight",
                                          "feed_forward.expand.bias", "feed_forward.contract.weight",
                                          "feed_forward.contract.bias", "feed_forward_norm.gain",
                                          "feed_forward_norm.bias"});
  int weights = 0, biases = 0;
  auto visitor = [&](const char*, Kind kind, const auto&) { ++(kind == Kind::weight ? weights : biases); };
  Block::visit(visitor, block);
  CHECK(weights == 4);
  CHECK(biases == 7);
  CHECK(parameter_count(block) == 16 * 4 * 2 + 16 + 4 * 4 + 9 * 4 * 2 + 9 + 4);
}

TEST_CASE("Parameters: zeros, norms and copies between types") {
  FeedForward<float> a(3, 5);
  randomise(a, 1);
  const auto zeros = zeros_like(a);
  CHECK(parameter_norm(zeros) == 0);
  CHECK(parameter_count(zeros) == parameter_count(a));
  double squares = 0;
  for_each_parameter([&](const auto& p) { squares += p.template cast<double>().squaredNorm(); }, a);
  CHECK(parameter_norm(a) == Approx(std::sqrt(squares)));
  FeedForward<double> wide;
  copy_parameters(wide, a);
  FeedForward<float> back;
  copy_parameters(back, wide);
  CHECK(same_bits(a, back));
}

TEST_CASE("Parameters: the blocks hold every number of every layer once, with its kind") {
  Dense<float> a(50, 90), b(50, 90);  // 4500 weights: more than two blocks
  randomise(a, 1);
  randomise(b, 2);
  const Dense<float> before = a;
  Index weights = 0, biases = 0;
  for (auto& [kind, x, y] : parameter_blocks(a, std::as_const(b))) {
    (kind == Kind::weight ? weights : biases) += x.size();
    CHECK(x.size() <= 2048);
    x -= 3 * y;
  }
  CHECK(weights == 4500);
  CHECK(biases == 90);
  CHECK(distance(a.weight, before.weight - 3 * b.weight) < 1e-6);
  CHECK(distance(a.bias, before.bias - 3 * b.bias) < 1e-6);
}

TEST_CASE("Initialisers: Keras' defaults of the LSTM cell") {
  LstmCell<double> cell(20, 30);
  Random random(1), same(1), other(2);
  cell.initialise(random);
  const double limit = std::sqrt(6.0 / (20 + 120));
  CHECK(cell.input_weight.cwiseAbs().maxCoeff() <= limit);
  CHECK(cell.input_weight.cwiseAbs().maxCoeff() > 0.99 * limit);
  CHECK(cell.input_weight.array().square().mean() == Approx(limit * limit / 3).epsilon(0.1));
  CHECK(distance(cell.recurrent_weight.transpose() * cell.recurrent_weight, Matrix<double>::Identity(30, 30)) < 1e-13);
  for (Index unit = 0; unit < 120; ++unit) CHECK(cell.bias(unit) == (unit >= 30 && unit < 60 ? 1 : 0));
  LstmCell<double> again(20, 30), different(20, 30);
  again.initialise(same);
  different.initialise(other);
  CHECK(same_bits(cell, again));
  CHECK_FALSE(same_bits(cell, different));
  LstmCell<float, 8, 16> fixed;
  fixed.initialise(random);
  CHECK(distance(fixed.recurrent_weight.transpose() * fixed.recurrent_weight, Matrix<double>::Identity(16, 16)) < 1e-5);
}

TEST_CASE("Softmax cross-entropy stays finite at logits that overflow the exponential") {
  Matrix<float> logits(3, 2);
  logits << 5e4f, -1e30f, -5e4f, -1e30f, 0, 1e30f;
  const std::vector<std::uint32_t> items = {1, 2};
  const std::vector<float> weights = {0.5f, 0.5f};
  const double loss = SoftmaxCrossEntropy{}(logits, ItemTargets{1, items, weights, {}});
  CHECK(loss == Approx(0.5 * 1e5));
  Matrix<float> expected(3, 2);
  expected << 0.5f, 0, -0.5f, 0, 0, 0;
  CHECK(logits == expected);
}

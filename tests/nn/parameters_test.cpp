#include <algorithm>
#include <cmath>
#include <cstdint>
#include <lstmrec/nn/dense.hpp>
#include <lstmrec/nn/feed_forward.hpp>
#include <lstmrec/nn/gru_cell.hpp>
#include <lstmrec/nn/losses.hpp>
#include <lstmrec/nn/lstm_cell.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <lstmrec/nn/recurrent_block.hpp>
#include <lstmrec/nn/slstm_cell.hpp>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "nn/item_tables.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

TEST_CASE("Parameters: nested names, in one order, with their kinds") {
  using Block = RecurrentBlock<Lstm<float>>;
  const Block block(Lstm<float>(4, 4), 9, 0, 0);
  std::vector<std::string> names;
  for_each_named_parameter([&](const std::string& name, const auto&) { names.push_back(name); }, block);
  CHECK(names == std::vector<std::string>{"recurrent.input_weight", "recurrent.recurrent_weight", "recurrent.bias",
                                          "recurrent_norm.gain", "recurrent_norm.bias", "feed_forward.expand.weight",
                                          "feed_forward.expand.bias", "feed_forward.contract.weight",
                                          "feed_forward.contract.bias", "feed_forward_norm.gain",
                                          "feed_forward_norm.bias"});
  int weights = 0, biases = 0;
  auto visitor = [&](const char*, ParameterKind kind, const auto&) {
    ++(kind == ParameterKind::weight ? weights : biases);
  };
  Block::visit(visitor, block);
  CHECK(weights == 4);
  CHECK(biases == 7);
  CHECK(parameter_count(block) == 16 * 4 * 2 + 16 + 4 * 4 + 9 * 4 * 2 + 9 + 4);
  CHECK(parameter_count(Block(Lstm<float>(4, 4), 0, 0, 0)) == 16 * 4 * 2 + 16 + 2 * 4);
  CHECK(parameter_count(Block(Lstm<float>(4, 4), 9, 0, 0, BlockKind::plain)) == 16 * 4 * 2 + 16);
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
  const auto x = parameter_views(a);
  const auto y = parameter_views(std::as_const(b));
  Index weights = 0, biases = 0;
  for (const ParameterBlock& block : parameter_blocks(x)) {
    (block.kind == ParameterKind::weight ? weights : biases) += block.count;
    CHECK(block.count <= 2048);
    CHECK(block.of_whole(x) == block.of(x));
    for (Index k = 0; k < block.count; ++k) block.of(x)[k] -= 3 * block.of(y)[k];
  }
  CHECK(weights == 4500);
  CHECK(biases == 90);
  CHECK(distance(a.weight, before.weight - 3 * b.weight) < 1e-6);
  CHECK(distance(a.bias, before.bias - 3 * b.bias) < 1e-6);
}

TEST_CASE("Parameters: views borrow the numbers, and know shapes, kinds and, where asked for, names") {
  FeedForward<float> layer(3, 5);
  randomise(layer, 1);
  const auto views = parameter_views(layer, true);
  REQUIRE(views.size() == 4);
  CHECK(views[0].name == "expand.weight");
  CHECK(views[1].name == "expand.bias");
  CHECK(views[2].name == "contract.weight");
  CHECK(views[3].name == "contract.bias");
  CHECK(views[2].data == layer.contract.weight.data());
  CHECK(views[2].matrix() == layer.contract.weight);
  CHECK(views[2].rows == 3);
  CHECK(views[2].columns == 5);
  CHECK(views[2].kind == ParameterKind::weight);
  CHECK_FALSE(views[2].is_vector);
  CHECK(views[3].kind == ParameterKind::bias);
  CHECK(views[3].is_vector);
  // A matrix of one column is no vector.
  const Dense<float> narrow(1, 5);
  CHECK_FALSE(parameter_views(narrow)[0].is_vector);
  for (const auto& view : parameter_views(layer)) CHECK(view.name.empty());
}

TEST_CASE("Parameters: sparse blocks pair the columns of some items with those of all") {
  // The part has one more column than there are items; it is ignored.
  const std::vector<std::uint32_t> items = {5, 0, 3};
  ItemTables<float> part(4, 3), whole(7, 3);
  randomise(part, 1);
  randomise(whole, 2);
  const ItemTables<float> before = whole;
  const auto from = parameter_views(std::as_const(part));
  const auto to = parameter_views(whole);
  for (const ParameterBlock& block : sparse_parameter_blocks(from, items)) {
    if (is_by_item(block.kind)) CHECK(std::find(items.begin(), items.end(), block.item) != items.end());
    for (Index k = 0; k < block.count; ++k) block.of_whole(to)[k] += block.of(from)[k];
  }
  ItemTables<float> expected = before;
  expected.dense.weight += part.dense.weight;
  expected.dense.bias += part.dense.bias;
  for (std::size_t j = 0; j < items.size(); ++j) {
    expected.vectors.table.col(items[j]) += part.vectors.table.col(static_cast<Index>(j));
    expected.head.bias[items[j]] += part.head.bias[static_cast<Index>(j)];
  }
  CHECK(same_bits(whole, expected));
  // Without items, or with empty tables, there are the blocks of the dense part alone.
  CHECK(sparse_parameter_blocks(from, {}).size() == 2);
  ItemTables<float> without_tables(0, 3);
  CHECK(sparse_parameter_blocks(parameter_views(without_tables), items).size() == 2);
}

TEST_CASE("Parameters: reserved items are room in the item tables, and never less than before") {
  ItemTables<float> tables(4, 3);
  const Dense<float> dense = tables.dense;
  reserve_items(tables, 9);
  CHECK(tables.vectors.table.rows() == 3);
  CHECK(tables.vectors.table.cols() == 9);
  CHECK(tables.head.bias.size() == 9);
  reserve_items(tables, 2);
  CHECK(tables.vectors.table.cols() == 9);
  CHECK(tables.head.bias.size() == 9);
  CHECK(same_bits(tables.dense, dense));
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

TEST_CASE("Initialisers: the GRU's biases are zero, and the sLSTM's forget gate starts open") {
  Random random(1);
  GruCell<double> gru(20, 30);
  randomise(gru, 1);
  gru.initialise(random);
  const double limit = std::sqrt(6.0 / (20 + 90));  // three gates read the input
  CHECK(gru.input_weight.cwiseAbs().maxCoeff() <= limit);
  CHECK(gru.input_weight.cwiseAbs().maxCoeff() > 0.99 * limit);
  CHECK(distance(gru.recurrent_weight.transpose() * gru.recurrent_weight, Matrix<double>::Identity(30, 30)) < 1e-13);
  CHECK((gru.bias.array() == 0).all());
  SlstmCell<double> slstm(20, 30);
  randomise(slstm, 1);
  slstm.initialise(random);
  for (Index unit = 0; unit < 120; ++unit) CHECK(slstm.bias(unit) == (unit >= 30 && unit < 60 ? 1 : 0));
}

TEST_CASE("Softmax cross-entropy stays finite at logits that overflow the exponential") {
  Matrix<float> logits(3, 2);
  logits << 5e4f, -1e30f, -5e4f, -1e30f, 0, 1e30f;
  const std::vector<std::uint32_t> rows = {1, 2};
  const std::vector<float> weights = {0.5f, 0.5f};
  const double loss = SoftmaxCrossEntropy{}(logits, LogitLabels{1, rows, weights, {}, {}, {}});
  CHECK(loss == Approx(0.5 * 1e5));
  Matrix<float> expected(3, 2);
  expected << 0.5f, 0, -0.5f, 0, 0, 0;
  CHECK(distance(logits, expected) < 1e-37);  // a vector register's exponential ends at e^−88
}

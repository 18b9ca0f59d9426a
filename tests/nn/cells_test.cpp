// The cells beside the LSTM, the cell that is chosen at run time, and a cell of one's own.
#include <array>
#include <cmath>
#include <lstmrec/nn/any_cell.hpp>
#include <lstmrec/nn/dense.hpp>
#include <lstmrec/nn/gated_cell.hpp>
#include <lstmrec/nn/gradient_check.hpp>
#include <lstmrec/nn/recurrent.hpp>
#include <lstmrec/nn/recurrent_block.hpp>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "golden/golden.hpp"
#include "nn/every_cell.hpp"
#include "nn/golden_layer.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

namespace {

/// A cell of one's own: the plain recurrent network, h = tanh(W x + U h⁻ + b).
struct TanhEquations {
  static constexpr CellShape static_shape{.gates = 1, .input = 1, .recurrent = 1, .memory = 0};
  static constexpr CellShape shape() { return static_shape; }

  template <class Scalar>
  static void activate(Index units, Scalar* z, const Scalar*, const Scalar*, Scalar*, Scalar* hidden) {
    for (Index unit = 0; unit < units; ++unit) hidden[unit] = z[unit] = std::tanh(z[unit]);
  }
  template <class Scalar>
  static void activate_backward(Index units, Scalar* z, const Scalar*, const Scalar*, const Scalar*,
                                const Scalar* d_hidden, Scalar*, Scalar*) {
    for (Index unit = 0; unit < units; ++unit) z[unit] = d_hidden[unit] * (1 - z[unit] * z[unit]);
  }
  template <class Scalar>
  static void initialise_memory(Index, Scalar*) {}
  template <class Scalar>
  static void initialise_bias(Index units, Scalar* bias) {
    std::fill_n(bias, units, Scalar(0.5));
  }
};

template <class Scalar, int Input = Eigen::Dynamic, int Hidden = Eigen::Dynamic>
using TanhLayer = Recurrent<GatedCell<TanhEquations, Scalar, Input, Hidden>>;

static_assert(CellEquations<LstmEquations> && CellEquations<GruEquations> && CellEquations<SlstmEquations>);
static_assert(CellEquations<AnyCellEquations> && CellEquations<TanhEquations>);
static_assert(!CellEquations<CellShape>);

static_assert(RecurrentLayer<Lstm<float>> && RecurrentLayer<Gru<float>> && RecurrentLayer<Slstm<float>>);
static_assert(RecurrentLayer<Lstm<double>> && RecurrentLayer<Gru<double>> && RecurrentLayer<Slstm<double>>);
static_assert(RecurrentLayer<Lstm<float, 3, 4>> && RecurrentLayer<Gru<double, 3, 4>> &&
              RecurrentLayer<Slstm<float, 3, 4>>);
static_assert(RecurrentLayer<Recurrent<AnyCell<float>>> && RecurrentLayer<Recurrent<AnyCell<double>>>);
static_assert(RecurrentLayer<TanhLayer<float>> && RecurrentLayer<TanhLayer<double, 3, 4>>);
static_assert(!RecurrentLayer<LstmCell<float>> && !RecurrentLayer<Dense<float>>);

static_assert(NetworkBlock<RecurrentBlock<Lstm<float>>> && NetworkBlock<RecurrentBlock<Gru<double>>>);
static_assert(NetworkBlock<RecurrentBlock<Slstm<float>>> && NetworkBlock<RecurrentBlock<Recurrent<AnyCell<float>>>>);
static_assert(NetworkBlock<RecurrentBlock<TanhLayer<float>>>);
static_assert(!NetworkBlock<Lstm<float>> && !NetworkBlock<Dense<float>>);

static_assert(ProjectsInputs<Lstm<float>> && ProjectsInputs<Recurrent<AnyCell<float>>>);
static_assert(ProjectsInputs<RecurrentBlock<Gru<float>>> && !ProjectsInputs<Dense<float>>);

/// h of every step of one sequence.
template <class Layer>
Matrix<typename Layer::Scalar> hidden_of(const Layer& layer, const Matrix<typename Layer::Scalar>& x) {
  typename Layer::Cache cache;
  Matrix<typename Layer::Scalar> hidden(layer.hidden_size(), x.cols());
  layer.forward(x, PackedSteps(std::vector<Index>{x.cols()}), cache, hidden);
  return hidden;
}

/// The gradients of one sequence's parameters, where those of its outputs are all one.
template <class Layer>
Layer gradients_of(const Layer& layer, const Matrix<typename Layer::Scalar>& x) {
  using Scalar = typename Layer::Scalar;
  const PackedSteps steps(std::vector<Index>{x.cols()});
  typename Layer::Cache cache;
  Matrix<Scalar> hidden(layer.hidden_size(), x.cols());
  Layer gradients = zeros_like(layer);
  layer.forward(x, steps, cache, hidden);
  hidden.setOnes();
  layer.backward(x, steps, cache, hidden, gradients);
  return gradients;
}

/// The sLSTM of one sequence as it stands in the paper, without the stabiliser.
Matrix<double> plain_slstm(const Slstm<double>& layer, const Matrix<double>& x) {
  const Index units = layer.hidden_size();
  const auto sigmoid = [](double z) { return 1 / (1 + std::exp(-z)); };
  Matrix<double> hidden = Matrix<double>::Zero(units, x.cols());
  Vector<double> c = Vector<double>::Zero(units), n = c, h = c;
  for (Index step = 0; step < x.cols(); ++step) {
    const Vector<double> z = layer.cell.input_weight * x.col(step) + layer.cell.recurrent_weight * h + layer.cell.bias;
    for (Index unit = 0; unit < units; ++unit) {
      const double i = std::exp(z(unit)), f = sigmoid(z(units + unit));
      c(unit) = f * c(unit) + i * std::tanh(z(2 * units + unit));
      n(unit) = f * n(unit) + i;
      h(unit) = sigmoid(z(3 * units + unit)) * c(unit) / n(unit);
    }
    hidden.col(step) = h;
  }
  return hidden;
}

/// The float sLSTM against the double one and against the paper's equations; all its gradients against the double ones.
void compare_float_slstm(const Slstm<float>& single, const Matrix<float>& x) {
  Slstm<double> twofold;
  copy_parameters(twofold, single);
  const Matrix<double> wide_x = x.cast<double>();
  const Matrix<double> hidden = hidden_of(twofold, wide_x);
  CHECK(distance(hidden, plain_slstm(twofold, wide_x)) < 1e-12);
  CHECK(distance(hidden_of(single, x), hidden) < 1e-4);
  // A pre-activation of 100 is known to 4e-6 in float, and so is the logarithm of its exponential.
  const auto gradients = gradients_of(single, x);
  const auto wide_gradients = gradients_of(twofold, wide_x);
  for_each_named_parameter(
      [](const std::string& name, const auto& d, const auto& wide_d) {
        INFO(name);
        CHECK(distance(d, wide_d) < 1e-4 * std::max(1.0, wide_d.cwiseAbs().maxCoeff()));
      },
      gradients, wide_gradients);
  // Step by step it is the same.
  auto state = single.cell.initial_state();
  for (Index step = 0; step < x.cols(); ++step) {
    single.cell.step(x.col(step), state);
    CHECK(state.memory.allFinite());
    CHECK(distance(state.hidden, hidden.col(step)) < 1e-4);
  }
}

}  // namespace

TEST_CASE("PyTorch: Gru over ragged packed sequences") {
  const Golden golden("torch_cells.txt");
  compare_recurrent_with_golden(golden, "gru", Gru<double>(3, 4));
  compare_recurrent_with_golden(golden, "gru", Gru<double, 3, 4>());
  compare_recurrent_with_golden(golden, "gru", Recurrent<AnyCell<double>>(3, 4, {CellKind::gru}));
}

TEST_CASE("Golden values: Slstm over ragged packed sequences, with usual and with large gates") {
  const Golden golden("torch_cells.txt");
  for (const std::string name : {"slstm", "slstm_large"}) {
    compare_recurrent_with_golden(golden, name, Slstm<double>(3, 4));
    compare_recurrent_with_golden(golden, name, Slstm<double, 3, 4>());
    compare_recurrent_with_golden(golden, name, Recurrent<AnyCell<double>>(3, 4, {CellKind::slstm}));
  }
}

TEST_CASE("Slstm: float stays finite and right where the exponential of a gate overflows") {
  // Every pair of an input bias and a forget bias is that of one unit.
  const std::array<float, 3> input_biases = {-100, 0, 100}, forget_biases = {-60, 0, 60};
  Slstm<float> layer(4, 9);
  randomise(layer, 1);
  for (Index unit = 0; unit < 9; ++unit) {
    layer.cell.bias(unit) = input_biases[static_cast<std::size_t>(unit / 3)];
    layer.cell.bias(9 + unit) = forget_biases[static_cast<std::size_t>(unit % 3)];
  }
  const Matrix<float> x = random_matrix<float>(4, 40, 2);
  compare_float_slstm(layer, x);
  // Gates that swing from one end to the other along the sequence.
  layer.cell.input_weight.topRows(2 * 9) *= 40;
  REQUIRE((layer.cell.input_weight * x).topRows(9).maxCoeff() > 100);
  REQUIRE((layer.cell.input_weight * x).topRows(9).minCoeff() < -100);
  compare_float_slstm(layer, x);
}

TEST_CASE("AnyCell: a kind computes the bits of the cell of its own type") {
  const auto compare = [](CellKind kind, const auto& layer) {
    INFO(name_of(kind));
    using Layer = std::remove_cvref_t<decltype(layer)>;
    using Scalar = typename Layer::Scalar;
    using Any = Recurrent<AnyCell<Scalar>>;
    const PackedSteps steps(ragged_lengths);
    Any any(layer.input_size(), layer.hidden_size(), {kind});
    Any initialised = any;
    Layer same_initialised = layer;
    Random random(5), same_random(5);
    initialised.initialise(random);
    same_initialised.initialise(same_random);
    CHECK(parameter_distance(initialised, same_initialised) == 0);

    copy_parameters(any, layer);
    const Matrix<Scalar> x = random_matrix<Scalar>(layer.input_size(), steps.columns(), 2);
    const Matrix<Scalar> weights = random_matrix<Scalar>(layer.hidden_size(), steps.columns(), 3);
    const auto run = [&](const auto& some, Matrix<Scalar>& hidden, Matrix<Scalar>& d_x) {
      typename std::remove_cvref_t<decltype(some)>::Cache cache;
      auto gradients = zeros_like(some);
      Matrix<Scalar> d_hidden = weights;
      some.forward(x, steps, cache, hidden);
      some.backward(x, steps, cache, d_hidden, gradients, d_x);
      return gradients;
    };
    Matrix<Scalar> hidden = weights, any_hidden = weights, d_x = x, any_d_x = x;
    const auto gradients = run(layer, hidden, d_x);
    const auto any_gradients = run(any, any_hidden, any_d_x);
    CHECK(any_hidden == hidden);
    CHECK(any_d_x == d_x);
    CHECK(parameter_distance(any_gradients, gradients) == 0);

    auto one = layer.cell.initial_state();
    auto any_one = any.cell.initial_state();
    auto many = layer.cell.initial_state(3);
    auto any_many = any.cell.initial_state(3);
    CHECK(any_one.memory == one.memory);
    CHECK(any_many.memory == many.memory);
    for (Index step = 0; step < 5; ++step) {
      layer.cell.step(x.col(step), one);
      any.cell.step(x.col(step), any_one);
      CHECK(any_one.hidden == one.hidden);
      CHECK(any_one.memory == one.memory);
      layer.cell.step(x.middleCols(step, 3), many);
      any.cell.step(x.middleCols(step, 3), any_many);
      CHECK(any_many.hidden == many.hidden);
      CHECK(any_many.memory == many.memory);
    }
  };
  const auto compare_types = [&](CellKind kind, auto single, auto twofold) {
    randomise(single, 1);
    randomise(twofold, 1);
    compare(kind, single);
    compare(kind, twofold);
  };
  compare_types(CellKind::lstm, Lstm<float>(7, 13), Lstm<double>(7, 13));
  compare_types(CellKind::gru, Gru<float>(7, 13), Gru<double>(7, 13));
  compare_types(CellKind::slstm, Slstm<float>(7, 13), Slstm<double>(7, 13));
}

TEST_CASE("AnyCell: the kinds' names and shapes, and the LSTM by default") {
  CHECK(name_of(CellKind::lstm) == "lstm");
  CHECK(name_of(CellKind::gru) == "gru");
  CHECK(name_of(CellKind::slstm) == "slstm");
  CHECK(AnyCell<float>(3, 4).equations.kind == CellKind::lstm);
  const AnyCell<float> gru(3, 4, {CellKind::gru});
  CHECK(gru.input_weight.rows() == 12);
  CHECK(gru.recurrent_weight.rows() == 12);
  CHECK(gru.gate_size() == 16);
  CHECK(gru.memory_size() == 0);
  const AnyCell<float> slstm(3, 4, {CellKind::slstm});
  CHECK(slstm.input_weight.rows() == 16);
  CHECK(slstm.memory_size() == 12);
}

TEST_CASE("A cell of one's own: values, gradients, and a place in a block") {
  const PackedSteps steps(ragged_lengths);
  TanhLayer<double> layer(3, 4);
  Random random(1);
  layer.initialise(random);
  CHECK((layer.cell.bias.array() == 0.5).all());
  CHECK(distance(layer.cell.recurrent_weight.transpose() * layer.cell.recurrent_weight,
                 Matrix<double>::Identity(4, 4)) < 1e-13);
  randomise(layer, 1);
  Matrix<double> x = random_matrix(3, steps.columns(), 2);
  const Matrix<double> weights = random_matrix(4, steps.columns(), 3);
  TanhLayer<double>::Cache cache;
  Matrix<double> hidden = filled_with_nan(4, steps.columns());
  const auto loss = [&] {
    layer.forward(x, steps, cache, hidden);
    return hidden.cwiseProduct(weights).sum();
  };
  loss();
  Vector<double> h = Vector<double>::Zero(4);
  for (Index step = 0; step < steps.steps(); ++step) {  // of the longest sequence
    h = (layer.cell.input_weight * x.col(steps.begin(step)) + layer.cell.recurrent_weight * h + layer.cell.bias)
            .array()
            .tanh();
    CHECK(distance(hidden.col(steps.begin(step)), h) < 1e-14);
  }
  auto gradients = ones_like(layer);
  Matrix<double> d_hidden = weights, d_x = filled_with_nan(3, steps.columns());
  layer.backward(x, steps, cache, d_hidden, gradients, d_x);
  subtract_ones(gradients);
  CHECK(check_gradients(layer, gradients, loss).relative < gradient_tolerance);
  CHECK(check_gradient("x", x, d_x, loss).relative < gradient_tolerance);

  TanhLayer<double, 3, 4> fixed;
  copy_parameters(fixed, layer);
  auto state = fixed.cell.initial_state();
  for (Index step = 0; step < steps.steps(); ++step) fixed.cell.step(x.col(steps.begin(step)), state);
  CHECK(distance(state.hidden, h) < 1e-14);

  // All its matrices are rows where it has one unit.
  TanhLayer<double, 3, 1> row;
  TanhLayer<double> same_row(3, 1);
  randomise(row, 6);
  copy_parameters(same_row, row);
  CHECK(distance(hidden_of(row, x), hidden_of(same_row, x)) < 1e-14);
  CHECK(parameter_distance(gradients_of(row, x), gradients_of(same_row, x)) < 1e-13);

  using Block = RecurrentBlock<TanhLayer<double>>;
  Block block(TanhLayer<double>(4, 4), 9, 0.3, 0);
  randomise(block, 4);
  const auto seeds = some_keys(steps.columns());
  Matrix<double> block_x = random_matrix(4, steps.columns(), 5), output = filled_with_nan(4, steps.columns());
  Block::Cache block_cache;
  const auto block_loss = [&] {
    block.forward(block_x, steps, seeds, block_cache, output);
    return output.cwiseProduct(weights).sum();
  };
  block_loss();
  auto block_gradients = ones_like(block);
  Matrix<double> d_output = weights, d_block_x = filled_with_nan(4, steps.columns());
  block.backward(block_x, steps, seeds, block_cache, d_output, block_gradients, d_block_x);
  subtract_ones(block_gradients);
  CHECK(check_gradients(block, block_gradients, block_loss).relative < gradient_tolerance);
  CHECK(check_gradient("x", block_x, d_block_x, block_loss).relative < gradient_tolerance);
}

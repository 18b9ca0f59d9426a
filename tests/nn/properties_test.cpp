// What must hold between the ways of computing one thing. The tolerances are the promise: different numbers of columns
// take different paths through Eigen's products, so results agree to rounding and not in every bit.
#include <cstddef>
#include <lstmrec/nn/recurrent.hpp>
#include <lstmrec/nn/residual_recurrent_block.hpp>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

namespace {

template <class Scalar>
constexpr double rounding = std::is_same_v<Scalar, float> ? 2e-6 : 1e-14;

/// The columns of one sequence in a packed batch.
Matrix<double> sequence_of(const Matrix<double>& packed, const PackedSteps& steps, Index sequence, Index length) {
  Matrix<double> columns(packed.rows(), length);
  for (Index step = 0; step < length; ++step) columns.col(step) = packed.col(steps.begin(step) + sequence);
  return columns;
}

template <class Layer>
Matrix<typename Layer::Scalar> hidden_of(const Layer& layer, const Matrix<typename Layer::Scalar>& x,
                                         const PackedSteps& steps) {
  typename Layer::Cache cache;
  Matrix<typename Layer::Scalar> hidden(layer.hidden_size(), x.cols());
  layer.forward(x, steps, cache, hidden);
  return hidden;
}

template <class Scalar, int Input, int Hidden>
void compare_fixed_with_dynamic() {
  LstmCell<Scalar, Input, Hidden> fixed;
  LstmCell<Scalar> dynamic(Input, Hidden);
  randomise(fixed, 1);
  copy_parameters(dynamic, fixed);
  REQUIRE(parameter_distance(fixed, dynamic) == 0);

  auto fixed_state = fixed.initial_state();
  auto dynamic_state = dynamic.initial_state();
  for (std::uint64_t step = 0; step < 5; ++step) {
    const Matrix<Scalar> x = random_matrix<Scalar>(Input, 1, step);
    fixed.step(Eigen::Matrix<Scalar, Input, 1>(x.col(0)), fixed_state);
    dynamic.step(x.col(0), dynamic_state);
    CHECK(distance(fixed_state.hidden, dynamic_state.hidden) < rounding<Scalar>);
    CHECK(distance(fixed_state.memory, dynamic_state.memory) < rounding<Scalar>);
  }

  const PackedSteps steps(lengths);
  Lstm<Scalar, Input, Hidden> fixed_layer;
  Lstm<Scalar> dynamic_layer(Input, Hidden);
  randomise(fixed_layer, 2);
  copy_parameters(dynamic_layer, fixed_layer);
  const Matrix<Scalar> x = random_matrix<Scalar>(Input, steps.columns(), 3);
  CHECK(distance(hidden_of(fixed_layer, x, steps), hidden_of(dynamic_layer, x, steps)) < rounding<Scalar>);

  const auto gradients_of = [&](const auto& layer, Matrix<Scalar>& d_x) {
    typename std::remove_cvref_t<decltype(layer)>::Cache cache;
    Matrix<Scalar> hidden(Hidden, x.cols()), d_hidden = random_matrix<Scalar>(Hidden, x.cols(), 4);
    auto gradients = zeros_like(layer);
    layer.forward(x, steps, cache, hidden);
    layer.backward(x, steps, cache, d_hidden, gradients, d_x);
    return gradients;
  };
  Matrix<Scalar> fixed_d_x(Input, x.cols()), dynamic_d_x(Input, x.cols());
  const auto fixed_gradients = gradients_of(fixed_layer, fixed_d_x);
  const auto dynamic_gradients = gradients_of(dynamic_layer, dynamic_d_x);
  CHECK(parameter_distance(fixed_gradients, dynamic_gradients) < 20 * rounding<Scalar>);
  CHECK(distance(fixed_d_x, dynamic_d_x) < 20 * rounding<Scalar>);
}

template <class Layer>
void compare_step_with_forward(const Layer& layer) {
  using Scalar = typename Layer::Scalar;
  const PackedSteps steps(lengths);
  const Matrix<Scalar> x = random_matrix<Scalar>(layer.input_size(), steps.columns(), 3);
  const Matrix<Scalar> hidden = hidden_of(layer, x, steps);
  for (Index sequence = 0; sequence < steps.sequences(); ++sequence) {
    auto state = layer.cell.initial_state();
    for (Index step = 0; step < lengths[static_cast<std::size_t>(sequence)]; ++step) {
      const Index column = steps.begin(step) + sequence;
      layer.cell.step(x.col(column), state);
      CHECK(distance(state.hidden, hidden.col(column)) < rounding<Scalar>);
    }
  }
  auto state = layer.cell.initial_state(steps.sequences());
  for (Index step = 0; step < steps.steps(); ++step) {
    const Matrix<Scalar> now = x.middleCols(steps.begin(step), steps.alive(step));
    layer.cell.step(now, state);
    CHECK(distance(state.hidden.leftCols(now.cols()), hidden.middleCols(steps.begin(step), now.cols())) <
          rounding<Scalar>);
  }
  // A sequence that has ended keeps its last state.
  for (Index sequence = 0; sequence < steps.sequences(); ++sequence) {
    const Index last = steps.begin(lengths[static_cast<std::size_t>(sequence)] - 1) + sequence;
    CHECK(distance(state.hidden.col(sequence), hidden.col(last)) < rounding<Scalar>);
  }
}

}  // namespace

TEST_CASE("Lstm: fixed sizes compute what run-time sizes compute") {
  compare_fixed_with_dynamic<float, 8, 16>();
  compare_fixed_with_dynamic<double, 8, 16>();
  compare_fixed_with_dynamic<float, 3, 5>();
  compare_fixed_with_dynamic<double, 1, 1>();
}

TEST_CASE("Lstm: steps of one and of many sequences compute what forward computes") {
  Lstm<float> single(7, 13);
  Lstm<double> twofold(7, 13);
  Lstm<float, 8, 16> fixed;
  randomise(single, 1);
  randomise(twofold, 1);
  randomise(fixed, 1);
  compare_step_with_forward(single);
  compare_step_with_forward(twofold);
  compare_step_with_forward(fixed);
}

TEST_CASE("Lstm: a sequence's result does not depend on its batch mates") {
  const PackedSteps steps(lengths);
  Lstm<double> layer(7, 13);
  randomise(layer, 1);
  const Matrix<double> x = random_matrix(7, steps.columns(), 2);
  const Matrix<double> hidden = hidden_of(layer, x, steps);
  for (Index sequence = 0; sequence < steps.sequences(); ++sequence) {
    const Index length = lengths[static_cast<std::size_t>(sequence)];
    const PackedSteps alone(std::vector<Index>{length});
    CHECK(distance(hidden_of(layer, sequence_of(x, steps, sequence, length), alone),
                   sequence_of(hidden, steps, sequence, length)) < rounding<double>);
  }
}

TEST_CASE("Lstm: later events change nothing earlier") {
  const PackedSteps steps(lengths);
  Lstm<double> layer(3, 4);
  randomise(layer, 1);
  Matrix<double> x = random_matrix(3, steps.columns(), 2);
  const Matrix<double> before = hidden_of(layer, x, steps);
  const Index changed = steps.begin(2) + 1;  // step 2 of sequence 1
  x.col(changed).array() += 1;
  const Matrix<double> after = hidden_of(layer, x, steps);
  for (Index step = 0; step < steps.steps(); ++step)
    for (Index sequence = 0; sequence < steps.alive(step); ++sequence) {
      const Index column = steps.begin(step) + sequence;
      const bool may_change = sequence == 1 && step >= 2;
      CHECK((before.col(column) == after.col(column)) == !may_change);
    }
}

TEST_CASE("ResidualRecurrentBlock: steps of one and of many sequences compute what forward computes") {
  const PackedSteps steps(lengths);
  ResidualRecurrentBlock<LstmCell<float>> block(7, 10, 0.5, 0);
  randomise(block, 1);
  const Matrix<float> x = random_matrix<float>(7, steps.columns(), 2);
  Matrix<float> output(7, x.cols());
  ResidualRecurrentBlock<LstmCell<float>>::Cache cache;
  block.forward(x, steps, {}, cache, output);  // without keys there is no dropout
  auto many = block.initial_state<Eigen::Dynamic>(steps.sequences());
  for (Index step = 0; step < steps.steps(); ++step) {
    Matrix<float> now = x.middleCols(steps.begin(step), steps.alive(step));
    block.step(now, many);
    CHECK(distance(now, output.middleCols(steps.begin(step), now.cols())) < 1e-5);
  }
  auto one = block.initial_state<1>(1);
  for (Index step = 0; step < steps.steps(); ++step) {
    Vector<float> now = x.col(steps.begin(step));
    block.step(now, one);
    CHECK(distance(now, output.col(steps.begin(step))) < 1e-5);
  }
}

TEST_CASE("Lstm: float agrees with double") {
  const PackedSteps steps(lengths);
  Lstm<float> single(7, 13);
  Lstm<double> twofold(7, 13);
  randomise(single, 1);
  copy_parameters(twofold, single);
  const Matrix<float> x = random_matrix<float>(7, steps.columns(), 2);
  CHECK(distance(hidden_of(single, x, steps), hidden_of(twofold, x.cast<double>(), steps)) < rounding<float>);
}

TEST_CASE("Lstm: a batch without sequences, and one step only") {
  Lstm<double> layer(3, 4);
  randomise(layer, 1);
  CHECK(hidden_of(layer, Matrix<double>(3, 0), PackedSteps()).size() == 0);
  const PackedSteps one(std::vector<Index>{1, 1});
  const Matrix<double> x = random_matrix(3, 2, 1);
  auto state = layer.cell.initial_state();
  layer.cell.step(x.col(1), state);
  CHECK(distance(hidden_of(layer, x, one).col(1), state.hidden) < rounding<double>);
}

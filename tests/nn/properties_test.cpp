// What must hold between the ways of computing one thing. The tolerances are the promise: different numbers of columns
// take different paths through Eigen's products, so results agree to rounding and not in every bit.
#include <cstddef>
#include <cstdint>
#include <lstmrec/nn/recurrent.hpp>
#include <lstmrec/nn/recurrent_block.hpp>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "nn/every_cell.hpp"
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

template <class Equations, class Scalar, int Input, int Hidden>
void compare_fixed_with_dynamic() {
  using FixedCell = GatedCell<Equations, Scalar, Input, Hidden>;
  using DynamicCell = GatedCell<Equations, Scalar>;
  FixedCell fixed;
  DynamicCell dynamic(Input, Hidden);
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

  const PackedSteps steps(ragged_lengths);
  Recurrent<FixedCell> fixed_layer;
  Recurrent<DynamicCell> dynamic_layer(Input, Hidden);
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
  const PackedSteps steps(ragged_lengths);
  const Matrix<Scalar> x = random_matrix<Scalar>(layer.input_size(), steps.columns(), 3);
  const Matrix<Scalar> hidden = hidden_of(layer, x, steps);
  for (Index sequence = 0; sequence < steps.sequences(); ++sequence) {
    auto state = layer.cell.initial_state();
    for (Index step = 0; step < ragged_lengths[static_cast<std::size_t>(sequence)]; ++step) {
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
    const Index last = steps.begin(ragged_lengths[static_cast<std::size_t>(sequence)] - 1) + sequence;
    CHECK(distance(state.hidden.col(sequence), hidden.col(last)) < rounding<Scalar>);
  }
}

/// Steps from projections of many inputs, of which each sequence chooses one, against steps from the inputs themselves.
template <class Layer>
void compare_step_projected_with_step(const Layer& layer) {
  using Scalar = typename Layer::Scalar;
  const Matrix<Scalar> inputs = random_matrix<Scalar>(layer.input_size(), 11, 3);
  Matrix<Scalar> projections(layer.projection_size(), 11);
  layer.project_inputs(inputs, projections);
  const std::vector<std::uint32_t> chosen = {4, 0, 10, 4, 7, 1, 1, 9};
  auto one = layer.initial_state(1), one_projected = one;
  for (const std::uint32_t item : chosen) {
    layer.step(inputs.col(item), one);
    layer.step_projected(projections, std::span(&item, 1), one_projected);
    CHECK(distance(one_projected.hidden, one.hidden) < rounding<Scalar>);
    CHECK(distance(one_projected.memory, one.memory) < rounding<Scalar>);
  }
  auto many = layer.initial_state(4), many_projected = many;
  for (std::size_t step = 0; step < 5; ++step) {
    const auto items = std::span(chosen).subspan(step, step < 3 ? 4 : 2);  // the last two sequences end early
    Matrix<Scalar> now(layer.input_size(), static_cast<Index>(items.size()));
    for (std::size_t j = 0; j < items.size(); ++j) now.col(static_cast<Index>(j)) = inputs.col(items[j]);
    layer.step(now, many);
    layer.step_projected(projections, items, many_projected);
    CHECK(distance(many_projected.hidden, many.hidden) < rounding<Scalar>);
    CHECK(distance(many_projected.memory, many.memory) < rounding<Scalar>);
  }
}

/// Calls function(block) for a block of every cell and kind: 7 rows, random parameters.
template <class Function>
void for_each_block(Function&& function) {
  for_each_layer<float>(7, 7, [&](const std::string& name, const auto& layer) {
    using Block = RecurrentBlock<std::remove_cvref_t<decltype(layer)>>;
    for (const auto& [kind, middle] :
         {std::pair(BlockKind::residual, Index{10}), std::pair(BlockKind::residual, Index{0}),
          std::pair(BlockKind::plain, Index{10})}) {
      INFO(name << (kind == BlockKind::plain ? ", plain" : ", residual") << ", middle size " << middle);
      Block block(layer, middle, 0.5, 0, kind);
      randomise(block, 1);
      CHECK(block.has_feed_forward() == (kind == BlockKind::residual && middle > 0));
      function(block);
    }
  });
}

}  // namespace

TEST_CASE("Every cell: fixed sizes compute what run-time sizes compute") {
  compare_fixed_with_dynamic<LstmEquations, float, 3, 5>();  // of no whole number of registers
  for_each_equations([]<class Equations>(Equations) {
    compare_fixed_with_dynamic<Equations, float, 8, 16>();
    compare_fixed_with_dynamic<Equations, double, 1, 1>();
  });
}

TEST_CASE("Every cell: steps of one and of many sequences compute what forward computes") {
  const auto compare = [](const std::string& name, auto layer) {
    INFO(name);
    randomise(layer, 1);
    compare_step_with_forward(layer);
  };
  for_each_layer<float>(7, 13, compare);
  for_each_layer<double>(7, 13, compare);
  for_each_equations([&]<class Equations>(Equations) {
    compare("fixed", Recurrent<GatedCell<Equations, float, 8, 16>>());
    compare("fixed, of one unit and input", Recurrent<GatedCell<Equations, double, 1, 1>>());
  });
}

TEST_CASE("Every cell: steps from projected inputs compute what steps compute") {
  const auto compare = [](const std::string& name, auto layer) {
    INFO(name);
    randomise(layer, 1);
    compare_step_projected_with_step(layer);
  };
  for_each_layer<float>(7, 13, compare);
  for_each_layer<double>(7, 13, compare);
  for_each_equations([&]<class Equations>(Equations) {
    compare("fixed", Recurrent<GatedCell<Equations, float, 8, 16>>());
    compare("fixed, of one unit and input", Recurrent<GatedCell<Equations, double, 1, 1>>());
  });
}

TEST_CASE("Every cell: a sequence's result does not depend on its batch mates") {
  for_each_layer<double>(7, 13, [](const std::string& name, auto layer) {
    INFO(name);
    const PackedSteps steps(ragged_lengths);
    randomise(layer, 1);
    const Matrix<double> x = random_matrix(7, steps.columns(), 2);
    const Matrix<double> hidden = hidden_of(layer, x, steps);
    for (Index sequence = 0; sequence < steps.sequences(); ++sequence) {
      const Index length = ragged_lengths[static_cast<std::size_t>(sequence)];
      const PackedSteps alone(std::vector<Index>{length});
      CHECK(distance(hidden_of(layer, sequence_of(x, steps, sequence, length), alone),
                     sequence_of(hidden, steps, sequence, length)) < rounding<double>);
    }
  });
}

TEST_CASE("Every cell: later events change nothing earlier") {
  for_each_layer<double>(3, 4, [](const std::string& name, auto layer) {
    INFO(name);
    const PackedSteps steps(ragged_lengths);
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
  });
}

TEST_CASE("RecurrentBlock: steps of one and of many sequences compute what forward computes") {
  for_each_block([](const auto& block) {
    const PackedSteps steps(ragged_lengths);
    const Matrix<float> x = random_matrix<float>(7, steps.columns(), 2);
    Matrix<float> output(7, x.cols());
    typename std::remove_cvref_t<decltype(block)>::Cache cache;
    block.forward(x, steps, {}, cache, output);  // without seeds there is no dropout
    auto many = block.initial_state(steps.sequences());
    for (Index step = 0; step < steps.steps(); ++step) {
      Matrix<float> now = x.middleCols(steps.begin(step), steps.alive(step));
      block.step_recurrent(now, many);
      block.compute_output(now, many);
      CHECK(distance(now, output.middleCols(steps.begin(step), now.cols())) < 1e-5);
    }
    auto one = block.initial_state(1);
    for (Index step = 0; step < steps.steps(); ++step) {
      Vector<float> now = x.col(steps.begin(step));
      block.step_recurrent(now, one);
      block.compute_output(now, one);
      CHECK(distance(now, output.col(steps.begin(step))) < 1e-5);
    }
  });
}

TEST_CASE("RecurrentBlock: steps from projected inputs compute what steps compute") {
  for_each_block([](const auto& block) {
    const Matrix<float> inputs = random_matrix<float>(7, 11, 3);
    Matrix<float> projections(block.projection_size(), 11);
    block.project_inputs(inputs, projections);
    auto state = block.initial_state(1), projected = state;
    for (const std::uint32_t item : {4u, 0u, 10u, 4u}) {
      Vector<float> now = inputs.col(item), now_projected = now;
      block.step_recurrent(now, state);
      block.compute_output(now, state);
      block.step_projected(projections, std::span(&item, 1), projected);
      block.compute_output(now_projected, projected);
      CHECK(distance(now_projected, now) < 1e-5);
    }
  });
}

TEST_CASE("RecurrentBlock: a step passes on what visit_state visits, and nothing else") {
  for_each_block([](const auto& block) {
    using Block = std::remove_cvref_t<decltype(block)>;
    const auto matrices_of = [](auto& state) {
      std::vector<Matrix<float>> matrices;
      Block::visit_state(state, [&](auto& matrix) { matrices.push_back(matrix); });
      return matrices;
    };
    const Matrix<float> x = random_matrix<float>(7, 3, 2);
    auto state = block.initial_state(1);
    block.step_recurrent(x.col(0), state);
    block.step_recurrent(x.col(1), state);
    const auto kept = matrices_of(state);
    auto restored = block.initial_state(1);
    std::size_t number = 0;
    Block::visit_state(restored, [&](auto& matrix) { matrix = kept[number++]; });
    REQUIRE(number == kept.size());
    Vector<float> output = x.col(2), restored_output = output;
    block.step_recurrent(output, state);
    block.compute_output(output, state);
    block.step_recurrent(restored_output, restored);
    block.compute_output(restored_output, restored);
    CHECK(restored_output == output);
    CHECK(matrices_of(restored) == matrices_of(state));
  });
}

TEST_CASE("Every cell: float agrees with double") {
  const auto compare = [](const std::string& name, auto single, auto twofold) {
    INFO(name);
    const PackedSteps steps(ragged_lengths);
    randomise(single, 1);
    copy_parameters(twofold, single);
    const Matrix<float> x = random_matrix<float>(7, steps.columns(), 2);
    CHECK(distance(hidden_of(single, x, steps), hidden_of(twofold, x.cast<double>(), steps)) < rounding<float>);
  };
  compare("LSTM", Lstm<float>(7, 13), Lstm<double>(7, 13));
  compare("GRU", Gru<float>(7, 13), Gru<double>(7, 13));
  compare("sLSTM", Slstm<float>(7, 13), Slstm<double>(7, 13));
}

TEST_CASE("Every cell: a batch without sequences, and one step only") {
  for_each_layer<double>(3, 4, [](const std::string& name, auto layer) {
    INFO(name);
    randomise(layer, 1);
    const Matrix<double> none(3, 0);
    CHECK(hidden_of(layer, none, PackedSteps()).size() == 0);
    typename decltype(layer)::Cache cache;
    Matrix<double> hidden(4, 0), d_x(3, 0);
    layer.forward(none, PackedSteps(), cache, hidden);
    auto gradients = zeros_like(layer);
    layer.backward(none, PackedSteps(), cache, hidden, gradients, d_x);
    CHECK(parameter_norm(gradients) == 0);
    const PackedSteps one(std::vector<Index>{1, 1});
    const Matrix<double> x = random_matrix(3, 2, 1);
    auto state = layer.cell.initial_state();
    layer.cell.step(x.col(1), state);
    CHECK(distance(hidden_of(layer, x, one).col(1), state.hidden) < rounding<double>);
  });
}

// Attention over the last states: against its formula written out, against differences, and as a stream.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <lstmrec/nn/any_cell.hpp>
#include <lstmrec/nn/attentive.hpp>
#include <span>
#include <vector>

#include "catch.hpp"
#include "nn/layer_gradients.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

namespace {

using Layer = Attentive<Recurrent<AnyCell<double>>>;

/// One sequence longer than two tiles of steps, and the ragged ones of every test.
const std::vector<Index> with_a_long_one = {70, 6, 4, 4, 2, 1};

/// h + y of every step by the formula as the docstring has it.
Matrix<double> plain_attention(const StateAttention<double>& layer, const Matrix<double>& h, const PackedSteps& steps) {
  Matrix<double> output = h;
  const auto column_of = [&](Index step, Index sequence) { return steps.begin(step) + sequence; };
  for (Index t = 0; t < steps.steps(); ++t)
    for (Index sequence = 0; sequence < steps.alive(t); ++sequence) {
      const Vector<double> q = layer.query * h.col(column_of(t, sequence));
      Vector<double> sum = Vector<double>::Zero(layer.size());
      double all = 0;
      for (Index s = std::max<Index>(0, t - layer.window() + 1); s <= t; ++s) {
        const auto state = h.col(column_of(s, sequence));
        const double a = std::exp(q.dot(state) / std::sqrt(double(layer.size())) + layer.distance(t - s));
        sum += a * state;
        all += a;
      }
      output.col(column_of(t, sequence)) += layer.output.weight * (sum / all) + layer.output.bias;
    }
  return output;
}

Layer attentive(CellKind cell, Index input, Index hidden, Index window) {
  Layer layer({input, hidden, AnyCellEquations{cell}}, window);
  randomise(layer, 1);
  return layer;
}

}  // namespace

TEST_CASE("Attention over states is its formula, whatever the window and the lengths") {
  const PackedSteps steps(with_a_long_one);
  for (const Index window : {1, 3, 31, 40, 200}) {
    INFO("window " << window);
    StateAttention<double> layer(4, window);
    randomise(layer, 1);
    const Matrix<double> h = random_matrix(4, steps.columns(), 2);
    Matrix<double> output = h;
    StateAttention<double>::Cache cache;
    layer.forward(steps, cache, output);
    CHECK(distance(output, plain_attention(layer, h, steps)) < 1e-12);
  }
}

TEST_CASE("Attention over no states at all does nothing") {
  const PackedSteps none;
  StateAttention<double> layer(4, 3), gradients(4, 3);
  randomise(layer, 1);
  Matrix<double> h(4, 0);
  StateAttention<double>::Cache cache;
  layer.forward(none, cache, h);
  layer.backward(none, cache, gradients, h);
  CHECK(parameter_norm(gradients) == 0);
}

TEST_CASE("Attention begins as nothing: an initialised layer gives what its recurrent layer gives") {
  const PackedSteps steps(ragged_lengths);
  Layer layer({3, 4, AnyCellEquations{CellKind::lstm}}, 3);
  Random random(1);
  layer.initialise(random);
  CHECK(layer.attention.query.norm() > 0);
  const Matrix<double> x = random_matrix(3, steps.columns(), 2);
  Matrix<double> with = filled_with_nan(4, steps.columns()), without = with;
  Layer::Cache cache;
  layer.forward(x, steps, cache, with);
  layer.layer.forward(x, steps, cache.layer, without);
  CHECK(distance(with, without) == 0);
}

TEST_CASE("An attentive layer's gradients agree with differences for every cell") {
  const PackedSteps steps(with_a_long_one);
  for (const CellKind cell : {CellKind::lstm, CellKind::gru, CellKind::slstm})
    for (const Index window : {3, 40}) {
      INFO("cell " << static_cast<int>(cell) << ", window " << window);
      Layer layer = attentive(cell, 3, 4, window);
      check_layer_gradients(layer, steps);
    }
}

TEST_CASE("An attentive layer's steps, from inputs and from projected inputs, compute what forward computes") {
  const PackedSteps steps(with_a_long_one);
  const Layer layer = attentive(CellKind::lstm, 3, 4, 7);
  const Matrix<double> x = random_matrix(3, steps.columns(), 2);
  Matrix<double> hidden = filled_with_nan(4, steps.columns());
  Layer::Cache cache;
  layer.forward(x, steps, cache, hidden);
  Matrix<double> projections(layer.projection_size(), steps.columns());
  layer.project_inputs(x, projections);
  auto state = layer.initial_state(steps.sequences()), projected = layer.initial_state(steps.sequences());
  for (Index step = 0; step < steps.steps(); ++step) {
    const Index begin = steps.begin(step), alive = steps.alive(step);
    layer.step(ConstMatrixRef<double>(x).middleCols(begin, alive), state);
    std::vector<std::uint32_t> columns;
    for (Index k = 0; k < alive; ++k) columns.push_back(static_cast<std::uint32_t>(begin + k));
    layer.step_projected(projections, columns, projected);
    CHECK(distance(layer.hidden(state, alive), hidden.middleCols(begin, alive)) < 1e-12);
    CHECK(distance(layer.hidden(projected, alive), hidden.middleCols(begin, alive)) < 1e-12);
    // To ask twice changes nothing.
    CHECK(distance(layer.hidden(state, alive), hidden.middleCols(begin, alive)) < 1e-12);
  }
}

TEST_CASE("A stream whose count of states is impossible begins anew") {
  const Layer layer = attentive(CellKind::lstm, 3, 4, 7);
  const Matrix<double> x = random_matrix(3, 1, 2);
  auto expected = layer.initial_state(1);
  layer.step(x, expected);
  for (const double count : {-1.0, 14.0, 1e30, std::nan("")}) {
    auto state = layer.initial_state(1);
    state.attention.ring.setConstant(9);  // which must not be seen
    state.attention.count(0, 0) = count;
    layer.step(x, state);
    CHECK(distance(layer.hidden(state, 1), layer.hidden(expected, 1)) == 0);
  }
}

TEST_CASE("A stream before its first event attends to nothing") {
  const Layer layer = attentive(CellKind::lstm, 3, 4, 7);
  auto state = layer.initial_state(2);
  CHECK(distance(layer.hidden(state, 2), Matrix<double>::Zero(4, 2)) == 0);
}

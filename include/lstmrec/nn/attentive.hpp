#pragma once

#include <cstdint>
#include <lstmrec/core/packed_steps.hpp>
#include <lstmrec/nn/recurrent.hpp>
#include <lstmrec/nn/state_attention.hpp>
#include <span>
#include <utility>

namespace lstmrec {

/// A recurrent layer that looks back at its last outputs: hₜ + attention(hₜ, hₜ₋₁, …), see StateAttention. With a
/// window of 0 it is the layer alone.
template <RecurrentLayer Layer>
struct Attentive {
  using Scalar = typename Layer::Scalar;

  struct Cache {
    typename Layer::Cache layer;
    typename StateAttention<Scalar>::Cache attention;
  };
  struct State {
    typename Layer::State layer;
    typename StateAttention<Scalar>::State attention;
    Matrix<Scalar> hidden;  ///< The output, size × columns; empty without attention.
  };

  Layer layer;
  StateAttention<Scalar> attention;

  Attentive() = default;
  /// `window`: how many states it looks at, the last one included.
  Attentive(Layer recurrent, Index window) : layer(std::move(recurrent)) {
    if (window > 0) attention = StateAttention<Scalar>(layer.hidden_size(), window);
  }

  Index input_size() const { return layer.input_size(); }
  Index hidden_size() const { return layer.hidden_size(); }
  void initialise(Random& random) {
    layer.initialise(random);
    if (attention.is_used()) attention.initialise(random);
  }

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... layers) {
    Layer::visit(visitor, layers.layer...);
    visit_member(visitor, "attention", layers.attention...);
  }

  /// hidden (hidden × columns) := the output of every step. x: input × columns.
  void forward(ConstMatrixRef<Scalar> x, const PackedSteps& steps, Cache& cache, MatrixRef<Scalar> hidden) const {
    layer.forward(x, steps, cache.layer, hidden);
    if (attention.is_used()) attention.forward(steps, cache.attention, hidden);
  }

  /// Adds to `gradients` and overwrites d_input (input × columns); uses up d_hidden and the cache.
  void backward(ConstMatrixRef<Scalar> x, const PackedSteps& steps, Cache& cache, MatrixRef<Scalar> d_hidden,
                Attentive& gradients, MatrixRef<Scalar> d_input) const {
    if (attention.is_used()) attention.backward(steps, cache.attention, gradients.attention, d_hidden);
    layer.backward(x, steps, cache.layer, d_hidden, gradients.layer, d_input);
  }

  State initial_state(Index columns) const {
    return {layer.initial_state(columns), attention.initial_state(columns),
            linalg::filled<Matrix<Scalar>>(attention.is_used() ? hidden_size() : 0, columns)};
  }
  void step(ConstMatrixRef<Scalar> x, State& state) const {
    layer.step(x, state.layer);
    remember(x.cols(), state);
  }
  /// The output of the last step of the first `columns` sequences. Attention is computed here, so that steps whose
  /// output nobody reads do without it.
  ConstMatrixRef<Scalar> hidden(State& state, Index columns) const {
    const ConstMatrixRef<Scalar> last = layer.hidden(state.layer, columns);
    if (!attention.is_used()) return last;
    const auto output = MatrixRef<Scalar>(state.hidden).leftCols(columns);
    linalg::copy(last, output);
    attention.add_attended(state.attention, output);
    return output;
  }

  template <class SomeState, class Visitor>
  static void visit_state(SomeState& state, Visitor&& visitor) {
    Layer::visit_state(state.layer, visitor);
    StateAttention<Scalar>::visit_state(state.attention, visitor);
  }

  Index projection_size() const requires ProjectsInputs<Layer> { return layer.projection_size(); }
  void project_inputs(ConstMatrixRef<Scalar> x, MatrixRef<Scalar> projections) const requires ProjectsInputs<Layer> {
    layer.project_inputs(x, projections);
  }
  void step_projected(ConstMatrixRef<Scalar> projections, std::span<const std::uint32_t> chosen,
                      State& state) const requires ProjectsInputs<Layer> {
    layer.step_projected(projections, chosen, state.layer);
    remember(static_cast<Index>(chosen.size()), state);
  }

 private:
  void remember(Index columns, State& state) const {
    if (attention.is_used()) attention.remember(layer.hidden(state.layer, columns), state.attention);
  }
};

}  // namespace lstmrec

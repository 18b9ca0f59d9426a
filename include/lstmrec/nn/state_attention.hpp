#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <lstmrec/core/buffer.hpp>
#include <lstmrec/core/packed_steps.hpp>
#include <lstmrec/core/products.hpp>
#include <lstmrec/nn/dense.hpp>
#include <vector>

namespace lstmrec {

/// Looks back at the last states of a sequence: those of the step itself and of the window − 1 steps before it.
///
///     qₜ = Q hₜ
///     aₛ = softmaxₛ(qₜ·hₛ / √size + r₍ₜ₋ₛ₎)        t − window < s ≤ t
///     yₜ = P Σₛ aₛ hₛ + p
///
/// h: size × columns; Q, P: size × size; r: window numbers, one a distance. Matrices for keys and values would add
/// nothing: Q stands for the product of queries' and keys' matrices, and P for that of values' and outputs'. So a
/// stream keeps the states themselves, and an event costs it one copy. Source: Vaswani et al., "Attention is all you
/// need", 2017, eq. 1, with one head; Merity, "Single headed attention RNN", 2019, puts one behind an LSTM.
///
/// Cost of a step whose output is wanted: 4 size² + 4 window size operations; of any other a copy of h. In training a
/// step takes its products with up to window + 31 states. Memory of a stream: window × size numbers a sequence.
template <class Scalar_ = float>
struct StateAttention {
  using Scalar = Scalar_;

  /// Everything that `backward` reads. The columns of one sequence stand beside each other here.
  struct Cache {
    std::vector<Index> begins;  ///< Of each sequence's columns, and the end.
    Buffer<Scalar> states;      ///< h, size × columns.
    Buffer<Scalar> queries;     ///< q / √size, size × columns.
    Buffer<Scalar> weights;     ///< a, a column a step, a row for each state that the step's tile sees.
    Buffer<Scalar> attended;    ///< Σ a h, size × columns.
    Buffer<Scalar> outputs;     ///< Scratch: y, its gradient, and that of the queries, size × columns.
    Buffer<Scalar> d_attended, d_states, d_weights;  ///< Scratch of `backward`.
  };

  /// The last states of any number of sequences, with scratch.
  struct State {
    Matrix<Scalar> ring;  ///< (window · size) × columns: a sequence's k-th state stands at place k mod window.
    /// 1 × columns: the number of states so far; from 2 window it falls back to window, so that a float holds it
    /// exactly.
    Matrix<Scalar> count;
    Matrix<Scalar> query, weights, attended;  ///< Scratch.
  };

  Matrix<Scalar> query;     ///< Q.
  Vector<Scalar> distance;  ///< r.
  Dense<Scalar> output;     ///< P, p.

  StateAttention() = default;
  StateAttention(Index size, Index window)
      : query(linalg::filled<Matrix<Scalar>>(size, size)),
        distance(linalg::filled<Vector<Scalar>>(window, 1)),
        output(size, size) {}

  bool is_used() const { return window() > 0; }
  Index size() const { return query.rows(); }
  Index window() const { return distance.size(); }

  /// Q is drawn as Glorot does; P stays 0, so that a network begins as one without attention.
  void initialise(Random& random) { fill_glorot(query, size(), size(), random); }

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... layers) {
    visitor("query", ParameterKind::weight, layers.query...);
    visitor("distance", ParameterKind::bias, layers.distance...);
    visit_member(visitor, "output", layers.output...);
  }

  /// h (size × columns) := h + y.
  void forward(const PackedSteps& steps, Cache& cache, MatrixRef<Scalar> h) const {
    assert(h.rows() == size() && h.cols() == steps.columns());
    find_sequences(steps, cache.begins);
    auto states = cache.states.resize(size(), h.cols());
    auto queries = cache.queries.resize(size(), h.cols());
    auto attended = cache.attended.resize(size(), h.cols());
    auto outputs = cache.outputs.resize(size(), h.cols());
    cache.weights.resize(std::min(window() + tile - 1, steps.steps()), h.cols());
    for_each_column(steps, cache.begins, [&](Index packed, Index own) {
      linalg::copy(ConstMatrixRef<Scalar>(h).middleCols(packed, 1), states.middleCols(own, 1));
    });
    linalg::product(query, states, queries);
    linalg::flat(queries) *= scale();
    for_each_tile(cache, [&](const Tile& part, MatrixRef<Scalar> weights) {
      const ConstMatrixRef<Scalar> seen = states.middleCols(part.first_state, part.states);
      linalg::transposed_product(seen, queries.middleCols(part.first_step, part.steps), weights);
      for (Index k = 0; k < part.steps; ++k) softmax(part, k, weights.col(k).data());
      linalg::product(seen, weights, attended.middleCols(part.first_step, part.steps));
    });
    output.forward(attended, outputs);
    for_each_column(steps, cache.begins, [&](Index packed, Index own) {
      linalg::add(ConstMatrixRef<Scalar>(outputs).middleCols(own, 1), h.middleCols(packed, 1));
    });
  }

  /// Adds to `gradients` and turns d_h (size × columns), the gradient of h + y, into that of h.
  void backward(const PackedSteps& steps, Cache& cache, StateAttention& gradients, MatrixRef<Scalar> d_h) const {
    assert(d_h.rows() == size() && d_h.cols() == steps.columns() && cache.states.view().cols() == d_h.cols());
    const auto states = cache.states.view();
    const auto queries = cache.queries.view();
    auto d_outputs = cache.outputs.view();
    auto d_attended = cache.d_attended.resize(size(), d_h.cols());
    auto d_states = cache.d_states.resize(size(), d_h.cols());
    for_each_column(steps, cache.begins, [&](Index packed, Index own) {
      linalg::copy(ConstMatrixRef<Scalar>(d_h).middleCols(packed, 1), d_outputs.middleCols(own, 1));
    });
    output.backward(cache.attended.view(), d_outputs, gradients.output, d_attended);
    linalg::set_zero(d_states);
    auto d_queries = d_outputs;
    for_each_tile(cache, [&](const Tile& part, MatrixRef<Scalar> weights) {
      const ConstMatrixRef<Scalar> seen = states.middleCols(part.first_state, part.states);
      const ConstMatrixRef<Scalar> d_sums = d_attended.middleCols(part.first_step, part.steps);
      auto d_seen = d_states.middleCols(part.first_state, part.states);
      auto d_weights = cache.d_weights.resize(part.states, part.steps);
      linalg::transposed_product(seen, d_sums, d_weights);
      linalg::add_product_transposed(d_sums, weights, d_seen);
      for (Index k = 0; k < part.steps; ++k) {
        // The gradient of the softmax's input: a ⊙ (d − a·d).
        const Scalar* const a = weights.col(k).data();
        Scalar* const d = d_weights.col(k).data();
        const Scalar along = detail::dot(part.states, a, d);
        for_each_lane<Scalar>(part.states, [=](auto at) { at.store(d, at[a] * (at[d] - along)); });
        for (Index s = part.first_seen(k, window()); s <= part.own_state(k); ++s)
          gradients.distance(part.own_state(k) - s) += d[s];
      }
      linalg::add_product_transposed(queries.middleCols(part.first_step, part.steps), d_weights, d_seen);
      linalg::product(seen, d_weights, d_queries.middleCols(part.first_step, part.steps));
    });
    linalg::flat(d_queries) *= scale();
    linalg::add_product_transposed(d_queries, states, gradients.query);
    linalg::transposed_product(query, d_queries, d_attended);
    linalg::add(d_attended, d_states);
    for_each_column(steps, cache.begins, [&](Index packed, Index own) {
      linalg::add(ConstMatrixRef<Scalar>(d_states).middleCols(own, 1), d_h.middleCols(packed, 1));
    });
  }

  /// The memory of so many sequences before their first events.
  State initial_state(Index columns) const {
    using linalg::filled;
    return {filled<Matrix<Scalar>>(window() * size(), columns), filled<Matrix<Scalar>>(is_used() ? 1 : 0, columns),
            filled<Matrix<Scalar>>(size(), columns), filled<Matrix<Scalar>>(window(), 1),
            filled<Matrix<Scalar>>(size(), columns)};
  }

  /// Keeps the newest states, h (size × n), of the first n sequences.
  void remember(ConstMatrixRef<Scalar> h, State& state) const {
    for (Index column = 0; column < h.cols(); ++column) {
      Index count = count_of(state, column);
      std::copy_n(h.col(column).data(), size(), ring_of(state, column) + count % window() * size());
      if (++count == 2 * window()) count = window();
      state.count(0, column) = static_cast<Scalar>(count);
    }
  }

  /// h := h + y of the first h.cols() sequences, whose last remembered states are h. Allocates nothing for one column.
  void add_attended(State& state, MatrixRef<Scalar> h) const {
    assert(h.rows() == size() && h.cols() <= state.count.cols());
    const auto queries = MatrixRef<Scalar>(state.query).leftCols(h.cols());
    const auto attended = MatrixRef<Scalar>(state.attended).leftCols(h.cols());
    linalg::product(query, h, queries);
    for (Index column = 0; column < h.cols(); ++column) {
      const Index count = count_of(state, column), kept = std::min(count, window());
      const ConstMatrixRef<Scalar> seen(ring_of(state, column), size(), kept, size());
      auto weights = MatrixRef<Scalar>(state.weights).topRows(kept);
      linalg::dots(seen, queries.col(column), weights.col(0));
      for (Index place = 0; place < kept; ++place)
        weights(place, 0) = scale() * weights(place, 0) + distance((count - 1 - place + window()) % window());
      softmax(weights.data(), kept);
      linalg::product(seen, ConstMatrixRef<Scalar>(weights), attended.middleCols(column, 1));
    }
    output.forward(attended, queries);
    for (Index column = 0; column < h.cols(); ++column)
      if (count_of(state, column) > 0) linalg::add(queries.middleCols(column, 1), h.middleCols(column, 1));
  }

  /// Calls visitor(matrix) for what the memory carries from step to step.
  template <class SomeState, class Visitor>
  static void visit_state(SomeState& state, Visitor&& visitor) {
    visitor(state.ring);
    visitor(state.count);
  }

 private:
  static constexpr Index tile = 32;  ///< Steps of a sequence that are taken together.

  /// Some steps of one sequence, and the states that they see, as columns.
  struct Tile {
    Index first_step, steps, first_state, states;

    /// The state at which step k of the tile stands, and the first that it sees, among those of the tile.
    Index own_state(Index k) const { return first_step + k - first_state; }
    Index first_seen(Index k, Index window) const { return std::max<Index>(0, own_state(k) - window + 1); }
  };

  Scalar scale() const { return Scalar(1) / std::sqrt(static_cast<Scalar>(size())); }

  template <class SomeState>
  static auto* ring_of(SomeState& state, Index column) {
    return state.ring.data() + column * state.ring.rows();
  }

  /// 0 where a state that came from elsewhere holds what no state can.
  Index count_of(const State& state, Index column) const {
    const Scalar count = state.count(0, column);
    return count >= 0 && count < static_cast<Scalar>(2 * window()) ? static_cast<Index>(count) : 0;
  }

  static void softmax(Scalar* weights, Index count) {
    if (count == 0) return;
    const Scalar most = *std::max_element(weights, weights + count);
    for_each_lane<Scalar>(count, [=](auto at) { at.store(weights, exp(at[weights] - most)); });
    const Scalar factor = Scalar(1) / sum_of_lanes<Scalar>(count, [=](auto at) { return at[weights]; });
    for_each_lane<Scalar>(count, [=](auto at) { at.store(weights, factor * at[weights]); });
  }

  /// Turns the products of step k of a tile with all states of the tile into weights: 0 of those it does not see.
  void softmax(const Tile& part, Index k, Scalar* weights) const {
    const Index first = part.first_seen(k, window()), last = part.own_state(k);
    std::fill(weights, weights + first, Scalar(0));
    for (Index s = first; s <= last; ++s) weights[s] += distance(last - s);
    softmax(weights + first, last - first + 1);
    std::fill(weights + last + 1, weights + part.states, Scalar(0));
  }

  static void find_sequences(const PackedSteps& steps, std::vector<Index>& begins) {
    begins.assign(static_cast<std::size_t>(steps.sequences()) + 1, 0);
    for (Index step = 0; step < steps.steps(); ++step)
      for (Index sequence = 0; sequence < steps.alive(step); ++sequence)
        ++begins[static_cast<std::size_t>(sequence) + 1];
    for (std::size_t k = 1; k < begins.size(); ++k) begins[k] += begins[k - 1];
  }

  /// Calls function(packed column, column of the cache) for all steps of all sequences.
  template <class Function>
  static void for_each_column(const PackedSteps& steps, const std::vector<Index>& begins, Function&& function) {
    for (Index step = 0; step < steps.steps(); ++step)
      for (Index sequence = 0; sequence < steps.alive(step); ++sequence)
        function(steps.begin(step) + sequence, begins[static_cast<std::size_t>(sequence)] + step);
  }

  /// Calls function(tile, its weights) for all steps of all sequences.
  template <class Function>
  void for_each_tile(Cache& cache, Function&& function) const {
    for (std::size_t sequence = 0; sequence + 1 < cache.begins.size(); ++sequence)
      for (Index first = cache.begins[sequence]; first < cache.begins[sequence + 1]; first += tile) {
        const Index end = std::min(first + tile, cache.begins[sequence + 1]);
        const Index first_state = std::max(cache.begins[sequence], first - window() + 1);
        const Tile part{first, end - first, first_state, end - first_state};
        function(part, cache.weights.view().middleCols(first, part.steps).topRows(part.states));
      }
  }
};

}  // namespace lstmrec

#pragma once

#include <lstmrec/core/buffer.hpp>
#include <lstmrec/nn/dropout.hpp>
#include <lstmrec/nn/feed_forward.hpp>
#include <lstmrec/nn/layer_norm.hpp>
#include <lstmrec/nn/recurrent.hpp>

namespace lstmrec {

/// A recurrent layer made deep enough to train well: both parts have a residual connection and a norm behind them.
///
///     y = norm₁(x + dropout(recurrent(x)))
///     output = norm₂(y + dropout(feed_forward(y)))        without a feed-forward part (middle size 0): output = y
///
/// Yue et al., "Linear recurrent units for sequential recommendation" (LRURec), 2023, fig. 2, with an LSTM as the
/// recurrence. Input, state and output have one size.
template <class Cell = LstmCell<float>>
struct ResidualRecurrentBlock {
  using Scalar = typename Cell::Scalar;

  struct Cache {
    typename Recurrent<Cell>::Cache recurrent;
    typename LayerNorm<Scalar>::Cache recurrent_norm, feed_forward_norm;
    typename FeedForward<Scalar>::Cache feed_forward;
    Buffer<Scalar> middle;     ///< y, size × columns.
    Buffer<Scalar> d_dropped;  ///< Scratch of `backward`, size × columns.
  };

  /// The state of one sequence (Columns = 1) or of many, with scratch.
  template <int Columns>
  struct State {
    typename Cell::template State<Columns> recurrent;
    Eigen::Matrix<Scalar, Eigen::Dynamic, Columns> wide;  ///< Scratch, middle size × columns.
  };

  Recurrent<Cell> recurrent;
  LayerNorm<Scalar> recurrent_norm;
  FeedForward<Scalar> feed_forward;
  LayerNorm<Scalar> feed_forward_norm;
  Dropout recurrent_dropout, feed_forward_dropout;

  ResidualRecurrentBlock() = default;
  /// `place`: the number of this block in its network.
  ResidualRecurrentBlock(Index size, Index middle, double dropout, std::uint64_t place)
      : recurrent(size, size),
        recurrent_norm(size),
        feed_forward(middle == 0 ? 0 : size, middle),
        feed_forward_norm(middle == 0 ? 0 : size),
        recurrent_dropout{dropout, 2 * place},
        feed_forward_dropout{dropout, 2 * place + 1} {}

  Index size() const { return recurrent_norm.size(); }
  bool has_feed_forward() const { return feed_forward.expand.weight.size() > 0; }

  void initialise(Random& random) {
    recurrent.initialise(random);
    feed_forward.initialise(random);
  }

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... blocks) {
    visit_member(visitor, "recurrent", blocks.recurrent...);
    visit_member(visitor, "recurrent_norm", blocks.recurrent_norm...);
    visit_member(visitor, "feed_forward", blocks.feed_forward...);
    visit_member(visitor, "feed_forward_norm", blocks.feed_forward_norm...);
  }

  /// output (size × columns) := the formula. x: size × columns; `keys`: of the dropout masks, empty for inference.
  void forward(ConstMatrixRef<Scalar> x, const PackedSteps& steps, std::span<const std::uint64_t> keys, Cache& cache,
               MatrixRef<Scalar> output) const {
    MatrixRef<Scalar> y = has_feed_forward() ? MatrixRef<Scalar>(cache.middle.resize(size(), x.cols())) : output;
    recurrent.forward(x, steps, cache.recurrent, y);
    recurrent_dropout.apply(keys, y);
    y += x;
    recurrent_norm.forward(y, cache.recurrent_norm);
    if (!has_feed_forward()) return;
    feed_forward.forward(y, cache.feed_forward, output);
    feed_forward_dropout.apply(keys, output);
    output += y;
    feed_forward_norm.forward(output, cache.feed_forward_norm);
  }

  /// Adds to `gradients` and overwrites d_input (size × columns); uses up d_output and the cache.
  void backward(ConstMatrixRef<Scalar> x, const PackedSteps& steps, std::span<const std::uint64_t> keys, Cache& cache,
                MatrixRef<Scalar> d_output, ResidualRecurrentBlock& gradients, MatrixRef<Scalar> d_input) const {
    auto d_dropped = cache.d_dropped.resize(size(), x.cols());
    if (has_feed_forward()) {
      // output = norm₂(y + dropout(feed_forward(y)))
      feed_forward_norm.backward(cache.feed_forward_norm, gradients.feed_forward_norm, d_output);
      d_dropped = d_output;
      feed_forward_dropout.apply(keys, d_dropped);
      feed_forward.backward(cache.middle.view(), cache.feed_forward, d_dropped, gradients.feed_forward, d_input);
      d_output += d_input;
    }
    // y = norm₁(x + dropout(recurrent(x)))
    recurrent_norm.backward(cache.recurrent_norm, gradients.recurrent_norm, d_output);
    d_dropped = d_output;
    recurrent_dropout.apply(keys, d_dropped);
    recurrent.backward(x, steps, cache.recurrent, d_dropped, gradients.recurrent, d_input);
    d_input += d_output;
  }

  /// The state before the first event. `Columns` = 1 takes columns = 1.
  template <int Columns>
  State<Columns> initial_state(Index columns) const {
    State<Columns> state;
    if constexpr (Columns == 1)
      state.recurrent = recurrent.cell.initial_state();
    else
      state.recurrent = recurrent.cell.initial_state(columns);
    state.wide.setZero(feed_forward.expand.output_size(), columns);
    return state;
  }

  /// One streaming step of the first x.cols() sequences, in place: x (size × n) becomes the output.
  template <class X, int Columns>
  void step(X&& x, State<Columns>& state) const {
    recur(x, state);
    finish(x, state);
  }

  /// The part of a step on which later steps depend.
  template <class X, int Columns>
  void recur(const X& x, State<Columns>& state) const {
    recurrent.cell.step(x, state.recurrent);
  }

  /// The same where what the cell takes from x is already known: see LstmCell::step_from_inputs.
  template <class Inputs, int Columns>
  void recur_from_inputs(const Inputs& inputs, std::span<const std::uint32_t> places, State<Columns>& state) const {
    recurrent.cell.step_from_inputs(inputs, places, state.recurrent);
  }

  /// The rest of the step, in place: x becomes the output.
  template <class X, int Columns>
  void finish(X&& x, State<Columns>& state) const {
    x += state.recurrent.hidden.leftCols(x.cols());
    recurrent_norm.apply(x);
    if (!has_feed_forward()) return;
    auto residual = state.recurrent.gates.topRows(size()).leftCols(x.cols());  // free until the next step
    if constexpr (Columns == 1)
      feed_forward.step(x, state.wide, residual);
    else
      feed_forward.step(x, state.wide.leftCols(x.cols()), residual);
    x += residual;
    feed_forward_norm.apply(x);
  }
};

}  // namespace lstmrec

#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <lstmrec/core/buffer.hpp>
#include <lstmrec/nn/dropout.hpp>
#include <lstmrec/nn/feed_forward.hpp>
#include <lstmrec/nn/layer_norm.hpp>
#include <lstmrec/nn/recurrent.hpp>
#include <span>
#include <utility>

namespace lstmrec {

/// The part that a network repeats along its depth: a recurrent layer with its surroundings. Input and output have
/// `size` rows.
///
/// - `forward(x, steps, dropout_seeds, cache, output)`: output (size × columns) := the block's output of every step.
/// - `backward(x, steps, dropout_seeds, cache, d_output, gradients, d_input)`: adds to gradients, overwrites d_input,
/// and
///   uses up d_output and the cache.
/// - `initial_state(columns)`: the State of so many sequences before their first events.
/// - `step_recurrent(x, state)`: the part of a step on which later steps depend; x: size × n.
/// - `compute_output(x, state)`: the rest of the step: x, the input of the last step, becomes its output.
/// - `visit_state(state, visitor)`: calls visitor(matrix) for what the state carries from step to step, a column a
/// sequence.
///
/// A block may also offer the projections of a RecurrentLayer. It is made by Block(size, config, number).
template <class Block>
concept NetworkBlock = requires(const Block& block, Block& gradients, MatrixRef<typename Block::Scalar> matrix,
                                const PackedSteps& steps, std::span<const std::uint64_t> dropout_seeds,
                                typename Block::Cache& cache, typename Block::State& state) {
  block.forward(matrix, steps, dropout_seeds, cache, matrix);
  block.backward(matrix, steps, dropout_seeds, cache, matrix, gradients, matrix);
  { block.initial_state(Index(1)) } -> std::same_as<typename Block::State>;
  block.step_recurrent(matrix, state);
  block.compute_output(matrix, state);
  Block::visit_state(state, [](auto&) {});
};

/// The surroundings of a block's recurrent layer.
enum class BlockKind : std::uint8_t { residual, plain };

/// The names of the kinds, in their order: for configurations and files.
constexpr auto names_of(BlockKind) { return std::array{"residual", "plain"}; }

/// A recurrent layer, alone or made deep enough to train well.
///
///     plain:      output = dropout(recurrent(x))
///
///     residual:   y = norm₁(x + dropout(recurrent(x)))
///                 output = norm₂(y + dropout(feed_forward(y)))     without a feed-forward part (middle size 0): output
///                 = y
///
/// The residual form is that of Yue et al., "Linear recurrent units for sequential recommendation" (LRURec), 2023,
/// fig. 2, with any recurrence. Input, state and output have one size.
template <RecurrentLayer Layer = Lstm<float>>
struct RecurrentBlock {
  using Scalar = typename Layer::Scalar;

  struct Cache {
    typename Layer::Cache recurrent;
    typename LayerNorm<Scalar>::Cache recurrent_norm, feed_forward_norm;
    typename FeedForward<Scalar>::Cache feed_forward;
    Buffer<Scalar> middle;     ///< y, size × columns.
    Buffer<Scalar> d_dropped;  ///< Scratch of `backward`, size × columns.
  };

  /// The state of any number of sequences, with scratch.
  struct State {
    typename Layer::State recurrent;
    Matrix<Scalar> wide;      ///< Scratch, middle size × columns.
    Matrix<Scalar> residual;  ///< Scratch, size × columns.
  };

  BlockKind kind = BlockKind::residual;
  Layer recurrent;
  LayerNorm<Scalar> recurrent_norm;     ///< Empty in a plain block.
  FeedForward<Scalar> feed_forward;     ///< Empty in a plain block, or where the middle size is 0.
  LayerNorm<Scalar> feed_forward_norm;  ///< Likewise.
  Dropout recurrent_dropout, feed_forward_dropout;

  RecurrentBlock() = default;
  /// `number`: of this block in its network. `layer`: from `size` to `size`.
  RecurrentBlock(Layer layer, Index middle, double dropout, std::uint64_t number,
                 BlockKind chosen = BlockKind::residual)
      : kind(chosen), recurrent(std::move(layer)), recurrent_dropout{dropout, 2 * number} {
    const Index size = recurrent.hidden_size();
    if (kind == BlockKind::plain) return;
    recurrent_norm = LayerNorm<Scalar>(size);
    feed_forward_dropout = {dropout, 2 * number + 1};
    if (middle == 0) return;
    feed_forward = FeedForward<Scalar>(size, middle);
    feed_forward_norm = LayerNorm<Scalar>(size);
  }

  Index size() const { return recurrent.hidden_size(); }
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

  /// output (size × columns) := the formula. x: size × columns; `dropout_seeds`: one a column, none for inference.
  void forward(ConstMatrixRef<Scalar> x, const PackedSteps& steps, std::span<const std::uint64_t> dropout_seeds,
               Cache& cache, MatrixRef<Scalar> output) const {
    MatrixRef<Scalar> y = has_feed_forward() ? MatrixRef<Scalar>(cache.middle.resize(size(), x.cols())) : output;
    recurrent.forward(x, steps, cache.recurrent, y);
    recurrent_dropout.apply(dropout_seeds, y);
    if (kind == BlockKind::plain) return;
    linalg::add(x, y);
    recurrent_norm.forward(y, cache.recurrent_norm);
    if (!has_feed_forward()) return;
    feed_forward.forward(y, cache.feed_forward, output);
    feed_forward_dropout.apply(dropout_seeds, output);
    linalg::add(y, output);
    feed_forward_norm.forward(output, cache.feed_forward_norm);
  }

  /// Adds to `gradients` and overwrites d_input (size × columns); uses up d_output and the cache.
  void backward(ConstMatrixRef<Scalar> x, const PackedSteps& steps, std::span<const std::uint64_t> dropout_seeds,
                Cache& cache, MatrixRef<Scalar> d_output, RecurrentBlock& gradients, MatrixRef<Scalar> d_input) const {
    if (kind == BlockKind::plain) {
      recurrent_dropout.apply(dropout_seeds, d_output);
      recurrent.backward(x, steps, cache.recurrent, d_output, gradients.recurrent, d_input);
      return;
    }
    auto d_dropped = cache.d_dropped.resize(size(), x.cols());
    if (has_feed_forward()) {
      // output = norm₂(y + dropout(feed_forward(y)))
      feed_forward_norm.backward(cache.feed_forward_norm, gradients.feed_forward_norm, d_output);
      linalg::copy(d_output, d_dropped);
      feed_forward_dropout.apply(dropout_seeds, d_dropped);
      feed_forward.backward(cache.middle.view(), cache.feed_forward, d_dropped, gradients.feed_forward, d_input);
      linalg::add(d_input, d_output);
    }
    // y = norm₁(x + dropout(recurrent(x)))
    recurrent_norm.backward(cache.recurrent_norm, gradients.recurrent_norm, d_output);
    linalg::copy(d_output, d_dropped);
    recurrent_dropout.apply(dropout_seeds, d_dropped);
    recurrent.backward(x, steps, cache.recurrent, d_dropped, gradients.recurrent, d_input);
    linalg::add(d_output, d_input);
  }

  /// The state of so many sequences before their first events.
  State initial_state(Index columns) const {
    return {recurrent.initial_state(columns),
            linalg::filled<Matrix<Scalar>>(feed_forward.expand.output_size(), columns),
            linalg::filled<Matrix<Scalar>>(has_feed_forward() ? size() : 0, columns)};
  }

  /// The part of a step of the first x.cols() sequences on which later steps depend.
  void step_recurrent(ConstMatrixRef<Scalar> x, State& state) const { recurrent.step(x, state.recurrent); }

  /// The rest of the step, in place: x (size × n) becomes the output. Allocates nothing for one column.
  void compute_output(MatrixRef<Scalar> x, State& state) const {
    const ConstMatrixRef<Scalar> hidden = recurrent.hidden(state.recurrent, x.cols());
    if (kind == BlockKind::plain) {
      linalg::copy(hidden, x);
      return;
    }
    linalg::add(hidden, x);
    recurrent_norm.apply(x);
    if (!has_feed_forward()) return;
    const auto residual = MatrixRef<Scalar>(state.residual).leftCols(x.cols());
    feed_forward.step(x, MatrixRef<Scalar>(state.wide).leftCols(x.cols()), residual);
    linalg::add(residual, x);
    feed_forward_norm.apply(x);
  }

  template <class SomeState, class Visitor>
  static void visit_state(SomeState& state, Visitor&& visitor) {
    Layer::visit_state(state.recurrent, visitor);
  }

  Index projection_size() const requires ProjectsInputs<Layer> { return recurrent.projection_size(); }
  void project_inputs(ConstMatrixRef<Scalar> x, MatrixRef<Scalar> projections) const requires ProjectsInputs<Layer> {
    recurrent.project_inputs(x, projections);
  }
  void step_projected(ConstMatrixRef<Scalar> projections, std::span<const std::uint32_t> chosen, State& state) const {
    recurrent.step_projected(projections, chosen, state.recurrent);
  }
};

}  // namespace lstmrec

#pragma once

#include <cassert>
#include <concepts>
#include <cstdint>
#include <lstmrec/core/buffer.hpp>
#include <lstmrec/core/packed_steps.hpp>
#include <lstmrec/core/products.hpp>
#include <lstmrec/nn/gru_cell.hpp>
#include <lstmrec/nn/lstm_cell.hpp>
#include <lstmrec/nn/slstm_cell.hpp>
#include <span>

namespace lstmrec {

/// A layer that runs along sequences: its output at a step depends on the steps before. Its state may have any form.
///
/// - `forward(x, steps, cache, hidden)`: hidden (hidden × columns) := the output of every step; x: input × columns.
/// - `backward(x, steps, cache, d_hidden, gradients, d_input)`: adds to gradients, overwrites d_input, and uses up
///   d_hidden and the cache.
/// - `initial_state(columns)`: the State of so many sequences before their first events.
/// - `step(x, state)`: one step of the first x.cols() sequences.
/// - `hidden(state, columns)`: the output of the last step of the first so many sequences, hidden × columns, borrowed
/// from the state until its next call or step.
/// - `visit_state(state, visitor)`: calls visitor(matrix) for what the state carries from step to step, a column a
/// sequence, without scratch.
///
/// A layer may also offer `projection_size()`, `project_inputs(x, projections)` and `step_projected(projections,
/// chosen, state)`: then what it computes of an item alone can be kept, see Recommender::cache_input_projections.
/// `Recurrent` makes such a layer of a GatedCell.
template <class Layer>
concept RecurrentLayer = requires(const Layer& layer, Layer& gradients, MatrixRef<typename Layer::Scalar> matrix,
                                  const PackedSteps& steps, typename Layer::Cache& cache,
                                  typename Layer::State& state) {
  layer.forward(matrix, steps, cache, matrix);
  layer.backward(matrix, steps, cache, matrix, gradients, matrix);
  { layer.initial_state(Index(1)) } -> std::same_as<typename Layer::State>;
  layer.step(matrix, state);
  { layer.hidden(state, Index(1)) } -> std::same_as<ConstMatrixRef<typename Layer::Scalar>>;
  Layer::visit_state(state, [](auto&) {});
};

/// Whether a block or layer can keep apart what it computes of its input alone: see RecurrentLayer.
template <class Part>
concept ProjectsInputs = requires(const Part& part, MatrixRef<typename Part::Scalar> matrix) {
  { part.projection_size() } -> std::convertible_to<Index>;
  part.project_inputs(matrix, matrix);
};

/// Runs a cell along packed sequences, each from the cell's initial state.
///
/// The input products of all steps are one matrix product; only the recurrent product goes step by step. Cost an event
/// of an LSTM: 8 hidden (input + hidden) operations forward and twice that backward.
template <class Cell_>
struct Recurrent {
  using Cell = Cell_;
  using Scalar = typename Cell::Scalar;
  using State = typename Cell::template State<Eigen::Dynamic>;

  /// Everything that `backward` reads. The columns are those of the packed batch.
  struct Cache {
    Buffer<Scalar> gates;            ///< Activated gates, gate size × columns; `backward` turns them into gradients.
    Buffer<Scalar> memory;           ///< The cell's memory, memory size × columns.
    Buffer<Scalar> initial_memory;   ///< That before the first step, memory size × sequences.
    Buffer<Scalar> previous_hidden;  ///< h of the step before, hidden × columns (zero at step 0).
    Buffer<Scalar> d_memory;         ///< Scratch of `backward`, memory size × sequences.
    PackedMatrix<Scalar> weight;     ///< U for `forward`, Uᵀ for `backward`: packed once for all steps.
  };

  Cell cell;

  Recurrent() = default;
  Recurrent(Index input, Index hidden, const typename Cell::Equations& equations = {})
      : cell(input, hidden, equations) {}

  Index input_size() const { return cell.input_size(); }
  Index hidden_size() const { return cell.hidden_size(); }
  void initialise(Random& random) { cell.initialise(random); }

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... layers) {
    Cell::visit(visitor, layers.cell...);
  }

  /// hidden (hidden × columns) := h of every step. x: input × columns.
  void forward(ConstMatrixRef<Scalar> x, const PackedSteps& steps, Cache& cache, MatrixRef<Scalar> hidden) const {
    assert(x.rows() == input_size() && x.cols() == steps.columns());
    assert(hidden.rows() == hidden_size() && hidden.cols() == steps.columns());
    const Index input_rows = cell.input_weight.rows(), recurrent_rows = cell.recurrent_weight.rows();
    auto gates = cache.gates.resize(cell.gate_size(), steps.columns());
    auto memory = cache.memory.resize(cell.memory_size(), steps.columns());
    auto initial_memory = cache.initial_memory.resize(cell.memory_size(), steps.sequences());
    auto previous_hidden = cache.previous_hidden.resize(hidden_size(), steps.columns());
    cell.initialise_memory(initial_memory);
    linalg::product(cell.input_weight, x, gates.topRows(input_rows));
    linalg::set_zero(gates.bottomRows(gates.rows() - input_rows));
    cache.weight.pack(cell.recurrent_weight);
    for (Index step = 0; step < steps.steps(); ++step) {
      const Index begin = steps.begin(step), alive = steps.alive(step);
      auto z = gates.middleCols(begin, alive);
      linalg::add_to_columns(cell.bias, z);
      auto h_before = previous_hidden.middleCols(begin, alive);
      if (step == 0) {
        linalg::set_zero(h_before);
        cell.activate(z, h_before, initial_memory, memory.middleCols(begin, alive), hidden.middleCols(begin, alive));
      } else {
        const Index before = steps.begin(step - 1);
        linalg::copy(hidden.middleCols(before, alive), h_before);
        linalg::add_product(cache.weight, h_before, z.bottomRows(recurrent_rows));
        cell.activate(z, h_before, memory.middleCols(before, alive), memory.middleCols(begin, alive),
                      hidden.middleCols(begin, alive));
      }
    }
  }

  /// Adds to `gradients` and overwrites d_input (input × columns). d_hidden (hidden × columns) is used up: it comes
  /// back with the gradient that later steps add to it. The cache is used up as well.
  void backward(ConstMatrixRef<Scalar> x, const PackedSteps& steps, Cache& cache, MatrixRef<Scalar> d_hidden,
                Recurrent& gradients, MatrixRef<Scalar> d_input) const {
    backward(x, steps, cache, d_hidden, gradients);
    linalg::transposed_product(cell.input_weight, cache.gates.view().topRows(cell.input_weight.rows()), d_input);
  }

  /// `backward` where x has no parameters behind it, so that nobody reads its gradient.
  void backward(ConstMatrixRef<Scalar> x, const PackedSteps& steps, Cache& cache, MatrixRef<Scalar> d_hidden,
                Recurrent& gradients) const {
    const Index input_rows = cell.input_weight.rows(), recurrent_rows = cell.recurrent_weight.rows();
    auto gates = cache.gates.view();
    auto memory = cache.memory.view();
    auto initial_memory = cache.initial_memory.view();
    auto previous_hidden = cache.previous_hidden.view();
    auto d_memory = cache.d_memory.resize(cell.memory_size(), steps.sequences());
    linalg::set_zero(d_memory);
    cache.weight.pack_transposed(cell.recurrent_weight);
    for (Index step = steps.steps(); step-- > 0;) {
      const Index begin = steps.begin(step), alive = steps.alive(step);
      auto dz = gates.middleCols(begin, alive);
      const auto memory_before =
          step == 0 ? initial_memory.middleCols(0, alive) : memory.middleCols(steps.begin(step - 1), alive);
      auto d_hidden_before = d_hidden.middleCols(step == 0 ? 0 : steps.begin(step - 1), step == 0 ? 0 : alive);
      cell.activate_backward(dz, previous_hidden.middleCols(begin, alive), memory_before,
                             memory.middleCols(begin, alive), d_hidden.middleCols(begin, alive),
                             d_memory.leftCols(alive), d_hidden_before);
      // z = [W x; 0] + [0; U h⁻] + b
      if (step > 0) linalg::add_product(cache.weight, dz.bottomRows(recurrent_rows), d_hidden_before);
    }
    linalg::add_product_transposed(gates.topRows(input_rows), x, gradients.cell.input_weight);
    const Index later = steps.columns() - steps.sequences();  // at step 0, h⁻ = 0
    linalg::add_product_transposed(gates.bottomRows(recurrent_rows).rightCols(later), previous_hidden.rightCols(later),
                                   gradients.cell.recurrent_weight);
    linalg::add_row_sums(gates, gradients.cell.bias);
  }

  State initial_state(Index columns) const { return cell.initial_state(columns); }
  void step(ConstMatrixRef<Scalar> x, State& state) const { cell.step(x, state); }
  static ConstMatrixRef<Scalar> hidden(const State& state, Index columns) {
    return ConstMatrixRef<Scalar>(state.hidden).leftCols(columns);
  }

  template <class SomeState, class Visitor>
  static void visit_state(SomeState& state, Visitor&& visitor) {
    visitor(state.hidden);
    visitor(state.memory);
  }

  Index projection_size() const { return cell.gate_size(); }
  void project_inputs(ConstMatrixRef<Scalar> x, MatrixRef<Scalar> projections) const {
    cell.project_inputs(x, projections);
  }
  void step_projected(ConstMatrixRef<Scalar> projections, std::span<const std::uint32_t> chosen, State& state) const {
    cell.step_projected(projections, chosen, state);
  }
};

/// The sequence layers: `Lstm<float>(64, 128)`, or `Lstm<float, 64, 128>` with fixed sizes.
template <class Scalar = float, int Input = Eigen::Dynamic, int Hidden = Eigen::Dynamic>
using Lstm = Recurrent<LstmCell<Scalar, Input, Hidden>>;
template <class Scalar = float, int Input = Eigen::Dynamic, int Hidden = Eigen::Dynamic>
using Gru = Recurrent<GruCell<Scalar, Input, Hidden>>;
template <class Scalar = float, int Input = Eigen::Dynamic, int Hidden = Eigen::Dynamic>
using Slstm = Recurrent<SlstmCell<Scalar, Input, Hidden>>;

}  // namespace lstmrec

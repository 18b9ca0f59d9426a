#pragma once

#include <cassert>
#include <concepts>
#include <lstmrec/core/buffer.hpp>
#include <lstmrec/core/packed_steps.hpp>
#include <lstmrec/core/products.hpp>
#include <lstmrec/nn/lstm_cell.hpp>

namespace lstmrec {

/// Runs a cell along packed sequences, each from the zero state.
///
/// The input products of all steps are one matrix product; only the recurrent product goes step by step. Cost an event:
/// 8 hidden (input + hidden) operations forward and twice that backward.
///
/// A cell offers what LstmCell does: `input_weight`, `recurrent_weight`, `bias`, `activate` and `activate_backward`.
template <class Cell_>
struct Recurrent {
  using Cell = Cell_;
  using Scalar = typename Cell::Scalar;

  /// What `backward` reads, and a scratch column block. Columns as in the packed batch.
  struct Cache {
    Buffer<Scalar> gates;            ///< Activated gates, 4 hidden × columns; `backward` turns them into gradients.
    Buffer<Scalar> memory;           ///< c, hidden × columns.
    Buffer<Scalar> previous_hidden;  ///< h of the step before, hidden × columns (zero at step 0).
    Buffer<Scalar> d_memory;         ///< Scratch of `backward`, hidden × sequences.
    LeftFactor<Scalar> weight;       ///< U for `forward`, Uᵀ for `backward`: packed once for all steps.
  };

  Cell cell;

  Recurrent() = default;
  Recurrent(Index input, Index hidden) : cell(input, hidden) {}

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
    auto gates = cache.gates.resize(cell.bias.rows(), steps.columns());
    auto memory = cache.memory.resize(hidden_size(), steps.columns());
    auto previous_hidden = cache.previous_hidden.resize(hidden_size(), steps.columns());
    product(cell.input_weight, x, gates);
    cache.weight.pack(cell.recurrent_weight);
    for (Index step = 0; step < steps.steps(); ++step) {
      const Index begin = steps.begin(step), alive = steps.alive(step);
      auto z = gates.middleCols(begin, alive);
      add_to_columns(cell.bias, z);
      auto h_before = previous_hidden.middleCols(begin, alive);
      if (step == 0) {
        h_before.setZero();
        // c⁻ = 0 as well, and this block of zeros has c⁻'s shape.
        cell.activate(z, h_before, memory.middleCols(begin, alive), hidden.middleCols(begin, alive));
      } else {
        const Index before = steps.begin(step - 1);
        h_before = hidden.middleCols(before, alive);
        add_product(cache.weight, h_before, z);
        cell.activate(z, memory.middleCols(before, alive), memory.middleCols(begin, alive),
                      hidden.middleCols(begin, alive));
      }
    }
  }

  /// Adds to `gradients` and overwrites d_input (input × columns). d_hidden (hidden × columns) is used up: it comes
  /// back with the gradient that later steps add to it. The cache is used up as well.
  void backward(ConstMatrixRef<Scalar> x, const PackedSteps& steps, Cache& cache, MatrixRef<Scalar> d_hidden,
                Recurrent& gradients, MatrixRef<Scalar> d_input) const {
    backward(x, steps, cache, d_hidden, gradients);
    transposed_product(cell.input_weight, cache.gates.view(), d_input);
  }

  /// The same where x has no parameters behind it, so that nobody reads its gradient.
  void backward(ConstMatrixRef<Scalar> x, const PackedSteps& steps, Cache& cache, MatrixRef<Scalar> d_hidden,
                Recurrent& gradients) const {
    auto gates = cache.gates.view();
    auto memory = cache.memory.view();
    auto previous_hidden = cache.previous_hidden.view();
    auto d_memory = cache.d_memory.resize(hidden_size(), steps.sequences());
    d_memory.setZero();
    cache.weight.pack_transposed(cell.recurrent_weight);
    for (Index step = steps.steps(); step-- > 0;) {
      const Index begin = steps.begin(step), alive = steps.alive(step);
      auto dz = gates.middleCols(begin, alive);
      // At step 0, c⁻ = 0, which is what previous_hidden holds there.
      const auto previous_memory =
          step == 0 ? previous_hidden.middleCols(0, alive) : memory.middleCols(steps.begin(step - 1), alive);
      cell.activate_backward(dz, previous_memory, memory.middleCols(begin, alive), d_hidden.middleCols(begin, alive),
                             d_memory.leftCols(alive));
      // z = W x + U h⁻ + b
      if (step > 0) add_product(cache.weight, dz, d_hidden.middleCols(steps.begin(step - 1), alive));
    }
    add_product_transposed(gates, x, gradients.cell.input_weight);
    const Index later = steps.columns() - steps.sequences();  // at step 0, h⁻ = 0
    add_product_transposed(gates.rightCols(later), previous_hidden.rightCols(later), gradients.cell.recurrent_weight);
    add_row_sums(gates, gradients.cell.bias);
  }
};

/// The LSTM sequence layer: `Lstm<float>(64, 128)`, or `Lstm<float, 64, 128>` with fixed sizes.
template <class Scalar = float, int Input = Eigen::Dynamic, int Hidden = Eigen::Dynamic>
using Lstm = Recurrent<LstmCell<Scalar, Input, Hidden>>;

}  // namespace lstmrec

#pragma once

#include <cassert>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/lanes.hpp>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/products.hpp>
#include <lstmrec/nn/initialisers.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <span>
#include <type_traits>
#include <variant>

namespace lstmrec {

/// The sizes of a gated cell, each in multiples of its number of units. All are Eigen::Dynamic where they are chosen at
/// run time.
struct CellShape {
  int gates;      ///< Pre-activations z of a step.
  int input;      ///< The first so many of them receive W x.
  int recurrent;  ///< The last so many of them receive U h⁻.
  int memory;     ///< Numbers kept from step to step beside h.
};

/// The pointwise formulas of a gated cell: what LSTM, GRU and sLSTM differ in.
///
/// The cell computes z = [W x; 0] + [0; U h⁻] + b for a step, where W fills the first `shape.input` blocks of z and U
/// the last `shape.recurrent` ones, and the formulas turn z, h⁻ and the memory into the new state. A cell of one's own
/// is a struct with these members; `static_shape` is its shape, or all Eigen::Dynamic where `shape()` knows it at run
/// time only.
///
/// activate(units, z, h_before, memory_before, memory, h): writes memory and h of one column, and leaves in z what
/// activate_backward needs. `memory` may be `memory_before`, and `h` may be `h_before`.
///
/// activate_backward(units, z, h_before, memory_before, memory, d_h, d_memory, d_h_before): turns z into its
/// gradient and d_memory into that of memory_before, and adds to d_h_before the gradient that reaches h⁻ on other ways
/// than through U h⁻; d_h_before is null at the first step.
///
/// initialise_memory(units, memory) and initialise_bias(units, bias) set what is not 0 before the first event and
/// before training.
///
/// All arrays are pointers to one column.
template <class Equations>
concept CellEquations = requires(const Equations& equations, float* numbers, const float* constants, Index units) {
  { Equations::static_shape } -> std::convertible_to<CellShape>;
  { equations.shape() } -> std::convertible_to<CellShape>;
  equations.activate(units, numbers, constants, constants, numbers, numbers);
  equations.activate_backward(units, numbers, constants, constants, constants, constants, numbers, numbers);
  equations.initialise_memory(units, numbers);
  equations.initialise_bias(units, numbers);
};

/// The state of a cell, one column a sequence: one column at compile time for streaming (the default), or
/// Columns = Eigen::Dynamic for any number of sequences in step. Of more than one it keeps the cell's weights as they
/// were at its first step, packed for all later ones.
template <class Cell, int Columns = 1>
struct CellState {
  using Scalar = typename Cell::Scalar;
  using Weight = std::conditional_t<Columns == 1, std::monostate, PackedMatrix<Scalar>>;

  SizedMatrix<Scalar, Cell::hidden_rows, Columns> hidden;  ///< h, hidden × columns.
  SizedMatrix<Scalar, Cell::memory_rows, Columns> memory;  ///< For example the LSTM's c.
  SizedMatrix<Scalar, Cell::gate_rows, Columns> gates;     ///< Scratch.
  Weight input_weight, recurrent_weight;                   ///< W and U, where there are many columns.
};

/// A recurrent cell made of gates: parameters, and one step of one or many sequences.
///
/// Sizes are fixed or run-time. Fixed sizes live inside the object, so that a cell of a few units needs no heap:
///
///     LstmCell<float, 8, 16> cell;                // parameters zero; cell.initialise(random) or copy_parameters
///     auto state = cell.initial_state();
///     cell.step(x, state);                        // x: 8 numbers; state.hidden: 16
///
/// All functions are const and may be called by any number of threads, each with its own state.
template <CellEquations Equations_, class Scalar_ = float, int Input = Eigen::Dynamic, int Hidden = Eigen::Dynamic>
struct GatedCell {
  using Equations = Equations_;
  using Scalar = Scalar_;
  static constexpr CellShape static_shape = Equations::static_shape;
  static constexpr int hidden_rows = Hidden;
  static constexpr int gate_rows = linalg::scaled_size<static_shape.gates, Hidden>;
  static constexpr int memory_rows = linalg::scaled_size<static_shape.memory, Hidden>;
  using InputWeight = SizedMatrix<Scalar, linalg::scaled_size<static_shape.input, Hidden>, Input>;
  using RecurrentWeight = SizedMatrix<Scalar, linalg::scaled_size<static_shape.recurrent, Hidden>, Hidden>;
  using Bias = SizedMatrix<Scalar, gate_rows, 1>;
  template <int Columns = 1>
  using State = CellState<GatedCell, Columns>;

  static_assert(Hidden == Eigen::Dynamic || static_shape.gates != Eigen::Dynamic,
                "a cell that is chosen at run time has run-time sizes");
  static_assert(Hidden == Eigen::Dynamic || EIGEN_STACK_ALLOCATION_LIMIT == 0 ||
                    static_cast<std::size_t>(RecurrentWeight::SizeAtCompileTime) * sizeof(Scalar) <=
                        EIGEN_STACK_ALLOCATION_LIMIT,
                "this fixed recurrent cell does not fit Eigen's limit for fixed-size matrices (128 KiB: an LSTM of 90 "
                "units in float, 64 in double); use run-time sizes: LstmCell<Scalar>(input, hidden)");
  static_assert(Hidden == Eigen::Dynamic || Input == Eigen::Dynamic || EIGEN_STACK_ALLOCATION_LIMIT == 0 ||
                    static_cast<std::size_t>(InputWeight::SizeAtCompileTime) * sizeof(Scalar) <=
                        EIGEN_STACK_ALLOCATION_LIMIT,
                "this fixed recurrent cell's input weights do not fit Eigen's limit for fixed-size matrices (128 KiB); "
                "use run-time sizes: LstmCell<Scalar>(input, hidden)");

  InputWeight input_weight;          ///< W, input gates × input.
  RecurrentWeight recurrent_weight;  ///< U, recurrent gates × hidden.
  Bias bias;                         ///< b, gates.
  [[no_unique_address]] Equations equations;

  /// All parameters zero; a run-time size is 0.
  GatedCell() : GatedCell(Input == Eigen::Dynamic ? 0 : Input, Hidden == Eigen::Dynamic ? 0 : Hidden) {}
  GatedCell(Index input, Index hidden, const Equations& chosen = {})
      : input_weight(linalg::filled<InputWeight>(chosen.shape().input * hidden, input)),
        recurrent_weight(linalg::filled<RecurrentWeight>(chosen.shape().recurrent * hidden, hidden)),
        bias(linalg::filled<Bias>(chosen.shape().gates * hidden, 1)),
        equations(chosen) {}

  Index input_size() const { return input_weight.cols(); }
  Index hidden_size() const { return recurrent_weight.cols(); }
  Index gate_size() const { return bias.rows(); }
  Index memory_size() const { return equations.shape().memory * hidden_size(); }

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... cells) {
    visitor("input_weight", ParameterKind::weight, cells.input_weight...);
    visitor("recurrent_weight", ParameterKind::weight, cells.recurrent_weight...);
    visitor("bias", ParameterKind::bias, cells.bias...);
  }

  /// Glorot-uniform input weights over all gates that read the input, orthogonal recurrent weights, and the biases that
  /// the equations ask for: Keras' defaults.
  void initialise(Random& random) {
    fill_glorot(input_weight, input_size(), input_weight.rows(), random);
    Matrix<Scalar> orthogonal(recurrent_weight.rows(), hidden_size());
    fill_orthogonal(orthogonal, random);
    recurrent_weight = orthogonal;
    bias = linalg::filled<Bias>(gate_size(), 1);
    equations.initialise_bias(hidden_size(), bias.data());
  }

  /// The state before the first event.
  State<1> initial_state() const { return make_state<1>(1); }
  /// The state of `columns` sequences before their first events.
  State<Eigen::Dynamic> initial_state(Index columns) const { return make_state<Eigen::Dynamic>(columns); }

  /// memory (memory size × columns) := that before the first event.
  void initialise_memory(MatrixRef<Scalar> memory) const {
    linalg::set_zero(memory);
    for (Index column = 0; column < memory.cols(); ++column)
      equations.initialise_memory(hidden_size(), memory.col(column).data());
  }

  /// gates (gate size × columns) := [W x; 0] + b: the part of z that does not need the hidden state. x: input ×
  /// columns.
  void project_inputs(ConstMatrixRef<Scalar> x, MatrixRef<Scalar> gates) const {
    const Index rows = input_weight.rows();
    linalg::product(input_weight, x, gates.topRows(rows));
    linalg::set_zero(gates.bottomRows(gates.rows() - rows));
    linalg::add_to_columns(bias, gates);
  }

  /// One step of a sequence. x: input × 1. Allocates nothing.
  template <class X>
  void step(const X& x, State<1>& state) const {
    assert(x.rows() == input_size() && x.cols() == 1);
    linalg::copy(bias, state.gates);
    input_part(state.gates).noalias() += input_weight * x;
    finish_step(1, state);
  }

  /// One step of the first x.cols() sequences of a state. x: input × n. Allocates nothing for a state of one sequence.
  void step(ConstMatrixRef<Scalar> x, State<Eigen::Dynamic>& state) const {
    assert(x.rows() == input_size() && x.cols() <= state.hidden.cols());
    const auto gates = MatrixRef<Scalar>(state.gates).leftCols(x.cols());
    const Index rows = input_weight.rows();
    if (state.hidden.cols() == 1) {
      linalg::copy(bias, gates);
      linalg::add_product(input_weight, x, gates.topRows(rows));
    } else {
      state.input_weight.pack_once(input_weight);
      linalg::product(state.input_weight, x, gates.topRows(rows));
      linalg::set_zero(gates.bottomRows(gates.rows() - rows));
      linalg::add_to_columns(bias, gates);
    }
    finish_step(x.cols(), state);
  }

  /// A step of the first chosen.size() sequences whose inputs have been projected before: sequence j reads column
  /// chosen[j] of `projections` (gate size × any number, see project_inputs). Allocates nothing for one column.
  template <int Columns>
  void step_projected(ConstMatrixRef<Scalar> projections, std::span<const std::uint32_t> chosen,
                      State<Columns>& state) const {
    MatrixRef<Scalar> gates = state.gates;
    for (std::size_t j = 0; j < chosen.size(); ++j)
      linalg::copy(projections.col(chosen[j]), gates.col(static_cast<Index>(j)));
    finish_step(static_cast<Index>(chosen.size()), state);
  }

  /// The pointwise half of a step for the columns of some blocks: see CellEquations.
  void activate(MatrixRef<Scalar> gates, ConstMatrixRef<Scalar> hidden_before, ConstMatrixRef<Scalar> memory_before,
                MatrixRef<Scalar> memory, MatrixRef<Scalar> hidden) const {
    for (Index column = 0; column < gates.cols(); ++column)  // one column stays in the first-level cache
      equations.activate(hidden_size(), gates.col(column).data(), hidden_before.col(column).data(),
                         memory_before.col(column).data(), memory.col(column).data(), hidden.col(column).data());
  }

  /// Differentiates `activate`. d_hidden_before may have no columns: nothing is added to it then.
  void activate_backward(MatrixRef<Scalar> gates, ConstMatrixRef<Scalar> hidden_before,
                         ConstMatrixRef<Scalar> memory_before, ConstMatrixRef<Scalar> memory,
                         ConstMatrixRef<Scalar> d_hidden, MatrixRef<Scalar> d_memory,
                         MatrixRef<Scalar> d_hidden_before) const {
    for (Index column = 0; column < gates.cols(); ++column)
      equations.activate_backward(hidden_size(), gates.col(column).data(), hidden_before.col(column).data(),
                                  memory_before.col(column).data(), memory.col(column).data(),
                                  d_hidden.col(column).data(), d_memory.col(column).data(),
                                  d_hidden_before.cols() == 0 ? nullptr : d_hidden_before.col(column).data());
  }

 private:
  /// The rows of z that read the input, and those that read the hidden state.
  template <class Gates>
  auto input_part(Gates&& gates) const {
    return gates.template topRows<InputWeight::RowsAtCompileTime>(input_weight.rows());
  }
  template <class Gates>
  auto recurrent_part(Gates&& gates) const {
    return gates.template bottomRows<RecurrentWeight::RowsAtCompileTime>(recurrent_weight.rows());
  }

  /// The step of the first n sequences, whose [W x; 0] + b is in state.gates.
  template <int Columns>
  void finish_step(Index n, State<Columns>& state) const {
    if constexpr (Columns == 1) {
      recurrent_part(state.gates).noalias() += recurrent_weight * state.hidden;
      activate(state.gates, state.hidden, state.memory, state.memory, state.hidden);
    } else {
      const auto gates = MatrixRef<Scalar>(state.gates).leftCols(n);
      const auto hidden = MatrixRef<Scalar>(state.hidden).leftCols(n);
      const auto memory = MatrixRef<Scalar>(state.memory).leftCols(n);
      const auto z = gates.bottomRows(recurrent_weight.rows());
      if (state.hidden.cols() == 1) {
        linalg::add_product(recurrent_weight, hidden, z);
      } else {
        state.recurrent_weight.pack_once(recurrent_weight);
        linalg::add_product(state.recurrent_weight, hidden, z);
      }
      activate(gates, hidden, memory, memory, hidden);
    }
  }

  template <int Columns>
  State<Columns> make_state(Index columns) const {
    State<Columns> state;
    state.hidden = linalg::filled<decltype(state.hidden)>(hidden_size(), columns);
    state.memory = linalg::filled<decltype(state.memory)>(memory_size(), columns);
    state.gates = linalg::filled<decltype(state.gates)>(gate_size(), columns);
    initialise_memory(state.memory);
    return state;
  }
};

}  // namespace lstmrec

#pragma once

#include <cassert>
#include <cstdint>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/products.hpp>
#include <lstmrec/nn/initialisers.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <span>
#include <type_traits>
#include <variant>

namespace lstmrec {

/// The state of a cell: one column a sequence. One column at compile time for streaming (the default), or
/// Columns = Eigen::Dynamic for many sequences in step; such a state keeps the cell's weights as they were at its first
/// step, packed for all later ones.
template <class Scalar, int Hidden = Eigen::Dynamic, int Columns = 1>
struct LstmState {
  using Weight = std::conditional_t<Columns == 1, std::monostate, LeftFactor<Scalar>>;
  Eigen::Matrix<Scalar, Hidden, Columns> hidden;           ///< h, hidden × columns.
  Eigen::Matrix<Scalar, Hidden, Columns> memory;           ///< c, hidden × columns.
  Eigen::Matrix<Scalar, times<4, Hidden>, Columns> gates;  ///< Scratch, 4 hidden × columns.
  Weight input_weight, recurrent_weight;                   ///< W and U, where there are many columns.
};

/// A long short-term memory cell with forget gate and without peepholes.
///
///     z = W x + U h⁻ + b,  z = [zᵢ; z_f; z_g; z_o]
///     i = σ(zᵢ)   f = σ(z_f)   g = tanh(z_g)   o = σ(z_o)
///     c = f ∘ c⁻ + i ∘ g
///     h = o ∘ tanh(c)
///
/// Hochreiter and Schmidhuber, "Long short-term memory", 1997; Gers, Schmidhuber, Cummins, "Learning to forget", 2000.
/// Sizes are fixed or run-time. Fixed sizes live inside the object, so a cell of a few units needs no heap at all:
///
///     LstmCell<float, 8, 16> cell;                // parameters zero; cell.initialise(random) or copy_parameters
///     auto state = cell.initial_state();
///     cell.step(x, state);                        // x: 8 numbers; state.hidden: 16
///
/// All functions are const and may be called by any number of threads, each with its own state.
template <class Scalar_ = float, int Input = Eigen::Dynamic, int Hidden = Eigen::Dynamic>
struct LstmCell {
  using Scalar = Scalar_;
  using InputWeight = Eigen::Matrix<Scalar, times<4, Hidden>, Input>;
  using RecurrentWeight = Eigen::Matrix<Scalar, times<4, Hidden>, Hidden>;
  using Bias = Eigen::Matrix<Scalar, times<4, Hidden>, 1>;
  template <int Columns = 1>
  using State = LstmState<Scalar, Hidden, Columns>;

  static_assert(Hidden == Eigen::Dynamic || EIGEN_STACK_ALLOCATION_LIMIT == 0 ||
                    4 * Hidden * Hidden * sizeof(Scalar) <= EIGEN_STACK_ALLOCATION_LIMIT,
                "this fixed LSTM cell does not fit Eigen's limit for fixed-size matrices (128 KiB: 90 units in float, "
                "64 in double); use run-time sizes: LstmCell<Scalar>(input, hidden)");
  static_assert(Hidden == Eigen::Dynamic || Input == Eigen::Dynamic || EIGEN_STACK_ALLOCATION_LIMIT == 0 ||
                    4 * Hidden * Input * sizeof(Scalar) <= EIGEN_STACK_ALLOCATION_LIMIT,
                "this fixed LSTM cell's input weights do not fit Eigen's limit for fixed-size matrices (128 KiB); use "
                "run-time sizes: LstmCell<Scalar>(input, hidden)");

  InputWeight input_weight;          ///< W, 4 hidden × input, gates in the order i, f, g, o.
  RecurrentWeight recurrent_weight;  ///< U, 4 hidden × hidden.
  Bias bias;                         ///< b, 4 hidden.

  /// All parameters zero; a run-time size is 0.
  LstmCell() : LstmCell(Input == Eigen::Dynamic ? 0 : Input, Hidden == Eigen::Dynamic ? 0 : Hidden) {}
  LstmCell(Index input, Index hidden)
      : input_weight(InputWeight::Zero(4 * hidden, input)),
        recurrent_weight(RecurrentWeight::Zero(4 * hidden, hidden)),
        bias(Bias::Zero(4 * hidden)) {}

  Index input_size() const { return input_weight.cols(); }
  Index hidden_size() const { return recurrent_weight.cols(); }

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... cells) {
    visitor("input_weight", Kind::weight, cells.input_weight...);
    visitor("recurrent_weight", Kind::weight, cells.recurrent_weight...);
    visitor("bias", Kind::bias, cells.bias...);
  }

  /// Glorot-uniform input weights over all four gates, orthogonal recurrent weights, zero biases and unit forget bias
  /// (Jozefowicz, Zaremba, Sutskever, "An empirical exploration of recurrent network architectures", 2015): Keras'
  /// defaults.
  void initialise(Random& random) {
    fill_glorot(input_weight, input_size(), 4 * hidden_size(), random);
    Matrix<Scalar> orthogonal(4 * hidden_size(), hidden_size());
    fill_orthogonal(orthogonal, random);
    recurrent_weight = orthogonal;
    bias.setZero();
    bias.segment(hidden_size(), hidden_size()).setOnes();
  }

  /// The state before the first event: zeros.
  State<1> initial_state() const { return make_state<1>(1); }

  /// The state of `columns` sequences before their first events.
  State<Eigen::Dynamic> initial_state(Index columns) const { return make_state<Eigen::Dynamic>(columns); }

  /// A step of the first places.size() sequences, where W x + b is already known: it stands in column places[j] of
  /// `inputs`, 4 hidden × any number. Allocates nothing for one column.
  template <class Inputs, int Columns>
  void step_from_inputs(const Inputs& inputs, std::span<const std::uint32_t> places, State<Columns>& state) const {
    for (std::size_t j = 0; j < places.size(); ++j) state.gates.col(static_cast<Index>(j)) = inputs.col(places[j]);
    finish_step(static_cast<Index>(places.size()), state);
  }

  /// One step of the first x.cols() sequences of a state. x: input × n. Allocates nothing for one column.
  template <class X, int Columns>
  void step(const X& x, State<Columns>& state) const {
    assert(x.rows() == input_size() && x.cols() <= state.hidden.cols());
    if constexpr (Columns == 1) {
      state.gates = bias;
      state.gates.noalias() += input_weight * x;
    } else {
      auto gates = state.gates.leftCols(x.cols());
      state.input_weight.pack_once(input_weight);
      product(state.input_weight, x, gates);
      add_to_columns(bias, gates);
    }
    finish_step(x.cols(), state);
  }

  /// The pointwise half of a step: turns pre-activations z into gates, in place, and computes c and h.
  /// gates: 4 hidden × n; previous, memory, hidden: hidden × n; `memory` may be `previous`.
  template <class Gates, class Previous, class Memory, class HiddenOut>
  void activate(Gates&& gates, const Previous& previous, Memory&& memory, HiddenOut&& hidden) const {
    for (Index column = 0; column < gates.cols(); ++column)  // one column stays in the first-level cache
      activate_column(gates.col(column).data(), previous.col(column).data(), memory.col(column).data(),
                      hidden.col(column).data());
  }

  /// Differentiates `activate`. On entry gates holds i, f, g, o and d_memory the gradient of c that comes from later
  /// steps; on return gates holds the gradient of z and d_memory that of c⁻. Shapes as in `activate`.
  template <class Gates, class Previous, class Memory, class DHidden, class DMemory>
  void activate_backward(Gates&& gates, const Previous& previous, const Memory& memory, const DHidden& d_hidden,
                         DMemory&& d_memory) const {
    Values scratch(2 * hidden_size());
    for (Index column = 0; column < gates.cols(); ++column)
      activate_column_backward(gates.col(column).data(), previous.col(column).data(), memory.col(column).data(),
                               d_hidden.col(column).data(), d_memory.col(column).data(), scratch);
  }

 private:
  using Values = Eigen::Array<Scalar, times<2, Hidden>, 1>;
  using Units = Eigen::Map<Eigen::Array<Scalar, Hidden, 1>>;
  using ConstUnits = Eigen::Map<const Eigen::Array<Scalar, Hidden, 1>>;

  /// The step of the first n sequences, whose W x + b are in state.gates.
  template <int Columns>
  void finish_step(Index n, State<Columns>& state) const {
    if constexpr (Columns == 1) {
      state.gates.noalias() += recurrent_weight * state.hidden;
      activate(state.gates, state.memory, state.memory, state.hidden);
    } else {
      auto gates = state.gates.leftCols(n);
      auto hidden = state.hidden.leftCols(n);
      auto memory = state.memory.leftCols(n);
      state.recurrent_weight.pack_once(recurrent_weight);
      add_product(state.recurrent_weight, hidden, gates);
      activate(gates, memory, memory, hidden);
    }
  }

  // The columns come as pointers, so that there is one instantiation for all kinds of blocks.

  void activate_column(Scalar* gates, const Scalar* previous, Scalar* memory, Scalar* hidden) const {
    const Index n = hidden_size();
    Units i(gates, n), f(gates + n, n), g(gates + 2 * n, n), o(gates + 3 * n, n), c(memory, n), h(hidden, n);
    i = i.logistic();
    f = f.logistic();
    g = g.tanh();
    o = o.logistic();
    c = f * ConstUnits(previous, n) + i * g;
    h = o * c.tanh();
  }

  void activate_column_backward(Scalar* gates, const Scalar* previous, const Scalar* memory, const Scalar* d_hidden,
                                Scalar* d_memory, Values& scratch) const {
    const Index n = hidden_size();
    Units i(gates, n), f(gates + n, n), g(gates + 2 * n, n), o(gates + 3 * n, n), d_c(d_memory, n);
    Units kept(scratch.data(), n), d_c_all(scratch.data() + n, n);
    const ConstUnits dh(d_hidden, n);
    // h = o ∘ tanh(c)
    kept = ConstUnits(memory, n).tanh();
    d_c_all = d_c + o * dh * (Scalar(1) - kept.square());
    o = kept * dh * o * (Scalar(1) - o);
    // c = f ∘ c⁻ + i ∘ g
    d_c = d_c_all * f;
    f = d_c_all * ConstUnits(previous, n) * f * (Scalar(1) - f);
    kept = i;  // still needed for g's gradient after i's has taken its place
    i = d_c_all * g * kept * (Scalar(1) - kept);
    g = d_c_all * kept * (Scalar(1) - g.square());
  }

  template <int Columns>
  State<Columns> make_state(Index columns) const {
    const Index units = hidden_size();
    return {Eigen::Matrix<Scalar, Hidden, Columns>::Zero(units, columns),
            Eigen::Matrix<Scalar, Hidden, Columns>::Zero(units, columns),
            Eigen::Matrix<Scalar, times<4, Hidden>, Columns>::Zero(4 * units, columns),
            {},
            {}};
  }
};

}  // namespace lstmrec

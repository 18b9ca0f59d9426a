#pragma once

#include <array>
#include <cstdint>
#include <lstmrec/nn/gru_cell.hpp>
#include <lstmrec/nn/lstm_cell.hpp>
#include <lstmrec/nn/slstm_cell.hpp>

namespace lstmrec {

/// The library's recurrent cells.
enum class CellKind : std::uint8_t { lstm, gru, slstm };

/// The names of the kinds, in their order: for configurations and files.
constexpr auto names_of(CellKind) { return std::array{"lstm", "gru", "slstm"}; }

/// The equations of a cell that is chosen at run time, so that a network is compiled once for all of them.
struct AnyCellEquations {
  static constexpr CellShape static_shape{Eigen::Dynamic, Eigen::Dynamic, Eigen::Dynamic, Eigen::Dynamic};
  CellKind kind = CellKind::lstm;

  /// Calls function(equations of the kind).
  template <class Function>
  auto with(Function&& function) const {
    switch (kind) {
      case CellKind::gru:
        return function(GruEquations());
      case CellKind::slstm:
        return function(SlstmEquations());
      case CellKind::lstm:
        break;
    }
    return function(LstmEquations());
  }

  CellShape shape() const {
    return with([](const auto& equations) { return equations.shape(); });
  }
  template <class... Arguments>
  void activate(Arguments... arguments) const {
    with([&](const auto& equations) { equations.activate(arguments...); });
  }
  template <class... Arguments>
  void activate_backward(Arguments... arguments) const {
    with([&](const auto& equations) { equations.activate_backward(arguments...); });
  }
  template <class Scalar>
  void initialise_memory(Index units, Scalar* memory) const {
    with([&](const auto& equations) { equations.initialise_memory(units, memory); });
  }
  template <class Scalar>
  void initialise_bias(Index units, Scalar* bias) const {
    with([&](const auto& equations) { equations.initialise_bias(units, bias); });
  }
};

/// An LSTM, GRU or sLSTM cell: `AnyCell<float>(64, 128, {CellKind::gru})`. Sizes are run-time sizes.
template <class Scalar = float>
using AnyCell = GatedCell<AnyCellEquations, Scalar>;

}  // namespace lstmrec

#pragma once

#include <lstmrec/nn/any_cell.hpp>
#include <lstmrec/nn/recurrent.hpp>
#include <string>

/// The kinds of cells that can be chosen at run time.
inline constexpr lstmrec::CellKind cell_kinds[] = {lstmrec::CellKind::lstm, lstmrec::CellKind::gru,
                                                   lstmrec::CellKind::slstm};

inline std::string name_of(lstmrec::CellKind kind) { return names_of(kind)[static_cast<std::size_t>(kind)]; }

/// Calls function(equations) for those of every cell.
template <class Function>
void for_each_equations(Function&& function) {
  function(lstmrec::LstmEquations());
  function(lstmrec::GruEquations());
  function(lstmrec::SlstmEquations());
}

/// Calls function(name, layer) for a layer of every cell, of the type of the cell and of the type for any.
template <class Scalar, class Function>
void for_each_layer(lstmrec::Index input, lstmrec::Index hidden, Function&& function) {
  function("LSTM", lstmrec::Lstm<Scalar>(input, hidden));
  function("GRU", lstmrec::Gru<Scalar>(input, hidden));
  function("sLSTM", lstmrec::Slstm<Scalar>(input, hidden));
  for (const lstmrec::CellKind kind : cell_kinds)
    function("any cell: " + name_of(kind), lstmrec::Recurrent<lstmrec::AnyCell<Scalar>>(input, hidden, {kind}));
}

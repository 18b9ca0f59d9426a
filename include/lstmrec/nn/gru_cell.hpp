#pragma once

#include <lstmrec/nn/gated_cell.hpp>

namespace lstmrec {

/// Gated recurrent unit, as PyTorch and cuDNN have it: the reset gate acts on U h⁻ and not on h⁻.
///
///     r = σ(z_r)   u = σ(z_u)
///     n = tanh(z_n + r ∘ m)         m = U_n h⁻ + b_m
///     h = (1 − u) ∘ n + u ∘ h⁻
///
/// Blocks of z in the order n, r, u, m: the first three read the input and the last three the hidden state, so W has
/// the rows n, r, u and U has the rows r, u, m. There is no memory beside h. Cho et al., "Learning phrase
/// representations using RNN encoder-decoder", 2014; the form is PyTorch's `GRU`.
struct GruEquations {
  static constexpr CellShape static_shape{.gates = 4, .input = 3, .recurrent = 3, .memory = 0};
  static constexpr CellShape shape() { return static_shape; }

  template <class Scalar>
  static void activate(Index units, Scalar* z, const Scalar* hidden_before, const Scalar*, Scalar*, Scalar* hidden) {
    for_each_lane<Scalar>(units, [=](auto at) {
      const auto r = logistic(at[z + units]), u = logistic(at[z + 2 * units]);
      const auto n = tanh(at[z] + r * at[z + 3 * units]);
      at.store(z, n);
      at.store(z + units, r);
      at.store(z + 2 * units, u);
      at.store(hidden, n + u * (at[hidden_before] - n));
    });
  }

  template <class Scalar>
  static void activate_backward(Index units, Scalar* z, const Scalar* hidden_before, const Scalar*, const Scalar*,
                                const Scalar* d_hidden, Scalar*, Scalar* d_hidden_before) {
    for_each_lane<Scalar>(units, [=](auto at) {
      const auto n = at[z], r = at[z + units], u = at[z + 2 * units], m = at[z + 3 * units], dh = at[d_hidden];
      const auto one = Scalar(1);
      // h = n + u ∘ (h⁻ − n)
      if (d_hidden_before != nullptr) at.store(d_hidden_before, at[d_hidden_before] + dh * u);
      at.store(z + 2 * units, dh * (at[hidden_before] - n) * u * (one - u));
      // n = tanh(z_n + r ∘ m)
      const auto d_n = dh * (one - u) * (one - square(n));
      at.store(z, d_n);
      at.store(z + units, d_n * m * r * (one - r));
      at.store(z + 3 * units, d_n * r);
    });
  }

  template <class Scalar>
  static void initialise_memory(Index, Scalar*) {}
  template <class Scalar>
  static void initialise_bias(Index, Scalar*) {}
};

/// `GruCell<float>(64, 128)`, or `GruCell<float, 8, 16>` with fixed sizes.
template <class Scalar = float, int Input = Eigen::Dynamic, int Hidden = Eigen::Dynamic>
using GruCell = GatedCell<GruEquations, Scalar, Input, Hidden>;

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <lstmrec/nn/gated_cell.hpp>

namespace lstmrec {

/// Long short-term memory with forget gate and without peepholes; blocks of z in the order i, f, g, o.
///
///     i = σ(zᵢ)   f = σ(z_f)   g = tanh(z_g)   o = σ(z_o)
///     c = f ∘ c⁻ + i ∘ g
///     h = o ∘ tanh(c)
///
/// The memory is c. Hochreiter and Schmidhuber, "Long short-term memory", 1997; Gers, Schmidhuber, Cummins, "Learning
/// to forget", 2000.
struct LstmEquations {
  static constexpr CellShape static_shape{.gates = 4, .input = 4, .recurrent = 4, .memory = 1};
  static constexpr CellShape shape() { return static_shape; }

  template <class Scalar>
  static void activate(Index n, Scalar* z, const Scalar*, const Scalar* memory_before, Scalar* memory, Scalar* hidden) {
    for_each_lane<Scalar>(n, [=](auto at) {
      const auto i = logistic(at[z]), f = logistic(at[z + n]), g = tanh(at[z + 2 * n]), o = logistic(at[z + 3 * n]);
      const auto c = f * at[memory_before] + i * g;
      at.store(z, i);
      at.store(z + n, f);
      at.store(z + 2 * n, g);
      at.store(z + 3 * n, o);
      at.store(memory, c);
      at.store(hidden, o * tanh(c));
    });
  }

  template <class Scalar>
  static void activate_backward(Index n, Scalar* z, const Scalar*, const Scalar* memory_before, const Scalar* memory,
                                const Scalar* d_hidden, Scalar* d_memory, Scalar*) {
    for_each_lane<Scalar>(n, [=](auto at) {
      const auto i = at[z], f = at[z + n], g = at[z + 2 * n], o = at[z + 3 * n], dh = at[d_hidden];
      const auto one = Scalar(1);
      // h = o ∘ tanh(c)
      const auto tanh_c = tanh(at[memory]);
      const auto d_c = at[d_memory] + o * dh * (one - square(tanh_c));
      at.store(z + 3 * n, tanh_c * dh * o * (one - o));
      // c = f ∘ c⁻ + i ∘ g
      at.store(d_memory, d_c * f);
      at.store(z + n, d_c * at[memory_before] * f * (one - f));
      at.store(z, d_c * g * i * (one - i));
      at.store(z + 2 * n, d_c * i * (one - square(g)));
    });
  }

  /// c = 0.
  template <class Scalar>
  static void initialise_memory(Index, Scalar*) {}

  /// The forget gate starts open: Jozefowicz, Zaremba, Sutskever, "An empirical exploration of recurrent network
  /// architectures", 2015.
  template <class Scalar>
  static void initialise_bias(Index n, Scalar* bias) {
    std::fill_n(bias + n, n, Scalar(1));
  }
};

/// `LstmCell<float>(64, 128)`, or `LstmCell<float, 8, 16>` with fixed sizes.
template <class Scalar = float, int Input = Eigen::Dynamic, int Hidden = Eigen::Dynamic>
using LstmCell = GatedCell<LstmEquations, Scalar, Input, Hidden>;

}  // namespace lstmrec

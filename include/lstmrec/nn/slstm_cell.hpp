#pragma once

#include <algorithm>
#include <lstmrec/nn/gated_cell.hpp>

namespace lstmrec {

/// The scalar LSTM of xLSTM with one head: an exponential input gate and a normaliser; blocks of z in the order i, f,
/// g, o.
///
///     i = exp(zᵢ)   f = σ(z_f)   g = tanh(z_g)   o = σ(z_o)
///     c = f ∘ c⁻ + i ∘ g      n = f ∘ n⁻ + i
///     h = o ∘ c / n
///
/// The memory is c e^−m, n e^−m and the stabiliser m = max(log f + m⁻, zᵢ), which keeps the exponentials in range and
/// cancels in h; so no gradient flows through m. Before the first event m is so low that the first m is zᵢ.
/// Beck et al., "xLSTM: Extended long short-term memory", 2024, eq. 8 to 17, with the sigmoid form of the forget gate.
struct SlstmEquations {
  static constexpr CellShape static_shape{.gates = 4, .input = 4, .recurrent = 4, .memory = 3};
  static constexpr CellShape shape() { return static_shape; }

  /// Leaves i e^−m, z_f, g and o in z.
  template <class Scalar>
  static void activate(Index units, Scalar* z, const Scalar*, const Scalar* memory_before, Scalar* memory,
                       Scalar* hidden) {
    for_each_lane<Scalar>(units, [=](auto at) {
      const auto g = tanh(at[z + 2 * units]), o = logistic(at[z + 3 * units]);
      const auto log_f = log_logistic(at[z + units]) + at[memory_before + 2 * units];
      const auto m = max(at[z], log_f);
      const auto i = exp(at[z] - m), f = exp(log_f - m);
      const auto c = f * at[memory_before] + i * g, n = f * at[memory_before + units] + i;
      at.store(z, i);
      at.store(z + 2 * units, g);
      at.store(z + 3 * units, o);
      at.store(memory, c);
      at.store(memory + units, n);
      at.store(memory + 2 * units, m);
      at.store(hidden, o * c / n);
    });
  }

  template <class Scalar>
  static void activate_backward(Index units, Scalar* z, const Scalar*, const Scalar* memory_before,
                                const Scalar* memory, const Scalar* d_hidden, Scalar* d_memory, Scalar*) {
    for_each_lane<Scalar>(units, [=](auto at) {
      const auto i = at[z], z_f = at[z + units], g = at[z + 2 * units], o = at[z + 3 * units];
      const auto c = at[memory], n = at[memory + units], dh = at[d_hidden];
      const auto one = Scalar(1);
      // h = o ∘ c / n
      const auto d_c = at[d_memory] + dh * o / n;
      const auto d_n = at[d_memory + units] - dh * o * c / square(n);
      at.store(z + 3 * units, dh * c / n * o * (one - o));
      // c = f ∘ c⁻ + i ∘ g,  n = f ∘ n⁻ + i
      const auto f = exp(log_logistic(z_f) + at[memory_before + 2 * units] - at[memory + 2 * units]);
      at.store(z, (d_c * g + d_n) * i);
      at.store(z + units, (d_c * at[memory_before] + d_n * at[memory_before + units]) * f * logistic(-z_f));
      at.store(z + 2 * units, d_c * i * (one - square(g)));
      at.store(d_memory, d_c * f);
      at.store(d_memory + units, d_n * f);
    });
  }

  /// c = n = 0, and m so low that any zᵢ is above it.
  template <class Scalar>
  static void initialise_memory(Index units, Scalar* memory) {
    std::fill_n(memory + 2 * units, units, Scalar(-1e30));
  }

  /// The forget gate starts open.
  template <class Scalar>
  static void initialise_bias(Index units, Scalar* bias) {
    std::fill_n(bias + units, units, Scalar(1));
  }

 private:
  /// log σ(x), without overflow.
  template <class Numbers>
  static Numbers log_logistic(Numbers x) {
    return min(x, Numbers::all(0)) - log1p(exp(-abs(x)));
  }
};

/// `SlstmCell<float>(64, 128)`, or `SlstmCell<float, 8, 16>` with fixed sizes.
template <class Scalar = float, int Input = Eigen::Dynamic, int Hidden = Eigen::Dynamic>
using SlstmCell = GatedCell<SlstmEquations, Scalar, Input, Hidden>;

}  // namespace lstmrec

#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/random.hpp>
#include <span>
#include <type_traits>

namespace lstmrec {

/// Inverted dropout: zeroes each entry with probability `rate` and divides the others by 1 − rate.
/// Srivastava et al., "Dropout", 2014.
///
/// The mask of a column is a function of its seed and the place in the network alone, so it depends neither on the
/// other columns of the batch nor on threads, and `backward` is the same call on the gradient: no mask is stored.
/// `seeds` is empty outside training; then nothing happens. The rate is rounded down to 1/65536.
struct Dropout {
  double rate = 0;             ///< In [0, 1).
  std::uint64_t layer_id = 0;  ///< Tells the dropouts of one network apart.

  /// x: size × seeds, in place.
  template <class X>
  void apply(std::span<const std::uint64_t> seeds, X&& x) const {
    using Scalar = typename std::remove_reference_t<X>::Scalar;
    if (rate == 0 || seeds.empty()) return;
    assert(static_cast<std::size_t>(x.cols()) == seeds.size());
    const auto threshold = static_cast<std::uint32_t>(rate * 65536);
    const auto scale = static_cast<Scalar>(65536 / (65536 - static_cast<double>(threshold)));
    for (Index column = 0; column < x.cols(); ++column) {
      const std::uint64_t seed = mix_seed(seeds[static_cast<std::size_t>(column)], layer_id);
      const auto low = static_cast<std::uint32_t>(seed), high = static_cast<std::uint32_t>(seed >> 32);
      Scalar* values = x.col(column).data();
      const auto rows = static_cast<std::uint32_t>(x.rows());
      for (std::uint32_t row = 0; row < rows; ++row)
        values[row] *= draw(low, high, row) < threshold ? Scalar(0) : scale;
    }
  }

 private:
  /// 16 random bits: a hash of 32-bit numbers, which compilers turn into vector instructions. Multipliers and shifts
  /// are Chris Wellons' "lowbias32" (2018).
  static std::uint32_t draw(std::uint32_t low, std::uint32_t high, std::uint32_t row) {
    std::uint32_t word = low + row * 0x9e3779b9u;
    word = (word ^ (word >> 16)) * 0x7feb352du;
    word ^= high;
    word = (word ^ (word >> 15)) * 0x846ca68bu;
    return word >> 16;
  }
};

}  // namespace lstmrec

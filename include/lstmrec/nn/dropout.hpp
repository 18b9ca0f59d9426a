#pragma once

#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/random.hpp>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace lstmrec {

/// Inverted dropout: zeroes each entry with probability `rate` and divides the others by 1 − rate.
/// Srivastava et al., "Dropout", 2014.
///
/// The mask of a column is a function of its key and the place in the network alone, so it depends neither on the other
/// columns of the batch nor on threads, and `backward` is the same call on the gradient: no mask is stored. `keys` is
/// empty outside training; then nothing happens. The rate is rounded down to 1/65536.
struct Dropout {
  double rate = 0;           ///< In [0, 1).
  std::uint64_t place = 0;   ///< Tells the dropouts of one network apart.

  /// x: size × keys, in place.
  template <class X>
  void apply(std::span<const std::uint64_t> keys, X&& x) const {
    using Scalar = typename std::remove_reference_t<X>::Scalar;
    if (rate == 0 || keys.empty()) return;
    assert(static_cast<std::size_t>(x.cols()) == keys.size());
    const auto threshold = static_cast<std::uint64_t>(rate * 65536);
    const auto scale = static_cast<Scalar>(65536 / (65536 - static_cast<double>(threshold)));
    for (Index column = 0; column < x.cols(); ++column) {
      Random random(mix(keys[static_cast<std::size_t>(column)], place));
      Scalar* values = x.col(column).data();
      for (Index row = 0; row < x.rows(); row += 4) {
        std::uint64_t word = random();  // four draws of 16 bits
        for (Index i = row; i < std::min(row + 4, x.rows()); ++i, word >>= 16)
          values[i] *= (word & 0xffff) < threshold ? Scalar(0) : scale;
      }
    }
  }
};

}  // namespace lstmrec

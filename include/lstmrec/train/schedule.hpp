#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace lstmrec {

/// The factor of the learning rate at a step (from 0) out of `steps`: rises linearly over the first warmup · steps,
/// then falls to 0 along half a cosine (Loshchilov and Hutter, "SGDR", 2017, eq. 5, one period).
inline double warmup_cosine(std::int64_t step, std::int64_t steps, double warmup) {
  const double rise = warmup * static_cast<double>(steps);
  const double now = static_cast<double>(step) + 0.5;  // the middle of the step, so that neither end is zero
  if (now < rise) return now / rise;
  return 0.5 * (1 + std::cos(std::numbers::pi * (now - rise) / (static_cast<double>(steps) - rise)));
}

}  // namespace lstmrec

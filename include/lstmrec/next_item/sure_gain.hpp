#pragma once

#include <cmath>
#include <cstddef>
#include <span>

namespace lstmrec::detail {

/// Whether some figures are better than others of the same targets by more than their noise: by a standard error of
/// their mean difference. On few validation targets the best of several weights is mostly luck.
inline bool is_sure_gain(std::span<const double> with, std::span<const double> without) {
  if (with.size() < 2) return false;
  const auto count = static_cast<double>(with.size());
  double sum = 0, squares = 0;
  for (std::size_t k = 0; k < with.size(); ++k) {
    const double difference = with[k] - without[k];
    sum += difference;
    squares += difference * difference;
  }
  const double mean = sum / count;
  return mean > std::sqrt(std::fmax(0, squares / count - mean * mean) / (count - 1));
}

}  // namespace lstmrec::detail

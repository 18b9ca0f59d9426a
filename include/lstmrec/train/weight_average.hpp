#pragma once

#include <lstmrec/nn/parameters.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace lstmrec {

/// The exponential moving average of a layer's parameters, a = a + (1 − d) (w − a), whose decay rises as
/// d = min(decay, (1 + t) / (10 + t)), so that the random start is soon forgotten. Usually better than the last weights.
/// Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992.
template <class Layer>
class WeightAverage {
 public:
  /// `decay` = 0 follows the weights exactly.
  WeightAverage(Layer layer, double decay) : average_(std::move(layer)), decay_(decay) {}

  void update(const Layer& layer) {
    const auto t = static_cast<double>(++steps_);
    const double rate = 1 - std::min(decay_, (1 + t) / (10 + t));
    for_each_parameter(
        [&](auto& a, const auto& w) {
          using Scalar = typename std::remove_reference_t<decltype(a)>::Scalar;
          values(a) = static_cast<Scalar>(1 - rate) * values(a) + static_cast<Scalar>(rate) * values(w);
        },
        average_, layer);
  }

  const Layer& average() const { return average_; }

 private:
  Layer average_;
  double decay_;
  std::int64_t steps_ = 0;
};

}  // namespace lstmrec

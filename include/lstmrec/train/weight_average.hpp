#pragma once

#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/nn/parameters.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace lstmrec {

/// The exponential moving average of a layer's parameters, a = a + (1 − d) (w − a), whose decay rises as
/// d = min(decay, (1 + t) / (10 + t)), so that the random start is soon forgotten. Usually better than the last weights.
/// Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992.
template <class Layer>
class WeightAverage {
 public:
  using Scalar = typename Layer::Scalar;

  /// `decay` = 0 follows the weights exactly.
  WeightAverage(Layer layer, double decay) : average_(std::move(layer)), decay_(decay) {}

  /// The threads of the pool share the work.
  void update(const Layer& layer, ThreadPool& pool) {
    const auto t = static_cast<double>(++steps_);
    const auto rate = static_cast<Scalar>(1 - std::min(decay_, (1 + t) / (10 + t)));
    auto blocks = parameter_blocks(average_, layer);
    pool.run_ranges(blocks.size(), [&](std::size_t k) {
      auto& [kind, a, w] = blocks[k];
      a = (1 - rate) * a + rate * w;
    });
  }

  /// The same on the calling thread alone.
  void update(const Layer& layer) {
    ThreadPool one(1);
    update(layer, one);
  }

  const Layer& average() const { return average_; }

 private:
  Layer average_;
  double decay_;
  std::int64_t steps_ = 0;
};

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <span>
#include <utility>
#include <vector>

namespace lstmrec {

/// The exponential moving average of a layer's parameters, a = a + (1 − d) (w − a), whose decay rises as
/// d = min(decay, (1 + t) / (10 + t)), so that the random start is soon forgotten. Usually better than the last
/// weights. Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992.
template <class Layer>
class WeightAverage {
 public:
  using Scalar = typename Layer::Scalar;

  /// `decay` = 0 follows the weights exactly. `columns`: of the layer's tables, if only touched ones are updated.
  WeightAverage(Layer layer, double decay, std::size_t columns = 0)
      : average_(std::move(layer)), decay_(decay), updated_(columns, 0.0) {}

  /// The threads of the pool share the work.
  void update(const Layer& layer, ThreadPool& pool) {
    const Scalar rate = next_rate();
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

  /// The same where only some columns of the tables have changed since the last update: see touched_blocks. `before`
  /// holds what they were. The average of the others is brought up to date when they change, or by `catch_up`:
  /// after n steps at the same w, a = w + d₁ … dₙ (a − w).
  void update(const Layer& layer, ThreadPool& pool, std::span<const std::uint32_t> columns, const Layer& before) {
    const double decay_before = log_decay_;
    const Scalar rate = next_rate();
    auto blocks = touched_blocks(columns, before, layer, average_);
    pool.run_ranges(blocks.size(), [&](std::size_t k) {
      auto& [kind, column, old, w, a] = blocks[k];
      if (kind == Kind::table || kind == Kind::table_bias)
        a = old + static_cast<Scalar>(std::exp(decay_before - updated_[column])) * (a - old);
      a = (1 - rate) * a + rate * w;
    });
    for (const std::uint32_t column : columns) updated_[column] = log_decay_;
  }

  /// Brings every column up to date; `layer` as in the last update.
  void catch_up(const Layer& layer) {
    auto visitor = [&](const char*, Kind kind, auto& average, const auto& weights) {
      if (average.size() == 0 || (kind != Kind::table && kind != Kind::table_bias)) return;
      const Index size = kind == Kind::table ? average.rows() : 1;
      for (std::size_t column = 0; column < updated_.size(); ++column) {
        const Index begin = static_cast<Index>(column) * size;
        Values<Scalar> a(average.data() + begin, size);
        const ConstValues<Scalar> w(weights.data() + begin, size);
        a = w + static_cast<Scalar>(std::exp(log_decay_ - updated_[column])) * (a - w);
      }
    };
    Layer::visit(visitor, average_, layer);
    std::fill(updated_.begin(), updated_.end(), log_decay_);
  }

  const Layer& average() const { return average_; }
  /// Lends the average to somebody who gives it back in the same way.
  void swap(Layer& other) { std::swap(average_, other); }

 private:
  /// Counts the step and returns 1 − d.
  Scalar next_rate() {
    const auto t = static_cast<double>(++steps_);
    const double decay = std::min(decay_, (1 + t) / (10 + t));
    if (decay > 0) log_decay_ += std::log(decay);  // at 0, a = w: nothing is ever left to catch up with
    return static_cast<Scalar>(1 - decay);
  }

  Layer average_;
  double decay_;
  std::int64_t steps_ = 0;
  double log_decay_ = 0;         ///< log d₁ … d_t.
  std::vector<double> updated_;  ///< By column: log_decay_ at its last update.
};

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/lanes.hpp>
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

  /// Takes the layer's new weights into the average. The threads of the pool share the work.
  void update(const Layer& layer, ThreadPool& pool) {
    const Scalar rate = next_rate();
    const auto w = parameter_views(layer);
    const auto a = parameter_views(average_);
    const auto blocks = parameter_blocks(w);
    pool.run_ranges(blocks.size(), [&](std::size_t k) { blend(blocks[k], blocks[k].of(w), blocks[k].of(a), rate); });
  }

  /// `update` on the calling thread alone.
  void update(const Layer& layer) {
    ThreadPool one(1);
    update(layer, one);
  }

  /// Sparse update: of the item tables only the columns of `items` have changed since the last update; the item tables
  /// of `before` hold their old weights, a column an item of `items`. A column that is not touched is averaged when it
  /// is touched next, or by catch_up(): n steps with the same w give a ← w + d₁ ⋯ dₙ (a − w).
  void update(const Layer& layer, ThreadPool& pool, std::span<const std::uint32_t> items, const Layer& before) {
    const double decay_before = log_decay_;
    const Scalar rate = next_rate();
    const auto old = parameter_views(before), w = parameter_views(layer);
    const auto a = parameter_views(average_);
    const auto blocks = sparse_parameter_blocks(old, items);
    pool.run_ranges(blocks.size(), [&](std::size_t k) {
      const ParameterBlock& block = blocks[k];
      if (is_by_item(block.kind))
        decay_towards(block.count, block.of(old), block.of_whole(a), decay_before - updated_[block.item]);
      blend(block, block.of_whole(w), block.of_whole(a), rate);
    });
    for (const std::uint32_t item : items) updated_[item] = log_decay_;
  }

  /// Brings every column up to date; `layer` as in the last update. A second call changes nothing.
  void catch_up(const Layer& layer) {
    const auto w = parameter_views(layer);
    const auto a = parameter_views(average_);
    for (std::size_t k = 0; k < a.size(); ++k) {
      if (a[k].size() == 0 || !is_by_item(a[k].kind)) continue;
      const Index size = a[k].size_of_one();
      for (std::size_t item = 0; item < updated_.size(); ++item) {
        if (updated_[item] == log_decay_) continue;
        const Index begin = static_cast<Index>(item) * size;
        decay_towards(size, w[k].data + begin, a[k].data + begin, log_decay_ - updated_[item]);
      }
    }
    std::fill(updated_.begin(), updated_.end(), log_decay_);
  }

  const Layer& average() const { return average_; }
  Layer take_average() { return std::move(average_); }  ///< To be called once, at the end.

  /// Calls visitor(name, value) for all that an update changes and later updates read.
  template <class Self, class Visitor>
  static void visit_state(Self& self, Visitor&& visitor) {
    visitor("average", self.average_);
    visitor("steps", self.steps_);
    visitor("log_decay", self.log_decay_);
    visitor("updated", self.updated_);
  }

 private:
  /// a ← (1 − rate) a + rate w.
  static void blend(const ParameterBlock& block, const Scalar* w, Scalar* a, Scalar rate) {
    for_each_lane<Scalar>(block.count, [=](auto at) { at.store(a, (1 - rate) * at[a] + rate * at[w]); });
  }
  /// a ← w + e^log_factor (a − w).
  static void decay_towards(Index count, const Scalar* w, Scalar* a, double log_factor) {
    const auto factor = static_cast<Scalar>(std::exp(log_factor));
    for_each_lane<Scalar>(count, [=](auto at) { at.store(a, at[w] + factor * (at[a] - at[w])); });
  }

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

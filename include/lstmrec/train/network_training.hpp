#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <lstmrec/train/adam.hpp>
#include <lstmrec/train/gradients.hpp>
#include <lstmrec/train/weight_average.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace lstmrec {

/// A step that has touched some columns of the item tables only.
template <class Network>
struct TouchedColumns {
  std::span<const std::uint32_t> columns;  ///< Items of the columns of the gradients' tables.
  const Network* before = nullptr;         ///< What these columns were before the step.
};

/// A network in training: its weights, the optimiser, the average of its weights. One step takes the gradients of a
/// batch's parts to new weights.
template <class Network>
class NetworkTraining {
 public:
  /// `ema_decay` = 0: no average is kept. `items`: of the network's tables, if steps touch some columns only, else 0.
  NetworkTraining(Network initial, const AdamOptions& adam, double ema_decay, double clip_norm, std::size_t items = 0)
      : network_(std::move(initial)),
        adam_(network_, adam),
        average_(ema_decay > 0 ? network_ : Network(), ema_decay, items),
        has_average_(ema_decay > 0),
        clip_norm_(clip_norm) {}

  const Network& network() const { return network_; }
  /// The weights to validate and to keep.
  const Network& averaged() const { return has_average_ ? average_.average() : network_; }
  /// Hands them over; the training can't go on.
  Network take_averaged() { return has_average_ ? average_.take_average() : std::move(network_); }

  /// See FitOptions.
  std::function<void(std::span<const std::span<typename Network::Scalar>>)> reduce_gradients;

  /// `gradients`: of each part of the batch; the first takes their sum, in this order whatever the number of threads.
  /// Throws TrainingDiverged where loss or gradients are not finite, or where the loss is more than a thousand times as
  /// large as the first was and as 1; then the weights are those of before. Epoch and batch from 0, for the message.
  void step(std::vector<Network>& gradients, double loss, double learning_rate, std::size_t epoch, std::size_t batch,
            ThreadPool& pool, const TouchedColumns<Network>& touched = {}) {
    double norm =
        touched.before == nullptr ? sum_gradients(gradients, pool) : sum_gradients(gradients, pool, touched.columns);
    Network& sum = gradients.front();
    if (reduce_gradients) {
      assert(touched.before == nullptr);
      std::vector<std::span<typename Network::Scalar>> blocks;
      for (const auto& view : parameter_views(sum))
        blocks.emplace_back(view.data, static_cast<std::size_t>(view.size()));
      reduce_gradients(blocks);
      norm = gradient_norm(sum, pool);
    }
    check_finite(loss, norm, epoch, batch);
    if (largest_loss_ == 0) largest_loss_ = 1000 * std::max(1.0, std::abs(loss));
    if (loss > largest_loss_)
      detail::fail<TrainingDiverged>({"epoch ", epoch + 1, ", batch ", batch + 1, ": loss ", loss,
                                      ", a thousand times that of the beginning; a lower learning rate may help"});
    clip_gradients(sum, norm, clip_norm_, pool);
    if (touched.before != nullptr) {
      adam_.update(network_, sum, learning_rate, pool, touched.columns);
      if (has_average_) average_.update(network_, pool, touched.columns, *touched.before);
    } else {
      adam_.update(network_, sum, learning_rate, pool);
      if (has_average_) average_.update(network_, pool);
    }
  }

  /// Brings `averaged` up to date in the columns that no step has touched for a while.
  void catch_up() {
    if (has_average_) average_.catch_up(network_);
  }

  /// Calls visitor(name, value) for all that a step changes and later steps read: layers, numbers and vectors of
  /// numbers. A training whose state is put back so goes on to the same bits.
  template <class Self, class Visitor>
  static void visit_state(Self& self, Visitor&& visitor) {
    visitor(std::string("network"), self.network_);
    Adam<Network>::visit_state(self.adam_, [&](const char* name, auto& value) {
      visitor(detail::message({"adam.", name}), value);
    });
    if (self.has_average_)
      WeightAverage<Network>::visit_state(self.average_, [&](const char* name, auto& value) {
        visitor(detail::message({"average.", name}), value);
      });
  }

 private:
  Network network_;
  Adam<Network> adam_;
  WeightAverage<Network> average_;
  bool has_average_;
  double clip_norm_;
  double largest_loss_ = 0;  ///< Above it the training has diverged; 0: before the first step.
};

}  // namespace lstmrec

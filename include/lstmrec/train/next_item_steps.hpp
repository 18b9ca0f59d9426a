#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/random.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/data/training_windows.hpp>
#include <lstmrec/model/next_item_network.hpp>
#include <lstmrec/model/recommender_config.hpp>
#include <lstmrec/nn/item_targets.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <lstmrec/train/adam.hpp>
#include <lstmrec/train/gradients.hpp>
#include <lstmrec/train/sampled_catalogue.hpp>
#include <lstmrec/train/weight_average.hpp>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace lstmrec::detail {

/// A next-item network in training: its optimiser, the average of its weights, and one step on a batch of windows.
///
/// A batch is cut into config.shards parts, each with its own gradients, which are summed in a fixed order, so the
/// threads change no bit of the result. With config.negatives > 0 a step is made on the few items it meets (see
/// SampledCatalogue), and the columns of other items wait until `average.catch_up(network)`.
template <ItemLoss<float> Loss>
class NextItemSteps {
 public:
  using Network = NextItemNetwork<float>;

  Network network;
  WeightAverage<Network> average;

  /// Borrows batches, config and loss. `initial`: with its first weights. `config`: checked, its negatives chosen.
  /// `item_counts`: of the training part. `threads` = 0: as many as there are processors, but no more than shards.
  NextItemSteps(Network initial, const WindowBatches& batches, const RecommenderConfig& config,
                std::span<const std::uint32_t> item_counts, const Loss& loss, std::size_t threads)
      : network(std::move(initial)),
        average(network, config.average_decay, config.negatives > 0 ? item_counts.size() : 0),
        batches_(&batches),
        config_(&config),
        loss_(&loss),
        adam_(network, {.weight_decay = config.weight_decay}),
        shards_(static_cast<std::size_t>(config.shards)),
        pool_(std::min(shards_.size(), threads == 0 ? default_threads() : threads)) {
    if (config.negatives > 0)
      sampled_.emplace(Network(1, config), item_counts, static_cast<std::size_t>(config.negatives));
    for (Shard& shard : shards_) shard.gradients = zeros_like(trained());
    for (std::size_t s = 1; s < shards_.size(); ++s) other_gradients_.push_back(&shards_[s].gradients);
  }

  NextItemSteps(const NextItemSteps&) = delete;
  NextItemSteps& operator=(const NextItemSteps&) = delete;

  /// Batch `number` of an epoch, both from 0; sorts `windows`. `predictions`: of all of them, over which the loss that
  /// is returned is averaged. Throws TrainingDiverged; then the weights are those of before.
  double step(std::span<Window> windows, std::size_t predictions, double learning_rate, std::uint64_t epoch,
              std::size_t number) {
    fill(windows, predictions, epoch);
    SampledItems sampled_items;
    if (sampled_) {
      sampled_->draw(mix(config_->seed, epoch, number));
      for (Shard& shard : shards_) sampled_->relabel(shard.batch);
      sampled_->gather(network, pool_);
      sampled_items = sampled_->items();
    }
    pool_.run(shards_.size(), [&](std::size_t s) {
      Shard& shard = shards_[s];
      if (sampled_) reserve_columns(shard.gradients, trained().items());
      set_zero(shard.gradients);
      shard.loss = shard.batch.inputs.empty()
                       ? 0
                       : trained().forward_backward(shard.batch, batches_->targets_per_column(), *loss_, shard.cache,
                                                    shard.gradients, sampled_ ? &sampled_items : nullptr);
    });
    double loss = 0;
    for (const Shard& shard : shards_) loss += shard.loss;
    Network& gradients = shards_[0].gradients;
    const double norm = sum_gradients(gradients, other_gradients_, pool_);
    check_finite(loss, norm, epoch, number);
    clip_gradients(gradients, norm, config_->clip_norm, pool_);
    if (sampled_) {
      adam_.update(network, gradients, learning_rate, pool_, sampled_->columns());
      average.update(network, pool_, sampled_->columns(), trained());
    } else {
      adam_.update(network, gradients, learning_rate, pool_);
      average.update(network, pool_);
    }
    return loss;
  }

 private:
  /// One worker's part of a batch, with the buffers that outlive it.
  struct Shard {
    WindowBatch batch;
    Network::Cache cache;
    Network gradients;
    double loss = 0;
  };

  const Network& trained() const { return sampled_ ? sampled_->network() : network; }

  /// The longest windows go to the shards in turn, first to last and then last to first, so that no shard gets the
  /// longer one every time: all have about the same work.
  void fill(std::span<Window> windows, std::size_t predictions, std::uint64_t epoch) {
    const float weight = 1 / static_cast<float>(std::max<std::size_t>(1, predictions));
    sort_longest_first(windows);
    pool_.run(shards_.size(), [&](std::size_t s) {
      std::vector<Window> own;
      for (std::size_t row = 0, i;
           (i = row * shards_.size() + (row % 2 == 0 ? s : shards_.size() - 1 - s)) < windows.size(); ++row)
        own.push_back(windows[i]);
      batches_->fill(own, weight, mix(config_->seed, epoch), shards_[s].batch);
    });
  }

  const WindowBatches* batches_;
  const RecommenderConfig* config_;
  const Loss* loss_;
  Adam<Network> adam_;
  std::optional<SampledCatalogue<Network>> sampled_;
  std::vector<Shard> shards_;
  std::vector<const Network*> other_gradients_;
  ThreadPool pool_;
};

}  // namespace lstmrec::detail

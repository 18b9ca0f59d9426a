#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/next_item/batch_builder.hpp>
#include <lstmrec/next_item/config.hpp>
#include <lstmrec/next_item/network.hpp>
#include <lstmrec/next_item/sampled_catalogue.hpp>
#include <lstmrec/nn/item_labels.hpp>
#include <lstmrec/nn/losses.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <lstmrec/train/network_training.hpp>
#include <lstmrec/train/progress.hpp>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace lstmrec::detail {

/// One training step of a next-item network after the other, each on a batch of subsequences.
///
/// A batch is cut into config.training.shards parts, each with its own gradients, which are summed in a fixed order, so
/// the threads change no bit of the result. With sampled negatives a step is made on the few items it meets (see
/// SampledCatalogue), and the columns of other items wait until `training.catch_up()`.
template <class Network>
class NextItemSteps {
 public:
  NetworkTraining<Network> training;

  /// Borrows batches, config and loss. `initial`: with its first weights. `config`: resolved. `item_counts`: of the
  /// training part. Throws ConfigError where gradients of sampled negatives would have to be reduced.
  NextItemSteps(Network initial, const BatchBuilder& batches, const RecommenderConfig& config,
                std::span<const std::uint32_t> item_counts, const ItemLossRef<float>& loss, const FitOptions& options)
      : training(std::move(initial), {.weight_decay = config.training.weight_decay}, config.training.ema_decay,
                 config.training.clip_norm, config.sampled_negatives > 0 ? item_counts.size() : 0),
        batches_(&batches),
        config_(&config),
        loss_(loss),
        shards_(static_cast<std::size_t>(config.training.shards)),
        pool_(std::min(shards_.size(), options.threads == 0 ? default_threads() : options.threads)) {
    if (config.sampled_negatives > 0) {
      if (options.reduce_gradients) throw ConfigError("gradients can be reduced only where sampled_negatives is 0");
      sampled_.emplace(Network(1, config), item_counts, static_cast<std::size_t>(config.sampled_negatives));
    }
    training.reduce_gradients = options.reduce_gradients;
    gradients_ = std::vector<Network>(shards_.size(), zeros_like(trained()));
  }

  NextItemSteps(const NextItemSteps&) = delete;
  NextItemSteps& operator=(const NextItemSteps&) = delete;

  /// Batch `number` of an epoch, both from 0; sorts `parts`. `predictions`: of all of them, over which the loss that is
  /// returned is averaged. Throws TrainingDiverged; then the weights are those of before.
  double step(std::span<Subsequence> parts, std::size_t predictions, double learning_rate, std::size_t epoch,
              std::size_t number) {
    fill(parts, predictions, epoch);
    SampledItems sampled_items;
    if (sampled_) {
      sampled_->draw(mix_seed(config_->training.seed, epoch, number));
      for (Shard& shard : shards_) sampled_->relabel(shard.batch);
      sampled_->gather(training.network(), pool_);
      sampled_items = sampled_->items();
    }
    pool_.run(shards_.size(), [&](std::size_t s) {
      Shard& shard = shards_[s];
      if (sampled_) reserve_items(gradients_[s], trained().items());
      set_zero(gradients_[s]);
      shard.loss = shard.batch.inputs.empty()
                       ? 0
                       : trained().forward_backward(shard.batch, loss_, shard.cache, gradients_[s],
                                                    sampled_ ? &sampled_items : nullptr);
    });
    double loss = 0;
    for (const Shard& shard : shards_) loss += shard.loss;
    if (sampled_)
      training.step(gradients_, loss, learning_rate, epoch, number, pool_, {sampled_->columns(), &trained()});
    else
      training.step(gradients_, loss, learning_rate, epoch, number, pool_);
    return loss;
  }

 private:
  /// One worker's part of a batch, with the buffers that outlive it.
  struct Shard {
    SequenceBatch batch;
    typename Network::Cache cache;
    double loss = 0;
  };

  const Network& trained() const { return sampled_ ? sampled_->network() : training.network(); }

  /// The longest subsequences go to the shards in turn, first to last and then last to first, so that no shard gets the
  /// longer one every time: all have about the same work.
  void fill(std::span<Subsequence> parts, std::size_t predictions, std::size_t epoch) {
    const float weight = 1 / static_cast<float>(std::max<std::size_t>(1, predictions));
    sort_longest_first(parts);
    pool_.run(shards_.size(), [&](std::size_t s) {
      std::vector<Subsequence> own;
      for (std::size_t row = 0, i;
           (i = row * shards_.size() + (row % 2 == 0 ? s : shards_.size() - 1 - s)) < parts.size(); ++row)
        own.push_back(parts[i]);
      batches_->fill(own, weight, mix_seed(config_->training.seed, epoch), shards_[s].batch);
    });
  }

  const BatchBuilder* batches_;
  const RecommenderConfig* config_;
  ItemLossRef<float> loss_;
  std::optional<SampledCatalogue<Network>> sampled_;
  std::vector<Shard> shards_;
  std::vector<Network> gradients_;
  ThreadPool pool_;
};

}  // namespace lstmrec::detail

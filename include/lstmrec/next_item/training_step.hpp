#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/feature_rows.hpp>
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
/// A batch is cut into config.training.shards parts, whose gradients are summed in a fixed order, so the threads change
/// no bit of the result. Memory does not grow with their number, but for a few tiles of logits. With sampled negatives
/// a step is made on the few items it meets (see SampledCatalogue), and the columns of other items wait until
/// `training.catch_up()`. With features of items a step is made on a copy whose item vectors have their content.
template <class Network>
class NextItemSteps {
 public:
  NetworkTraining<Network> training;

  /// Borrows batches, config, features and loss. `initial`: with its first weights, its item vectors without content.
  /// `config`: resolved. `item_counts`: of the training part. `features`: a row an item, or none at all. Throws
  /// ConfigError where gradients of sampled negatives would have to be reduced.
  NextItemSteps(Network initial, const BatchBuilder& batches, const RecommenderConfig& config,
                std::span<const std::uint32_t> item_counts, const FeatureRows& features, const ItemLossRef<float>& loss,
                const FitOptions& options)
      : training(std::move(initial), {.weight_decay = config.training.weight_decay}, config.training.ema_decay,
                 config.training.clip_norm, config.sampled_negatives > 0 ? item_counts.size() : 0),
        batches_(&batches),
        config_(&config),
        features_(&features),
        loss_(loss),
        batch_(static_cast<std::size_t>(config.training.shards)),
        pool_(options.threads) {
    if (config.sampled_negatives > 0) {
      if (options.reduce_gradients) throw ConfigError("gradients can be reduced only where sampled_negatives is 0");
      sampled_.emplace(Network(1, config), item_counts, static_cast<std::size_t>(config.sampled_negatives));
    }
    training.reduce_gradients = options.reduce_gradients;
    gradients_.push_back(zeros_like(without_content()));
    gradients_.resize(batch_.size(), without_item_tables(gradients_.front()));
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
      for (SequenceBatch& part : batch_) sampled_->relabel(part);
      sampled_->gather(training.network(), pool_);
      sampled_items = sampled_->items();
      reserve_items(gradients_.front(), without_content().items());
    }
    for (Network& part : gradients_) set_zero(part, pool_);
    const std::span<const std::uint32_t> items = sampled_ ? sampled_->columns() : std::span<const std::uint32_t>();
    if (!features_->empty()) {
      with_content_ = without_content();
      with_content_.add_content(*features_, items, pool_);
    }
    const Network& network = features_->empty() ? without_content() : with_content_;
    const double loss =
        network.forward_backward(batch_, loss_, cache_, gradients_, pool_, sampled_ ? &sampled_items : nullptr);
    if (!features_->empty()) gradients_.front().add_content_gradient(*features_, items, pool_);
    if (sampled_)
      training.step(gradients_, loss, learning_rate, epoch, number, pool_, {items, &without_content()});
    else
      training.step(gradients_, loss, learning_rate, epoch, number, pool_);
    return loss;
  }

 private:
  const Network& without_content() const { return sampled_ ? sampled_->network() : training.network(); }

  /// The longest subsequences go to the parts in turn, first to last and then last to first, so that no part gets the
  /// longer one every time: all have about the same work.
  void fill(std::span<Subsequence> parts, std::size_t predictions, std::size_t epoch) {
    const float weight = 1 / static_cast<float>(std::max<std::size_t>(1, predictions));
    sort_longest_first(parts);
    pool_.run(batch_.size(), [&](std::size_t s) {
      std::vector<Subsequence> own;
      for (std::size_t row = 0, i;
           (i = row * batch_.size() + (row % 2 == 0 ? s : batch_.size() - 1 - s)) < parts.size(); ++row)
        own.push_back(parts[i]);
      batches_->fill(own, weight, mix_seed(config_->training.seed, epoch), batch_[s]);
    });
  }

  const BatchBuilder* batches_;
  const RecommenderConfig* config_;
  const FeatureRows* features_;
  ItemLossRef<float> loss_;
  std::optional<SampledCatalogue<Network>> sampled_;
  std::vector<SequenceBatch> batch_;  ///< In parts.
  typename Network::Cache cache_;
  Network with_content_;            ///< Empty without features.
  std::vector<Network> gradients_;  ///< Of each part; the first has the item tables for all.
  ThreadPool pool_;
};

}  // namespace lstmrec::detail

#pragma once

#include <lstmrec/core/error.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/data/training_windows.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/model/recommender.hpp>
#include <lstmrec/train/adam.hpp>
#include <lstmrec/train/gradients.hpp>
#include <lstmrec/train/counts_weight.hpp>
#include <lstmrec/train/progress.hpp>
#include <lstmrec/train/sampled_catalogue.hpp>
#include <lstmrec/train/schedule.hpp>
#include <lstmrec/train/weight_average.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

namespace lstmrec {

/// How a training runs, as far as it does not change what is learned.
struct FitOptions {
  std::size_t threads = 0;         ///< 0: as many as there are processors, but no more than shards.
  ProgressCallback progress = {};  ///< Called on the calling thread, after every batch and every epoch.
  /// When stop is requested, training ends after the batch; what it has by then is validated, and counts are weighed.
  std::stop_token stop = {};
};

/// A trained recommender and how it got there.
struct FitResult {
  Recommender recommender;
  std::vector<EpochRecord> epochs;   ///< One an epoch that was begun.
  std::size_t best_epoch = 0;        ///< From 1: whose weights were kept; 0 if none was validated.
  bool stopped = false;              ///< By the stop token.
  double seconds = 0;
};

namespace detail {

/// At most `count` of the targets (0: all), drawn by the seed, in their order.
inline std::vector<Target> draw_targets(std::vector<Target> targets, std::size_t count, std::uint64_t seed) {
  if (count == 0 || targets.size() <= count) return targets;
  Random(seed).shuffle(targets);
  targets.resize(count);
  std::sort(targets.begin(), targets.end(),
            [](Target a, Target b) { return std::pair(a.user, a.position) < std::pair(b.user, b.position); });
  return targets;
}

/// One worker's part of a batch, with the buffers that outlive it.
template <class Network>
struct Shard {
  WindowBatch batch;
  typename Network::Cache cache;
  Network gradients;
  double loss = 0;
};

}  // namespace detail

/// Trains a recommender on the training part of a split and keeps the weights of the epoch with the best validation
/// NDCG@10 (the last epoch's where the split has no validation targets). Then weighs transition counts against it:
/// see Recommender and RecommenderConfig::counts_weight, which on return is the weight in use.
///
///     const auto result = fit(split, {.embedding_size = 64, .hidden_size = 64, .epochs = 10});
///
/// Every input event predicts the events after it over the whole catalogue, or over sampled items (softmax
/// cross-entropy, or a loss of the user's: see ItemLoss). A batch is cut into config.shards parts, each with its own
/// gradients, which are summed in a fixed order: the same seed gives the same bits for any number of threads, on one
/// binary and processor. Throws std::invalid_argument on a bad configuration, Error where the split has nothing to
/// train on, TrainingDiverged where the loss or the gradient is not finite, and whatever the progress callback throws.
template <ItemLoss<float> Loss = SoftmaxCrossEntropy>
FitResult fit(const Split& split, const RecommenderConfig& config = {}, const FitOptions& options = {},
              const Loss& loss = {}) {
  config.check();
  using Network = NextItemNetwork<float>;
  const auto begin = TrainingClock::now();
  const Sequences& sequences = split.sequences;

  FitResult result;
  Recommender& recommender = result.recommender;
  recommender.config = config;
  recommender.config.counts_weight = 0;  // the network is trained and validated alone
  recommender.item_ids = sequences.items;
  recommender.catalogue = sequences.catalogue;
  recommender.item_counts = training_counts(split);
  if (config.negatives < 0) recommender.config.negatives = sequences.items.size() > 20000 ? 2048 : 0;
  Network network(static_cast<Index>(sequences.items.size()), config);
  Random random(config.seed);
  network.initialise(random);

  const auto shards = static_cast<std::size_t>(config.shards);
  ThreadPool pool(std::min(shards, options.threads == 0 ? default_threads() : options.threads));
  const WindowTargets targets{static_cast<std::uint32_t>(config.target_count), config.target_decay,
                              !config.recommend_seen};
  const WindowBatches batches(split, targets);
  const auto window = static_cast<std::uint32_t>(config.window);
  std::optional<SampledCatalogue<Network>> sampled;
  if (recommender.config.negatives > 0)
    sampled.emplace(Network(1, config), recommender.item_counts,
                    static_cast<std::size_t>(recommender.config.negatives));
  std::vector<detail::Shard<Network>> work(shards);
  for (auto& shard : work) shard.gradients = zeros_like(sampled ? sampled->network() : network);
  std::vector<const Network*> other_gradients;
  for (std::size_t s = 1; s < shards; ++s) other_gradients.push_back(&work[s].gradients);
  Adam<Network> adam(network, {.weight_decay = config.weight_decay});
  WeightAverage<Network> average(network, config.average_decay, sampled ? sequences.items.size() : 0);
  const auto validation =
      detail::draw_targets(split.validation, static_cast<std::size_t>(config.validation_users), config.seed);

  auto windows = cut_windows(split, window, mix(config.seed, 0));
  if (windows.empty()) throw Error(sequences.source + ": no user has two events to train on");
  if (std::none_of(windows.begin(), windows.end(), [&](const Window& w) { return batches.predictions(w) > 0; }))
    throw Error(sequences.source +
                ": after the first event of each user there are only repeats to train on, which recommend_seen is for");
  // Small data needs small batches to get enough steps; large batches are only faster.
  if (config.batch_size == 0)
    recommender.config.batch_size = std::clamp<std::int64_t>(static_cast<std::int64_t>(windows.size()) / 384, 8, 64);
  const auto batch_size = static_cast<std::size_t>(recommender.config.batch_size);
  // The number of windows changes a little from epoch to epoch with where they are cut; the schedule needs one number.
  const auto batches_in = [&](std::size_t count) { return (count + batch_size - 1) / batch_size; };
  const auto all_steps = static_cast<std::int64_t>(batches_in(windows.size())) * config.epochs;

  TrainingProgress progress;
  progress.epochs = static_cast<std::size_t>(config.epochs);
  Recommender candidate = recommender;  // borrows the average's network for validation
  double best = -1;
  std::size_t without_improvement = 0;
  std::int64_t step = 0;
  for (std::int64_t epoch = 0; epoch < config.epochs && !result.stopped; ++epoch) {
    if (epoch > 0) windows = cut_windows(split, window, mix(config.seed, epoch));
    progress.epoch = static_cast<std::size_t>(epoch) + 1;
    progress.batches = batches_in(windows.size());
    progress.validation.reset();
    double loss_sum = 0;
    std::size_t epoch_events = 0, epoch_predictions = 0;
    const auto epoch_begin = TrainingClock::now();
    for (std::size_t number = 0; number < progress.batches && !result.stopped; ++number, ++step) {
      const auto chosen = std::span(windows).subspan(number * batch_size).first(
          std::min(batch_size, windows.size() - number * batch_size));
      std::size_t events = 0, predictions = 0;
      for (const Window& w : chosen) {
        events += w.size();
        predictions += batches.predictions(w);
      }
      const float weight = 1 / static_cast<float>(std::max<std::size_t>(1, predictions));

      // The longest windows go to the shards in turn, first to last and then last to first, so that no shard gets the
      // longer one every time: all have about the same work.
      sort_longest_first(chosen);
      pool.run(shards, [&](std::size_t s) {
        std::vector<Window> mine;
        for (std::size_t row = 0, i; (i = row * shards + (row % 2 == 0 ? s : shards - 1 - s)) < chosen.size(); ++row)
          mine.push_back(chosen[i]);
        batches.fill(mine, weight, mix(config.seed, epoch), work[s].batch);
      });
      SampledItems sampled_items;
      if (sampled) {
        sampled->draw(mix(config.seed, epoch, number));
        for (auto& shard : work) sampled->relabel(shard.batch);
        sampled->gather(network, pool);
        sampled_items = sampled->items();
      }
      pool.run(shards, [&](std::size_t s) {
        auto& shard = work[s];
        const Network& trained = sampled ? sampled->network() : network;
        if (sampled) reserve_columns(shard.gradients, trained.items());
        set_zero(shard.gradients);
        shard.loss = shard.batch.inputs.empty()
                         ? 0
                         : trained.forward_backward(shard.batch, targets.count, loss, shard.cache, shard.gradients,
                                                    sampled ? &sampled_items : nullptr);
      });
      double batch_loss = 0;
      for (const auto& shard : work) batch_loss += shard.loss;
      Network& gradients = work[0].gradients;
      const double norm = sum_gradients(gradients, other_gradients, pool);
      if (!std::isfinite(batch_loss) || !std::isfinite(norm))
        throw TrainingDiverged("epoch " + std::to_string(epoch + 1) + ", batch " + std::to_string(number + 1) +
                               ": loss " + std::to_string(batch_loss) + ", gradient norm " + std::to_string(norm) +
                               "; a lower learning rate may help");
      clip_gradients(gradients, norm, config.clip_norm, pool);
      const double rate = config.learning_rate * warmup_cosine(std::min(step, all_steps - 1), all_steps, config.warmup);
      if (sampled) {
        adam.update(network, gradients, rate, pool, sampled->columns());
        average.update(network, pool, sampled->columns(), sampled->network());
      } else {
        adam.update(network, gradients, rate, pool);
        average.update(network, pool);
      }

      loss_sum += batch_loss * static_cast<double>(predictions);
      epoch_predictions += predictions;
      epoch_events += events;
      progress.batch = number + 1;
      progress.events += events;
      progress.loss = loss_sum / static_cast<double>(std::max<std::size_t>(1, epoch_predictions));
      progress.update_times(begin, epoch_begin, epoch_events);
      if (options.progress) options.progress(progress);
      result.stopped = options.stop.stop_requested();
    }

    EpochRecord record{progress.epoch, progress.loss, progress.events_per_second, {}};
    average.catch_up(network);
    if (!validation.empty()) {
      average.swap(candidate.network);
      if (!sampled) candidate.prepare_sessions();  // a table of many items would cost more than it saves
      const auto figures = evaluate(candidate, split, validation,
                                    {.cutoffs = {10}, .filter_seen = !config.recommend_seen,
                                     .threads = options.threads, .bootstrap_samples = 0});
      candidate.item_products.resize(0, 0);
      record.validation = ValidationFigures{figures.hr_at(10).value, figures.ndcg_at(10).value, figures.mrr.value};
      if (record.validation->ndcg10 > best) {
        best = record.validation->ndcg10;
        result.best_epoch = progress.epoch;
        without_improvement = 0;
        recommender.network = candidate.network;
      } else {
        ++without_improvement;
      }
      average.swap(candidate.network);
    }
    result.epochs.push_back(record);
    progress.validation = record.validation;
    progress.epoch_ended = true;
    progress.update_times(begin, epoch_begin, epoch_events);
    if (options.progress) options.progress(progress);
    progress.epoch_ended = false;
    if (config.patience > 0 && without_improvement >= static_cast<std::size_t>(config.patience)) break;
  }
  if (result.best_epoch == 0) average.swap(recommender.network);
  if (config.counts_weight != 0) {
    recommender.counts = MarkovCounts(split);
    recommender.config.counts_weight = config.counts_weight > 0
                                           ? config.counts_weight
                                           : choose_counts_weight(recommender, split, validation, options.threads);
    if (!recommender.uses_counts()) recommender.counts = {};
  }
  result.seconds = TrainingClock::seconds_since(begin);
  return result;
}

}  // namespace lstmrec

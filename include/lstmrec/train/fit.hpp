#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/counts/markov.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/data/training_windows.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/model/recommender.hpp>
#include <lstmrec/train/counts_weight.hpp>
#include <lstmrec/train/next_item_steps.hpp>
#include <lstmrec/train/progress.hpp>
#include <lstmrec/train/schedule.hpp>
#include <span>
#include <stdexcept>
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
  std::vector<EpochRecord> epochs;  ///< One an epoch that was begun.
  std::size_t best_epoch = 0;       ///< From 1: whose weights were kept; 0 if none was validated.
  bool stopped = false;             ///< By the stop token.
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

/// Figures on validation targets; the candidate's item products come and go.
inline ValidationFigures validate(Recommender& candidate, const Split& split, const std::vector<Target>& targets,
                                  std::size_t threads) {
  if (candidate.config.negatives == 0) candidate.prepare_sessions();  // a table of many items costs more than it saves
  const auto figures = evaluate(
      candidate, split, targets,
      {.cutoffs = {10}, .filter_seen = !candidate.config.recommend_seen, .threads = threads, .bootstrap_samples = 0});
  candidate.item_products.resize(0, 0);
  return {figures.hr_at(10).value, figures.ndcg_at(10).value, figures.mrr.value};
}

/// Whether a recommender's network has the sizes that its configuration says, and an id for every item.
inline bool is_consistent(const Recommender& recommender) {
  const NextItemNetwork<float>& network = recommender.network;
  const NextItemNetwork<float> shape(1, recommender.config);
  if (network.items() == 0 || static_cast<std::size_t>(network.items()) != recommender.item_ids.size()) return false;
  if (network.blocks.size() != shape.blocks.size()) return false;
  bool same = true;
  auto visitor = [&](const char*, Kind kind, const auto& a, const auto& b) {
    if (kind != Kind::table_bias) same = same && a.rows() == b.rows();
    same = same && (kind == Kind::table ? (a.cols() > 0) == (b.cols() > 0) : a.cols() == b.cols());
  };
  NextItemNetwork<float>::visit(visitor, network, shape);
  return same;
}

/// Takes over a recommender's weights. Items are matched by id; those it does not know keep what `network` has.
inline void take_weights(const Recommender& before, const Vocabulary& items, NextItemNetwork<float>& network) {
  auto visitor = [&](const char*, Kind kind, auto& weights, const auto& taken) {
    if (kind != Kind::table && kind != Kind::table_bias) {
      weights = taken;
    } else if (weights.size() > 0) {
      const Index size = kind == Kind::table ? weights.rows() : 1;
      for (std::uint32_t item = 0; item < items.size(); ++item)
        if (const auto place = before.item_ids.find(items.id(item)))
          std::copy_n(taken.data() + *place * size, size, weights.data() + item * size);
    }
  };
  NextItemNetwork<float>::visit(visitor, network, before.network);
}

/// What fit and warm_start have in common. The latter has a `before`, and validation neither ends it nor chooses: each
/// epoch counts as better than the one before.
template <ItemLoss<float> Loss>
FitResult fit(const Recommender* before, const Split& split, const RecommenderConfig& config, const FitOptions& options,
              const Loss& loss) {
  config.check();
  const auto begin = TrainingClock::now();
  const Sequences& sequences = split.sequences;
  const WindowBatches batches(
      split, {static_cast<std::uint32_t>(config.target_count), config.target_decay, !config.recommend_seen});
  const auto window = static_cast<std::uint32_t>(config.window);
  auto windows = cut_windows(split, window, mix(config.seed, 0));
  if (windows.empty()) throw Error(sequences.source + ": no user has two events to train on");
  if (std::none_of(windows.begin(), windows.end(), [&](const Window& w) { return batches.predictions(w) > 0; }))
    throw Error(sequences.source +
                ": after the first event of each user there are only repeats to train on, which recommend_seen is for");

  FitResult result;
  Recommender& recommender = result.recommender;
  recommender.config = config;
  recommender.config.counts_weight = 0;  // the network is trained and validated alone
  if (config.negatives < 0) recommender.config.negatives = sequences.items.size() > 20000 ? 2048 : 0;
  // Small data needs small batches to get enough steps; large batches are only faster.
  if (config.batch_size == 0)
    recommender.config.batch_size = std::clamp<std::int64_t>(static_cast<std::int64_t>(windows.size()) / 384, 8, 64);
  recommender.item_ids = sequences.items;
  recommender.catalogue = sequences.catalogue;
  recommender.item_counts = training_counts(split);

  NextItemNetwork<float> network(static_cast<Index>(sequences.items.size()), config);
  Random random(config.seed);
  network.initialise(random);
  if (before) take_weights(*before, sequences.items, network);
  NextItemSteps training(std::move(network), batches, recommender.config, recommender.item_counts, loss,
                         options.threads);
  const auto validation =
      draw_targets(split.validation, static_cast<std::size_t>(config.validation_users), config.seed);

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
      const auto chosen = std::span(windows)
                              .subspan(number * batch_size)
                              .first(std::min(batch_size, windows.size() - number * batch_size));
      std::size_t events = 0, predictions = 0;
      for (const Window& w : chosen) {
        events += w.size();
        predictions += batches.predictions(w);
      }
      const double rate = config.learning_rate * warmup_cosine(std::min(step, all_steps - 1), all_steps, config.warmup);
      const double batch_loss = training.step(chosen, predictions, rate, static_cast<std::uint64_t>(epoch), number);

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
    training.average.catch_up(training.network);
    if (!validation.empty()) {
      training.average.swap(candidate.network);
      record.validation = validate(candidate, split, validation, options.threads);
      if (before || record.validation->ndcg10 > best) {
        best = record.validation->ndcg10;
        result.best_epoch = progress.epoch;
        without_improvement = 0;
        recommender.network = candidate.network;
      } else {
        ++without_improvement;
      }
      training.average.swap(candidate.network);
    }
    result.epochs.push_back(record);
    progress.validation = record.validation;
    progress.epoch_ended = true;
    progress.update_times(begin, epoch_begin, epoch_events);
    if (options.progress) options.progress(progress);
    progress.epoch_ended = false;
    if (config.patience > 0 && without_improvement >= static_cast<std::size_t>(config.patience)) break;
  }
  if (result.best_epoch == 0) training.average.swap(recommender.network);
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

}  // namespace detail

/// Trains a recommender on the training part of a split and keeps the weights of the epoch with the best validation
/// NDCG@10 (the last epoch's where the split has no validation targets). Then weighs transition counts against it:
/// see Recommender and RecommenderConfig::counts_weight, which on return is the weight in use.
///
///     const auto result = fit(split, {.embedding_size = 64, .hidden_size = 64, .epochs = 10});
///
/// Every input event predicts the events after it over the whole catalogue, or over sampled items (softmax
/// cross-entropy, or a loss of the user's: see ItemLoss). The same seed gives the same bits for any number of threads,
/// on one binary and processor. Throws std::invalid_argument on a bad configuration, Error where the split has nothing
/// to train on, TrainingDiverged where the loss or the gradient is not finite, and whatever the progress callback
/// throws.
template <ItemLoss<float> Loss = SoftmaxCrossEntropy>
FitResult fit(const Split& split, const RecommenderConfig& config = {}, const FitOptions& options = {},
              const Loss& loss = {}) {
  return detail::fit(nullptr, split, config, options, loss);
}

/// Goes on from a recommender when the log has grown: as `fit`, but begins with its weights, and an epoch or two over
/// the whole log are enough. Users, events and items may be new: items are matched by id, new ones begin at random.
///
///     const auto result = warm_start(yesterdays, split);
///
/// `split`: of all events, old and new: what it does not hold is forgotten. `epochs`: all are trained and the last is
/// kept, because validation says nothing where `before` has been trained on its targets; the same holds of tests. All
/// other settings are those of `before`, its weight of counts included (−1 chooses it anew), only that negatives are
/// drawn once there are more than 20 000 items.
///
/// Throws what `fit` throws, std::invalid_argument too where `before` has not been trained or its network and
/// configuration disagree, and Error where none of its items is in the split. Memory: as `fit`, and `before`.
template <ItemLoss<float> Loss = SoftmaxCrossEntropy>
FitResult warm_start(const Recommender& before, const Split& split, std::int64_t epochs = 2,
                     const FitOptions& options = {}, const Loss& loss = {}) {
  RecommenderConfig config = before.config;
  config.epochs = epochs;
  if (config.negatives == 0) config.negatives = -1;
  config.check();
  if (!detail::is_consistent(before))
    throw std::invalid_argument(
        "the recommender to go on from is untrained, or has other sizes than its configuration");
  const Vocabulary& items = split.sequences.items;
  bool knows_any = false;
  for (std::uint32_t item = 0; item < items.size() && !knows_any; ++item)
    knows_any = before.item_ids.find(items.id(item)).has_value();
  if (!knows_any) throw Error(split.sequences.source + ": none of its items is known to the model");
  return detail::fit(&before, split, config, options, loss);
}

}  // namespace lstmrec

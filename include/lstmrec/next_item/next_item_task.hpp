#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/baselines/markov.hpp>
#include <lstmrec/baselines/session_knn.hpp>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/function_ref.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/core/stop_token.hpp>
#include <lstmrec/data/event_context.hpp>
#include <lstmrec/data/fingerprint.hpp>
#include <lstmrec/data/item_features.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/eval/metrics.hpp>
#include <lstmrec/io/available_memory.hpp>
#include <lstmrec/next_item/batch_builder.hpp>
#include <lstmrec/next_item/learned_counts.hpp>
#include <lstmrec/next_item/markov_weight.hpp>
#include <lstmrec/next_item/recommender.hpp>
#include <lstmrec/next_item/replay_memory.hpp>
#include <lstmrec/next_item/resolved_config.hpp>
#include <lstmrec/next_item/session_knn_weight.hpp>
#include <lstmrec/next_item/training_memory.hpp>
#include <lstmrec/next_item/training_step.hpp>
#include <lstmrec/train/checkpoint.hpp>
#include <lstmrec/train/epoch_loop.hpp>
#include <lstmrec/train/progress.hpp>
#include <lstmrec/train/schedule.hpp>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

namespace lstmrec::detail {

/// At most `count` of the targets (0: all), drawn by the seed, in their order.
inline std::vector<Target> draw_targets(const std::vector<Target>& targets, std::size_t count, std::uint64_t seed) {
  if (count == 0 || targets.size() <= count) return targets;
  std::vector<std::uint32_t> places(targets.size());
  std::iota(places.begin(), places.end(), 0u);
  Random(seed).shuffle(places);
  places.resize(count);
  std::sort(places.begin(), places.end());
  std::vector<Target> drawn;
  for (const std::uint32_t place : places) drawn.push_back(targets[place]);
  return drawn;
}

/// Throws ConfigError where a training needs more memory than there is, as far as that is known.
inline void expect_memory(std::uint64_t needed, const FitOptions& options) {
  const auto available = options.memory > 0 ? std::optional(options.memory) : available_memory();
  if (available && needed > *available)
    fail<ConfigError>({"training needs about ", memory_text(needed), " of memory, and ", memory_text(*available),
                       " are available; smaller sizes, batches, catalogues or numbers of item features need less"});
}

/// A network's scorer that ends with a TrainingTerminated before the next histories where that is requested.
template <class Network>
struct TerminableScorer {
  NetworkScorer<Network> scorer;
  StopToken terminate;

  Index items() const { return scorer.items(); }
  Matrix<float> outputs(std::span<const History> histories) const {
    TrainingTerminated::check(terminate);
    return scorer.outputs(histories);
  }
  void score_tile(std::span<const History> histories, const Matrix<float>& outputs, Index first,
                  MatrixRef<float> scores) const {
    scorer.score_tile(histories, outputs, first, scores);
  }
  void score(std::span<const History> histories, MatrixRef<float> scores) const { scorer.score(histories, scores); }
};
template <class Network>
TerminableScorer(NetworkScorer<Network>, StopToken) -> TerminableScorer<Network>;

/// The sequences of a split from one on, of which each epoch learns about so many, drawn at random.
struct Replay {
  std::uint32_t first = std::numeric_limits<std::uint32_t>::max();
  std::size_t sequences = 0;
};

/// The training of a next-item network, for train_epochs.
template <class Network>
class NextItemTask {
 public:
  /// `count`: makes the counts, before training, so that memory which does not suffice costs no trained network.
  /// Throws DataError where the split has nothing to train on, and ConfigError where there is too little memory.
  NextItemTask(const Split& split, const RecommenderConfig& asked, const FitOptions& options, const Replay& replay,
               ItemFeatures features, EventContext context, FunctionRef<LearnedCounts(const RecommenderConfig&)> count)
      : config(resolved(asked, split)),
        features_(std::move(features)),
        feature_rows_(features_.size() > 0 ? features_.rows(split.sequences.catalogue) : FeatureRows()),
        replay_(replay),
        trained_on_(trained_on(split)),
        split_(&split),
        context_(std::move(context)),
        batches_(split,
                 {static_cast<std::uint32_t>(asked.target_horizon), asked.target_decay, *config.exclude_seen,
                  config.question_time},
                 context_),
        validation_(
            draw_targets(split.validation, static_cast<std::size_t>(asked.validation_targets), asked.training.seed)) {
    const Sequences& sequences = split.sequences;
    if (features_.size() > 0 && sequences.catalogue.size() != sequences.items.size())
      throw std::invalid_argument("the split's catalogue must have an entry an item");
    config.item_features = static_cast<std::int64_t>(features_.size());
    parts_ = parts_of_epoch(0);
    if (parts_.empty()) throw DataError(sequences.source + ": no user has two events to train on");
    if (std::none_of(parts_.begin(), parts_.end(), [&](const Subsequence& p) { return batches_.predictions(p) > 0; }))
      throw DataError(sequences.source +
                      ": after the first event of each user there are only repeats, for which exclude_seen has to be "
                      "false, or events that count nothing as targets");
    expect_memory(training_memory<Network>(split, config, options.threads).total(), options);
    // The number of parts changes a little from epoch to epoch with where histories are cut; the schedule needs one.
    all_steps_ = static_cast<std::int64_t>(batches_in(parts_.size())) * config.training.epochs;
    counts_ = count(config);
  }

  std::vector<std::uint32_t> withdrawn = {};  ///< Items that the result does not list, in ascending order.
  RecommenderConfig config;  ///< With all that was left to the data decided, but for the weights of counts.

  const ItemFeatures& features() const { return features_; }

  /// To be called once. Borrows the loss. `initial`: its item vectors without content.
  void start(Network initial, const ItemLossRef<float>& loss, const FitOptions& options) {
    threads_ = options.threads;
    terminate_ = options.terminate;
    steps_.emplace(std::move(initial), batches_, config, counts_.item_counts, feature_rows_, loss, options);
  }

  /// `begins_with`: a hash of the weights that a warm start takes over, else 0.
  EpochRules rules(Keep keep, std::uint64_t begins_with) const {
    return {.epochs = static_cast<std::size_t>(config.training.epochs),
            .patience = static_cast<std::size_t>(config.training.patience),
            .keep = keep,
            .learning_rate =
                [this](std::int64_t step) {
                  return config.training.learning_rate *
                         warmup_cosine(std::min(step, all_steps_ - 1), all_steps_, config.training.warmup);
                },
            .identity =
                identity_of(config, mix_seed(trained_on_.split, begins_with ^ hash_of_features() ^ hash_of_context()))};
  }

  /// Keeps the record of the model that training goes on from, where that model has learned events that are held out
  /// now. `update`: the record that an update makes, or nothing. To be called after `rules`.
  void keep_learned(const TrainedOn& before, const TrainedOn& update) {
    if (update.is_known()) trained_on_ = update;
    if (trained_on_.held_out > 0 && (!before.is_known() || before.held_out == 0)) trained_on_ = before;
  }

  NetworkTraining<Network>& training() { return steps_->training; }

  std::size_t begin_epoch(std::size_t epoch) {
    parts_ = parts_of_epoch(epoch);
    return batches_in(parts_.size());
  }

  BatchRecord run_batch(std::size_t epoch, std::size_t number, double learning_rate) {
    const auto size = static_cast<std::size_t>(config.training.batch_size);
    const auto chosen = std::span(parts_).subspan(number * size).first(std::min(size, parts_.size() - number * size));
    BatchRecord record;
    for (const Subsequence& part : chosen) {
      record.events += part.size();
      record.predictions += batches_.predictions(part);
    }
    record.loss = steps_->step(chosen, record.predictions, learning_rate, epoch, number);
    return record;
  }

  std::optional<ValidationFigures> validate(const Network& weights) const {
    if (validation_.empty()) return std::nullopt;
    const Network with_content = feature_rows_.empty() ? Network() : add_content(weights);
    const Network& network = feature_rows_.empty() ? weights : with_content;
    Matrix<float> projections;  // of many items they cost more than they save
    if constexpr (Network::has_input_projections)
      if (config.sampled_negatives == 0 && !network.reads_context()) projections = network.input_projections();
    const auto figures =
        evaluate(TerminableScorer{scorer(network, projections), terminate_}, *split_, validation_,
                 {.cutoffs = {10}, .exclude_seen = *config.exclude_seen, .threads = threads_, .bootstrap_samples = 0});
    return ValidationFigures{
        .hr10 = figures.hr_at(10).value, .ndcg10 = figures.ndcg_at(10).value, .mrr = figures.mrr.value};
  }

  /// The network whose item vectors have their content, as it is used.
  Network add_content(Network network) const {
    if (feature_rows_.empty()) return network;
    ThreadPool pool(threads_);
    network.add_content(feature_rows_, {}, pool);
    return network;
  }

  /// Decides the weights of the Markov chain and then of session kNN where that is left to the data. To be called after
  /// training.
  void weigh_counts(const Network& network) {
    NetworkScorer<Network> weighed = scorer(network, {});
    if (config.markov_weight < 0 && validation_.empty()) config.markov_weight = 0;
    if (config.markov_weight < 0) {
      const auto choose = [&](const MarkovChain& chain) {
        return choose_markov_weight(TerminableScorer{weighed, terminate_}, chain, *split_, validation_,
                                    *config.exclude_seen, threads_);
      };
      MarkovChoice choice = choose(counts_.markov);
      if (counts_.markov_with_item_knn.items() > 0) {
        const MarkovChoice other = choose(counts_.markov_with_item_knn);
        config.item_knn_weight = other.ndcg > choice.ndcg ? tried_item_knn_weight : 0;
        if (other.ndcg > choice.ndcg) {
          choice = other;
          counts_.markov = std::move(counts_.markov_with_item_knn);
        }
        counts_.markov_with_item_knn = {};
      }
      config.markov_weight = choice.weight;
    }
    if (config.session_knn_weight < 0 && validation_.empty()) config.session_knn_weight = 0;
    if (config.session_knn_weight >= 0) return;
    weighed.markov = &counts_.markov;
    weighed.markov_weight = config.markov_weight;
    weighed.session_knn = &counts_.session_knn;
    config.session_knn_weight = choose_session_knn_weight([&](double weight) {
      weighed.session_knn_weight = weight;
      const auto ranks =
          evaluate(TerminableScorer{weighed, terminate_}, *split_, validation_,
                   {.cutoffs = {10}, .exclude_seen = *config.exclude_seen, .threads = threads_, .bootstrap_samples = 0})
              .ranks;
      std::vector<double> ndcg;
      for (const std::uint32_t rank : ranks) ndcg.push_back(metrics::ndcg(rank, 10));
      return ndcg;
    });
  }

  /// The recommender of some weights. To be called once, at the end; a weight that has not been decided is 0.
  BasicRecommender<Network> make_recommender(Network network) {
    const Sequences& sequences = split_->sequences;
    return BasicRecommender<Network>(
        {.config = config,
         .network = std::move(network),
         .item_ids = sequences.items,
         .catalogue = sequences.catalogue,
         .item_counts = counts_.item_counts,
         .markov = config.markov_weight > 0 ? std::move(counts_.markov) : MarkovChain(),
         .session_knn = config.session_knn_weight > 0 ? std::move(counts_.session_knn) : SessionKnn(),
         .features = std::move(features_),
         .context = context_,
         .memory = config.session_knn_weight > 0 ? ReplayMemory() : std::move(counts_.memory),
         .trained_on = trained_on_,
         .withdrawn = withdrawn});
  }

 private:
  /// With the kinds of all events where these are read, since the split's fingerprint is without them.
  std::uint64_t hash_of_context() const {
    return config.kind_inputs ? add_to_hash(context_.hash(), split_->sequences.events.kinds) : context_.hash();
  }
  std::uint64_t hash_of_features() const {
    if (feature_rows_.empty()) return 0;
    return add_to_hash(add_to_hash(0, feature_rows_.offsets), feature_rows_.features);
  }

  std::vector<Subsequence> parts_of_epoch(std::size_t epoch) const {
    const std::uint64_t seed = mix_seed(config.training.seed, epoch);
    auto parts = cut_subsequences(*split_, static_cast<std::uint32_t>(config.window), seed);
    if (replay_.first < split_->sequences.size()) {
      const double share =
          static_cast<double>(replay_.sequences) / static_cast<double>(split_->sequences.size() - replay_.first);
      std::erase_if(parts, [&](const Subsequence& part) {
        return part.user >= replay_.first && Random(mix_seed(seed, part.user)).uniform() >= share;
      });
    }
    return parts;
  }

  std::size_t batches_in(std::size_t parts) const {
    const auto size = static_cast<std::size_t>(config.training.batch_size);
    return (parts + size - 1) / size;
  }

  NetworkScorer<Network> scorer(const Network& network, const Matrix<float>& projections) const {
    return {.network = &network,
            .input_projections = projections.size() > 0 ? &projections : nullptr,
            .context = &context_,
            .item_counts = counts_.item_counts};
  }

  ItemFeatures features_;
  FeatureRows feature_rows_;
  Replay replay_;
  TrainedOn trained_on_;  ///< What the result will have learned from.
  const Split* split_;
  EventContext context_;
  BatchBuilder batches_;
  std::vector<Target> validation_;
  LearnedCounts counts_;
  std::vector<Subsequence> parts_;  ///< Of this epoch.
  std::int64_t all_steps_ = 0;
  std::size_t threads_ = 0;
  StopToken terminate_;
  std::optional<NextItemSteps<Network>> steps_;
};

}  // namespace lstmrec::detail

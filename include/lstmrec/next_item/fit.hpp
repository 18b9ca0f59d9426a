#pragma once

#include <cstdint>
#include <lstmrec/core/compiled.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/next_item/recommender.hpp>
#include <lstmrec/nn/losses.hpp>
#include <lstmrec/train/progress.hpp>

namespace lstmrec {

/// A trained recommender and how it got there.
template <class Network>
struct BasicFitResult : TrainingRecord {
  BasicRecommender<Network> recommender;
};
using FitResult = BasicFitResult<NextItemNetwork<float>>;

/// Trains a recommender on the training part of a split and keeps the weights of the epoch with the best validation
/// NDCG@10 (the last epoch's where the split has no validation targets). Then weighs a Markov chain against it: see
/// Recommender and RecommenderConfig::markov_weight, which on return is the weight in use.
///
///     const auto result = fit(split, {.embedding_size = 64, .hidden_size = 64, .training = {.epochs = 10}});
///     const auto own = fit<NextItemNetwork<float, MyBlock>>(split);      // a network with a block of one's own
///
/// Every input event predicts the events after it over the whole catalogue, or over sampled items (softmax
/// cross-entropy, or a loss of the user's: see ItemLoss). The same seed gives the same bits for any number of threads,
/// on one binary and processor. Throws ConfigError on a bad configuration, and where training would need more memory
/// than there is (see training_memory); DataError where the split has nothing to train on; std::invalid_argument where
/// it does not hold together (check_split); TrainingDiverged where the loss or the gradient is not finite; and whatever
/// the progress callback throws. After the first step these are the cause of a TrainingInterrupted<Recommender>, which
/// owns what had been learned by then, without a Markov chain unless its weight is given.
template <class Network = NextItemNetwork<float>>
BasicFitResult<Network> fit(const Split& split, const RecommenderConfig& config = {}, const FitOptions& options = {},
                            const ItemLossRef<float>& loss = SoftmaxCrossEntropy());

/// The configuration of a recommender for some more epochs. Negatives are drawn once there are more than 20 000 items,
/// since the catalogue may have grown, and new features of items are learned where features are used (item_features
/// -1).
template <class Network>
RecommenderConfig continued_config(const BasicRecommender<Network>& before, std::int64_t epochs) {
  RecommenderConfig config = before.config();
  config.training.epochs = epochs;
  if (config.sampled_negatives == 0) config.sampled_negatives = -1;
  if (config.item_features > 0) config.item_features = -1;
  return config;
}

/// Goes on from a recommender when the log has grown: like `fit`, but it begins with the recommender's weights, and an
/// epoch or two over the whole log are enough. Users, events and items may be new: items are matched by id, new ones
/// begin at random.
///
///     const auto result = warm_start(yesterdays, split);
///
/// `split`: of all events, old and new: what it does not hold is forgotten. `epochs`: all are trained and the last is
/// kept, because validation says nothing where `before` has been trained on its targets; tests then say nothing either.
/// All other settings are those of `before`, its Markov weight included, but negatives are drawn once there are more
/// than 20 000 items.
///
/// Throws what `fit` throws, std::invalid_argument where `before` knows no items, and DataError where none of its items
/// is in the split. Memory: that of `fit`, and `before`.
template <class Network>
BasicFitResult<Network> warm_start(const BasicRecommender<Network>& before, const Split& split,
                                   RecommenderConfig config, const FitOptions& options = {},
                                   const ItemLossRef<float>& loss = SoftmaxCrossEntropy());
template <class Network>
BasicFitResult<Network> warm_start(const BasicRecommender<Network>& before, const Split& split, std::int64_t epochs = 2,
                                   const FitOptions& options = {},
                                   const ItemLossRef<float>& loss = SoftmaxCrossEntropy());

}  // namespace lstmrec

#ifdef LSTMREC_COMPILED
namespace lstmrec {
extern template FitResult fit(const Split&, const RecommenderConfig&, const FitOptions&, const ItemLossRef<float>&);
extern template FitResult warm_start(const Recommender&, const Split&, RecommenderConfig, const FitOptions&,
                                     const ItemLossRef<float>&);
extern template FitResult warm_start(const Recommender&, const Split&, std::int64_t, const FitOptions&,
                                     const ItemLossRef<float>&);
}  // namespace lstmrec
#else
#include <lstmrec/next_item/fit_inl.hpp>
#endif

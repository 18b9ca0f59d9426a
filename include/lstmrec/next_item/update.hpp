#pragma once

#include <cstdint>
#include <lstmrec/core/compiled.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/next_item/fit.hpp>
#include <lstmrec/next_item/recommender.hpp>
#include <lstmrec/nn/losses.hpp>
#include <lstmrec/train/progress.hpp>

namespace lstmrec {

/// Goes on from a recommender with new events alone: yesterday's model and today's log give today's model, and the old
/// log is not needed.
///
///     const auto today = train_on_all(build_sequences(read_log("today.csv")));
///     const Recommender recommender = update(yesterdays, today).recommender;
///
/// The network begins with the recommender's weights and learns the training part, and with it, in each epoch, as many
/// of the old sequences, at most 30 000, drawn at random: those of session kNN or, without it, those that the
/// recommender remembers (RecommenderConfig::memory_sequences). Without any it forgets more of what the new log does
/// not hold. These count 1 as targets, whatever their events counted once. Counts are added: those of items, of the
/// Markov chain and the sequences of session kNN, whose weights stay. Items keep their numbers, and new ones follow in
/// the order of the split; their vectors begin at random. What the split says of an item (title, genres) replaces what
/// was known. A user of both logs counts as two sequences.
///
/// All epochs are trained and the last is kept. The other settings are those of `before`, but negatives are drawn once
/// there are more than 20 000 items. A validation part of the split is only measured. Throws what `fit` throws, and
/// std::invalid_argument where `before` knows no items. Cost: an epoch of the new log and the memory, and one pass over
/// the counts.
///
/// Replay: Mi and others, "ADER: Adaptively distilled exemplar replay towards continual learning for session-based
/// recommendation", 2020, with random in place of chosen examples and without distillation.
template <class Network>
BasicFitResult<Network> update(const BasicRecommender<Network>& before, const Split& split, RecommenderConfig config,
                               const FitOptions& options = {}, const ItemLossRef<float>& loss = SoftmaxCrossEntropy());
template <class Network>
BasicFitResult<Network> update(const BasicRecommender<Network>& before, const Split& split, std::int64_t epochs = 4,
                               const FitOptions& options = {}, const ItemLossRef<float>& loss = SoftmaxCrossEntropy());

}  // namespace lstmrec

#ifdef LSTMREC_COMPILED
namespace lstmrec {
extern template FitResult update(const Recommender&, const Split&, RecommenderConfig, const FitOptions&,
                                 const ItemLossRef<float>&);
extern template FitResult update(const Recommender&, const Split&, std::int64_t, const FitOptions&,
                                 const ItemLossRef<float>&);
}  // namespace lstmrec
#else
#include <lstmrec/next_item/update_inl.hpp>
#endif

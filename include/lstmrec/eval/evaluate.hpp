#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/argsort.hpp>
#include <lstmrec/core/compiled.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/data/trained_on.hpp>
#include <lstmrec/eval/bootstrap.hpp>
#include <lstmrec/eval/scorer.hpp>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace lstmrec {

struct EvaluateOptions {
  std::vector<std::size_t> cutoffs = {5, 10, 20};
  /// Leave out the items of the history: a target among them is a miss. Unset: as the scorer was made (Scorer).
  std::optional<bool> exclude_seen = {};
  bool question_time = true;  ///< A model that reads it is told when each target happens, which the protocol says.
  std::size_t threads = 0;    ///< 0: as many as there are processors.
  std::size_t batch = 64;     ///< Histories scored at once.
  std::size_t bootstrap_samples = 1000;  ///< 0: no intervals.
  std::uint64_t seed = 1;                ///< Of the bootstrap.
};

/// The result of evaluate(). The vectors by cutoff stand in the order of `cutoffs`, those by target in that of
/// `targets`.
struct Evaluation {
  std::vector<std::size_t> cutoffs;
  std::vector<Estimate> hr, ndcg;       ///< By cutoff, the mean over targets.
  std::vector<Estimate> cut_mrr;        ///< By cutoff, the mean over targets of 1 / rank, or 0 past the cutoff.
  Estimate mrr;                         ///< The mean over targets of 1 / rank.
  std::vector<double> coverage;         ///< By cutoff: the share of all items that are in somebody's first k.
  std::vector<double> mean_popularity;  ///< By cutoff: the training events of an item, mean over all first k.
  std::vector<Target> targets;
  std::vector<std::uint32_t>
      ranks;  ///< By target, the best being 1; metrics::not_ranked where it was left out as seen.
  std::vector<std::uint32_t> unknown;  ///< Targets::unknown: of each the user. Each counts as a miss in all figures.
  std::size_t users = 0, items = 0;
  std::string protocol;  ///< One line for tables; it begins with the caveat, if there is one.
  std::string caveat;    ///< See test_caveat.

  /// Throws std::out_of_range unless k is among the cutoffs.
  Estimate hr_at(std::size_t k) const { return hr[place_of(k)]; }
  Estimate ndcg_at(std::size_t k) const { return ndcg[place_of(k)]; }
  Estimate mrr_at(std::size_t k) const { return cut_mrr[place_of(k)]; }

  /// The place of a cutoff in the vectors by cutoff. Throws std::out_of_range if it isn't among them.
  std::size_t place_of(std::size_t k) const {
    const auto found = std::find(cutoffs.begin(), cutoffs.end(), k);
    if (found == cutoffs.end()) detail::fail<std::out_of_range>({k, " is not among the cutoffs evaluated"});
    return static_cast<std::size_t>(found - cutoffs.begin());
  }
};

namespace detail {

/// The numbers of the targets, and behind them those of the unknown ones, user by user: as UserSums takes them.
inline std::vector<std::size_t> order_by_user(std::span<const Target> targets, std::span<const std::uint32_t> unknown) {
  return argsort_by(targets.size() + unknown.size(),
                    [&](std::size_t k) { return k < targets.size() ? targets[k].user : unknown[k - targets.size()]; });
}

/// Throws what evaluate() throws where scorer, data and targets do not fit.
LSTMREC_INLINE void check_targets(const ScorerRef& scorer, const Split& split, std::span<const Target> targets);

}  // namespace detail

/// Why figures of some targets are not, or perhaps not, those of a test: because the model may have learned these very
/// events. Empty where nothing speaks for that: the model was trained on this split, all targets are later than what it
/// has learned, or nobody knows what it was trained on.
///
///     const std::string caveat = test_caveat(recommender.trained_on(), split, split.test);
LSTMREC_INLINE std::string test_caveat(const TrainedOn& model, const Split& split, std::span<const Target> targets);

/// Ranks every target among all items by its scores after its history, and sums up the ranks.
///
///     const auto result = evaluate(Popularity(split), split, split.test, {.cutoffs = {10}});
///     std::cout << result << '\n';                 // table.hpp
///     result.ndcg_at(10).value;
///
/// Full ranking, never sampled; ties count against the model (rank_of); the scorer sees nothing from the target on, but
/// for the target's time where it was made to read that (EvaluateOptions::question_time).
/// Where seen items are left out, a target that the user has had before is a miss, as it is in every list that a
/// Session makes; the protocol then says how many there are.
/// A recommender may number its items otherwise than the data, or know others, as yesterday's model does on today's
/// log: its items are matched by id, events of items that it does not know are left out of the histories, and a target
/// that it does not know is a miss, which the protocol counts. So models of different items can be compared
/// (compare.hpp). The figures don't depend on the number of threads, nor on the batch if the scores don't. Memory:
/// for_each_scored. Throws ConfigError if there are no cutoffs or no batch, DataError if there are no targets, if the
/// scorer knows none of them, or if it reads times and those of the data are in other ticks, std::invalid_argument if
/// scorer and data don't fit, and Error on a NaN among the scores.
LSTMREC_INLINE Evaluation evaluate(const ScorerRef& scorer, const Split& split, std::span<const Target> targets,
                                   const EvaluateOptions& options = {});

/// Targets of which some cannot be predicted: these are misses.
LSTMREC_INLINE Evaluation evaluate(const ScorerRef& scorer, const Split& split, const Targets& targets,
                                   const EvaluateOptions& options = {});

}  // namespace lstmrec

#ifndef LSTMREC_COMPILED
#include <lstmrec/eval/evaluate_inl.hpp>
#endif

#pragma once

/// The bodies of evaluate.hpp.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/core/top_k.hpp>
#include <lstmrec/data/align.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/fingerprint.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/eval/bootstrap.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/eval/metrics.hpp>
#include <lstmrec/eval/ranking.hpp>
#include <lstmrec/eval/scored.hpp>
#include <lstmrec/eval/scorer.hpp>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace lstmrec {

namespace detail {

LSTMREC_INLINE void check_targets(const ScorerRef& scorer, const Split& split, std::span<const Target> targets) {
  const Sequences& sequences = split.sequences;
  if (static_cast<std::size_t>(scorer.items()) != sequences.items.size())
    fail<std::invalid_argument>({"the scorer knows ", scorer.items(), " items, the data has ", sequences.items.size()});
  if (scorer.item_ids() != nullptr && *scorer.item_ids() != sequences.items)
    throw std::invalid_argument("the scorer's items have other indices than those of the data: see align_items");
  if (scorer.context() != nullptr) scorer.context()->expect_times_of(sequences);
  if (targets.empty()) throw DataError("there are no targets to evaluate");
  for (const Target target : targets)
    if (target.user >= sequences.size() || target.position >= sequences[target.user].size())
      fail<std::invalid_argument>(
          {"a target is not an event of the data: user ", target.user, ", position ", target.position});
}

/// How often which items were recommended at which place of a list. Whole numbers, so that the threads may add to them
/// in any order.
class Recommended {
 public:
  Recommended(std::size_t items, std::size_t places) : first_place_(items), places_(places) {
    for (auto& place : first_place_) place.store(nowhere, std::memory_order_relaxed);
  }

  void add(std::span<const ScoredItem> list, std::span<const std::uint32_t> counts) {
    for (std::uint32_t place = 0; place < list.size(); ++place) {
      auto& first = first_place_[list[place].item];
      for (std::uint32_t before = first.load(std::memory_order_relaxed); place < before;)
        if (first.compare_exchange_weak(before, place, std::memory_order_relaxed)) break;
      places_[place].lists.fetch_add(1, std::memory_order_relaxed);
      places_[place].popularity.fetch_add(counts[list[place].item], std::memory_order_relaxed);
    }
  }

  double coverage(std::size_t k) const {
    const auto covered =
        std::count_if(first_place_.begin(), first_place_.end(), [k](const auto& place) { return place < k; });
    return static_cast<double>(covered) / static_cast<double>(first_place_.size());
  }
  double mean_popularity(std::size_t k) const {
    std::uint64_t sum = 0, count = 0;
    for (std::size_t place = 0; place < std::min(k, places_.size()); ++place) {
      sum += places_[place].popularity;
      count += places_[place].lists;
    }
    return count == 0 ? 0.0 : static_cast<double>(sum) / static_cast<double>(count);
  }

 private:
  static constexpr std::uint32_t nowhere = std::numeric_limits<std::uint32_t>::max();
  struct Place {
    std::atomic<std::uint64_t> lists = 0, popularity = 0;  ///< Lists that have the place; the sum of its items' counts.
  };
  std::vector<std::atomic<std::uint32_t>> first_place_;  ///< By item: the best place it ever had.
  std::vector<Place> places_;
};

/// Ranks the target of each query and notes the best items.
class EvaluationVisitor : public ScoreVisitor {
 public:
  EvaluationVisitor(std::span<std::uint32_t> ranks, Recommended& recommended, std::span<const std::uint32_t> counts,
                    std::size_t places)
      : ranks_(ranks), recommended_(&recommended), counts_(counts), best_(places) {}

  void begin(const ScoredQuery& query) override {
    number_ = query.number;
    seen_ = AscendingItems(query.seen);
    rank_ = RankCounter(query.target, query.target_score, query.seen);
    list_.emplace(best_);
  }
  void add(std::uint32_t first, std::span<const float> scores) override {
    rank_.add(first, scores);
    list_->add(first, scores, [&](std::uint32_t item) { return seen_.contains(item); });
  }
  void end() override {
    ranks_[number_] = rank_.rank();
    recommended_->add(list_->sorted(), counts_);
  }

 private:
  std::span<std::uint32_t> ranks_;
  Recommended* recommended_;
  std::span<const std::uint32_t> counts_;
  std::vector<ScoredItem> best_;
  std::size_t number_ = 0;
  AscendingItems seen_;
  RankCounter rank_;
  std::optional<TopK> list_;
};

}  // namespace detail

LSTMREC_INLINE std::string test_caveat(const TrainedOn& model, const Split& split, std::span<const Target> targets) {
  const bool has_times = model.last_time && split.sequences.has_times;
  const auto learned = std::count_if(targets.begin(), targets.end(), [&](Target target) {
    return !has_times || split.event(target).time <= *model.last_time;
  });
  if (!model.is_known() || learned == 0 || (model.held_out > 0 && model.split == fingerprint(split))) return "";
  const std::string which = detail::message(
      {learned, " of these ", targets.size(), " targets", has_times ? " are not later than the last of them" : ""});
  if (model.held_out == 0)
    return detail::message({"no test: the model was trained on all ", model.events,
                            " events of its log and held nothing out; ", which, has_times ? "" : " may be among them"});
  return detail::message({"perhaps no test: the model was trained on ", model.events, " events of another split; ",
                          which, has_times ? "" : " may be among them"});
}

namespace detail {

/// What the scores of some targets' histories give, before it is averaged.
struct Ranking {
  std::vector<std::uint32_t> ranks;
  std::vector<double> coverage, mean_popularity;  ///< By cutoff.
  std::size_t items = 0;
  std::size_t seen = 0;  ///< Targets that were left out as seen.
};

LSTMREC_INLINE Ranking rank_targets(const ScorerRef& scorer, const Split& split, std::span<const Target> targets,
                                    bool exclude_seen, const EvaluateOptions& options, ThreadPool& pool) {
  check_targets(scorer, split, targets);
  Ranking result;
  result.ranks.resize(targets.size());
  result.items = split.sequences.items.size();
  const std::size_t places = std::min(result.items, *std::max_element(options.cutoffs.begin(), options.cutoffs.end()));
  const auto counts = training_counts(split);
  Recommended recommended(result.items, places);
  ScoringQueries queries = queries_of(split, targets);
  if (!options.question_time)
    queries.history = [&split, targets](std::size_t k) {
      History history = split.history(targets[k]);
      history.asked_at.reset();
      return history;
    };
  for_each_scored(scorer, queries, {exclude_seen, options.batch}, pool,
                  [&] { return std::make_unique<EvaluationVisitor>(result.ranks, recommended, counts, places); });
  for (const std::size_t cutoff : options.cutoffs) {
    result.coverage.push_back(recommended.coverage(cutoff));
    result.mean_popularity.push_back(recommended.mean_popularity(cutoff));
  }
  result.seen = static_cast<std::size_t>(std::count(result.ranks.begin(), result.ranks.end(), metrics::not_ranked));
  return result;
}

/// Of a scorer that numbers its items otherwise, or knows others. What it does not know is a miss.
LSTMREC_INLINE Ranking rank_known_targets(const ScorerRef& scorer, const Split& split, std::span<const Target> targets,
                                          bool exclude_seen, const EvaluateOptions& options, ThreadPool& pool) {
  const KnownEvents known(split, *scorer.item_ids());
  std::vector<Target> known_targets;
  std::vector<std::size_t> places;  // of these among all targets
  for (std::size_t k = 0; k < targets.size(); ++k)
    if (const auto target = known.find(targets[k])) {
      known_targets.push_back(*target);
      places.push_back(k);
    }
  if (places.empty() && !targets.empty())
    fail<DataError>({split.sequences.source, ": none of the items to predict is known to the model"});
  Ranking result = rank_targets(scorer, known.split({}), known_targets, exclude_seen, options, pool);
  std::vector<std::uint32_t> ranks(targets.size(), metrics::not_ranked);
  for (std::size_t k = 0; k < places.size(); ++k) ranks[places[k]] = result.ranks[k];
  result.ranks = std::move(ranks);
  return result;
}

/// `unknown`: see Targets.
LSTMREC_INLINE Evaluation evaluate(const ScorerRef& scorer, const Split& split, std::span<const Target> targets,
                                   std::span<const std::uint32_t> unknown, const EvaluateOptions& options) {
  if (options.cutoffs.empty() || std::count(options.cutoffs.begin(), options.cutoffs.end(), std::size_t{0}) > 0)
    throw ConfigError("there must be cutoffs, each at least 1");
  if (options.batch < 1) throw ConfigError("batch must be at least 1");
  const bool exclude_seen = options.exclude_seen.value_or(scorer.exclude_seen());
  const Vocabulary* ids = scorer.item_ids();
  const bool is_numbered_otherwise = ids != nullptr && *ids != split.sequences.items;
  ThreadPool pool(options.threads);
  Ranking ranking = is_numbered_otherwise ? rank_known_targets(scorer, split, targets, exclude_seen, options, pool)
                                          : rank_targets(scorer, split, targets, exclude_seen, options, pool);
  Evaluation result;
  result.ranks = std::move(ranking.ranks);
  result.coverage = std::move(ranking.coverage);
  result.mean_popularity = std::move(ranking.mean_popularity);
  result.items = ranking.items;

  UserSums sums(3 * options.cutoffs.size() + 1);
  std::vector<double> figures;
  for (const std::size_t k : order_by_user(targets, unknown)) {
    const bool is_known = k < targets.size();
    const std::uint32_t rank = is_known ? result.ranks[k] : metrics::not_ranked;
    figures.assign(1, metrics::reciprocal_rank(rank));
    for (const std::size_t cutoff : options.cutoffs) {
      figures.push_back(metrics::hit(rank, cutoff));
      figures.push_back(metrics::ndcg(rank, cutoff));
      figures.push_back(metrics::cut_reciprocal_rank(rank, cutoff));
    }
    sums.add(is_known ? targets[k].user : unknown[k - targets.size()], figures);
  }
  const auto estimates = sums.estimates(options.bootstrap_samples, options.seed, pool);
  result.mrr = estimates[0];
  for (std::size_t c = 0; c < options.cutoffs.size(); ++c) {
    result.hr.push_back(estimates[1 + 3 * c]);
    result.ndcg.push_back(estimates[2 + 3 * c]);
    result.cut_mrr.push_back(estimates[3 + 3 * c]);
  }
  result.cutoffs = options.cutoffs;
  result.targets.assign(targets.begin(), targets.end());
  result.unknown.assign(unknown.begin(), unknown.end());
  result.users = sums.users();
  result.protocol = split.protocol + (exclude_seen ? "; seen items left out" : "; seen items left in");
  if (ranking.seen > 0)
    result.protocol += message({" (repeats among the targets, which are misses: ", ranking.seen, ")"});
  const auto misses =
      static_cast<std::size_t>(std::count(result.ranks.begin(), result.ranks.end(), metrics::not_ranked));
  if (misses > ranking.seen)
    result.protocol += message({" (", misses - ranking.seen, " targets unknown to the model are misses)"});
  if (!unknown.empty()) result.protocol += message({" (", unknown.size(), " targets unknown to training are misses)"});
  result.protocol += ", all items ranked, ties against the model";
  if (scorer.context() != nullptr && scorer.context()->inputs().question_time && split.sequences.has_times)
    result.protocol += options.question_time ? "; the model knows when each target happens"
                                             : "; the model does not know when a target happens";
  result.caveat = test_caveat(scorer.trained_on(), split, targets);
  if (!result.caveat.empty()) result.protocol = result.caveat + "; " + result.protocol;
  return result;
}

}  // namespace detail

LSTMREC_INLINE Evaluation evaluate(const ScorerRef& scorer, const Split& split, std::span<const Target> targets,
                                   const EvaluateOptions& options) {
  return detail::evaluate(scorer, split, targets, {}, options);
}

LSTMREC_INLINE Evaluation evaluate(const ScorerRef& scorer, const Split& split, const Targets& targets,
                                   const EvaluateOptions& options) {
  return detail::evaluate(scorer, split, targets, targets.unknown, options);
}

}  // namespace lstmrec

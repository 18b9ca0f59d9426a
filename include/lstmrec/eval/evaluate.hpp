#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/order.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/core/top_k.hpp>
#include <lstmrec/counts/popularity.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/eval/bootstrap.hpp>
#include <lstmrec/eval/metrics.hpp>
#include <lstmrec/eval/ranking.hpp>
#include <lstmrec/eval/scorer.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace lstmrec {

struct EvaluateOptions {
  std::vector<std::size_t> cutoffs = {5, 10, 20};
  bool filter_seen = true;               ///< Leave out the items of the history. A target among them is a miss.
  std::size_t threads = 0;               ///< 0: as many as there are processors.
  std::size_t batch = 64;                ///< Histories scored at once; a thread holds items × batch scores.
  std::size_t bootstrap_samples = 1000;  ///< 0: no intervals.
  std::uint64_t seed = 1;                ///< Of the bootstrap.
};

/// What evaluate() found. The vectors by cutoff stand in the order of `cutoffs`, those by target in that of `targets`.
struct Evaluation {
  std::vector<std::size_t> cutoffs;
  std::vector<Estimate> hr, ndcg;       ///< By cutoff, the mean over targets.
  Estimate mrr;                         ///< The mean over targets of 1 / rank.
  std::vector<double> coverage;         ///< By cutoff: the share of all items that are in somebody's first k.
  std::vector<double> mean_popularity;  ///< By cutoff: the training events of an item, mean over all first k.
  std::vector<Target> targets;
  std::vector<std::uint32_t> ranks;  ///< By target, the best being 1; not_ranked where it was left out as seen.
  std::size_t users = 0, items = 0;
  std::string protocol;  ///< One line for tables.

  /// Throws std::out_of_range unless k is among the cutoffs.
  const Estimate& hr_at(std::size_t k) const { return hr[place_of(k)]; }
  const Estimate& ndcg_at(std::size_t k) const { return ndcg[place_of(k)]; }

  /// The place of a cutoff in the vectors by cutoff. Throws std::out_of_range if it isn't among them.
  std::size_t place_of(std::size_t k) const {
    const auto found = std::find(cutoffs.begin(), cutoffs.end(), k);
    if (found == cutoffs.end()) throw std::out_of_range(std::to_string(k) + " is not among the cutoffs evaluated");
    return static_cast<std::size_t>(found - cutoffs.begin());
  }
};

namespace detail {

template <Scorer S>
void check_targets(const S& scorer, const Split& split, std::span<const Target> targets) {
  const Sequences& sequences = split.sequences;
  if (static_cast<std::size_t>(scorer.items()) != sequences.items.size())
    throw std::invalid_argument("the scorer knows " + std::to_string(scorer.items()) + " items, the data has " +
                                std::to_string(sequences.items.size()));
  if constexpr (requires { scorer.item_ids == sequences.items; })
    if (scorer.item_ids != sequences.items)
      throw std::invalid_argument("the scorer's items have other indices than those of the data: see align_items");
  if (targets.empty()) throw std::invalid_argument("there are no targets to evaluate");
  for (const Target target : targets)
    if (target.user >= sequences.size() || target.position >= sequences[target.user].size())
      throw std::invalid_argument("a target is not an event of the data: user " + std::to_string(target.user) +
                                  ", position " + std::to_string(target.position));
}

/// How often which items were recommended at which place of a list. Whole numbers, so that the order of merging
/// doesn't matter.
struct Recommended {
  std::vector<std::uint32_t> first_place;        // by item: the best place it ever had
  std::vector<std::uint64_t> lists, popularity;  // by place: lists that have one, and the sum of its items' counts

  Recommended(std::size_t items, std::size_t places)
      : first_place(items, std::numeric_limits<std::uint32_t>::max()), lists(places), popularity(places) {}

  void add(std::span<const ScoredItem> list, std::span<const std::uint32_t> counts) {
    for (std::size_t place = 0; place < list.size(); ++place) {
      std::uint32_t& first = first_place[list[place].item];
      first = std::min(first, static_cast<std::uint32_t>(place));
      ++lists[place];
      popularity[place] += counts[list[place].item];
    }
  }

  void add(const Recommended& other) {
    for (std::size_t item = 0; item < first_place.size(); ++item)
      first_place[item] = std::min(first_place[item], other.first_place[item]);
    for (std::size_t place = 0; place < lists.size(); ++place) {
      lists[place] += other.lists[place];
      popularity[place] += other.popularity[place];
    }
  }

  double coverage(std::size_t k) const {
    const auto covered = std::count_if(first_place.begin(), first_place.end(), [k](auto place) { return place < k; });
    return static_cast<double>(covered) / static_cast<double>(first_place.size());
  }

  double mean_popularity(std::size_t k) const {
    std::uint64_t sum = 0, count = 0;
    for (std::size_t place = 0; place < std::min(k, lists.size()); ++place) {
      sum += popularity[place];
      count += lists[place];
    }
    return count == 0 ? 0.0 : static_cast<double>(sum) / static_cast<double>(count);
  }
};

}  // namespace detail

/// Ranks every target among all items by its scores after its history, and sums up the ranks.
///
///     const auto result = evaluate(Popularity(split), split, split.test, {.cutoffs = {10}});
///     std::cout << result << '\n';                 // table.hpp
///     result.ndcg_at(10).value;
///
/// Full ranking, never sampled; ties count against the model (rank_of); the scorer sees nothing from the target on.
/// Where seen items are left out, a target that the user has had before is a miss, as it is in every list that a
/// Session makes; the protocol then says how many there are.
/// Targets are scored in batches of similar history length. The figures don't depend on the number of threads, nor on
/// the batch if the scores don't. Memory: items × batch scores a thread.
/// Throws std::invalid_argument if there are no targets or cutoffs, or if scorer and data don't fit, and Error on a
/// NaN among the scores.
template <Scorer S>
Evaluation evaluate(const S& scorer, const Split& split, std::span<const Target> targets,
                    const EvaluateOptions& options = {}) {
  detail::check_targets(scorer, split, targets);
  if (options.cutoffs.empty() || std::count(options.cutoffs.begin(), options.cutoffs.end(), std::size_t{0}) > 0)
    throw std::invalid_argument("there must be cutoffs, each at least 1");
  if (options.batch < 1) throw std::invalid_argument("batch must be at least 1");

  const std::size_t items = split.sequences.items.size();
  const std::size_t places = std::min(items, *std::max_element(options.cutoffs.begin(), options.cutoffs.end()));
  const auto counts = training_counts(split);
  // Longest first: the batches that take longest don't begin last, when the other threads have nothing left to do.
  const auto order = order_by(targets.size(), [&](std::size_t k) { return ~std::size_t{targets[k].position}; });
  const std::size_t batches = (targets.size() + options.batch - 1) / options.batch;

  Evaluation result;
  result.ranks.resize(targets.size());
  ThreadPool pool(options.threads);
  std::vector<detail::Recommended> recommended(pool.threads(), detail::Recommended(items, places));
  std::atomic<std::size_t> next_batch = 0;
  pool.run(pool.threads(), [&](std::size_t worker) {
    Matrix<float> scores(static_cast<Index>(items), static_cast<Index>(std::min(options.batch, targets.size())));
    std::vector<History> histories;
    std::vector<ScoredItem> best(places);
    SeenItems seen(items);
    for (std::size_t batch; (batch = next_batch++) < batches;) {
      const auto chosen = std::span(order)
                              .subspan(batch * options.batch)
                              .first(std::min(options.batch, targets.size() - batch * options.batch));
      histories.clear();
      for (const std::size_t k : chosen) histories.push_back(split.history(targets[k]));
      scorer.score(histories, MatrixRef<float>(scores.leftCols(static_cast<Index>(chosen.size()))));
      for (std::size_t column = 0; column < chosen.size(); ++column) {
        const Target target = targets[chosen[column]];
        const std::span<const float> own(scores.col(static_cast<Index>(column)).data(), items);
        seen.assign(options.filter_seen ? histories[column] : History{});
        result.ranks[chosen[column]] = rank_of(own, split.event(target).item, seen.list());
        recommended[worker].add(top_k(own, best, [&](std::uint32_t item) { return seen.contains(item); }), counts);
      }
    }
  });
  for (std::size_t worker = 1; worker < recommended.size(); ++worker) recommended[0].add(recommended[worker]);

  UserSums sums(2 * options.cutoffs.size() + 1);
  std::vector<double> figures;
  for (const std::size_t k : order_by(targets.size(), [&](std::size_t t) { return targets[t].user; })) {
    figures.assign(1, reciprocal_rank(result.ranks[k]));
    for (const std::size_t cutoff : options.cutoffs) {
      figures.push_back(hit(result.ranks[k], cutoff));
      figures.push_back(ndcg(result.ranks[k], cutoff));
    }
    sums.add(targets[k].user, figures);
  }
  const auto estimates = sums.estimates(options.bootstrap_samples, options.seed, pool);
  result.mrr = estimates[0];
  for (std::size_t c = 0; c < options.cutoffs.size(); ++c) {
    result.hr.push_back(estimates[1 + 2 * c]);
    result.ndcg.push_back(estimates[2 + 2 * c]);
    result.coverage.push_back(recommended[0].coverage(options.cutoffs[c]));
    result.mean_popularity.push_back(recommended[0].mean_popularity(options.cutoffs[c]));
  }
  result.cutoffs = options.cutoffs;
  result.targets.assign(targets.begin(), targets.end());
  result.users = sums.users();
  result.items = items;
  result.protocol = split.protocol + (options.filter_seen ? "; seen items left out" : "; seen items left in");
  if (const auto repeats = std::count(result.ranks.begin(), result.ranks.end(), not_ranked); repeats > 0)
    result.protocol += " (repeats among the targets, which are misses: " + std::to_string(repeats) + ")";
  result.protocol += ", all items ranked, ties against the model";
  return result;
}

}  // namespace lstmrec

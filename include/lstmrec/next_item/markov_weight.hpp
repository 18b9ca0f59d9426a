#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <lstmrec/baselines/markov.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/eval/metrics.hpp>
#include <lstmrec/eval/ranking.hpp>
#include <lstmrec/eval/scored.hpp>
#include <lstmrec/next_item/sure_gain.hpp>
#include <memory>
#include <span>
#include <vector>

namespace lstmrec {

namespace detail {

inline constexpr std::array markov_weights = {0.0, 0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0};

/// Ranks the target of each query under every weight of the Markov chain.
class WeighedRanks : public ScoreVisitor {
 public:
  WeighedRanks(const MarkovChain& chain, std::span<std::array<double, markov_weights.size()>> ndcg)
      : chain_(&chain), ndcg_(ndcg) {}

  void begin(const ScoredQuery& query) override {
    query_ = query;
    if (query_.history.empty()) return;
    // The smallest tile that the target can lie in gives the same number as `add` will meet.
    const Index first = query.target / tile_multiple * tile_multiple;
    const Index count = std::min<Index>(tile_multiple, chain_->items() - first);
    logarithms_of(first, count);
    const float logarithm = logarithms_(static_cast<Index>(query.target) - first);
    for (std::size_t w = 0; w < markov_weights.size(); ++w)
      ranks_[w] =
          RankCounter(query.target, query.target_score + static_cast<float>(markov_weights[w]) * logarithm, query.seen);
  }
  void add(std::uint32_t first, std::span<const float> scores) override {
    if (query_.history.empty()) return;
    logarithms_of(first, static_cast<Index>(scores.size()));
    mixed_.resize(scores.size());
    for (std::size_t w = 0; w < markov_weights.size(); ++w) {
      const auto weight = static_cast<float>(markov_weights[w]);
      for (std::size_t k = 0; k < scores.size(); ++k)
        mixed_[k] = scores[k] + weight * logarithms_(static_cast<Index>(k));
      ranks_[w].add(first, mixed_);
    }
  }
  void end() override {
    for (std::size_t w = 0; w < markov_weights.size(); ++w)
      ndcg_[query_.number][w] = query_.history.empty() ? 0 : metrics::ndcg(ranks_[w].rank(), 10);
  }

 private:
  void logarithms_of(Index first, Index count) {
    if (logarithms_.size() < count) logarithms_.resize(count);
    chain_->log_scores(query_.history, first, count, logarithms_);
  }

  const MarkovChain* chain_;
  std::span<std::array<double, markov_weights.size()>> ndcg_;
  ScoredQuery query_;
  std::array<RankCounter, markov_weights.size()> ranks_;
  Vector<float> logarithms_;
  std::vector<float> mixed_;
};

}  // namespace detail

/// A weight of a Markov chain and what it gives.
struct MarkovChoice {
  double weight = 0;
  double ndcg = 0;  ///< NDCG@10 with this weight.
};

/// The weight of a Markov chain beside a network with the best NDCG@10 over some targets. The chain costs time and
/// memory at every list, so the weight is 0 unless the best raises the figure by at least 2%, and by more than chance
/// would (is_sure_gain).
///
/// `network`: scores without a chain. The result does not depend on the number of threads.
inline MarkovChoice choose_markov_weight(const ScorerRef& network, const MarkovChain& chain, const Split& split,
                                         std::span<const Target> targets, bool exclude_seen, std::size_t threads = 0) {
  if (targets.empty()) return {};
  std::vector<std::array<double, detail::markov_weights.size()>> ndcg(targets.size());
  ThreadPool pool(threads);
  for_each_scored(network, queries_of(split, targets), {exclude_seen}, pool,
                  [&] { return std::make_unique<detail::WeighedRanks>(chain, ndcg); });
  std::array<double, detail::markov_weights.size()> total = {};
  for (const auto& of_target : ndcg)
    for (std::size_t w = 0; w < total.size(); ++w) total[w] += of_target[w] / static_cast<double>(targets.size());
  const auto best = std::max_element(total.begin(), total.end());
  const auto chosen = static_cast<std::size_t>(best - total.begin());
  std::vector<double> with, without;
  for (const auto& of_target : ndcg) {
    with.push_back(of_target[chosen]);
    without.push_back(of_target[0]);
  }
  if (*best <= 1.02 * total[0] || !detail::is_sure_gain(with, without)) return {0, total[0]};
  return {detail::markov_weights[chosen], *best};
}

}  // namespace lstmrec

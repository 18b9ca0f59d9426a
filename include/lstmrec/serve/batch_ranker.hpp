#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/products.hpp>
#include <lstmrec/core/top_k.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/model/recommender.hpp>
#include <lstmrec/serve/candidates.hpp>
#include <span>
#include <vector>

namespace lstmrec {

/// Lists for many users at once: faster by user than a Session each, because the items are read once for all of them.
///
///     const BatchRanker ranker(recommender);
///     for (const auto& list : ranker.top_n(histories, 10, Candidates(recommender))) …
///
/// Holds a copy of the items' vectors, packed for the product, and borrows the recommender, which has to outlive it and
/// must not change. Const functions may be called by any number of threads; about 64 histories a call are best.
class BatchRanker {
 public:
  explicit BatchRanker(const Recommender& recommender) : recommender_(&recommender) {
    vectors_.pack_transposed(recommender.network.output_vectors());
  }
  explicit BatchRanker(const Recommender&&) = delete;  // it would not live long enough

  /// For each history the n items with the highest scores, best first, of equal scores the lower index first; fewer
  /// where fewer are left. Histories as for Recommender::outputs; one without events gets the most popular items.
  /// Throws Error on a NaN among the scores, and std::invalid_argument on candidates for another number of items. Never
  /// holds more than a tile of the scores, but where counts are used.
  std::vector<std::vector<ScoredItem>> top_n(std::span<const History> histories, std::size_t n,
                                             const Candidates& candidates) const {
    candidates.expect_items(recommender_->items());
    const Index items = recommender_->items(), users = static_cast<Index>(histories.size());
    std::vector<std::vector<ScoredItem>> lists(histories.size(),
                                               std::vector<ScoredItem>(std::min(n, static_cast<std::size_t>(items))));
    std::vector<TopK> best(lists.begin(), lists.end());
    std::vector<std::vector<std::uint32_t>> seen(histories.size());  // sorted: few items are asked for
    if (candidates.exclude_seen())
      for (std::size_t user = 0; user < histories.size(); ++user) {
        for (const Event& event : histories[user]) seen[user].push_back(event.item);
        std::sort(seen[user].begin(), seen[user].end());
      }
    const auto add = [&](std::size_t user, Index first, std::span<const float> scores) {
      best[user].add(static_cast<std::uint32_t>(first), scores, [&](std::uint32_t item) {
        return !candidates.allows(item) || std::binary_search(seen[user].begin(), seen[user].end(), item);
      });
    };

    const Matrix<float> outputs = recommender_->outputs(histories), counts = count_scores(histories);
    Matrix<float> scores(std::min(tile, items), users);
    for (Index first = 0; first < items; first += tile) {
      const Index count = std::min(tile, items - first);
      auto part = scores.topRows(count);
      vectors_.multiply_rows(first, outputs, part);
      add_to_columns(recommender_->network.head.bias.segment(first, count), part);
      if (counts.size() > 0) part += counts.middleRows(first, count);
      for (std::size_t user = 0; user < histories.size(); ++user)
        if (!histories[user].empty())
          add(user, first, {part.col(static_cast<Index>(user)).data(), static_cast<std::size_t>(count)});
    }
    Vector<float> popularity;
    for (std::size_t user = 0; user < histories.size(); ++user) {
      if (histories[user].empty()) {
        popularity.resize(items);
        recommender_->score_without_history(popularity);
        add(user, 0, {popularity.data(), static_cast<std::size_t>(items)});
      }
      lists[user].resize(best[user].sorted().size());
    }
    return lists;
  }

 private:
  static constexpr Index tile = 512;  ///< Items whose scores are in memory at a time.

  /// What the counts add to the scores, items × histories; empty where there are none.
  Matrix<float> count_scores(std::span<const History> histories) const {
    if (!recommender_->uses_counts()) return {};
    Matrix<float> added = Matrix<float>::Zero(recommender_->items(), static_cast<Index>(histories.size()));
    Vector<float> scratch(recommender_->items());
    for (std::size_t user = 0; user < histories.size(); ++user)
      if (!histories[user].empty())
        recommender_->add_counts(histories[user], recommender_->config.counts_weight, scratch,
                                 added.col(static_cast<Index>(user)));
    return added;
  }

  const Recommender* recommender_;
  LeftFactor<float> vectors_;  ///< Vᵀ, items × size.
};

}  // namespace lstmrec

#pragma once

#include <cstddef>
#include <lstmrec/core/compiled.hpp>
#include <lstmrec/core/products.hpp>
#include <lstmrec/core/top_k.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/next_item/candidates.hpp>
#include <lstmrec/next_item/recommender.hpp>
#include <span>
#include <vector>

namespace lstmrec {

/// Lists for many users at once: faster by user than a Ranker, because the items are read once for all of them.
///
///     const BatchRanker ranker(recommender);
///     for (const auto& list : ranker.top_n(histories, 10, Candidates(recommender))) …
///
/// Holds a copy of the items' vectors, packed for the product, and borrows the recommender, which has to outlive it and
/// must not change. Const functions may be called by any number of threads; about 64 histories a call are best.
template <class Network>
class BasicBatchRanker {
 public:
  /// Throws std::invalid_argument where the recommender knows no items.
  explicit BasicBatchRanker(const BasicRecommender<Network>& recommender);
  explicit BasicBatchRanker(const BasicRecommender<Network>&&) = delete;  // it would not live long enough

  /// For each history the n items with the highest scores, best first, of equal scores the lower index first; fewer
  /// where fewer are left. Histories as for Recommender::outputs; one without events gets the most popular items.
  /// Throws Error on a NaN among the scores, and std::invalid_argument on candidates of other items or histories of
  /// another numbering. Never holds more than a tile of the scores.
  std::vector<std::vector<ScoredItem>> top_n(std::span<const History> histories, std::size_t n,
                                             const Candidates& candidates) const;

 private:
  const BasicRecommender<Network>* recommender_;
  PackedMatrix<float> vectors_;  ///< Vᵀ, items × embedding size.
};
template <class Network>
BasicBatchRanker(const BasicRecommender<Network>&) -> BasicBatchRanker<Network>;

using BatchRanker = BasicBatchRanker<NextItemNetwork<float>>;

}  // namespace lstmrec

#ifdef LSTMREC_COMPILED
extern template class lstmrec::BasicBatchRanker<lstmrec::NextItemNetwork<float>>;
#else
#include <lstmrec/next_item/batch_ranker_inl.hpp>
#endif

#pragma once

/// The bodies of batch_ranker.hpp.

#include <cstddef>
#include <cstdint>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/eval/scored.hpp>
#include <lstmrec/next_item/batch_ranker.hpp>
#include <lstmrec/next_item/network_scorer.hpp>
#include <span>
#include <stdexcept>
#include <vector>

namespace lstmrec {

template <class Network>
BasicBatchRanker<Network>::BasicBatchRanker(const BasicRecommender<Network>& recommender) : recommender_(&recommender) {
  if (recommender.items() == 0) throw std::invalid_argument("a recommender that knows no items can't rank any");
  vectors_.pack_transposed(recommender.network().output_vectors());
}

template <class Network>
std::vector<std::vector<ScoredItem>> BasicBatchRanker<Network>::top_n(std::span<const History> histories, std::size_t n,
                                                                      const Candidates& candidates) const {
  candidates.expect_items(recommender_->item_ids());
  NetworkScorer<Network> scorer = recommender_->scorer();
  scorer.packed_vectors = &vectors_;
  ThreadPool one(1);
  ItemFilter allows;
  if (!candidates.allows_all()) allows = [&](std::uint32_t item) { return candidates.allows(item); };
  return top_lists(scorer, {histories.size(), [&](std::size_t k) { return histories[k]; }}, n,
                   {.exclude_seen = candidates.exclude_seen()}, one, allows);
}

}  // namespace lstmrec

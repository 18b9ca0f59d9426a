#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <lstmrec/core/compiled.hpp>
#include <lstmrec/core/function_ref.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/core/top_k.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/eval/scorer.hpp>
#include <memory>
#include <span>
#include <vector>

namespace lstmrec {

/// Histories to be scored, `count` of them, and for each the item whose score is wanted first, if any.
struct ScoringQueries {
  std::size_t count = 0;
  std::function<History(std::size_t)> history;
  std::function<std::uint32_t(std::size_t)> target = {};
};

/// The queries of some targets of a split, which they borrow.
inline ScoringQueries queries_of(const Split& split, std::span<const Target> targets) {
  return {targets.size(), [&split, targets](std::size_t k) { return split.history(targets[k]); },
          [&split, targets](std::size_t k) { return split.event(targets[k]).item; }};
}
ScoringQueries queries_of(const Split&&, std::span<const Target>) = delete;

/// One query while its scores come in. What is borrowed lasts from `begin` to `end`.
struct ScoredQuery {
  std::size_t number = 0;
  History history;
  std::span<const std::uint32_t> seen;  ///< Items that are left out, in ascending order; empty where none are.
  std::uint32_t target = 0;
  float target_score = 0;
};

/// Takes the scores of one query after the other, each a tile of items at a time.
class ScoreVisitor {
 public:
  virtual ~ScoreVisitor() = default;
  virtual void begin(const ScoredQuery& query) = 0;
  /// The scores of items `first`, `first` + 1, …; tiles come in ascending order and cover all items.
  virtual void add(std::uint32_t first, std::span<const float> scores) = 0;
  virtual void end() = 0;
};

struct ScoringOptions {
  bool exclude_seen = true;
  std::size_t batch = 64;  ///< Queries whose scores are in memory at once, for each thread.
};

/// Scores all items for every query, in batches, on the threads of the pool. Each thread makes up to `batch` visitors
/// with make_visitor and uses them again for one query after another.
///
/// Histories that are prefixes of one another (PrefixGroups), as those of one user's targets are, are scored by one
/// thread, the shorter before the longer, from one call of the scorer's `outputs`: a network reads each of their events
/// once. Other histories are batched with those of similar length.
///
/// `make_visitor`, `history` and `target` are called from several threads at once. Which visitor gets which query is
/// not determined, so results must not depend on it. Throws ConfigError on a batch of 0, and what scorer and visitors
/// throw. Memory a thread: batch × 1024 scores where the scorer is a TiledScorer, else batch × items; the distinct
/// items of a batch of histories; and the outputs of at most 64 × batch queries, or of all of one user's.
LSTMREC_INLINE void for_each_scored(const ScorerRef& scorer, const ScoringQueries& queries,
                                    const ScoringOptions& options, ThreadPool& pool,
                                    FunctionRef<std::unique_ptr<ScoreVisitor>()> make_visitor);

/// Which items may stand in a list, beside those that are seen; empty: all.
using ItemFilter = std::function<bool(std::uint32_t)>;

/// For each query the n items with the highest scores, best first, of equal scores the lower index first; fewer where
/// fewer are left. Throws Error on a NaN among the scores.
LSTMREC_INLINE std::vector<std::vector<ScoredItem>> top_lists(const ScorerRef& scorer, const ScoringQueries& queries,
                                                              std::size_t n, const ScoringOptions& options,
                                                              ThreadPool& pool, const ItemFilter& allows = {});

}  // namespace lstmrec

#ifndef LSTMREC_COMPILED
#include <lstmrec/eval/scored_inl.hpp>
#endif

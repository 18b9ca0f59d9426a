#pragma once

/// The bodies of scored.hpp.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/core/top_k.hpp>
#include <lstmrec/data/event_columns.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/eval/prefix_groups.hpp>
#include <lstmrec/eval/ranking.hpp>
#include <lstmrec/eval/scored.hpp>
#include <lstmrec/eval/scorer.hpp>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace lstmrec {

namespace detail {

inline constexpr Index scored_tile = 1024;  ///< Items whose scores a thread holds, for each history of a batch.

/// One thread's work in for_each_scored.
class ScoringThread {
 public:
  ScoringThread(const ScorerRef& scorer, const ScoringQueries& queries, const ScoringOptions& options,
                FunctionRef<std::unique_ptr<ScoreVisitor>()> make_visitor)
      : scorer_(&scorer),
        queries_(&queries),
        options_(options),
        tile_(scorer.is_tiled() ? std::min(scored_tile, scorer.items()) : scorer.items()),
        seen_(std::min(options.batch, queries.count)) {
    scores_.resize((tile_ + tile_multiple - 1) / tile_multiple * tile_multiple, static_cast<Index>(seen_.size()));
    for (std::size_t k = 0; k < seen_.size(); ++k) visitors_.push_back(make_visitor());
  }

  /// Scores the chosen queries, which are whole groups of prefixes, in batches of about equal size.
  void run(std::span<const std::size_t> chosen) {
    all_histories_.clear();
    for (const std::size_t number : chosen) all_histories_.push_back(queries_->history(number));
    const Matrix<float> outputs = scorer_->outputs(all_histories_);
    known_ = {};  // the histories before may be gone
    distinct_.clear();
    const std::size_t batches = (chosen.size() + seen_.size() - 1) / seen_.size();
    for (std::size_t batch = 0; batch < batches; ++batch) {
      const std::size_t begin = chosen.size() * batch / batches, end = chosen.size() * (batch + 1) / batches;
      histories_ = std::span(all_histories_).subspan(begin, end - begin);
      score_batch(chosen.subspan(begin, end - begin), columns_of(outputs, begin, end - begin));
    }
  }

 private:
  static Matrix<float> columns_of(const Matrix<float>& outputs, std::size_t first, std::size_t count) {
    if (outputs.size() == 0) return {};
    return outputs.middleCols(static_cast<Index>(first), static_cast<Index>(count));
  }

  void score_batch(std::span<const std::size_t> chosen, const Matrix<float>& outputs) {
    const Index items = scorer_->items(), columns = static_cast<Index>(chosen.size());
    const bool is_one_tile = tile_ >= items;
    if (is_one_tile) scorer_->score_tile(histories_, outputs, 0, scores_.topLeftCorner(items, columns));
    for (std::size_t k = 0; k < chosen.size(); ++k) begin(k, chosen[k], outputs, is_one_tile);
    for (Index first = 0; first < items; first += tile_) {
      const Index rows = std::min(tile_, items - first);
      if (!is_one_tile) scorer_->score_tile(histories_, outputs, first, scores_.topLeftCorner(rows, columns));
      for (std::size_t k = 0; k < chosen.size(); ++k)
        visitors_[k]->add(static_cast<std::uint32_t>(first), column(k, rows));
    }
    for (std::size_t k = 0; k < chosen.size(); ++k) visitors_[k]->end();
  }

  std::span<const float> column(std::size_t k, Index rows) const {
    return {scores_.col(static_cast<Index>(k)).data(), static_cast<std::size_t>(rows)};
  }

  void begin(std::size_t k, std::size_t number, const Matrix<float>& outputs, bool is_one_tile) {
    ScoredQuery query{number, histories_[k], {}, 0, 0};
    seen_[k].clear();
    if (options_.exclude_seen) seen_[k] = distinct_items_of(query.history);
    query.seen = seen_[k];
    if (queries_->target) {
      query.target = queries_->target(number);
      query.target_score =
          is_one_tile ? scores_(query.target, static_cast<Index>(k)) : score_of(query.target, k, outputs);
    }
    visitors_[k]->begin(query);
  }

  /// The distinct items of a history, in ascending order. Where it goes on from the history before, only the events
  /// that are new are looked at.
  const std::vector<std::uint32_t>& distinct_items_of(const History& history) {
    if (history.items.data() != known_.data() || history.size() < known_.size()) {
      known_ = {};
      distinct_.clear();
    }
    add_distinct(history.items.subspan(known_.size()), distinct_);
    known_ = history.items;
    return distinct_;
  }

  /// The score of one item, by the smallest tile that it can lie in: to the bit what the large tile will give.
  float score_of(std::uint32_t item, std::size_t k, const Matrix<float>& outputs) {
    const Index first = item / tile_multiple * tile_multiple;
    const Index rows = std::min(tile_multiple, scorer_->items() - first);
    single_.resize(tile_multiple, 1);
    scorer_->score_tile(histories_.subspan(k, 1), columns_of(outputs, k, 1), first, single_.topRows(rows));
    return single_(static_cast<Index>(item) - first, 0);
  }

  const ScorerRef* scorer_;
  const ScoringQueries* queries_;
  ScoringOptions options_;
  Index tile_;
  Matrix<float> scores_, single_;
  std::vector<History> all_histories_;
  std::span<const History> histories_;            ///< Of the batch.
  std::vector<std::vector<std::uint32_t>> seen_;  ///< By history of the batch.
  std::span<const std::uint32_t> known_;          ///< The events whose distinct items follow.
  std::vector<std::uint32_t> distinct_;
  std::vector<std::unique_ptr<ScoreVisitor>> visitors_;
};

}  // namespace detail

LSTMREC_INLINE void for_each_scored(const ScorerRef& scorer, const ScoringQueries& queries,
                                    const ScoringOptions& options, ThreadPool& pool,
                                    FunctionRef<std::unique_ptr<ScoreVisitor>()> make_visitor) {
  if (options.batch < 1) throw ConfigError("batch must be at least 1");
  const std::size_t batch = std::min(options.batch, std::max<std::size_t>(1, queries.count));
  // Longest first: the parts that take longest do not begin last, when the other threads have nothing left to do.
  const auto groups = prefix_groups(queries.count, [&](std::size_t k) { return queries.history(k); });
  const auto begins = detail::scoring_parts(groups, batch, pool.threads());
  const std::size_t parts = begins.size() - 1;
  std::atomic<std::size_t> next_part = 0;
  pool.run(std::min(pool.threads(), parts), [&](std::size_t) {
    detail::ScoringThread work(scorer, queries, options, make_visitor);
    for (std::size_t part; (part = next_part++) < parts;)
      work.run(std::span(groups.order).subspan(begins[part], begins[part + 1] - begins[part]));
  });
}

LSTMREC_INLINE std::vector<std::vector<ScoredItem>> top_lists(const ScorerRef& scorer, const ScoringQueries& queries,
                                                              std::size_t n, const ScoringOptions& options,
                                                              ThreadPool& pool, const ItemFilter& allows) {
  std::vector<std::vector<ScoredItem>> lists(queries.count);
  struct Visitor : ScoreVisitor {
    std::vector<std::vector<ScoredItem>>* lists = nullptr;
    const ItemFilter* allows = nullptr;
    std::size_t length = 0;
    std::size_t number = 0;
    AscendingItems seen;
    std::optional<TopK> best;

    void begin(const ScoredQuery& query) override {
      number = query.number;
      seen = AscendingItems(query.seen);
      (*lists)[number].resize(length);
      best.emplace((*lists)[number]);
    }
    void add(std::uint32_t first, std::span<const float> scores) override {
      best->add(first, scores,
                [&](std::uint32_t item) { return seen.contains(item) || (*allows && !(*allows)(item)); });
    }
    void end() override { (*lists)[number].resize(best->sorted().size()); }
  };
  for_each_scored(scorer, queries, options, pool, [&] {
    auto visitor = std::make_unique<Visitor>();
    visitor->lists = &lists;
    visitor->allows = &allows;
    visitor->length = std::min(n, static_cast<std::size_t>(scorer.items()));
    return visitor;
  });
  return lists;
}

}  // namespace lstmrec

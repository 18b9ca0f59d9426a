#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/core/top_k.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/eval/ranking.hpp>
#include <lstmrec/eval/scored.hpp>
#include <lstmrec/eval/scorer.hpp>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <vector>

namespace lstmrec {

struct RankedListOptions {
  std::size_t length = std::numeric_limits<std::size_t>::max();  ///< Items of a list, at most; by default all.
  std::optional<bool> exclude_seen = {};                         ///< Unset: as the scorer was made.
};

namespace detail {

/// The best items of a query with its target where its rank says.
class RankedList : public ScoreVisitor {
 public:
  RankedList(std::span<std::vector<std::uint32_t>> lists, std::size_t length) : lists_(lists), best_(length) {}

  void begin(const ScoredQuery& query) override {
    query_ = query;
    rank_ = RankCounter(query.target, query.target_score, query.seen);
    others_.emplace(best_);
  }
  void add(std::uint32_t first, std::span<const float> scores) override {
    rank_.add(first, scores);
    others_->add(first, scores, [&](std::uint32_t item) {
      return item == query_.target || std::binary_search(query_.seen.begin(), query_.seen.end(), item);
    });
  }
  void end() override {
    const auto others = others_->sorted();
    const std::size_t place = std::size_t{rank_.rank()} - 1;
    auto& list = lists_[query_.number];
    for (std::size_t k = 0, next = 0; k < best_.size() && (next < others.size() || k == place); ++k)
      list.push_back(k == place ? query_.target : others[next++].item);
  }

 private:
  std::span<std::vector<std::uint32_t>> lists_;
  std::vector<ScoredItem> best_;
  ScoredQuery query_;
  RankCounter rank_;
  std::optional<TopK> others_;
};

}  // namespace detail

/// Writes the ranking behind an evaluation, for others to check it: a line a target, in the order of the targets, with
/// the user and then the items, best first, in original ids separated by tabs.
///
/// Among equal scores the target stands last, so that its place in the list is its rank, and the others stand by index.
/// A target that is left out as seen stands in no list. Throws what evaluate() throws, and Error if writing fails.
inline void write_ranked_lists(std::ostream& out, const ScorerRef& scorer, const Split& split,
                               std::span<const Target> targets, const RankedListOptions& options = {}) {
  detail::check_targets(scorer, split, targets);
  const std::size_t length = std::min(options.length, split.sequences.items.size());
  constexpr std::size_t at_once = 64;  // bounds the memory
  ThreadPool one(1);
  for (std::size_t begin = 0; begin < targets.size(); begin += at_once) {
    const auto part = targets.subspan(begin, std::min(at_once, targets.size() - begin));
    std::vector<std::vector<std::uint32_t>> lists(part.size());
    for_each_scored(scorer, queries_of(split, part), {options.exclude_seen.value_or(scorer.exclude_seen())}, one,
                    [&] { return std::make_unique<detail::RankedList>(lists, length); });
    for (std::size_t k = 0; k < part.size(); ++k) {
      out << split.sequences.users.id(part[k].user);
      for (const std::uint32_t item : lists[k]) out << '\t' << split.sequences.items.id(item);
      out << '\n';
    }
  }
  if (!out.flush()) throw Error("the ranked lists could not be written");
}

}  // namespace lstmrec

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
#include <utility>
#include <vector>

namespace lstmrec {

struct RankedListOptions {
  std::size_t length = std::numeric_limits<std::size_t>::max();  ///< Items of a list, at most; by default all.
  std::optional<bool> exclude_seen = {};                         ///< Unset: as the scorer was made.
};

namespace detail {

/// Writes lists in the order of their targets, each as soon as those before it are written.
class ListWriter {
 public:
  ListWriter(std::ostream& out, const Split& split, std::span<const Target> targets)
      : out_(&out), split_(&split), targets_(targets), lists_(targets.size()) {}

  void add(std::size_t number, std::vector<std::uint32_t> list) {
    lists_[number] = std::move(list);
    for (; next_ < lists_.size() && lists_[next_]; ++next_) {
      *out_ << split_->sequences.users.id(targets_[next_].user);
      for (const std::uint32_t item : *lists_[next_]) *out_ << '\t' << split_->sequences.items.id(item);
      *out_ << '\n';
      lists_[next_]->clear();
      lists_[next_]->shrink_to_fit();
    }
  }

 private:
  std::ostream* out_;
  const Split* split_;
  std::span<const Target> targets_;
  std::vector<std::optional<std::vector<std::uint32_t>>> lists_;  ///< By target; unset: still to come.
  std::size_t next_ = 0;
};

/// The best items of a query with its target where its rank says.
class RankedList : public ScoreVisitor {
 public:
  RankedList(ListWriter& writer, std::size_t length) : writer_(&writer), best_(length) {}

  void begin(const ScoredQuery& query) override {
    query_ = query;
    seen_ = AscendingItems(query.seen);
    rank_ = RankCounter(query.target, query.target_score, query.seen);
    others_.emplace(best_);
  }
  void add(std::uint32_t first, std::span<const float> scores) override {
    rank_.add(first, scores);
    others_->add(first, scores, [&](std::uint32_t item) { return item == query_.target || seen_.contains(item); });
  }
  void end() override {
    const auto others = others_->sorted();
    const std::size_t place = std::size_t{rank_.rank()} - 1;
    std::vector<std::uint32_t> list;
    for (std::size_t k = 0, next = 0; k < best_.size() && (next < others.size() || k == place); ++k)
      list.push_back(k == place ? query_.target : others[next++].item);
    writer_->add(query_.number, std::move(list));
  }

 private:
  ListWriter* writer_;
  std::vector<ScoredItem> best_;
  ScoredQuery query_;
  AscendingItems seen_;
  RankCounter rank_;
  std::optional<TopK> others_;
};

/// How many of the first targets to score together: about a batch of those of many users, or all of the first user's,
/// which are scored in their order if they ascend. So few lists ever wait for others to be written before them.
inline std::size_t targets_listed_together(std::span<const Target> targets) {
  constexpr std::size_t batch = ScoringOptions{}.batch;
  std::size_t count = 0;
  while (count < targets.size()) {
    std::size_t end = count + 1;
    while (end < targets.size() && targets[end].user == targets[count].user &&
           targets[end].position > targets[end - 1].position)
      ++end;
    if (count > 0 && end > batch) break;
    count = end;
  }
  return count;
}

}  // namespace detail

/// Writes the ranking behind an evaluation, for others to check it: a line a target, in the order of the targets, with
/// the user and then the items, best first, in original ids separated by tabs.
///
/// Among equal scores the target stands last, so that its place in the list is its rank, and the others stand by index.
/// A target that is left out as seen stands in no list. Where a user's targets stand together in ascending order, as in
/// a Split, one pass along the user's events serves them all. Memory beside for_each_scored's: 64 lists. Throws what
/// evaluate() throws, and Error if writing fails.
inline void write_ranked_lists(std::ostream& out, const ScorerRef& scorer, const Split& split,
                               std::span<const Target> targets, const RankedListOptions& options = {}) {
  detail::check_targets(scorer, split, targets);
  const std::size_t length = std::min(options.length, split.sequences.items.size());
  ThreadPool one(1);
  for (auto rest = targets; !rest.empty();) {
    const auto part = rest.first(detail::targets_listed_together(rest));
    detail::ListWriter writer(out, split, part);
    for_each_scored(scorer, queries_of(split, part), {options.exclude_seen.value_or(scorer.exclude_seen())}, one,
                    [&] { return std::make_unique<detail::RankedList>(writer, length); });
    rest = rest.subspan(part.size());
  }
  if (!out.flush()) throw Error("the ranked lists could not be written");
}

}  // namespace lstmrec

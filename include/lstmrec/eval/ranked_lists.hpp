#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/top_k.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/eval/ranking.hpp>
#include <lstmrec/eval/scorer.hpp>
#include <ostream>
#include <span>
#include <vector>

namespace lstmrec {

struct RankedListOptions {
  std::size_t length = std::numeric_limits<std::size_t>::max();  ///< Items of a list, at most; by default all.
  bool filter_seen = true;
};

/// Writes the ranking behind an evaluation, for others to check it: a line a target, in the order of the targets, with
/// the user and then the items, best first, in original ids separated by tabs.
///
/// Of equal scores the target stands last, so that its place in the list is its rank, and the others stand by index. A
/// target that is left out as seen stands in no list.
/// Throws std::invalid_argument as evaluate() does, and Error on a NaN among the scores or if writing fails.
template <Scorer S>
void write_ranked_lists(std::ostream& out, const S& scorer, const Split& split, std::span<const Target> targets,
                        const RankedListOptions& options = {}) {
  detail::check_targets(scorer, split, targets);
  const std::size_t items = split.sequences.items.size();
  Matrix<float> scores(static_cast<Index>(items), 1);
  std::vector<ScoredItem> best(std::min(options.length, items));
  SeenItems seen(items);
  for (const Target target : targets) {
    const History history = split.history(target);
    scorer.score(std::span(&history, 1), MatrixRef<float>(scores));
    const std::span<const float> own(scores.data(), items);
    const std::uint32_t wanted = split.event(target).item;
    seen.assign(options.filter_seen ? history : History{});
    // The others alone, so that the target can be put where its rank says.
    const auto list = top_k(own, best, [&](std::uint32_t item) { return item == wanted || seen.contains(item); });
    const std::size_t place = std::size_t{rank_of(own, wanted, seen.list())} - 1;
    out << split.sequences.users.id(target.user);
    for (std::size_t k = 0, next = 0; k < best.size() && (next < list.size() || k == place); ++k)
      out << '\t' << split.sequences.items.id(k == place ? wanted : list[next++].item);
    out << '\n';
  }
  if (!out.flush()) throw Error("the ranked lists could not be written");
}

}  // namespace lstmrec

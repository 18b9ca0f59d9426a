#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/eval/metrics.hpp>
#include <span>
#include <string>
#include <vector>

namespace lstmrec {

/// The rank of the target among all items that are not excluded, the best being 1. Ties count against the model: an
/// item that scores what the target scores stands before it, so that equal scores for all give the last rank.
///
///     rank = 1 + |{j ≠ target, not excluded: score(j) ≥ score(target)}|
///
/// `excluded`: distinct items. A target among them is not_ranked: no list would hold it.
/// Throws Error on a NaN among the scores. Cost: one pass over the scores.
inline std::uint32_t rank_of(std::span<const float> scores, std::uint32_t target,
                             std::span<const std::uint32_t> excluded = {}) {
  const float to_beat = scores[target];
  std::uint32_t at_least = 0, below = 0;  // both counted, so that the loop has no branch and still finds every NaN
  for (const float score : scores) {
    at_least += score >= to_beat;
    below += score < to_beat;
  }
  if (at_least + below != scores.size()) {
    const auto nan = std::find_if(scores.begin(), scores.end(), [](float score) { return std::isnan(score); });
    throw Error("the score of item " + std::to_string(nan - scores.begin()) + " (dense index) is not a number");
  }
  for (const std::uint32_t item : excluded) {
    if (item == target) return not_ranked;
    at_least -= scores[item] >= to_beat;
  }
  return at_least;
}

/// The distinct items of a history: as a list, and as a mark an item. Kept and filled anew, so that its buffers last.
class SeenItems {
 public:
  explicit SeenItems(std::size_t items) : marks_(items, 0) {}

  void assign(History history) {
    for (const std::uint32_t item : list_) marks_[item] = 0;
    list_.clear();
    for (const Event& event : history) {
      if (marks_[event.item] == 0) list_.push_back(event.item);
      marks_[event.item] = 1;
    }
  }

  std::span<const std::uint32_t> list() const { return list_; }  ///< In order of first appearance.
  bool contains(std::uint32_t item) const { return marks_[item] != 0; }

 private:
  std::vector<std::uint8_t> marks_;
  std::vector<std::uint32_t> list_;
};

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/eval/metrics.hpp>
#include <span>
#include <vector>

namespace lstmrec {

/// The rank of a target among all items that are not excluded, the best being 1, from scores that come a tile at a time
/// in ascending order of the items. Ties count against the model: an item that scores what the target scores stands
/// before it, so that equal scores for all give the last rank.
///
///     rank = 1 + |{j ≠ target, not excluded: score(j) ≥ score(target)}|
class RankCounter {
 public:
  RankCounter() = default;
  /// `excluded`: distinct items in ascending order, borrowed. A target among them is metrics::not_ranked: no list would
  /// hold it. Throws Error where the target's score is not a number.
  RankCounter(std::uint32_t target, float score, std::span<const std::uint32_t> excluded)
      : target_(target), score_(score), excluded_(excluded) {
    if (std::isnan(score)) fail(target);
    is_excluded_ = std::binary_search(excluded.begin(), excluded.end(), target);
  }

  /// The scores of items `first`, `first` + 1, … Throws Error on a NaN among them.
  void add(std::uint32_t first, std::span<const float> scores) {
    std::uint32_t at_least = 0, below = 0;  // both counted, so that the loop has no branch and still finds every NaN
    for (const float score : scores) {
      at_least += score >= score_;
      below += score < score_;
    }
    if (at_least + below != scores.size()) {
      const auto nan = std::find_if(scores.begin(), scores.end(), [](float score) { return std::isnan(score); });
      fail(first + static_cast<std::uint32_t>(nan - scores.begin()));
    }
    const std::size_t end = first + scores.size();
    if (target_ >= first && target_ < end) --at_least;
    for (; next_excluded_ < excluded_.size() && excluded_[next_excluded_] < end; ++next_excluded_)
      at_least -= scores[excluded_[next_excluded_] - first] >= score_;
    before_ += at_least;
  }

  std::uint32_t rank() const { return is_excluded_ ? metrics::not_ranked : 1 + before_; }

 private:
  [[noreturn]] static void fail(std::uint32_t item) {
    detail::fail<Error>({"the score of item ", item, " (dense index) is not a number"});
  }

  std::uint32_t target_ = 0;
  float score_ = 0;
  std::span<const std::uint32_t> excluded_;
  std::size_t next_excluded_ = 0;
  bool is_excluded_ = false;
  std::uint32_t before_ = 0;
};

/// RankCounter for scores that are all at hand. Cost: one pass over the scores.
inline std::uint32_t rank_of(std::span<const float> scores, std::uint32_t target,
                             std::span<const std::uint32_t> excluded = {}) {
  RankCounter rank(target, scores[target], excluded);
  rank.add(0, scores);
  return rank.rank();
}

}  // namespace lstmrec

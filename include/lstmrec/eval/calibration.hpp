#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/core/argsort.hpp>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/core/top_k.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/eval/metrics.hpp>
#include <lstmrec/eval/scored.hpp>
#include <lstmrec/eval/scorer.hpp>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <vector>

namespace lstmrec {

struct CalibrationOptions {
  std::size_t cutoff = 10;
  std::size_t bins = 10;
  std::optional<bool> exclude_seen = {};  ///< As in the evaluation; unset: as the scorer was made.
  std::size_t threads = 0;                ///< 0: as many as there are processors.
};

/// Targets of which the scorer was about equally sure.
struct CalibrationBin {
  std::size_t targets = 0;
  double predicted = 0;  ///< Mean probability of the items in the list.
  double observed = 0;   ///< Part of the lists that held the target: HR.
};

/// How far a scorer's probabilities can be believed.
struct Calibration {
  std::vector<CalibrationBin> bins;  ///< In ascending order of `predicted`.
  double error = 0;                  ///< Σ targets |predicted − observed| / all targets: 0 where every bin is right.
};

namespace detail {

/// Adds up softmax probabilities: of all items that may be listed, and of the best of them.
class ListProbability : public ScoreVisitor {
 public:
  ListProbability(std::span<double> expected, std::size_t length) : expected_(expected), best_(length) {}

  void begin(const ScoredQuery& query) override {
    number_ = query.number;
    listed_seen_ = summed_seen_ = AscendingItems(query.seen);
    sum_ = 0;
    largest_ = -std::numeric_limits<float>::infinity();
    list_.emplace(best_);
  }
  void add(std::uint32_t first, std::span<const float> scores) override {
    list_->add(first, scores, [&](std::uint32_t item) { return listed_seen_.contains(item); });
    for (std::uint32_t k = 0; k < scores.size(); ++k) {
      if (summed_seen_.contains(first + k)) continue;
      if (scores[k] > largest_) {
        sum_ *= std::exp(static_cast<double>(largest_) - static_cast<double>(scores[k]));
        largest_ = scores[k];
      }
      sum_ += weight(scores[k]);
    }
  }
  void end() override {
    double listed = 0;
    for (const ScoredItem& place : list_->sorted()) listed += weight(place.score);
    if (listed > 0) expected_[number_] = listed / sum_;  // else all items are seen, and nothing is expected
  }

 private:
  double weight(float score) const {
    return score == largest_ ? 1.0 : std::exp(static_cast<double>(score - largest_));  // equal infinities too
  }

  std::span<double> expected_;
  std::vector<ScoredItem> best_;
  std::size_t number_ = 0;
  AscendingItems listed_seen_, summed_seen_;
  std::optional<TopK> list_;
  double sum_ = 0;
  float largest_ = 0;
};

}  // namespace detail

/// Compares how sure a scorer is that one of its best items comes next with how often it does. Its scores are read as
/// logits: the probability of an item is softmax(scores) over the items that can be recommended, and that of a list
/// the sum over its items, which is the HR that the scorer expects. The targets are cut into bins of equal size by
/// that. Guo et al., "On calibration of modern neural networks", 2017, eq. 3, with equal bins and the best k for the
/// best.
///
/// `evaluation`: of the same scorer and split. Cost: that of the evaluation once more.
/// Throws ConfigError if there are no bins or no cutoff, and std::invalid_argument if scorer and data don't fit.
inline Calibration calibration(const ScorerRef& scorer, const Split& split, const Evaluation& evaluation,
                               const CalibrationOptions& options = {}) {
  const std::span<const Target> targets(evaluation.targets);
  detail::check_targets(scorer, split, targets);
  if (options.bins < 1 || options.cutoff < 1) throw ConfigError("bins and cutoff must be at least 1");
  std::vector<double> expected(targets.size());
  ThreadPool pool(options.threads);
  const std::size_t length = std::min(split.sequences.items.size(), options.cutoff);
  for_each_scored(scorer, queries_of(split, targets), {options.exclude_seen.value_or(scorer.exclude_seen())}, pool,
                  [&] { return std::make_unique<detail::ListProbability>(expected, length); });

  Calibration result;
  constexpr double steps = 1u << 30;
  const auto by_expected =
      argsort_by(targets.size(), [&](std::size_t k) { return static_cast<std::size_t>(steps * expected[k]); });
  const std::size_t bins = std::min(options.bins, targets.size());
  for (std::size_t b = 0; b < bins; ++b) {
    const std::size_t begin = targets.size() * b / bins, end = targets.size() * (b + 1) / bins;
    CalibrationBin bin{.targets = end - begin};
    for (const std::size_t k : std::span(by_expected).subspan(begin, end - begin)) {
      bin.predicted += expected[k];
      bin.observed += metrics::hit(evaluation.ranks[k], options.cutoff);
    }
    result.error += std::abs(bin.predicted - bin.observed) / static_cast<double>(targets.size());
    bin.predicted /= static_cast<double>(bin.targets);
    bin.observed /= static_cast<double>(bin.targets);
    result.bins.push_back(bin);
  }
  return result;
}

}  // namespace lstmrec

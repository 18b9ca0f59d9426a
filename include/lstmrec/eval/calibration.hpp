#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/order.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/core/top_k.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/eval/metrics.hpp>
#include <lstmrec/eval/ranking.hpp>
#include <lstmrec/eval/scorer.hpp>
#include <span>
#include <stdexcept>
#include <vector>

namespace lstmrec {

struct CalibrationOptions {
  std::size_t cutoff = 10;
  std::size_t bins = 10;
  bool filter_seen = true;  ///< As in the evaluation.
  std::size_t threads = 0;  ///< 0: as many as there are processors.
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

/// Compares how sure a scorer is that one of its best items comes next with how often it does. Its scores are read as
/// logits: the probability of an item is softmax(scores) over the items that can be recommended, and that of a list
/// the sum over its items, which is the HR that the scorer expects. The targets are cut into bins of equal size by
/// that. Guo et al., "On calibration of modern neural networks", 2017, eq. 3, with equal bins and the best k for the
/// best.
///
/// `evaluation`: of the same scorer and split. Cost: that of the evaluation once more.
/// Throws std::invalid_argument if there are no bins or no cutoff, or if scorer and data don't fit.
template <Scorer S>
Calibration calibration(const S& scorer, const Split& split, const Evaluation& evaluation,
                        const CalibrationOptions& options = {}) {
  const std::span<const Target> targets(evaluation.targets);
  detail::check_targets(scorer, split, targets);
  if (options.bins < 1 || options.cutoff < 1) throw std::invalid_argument("bins and cutoff must be at least 1");
  constexpr std::size_t batch = 64;
  const std::size_t items = split.sequences.items.size();
  const auto order = order_by(targets.size(), [&](std::size_t k) { return targets[k].position; });
  std::vector<double> expected(targets.size());
  ThreadPool pool(options.threads);
  pool.run((targets.size() + batch - 1) / batch, [&](std::size_t number) {
    const auto chosen =
        std::span(order).subspan(number * batch).first(std::min(batch, targets.size() - number * batch));
    std::vector<History> histories;
    for (const std::size_t k : chosen) histories.push_back(split.history(targets[k]));
    Matrix<float> scores(static_cast<Index>(items), static_cast<Index>(chosen.size()));
    scorer.score(histories, MatrixRef<float>(scores));
    std::vector<ScoredItem> best(std::min(items, options.cutoff));
    SeenItems seen(items);
    for (std::size_t column = 0; column < chosen.size(); ++column) {
      seen.assign(options.filter_seen ? histories[column] : History{});
      const auto left_out = [&](std::uint32_t item) { return seen.contains(item); };
      const std::span<const float> own(scores.col(static_cast<Index>(column)).data(), items);
      const auto list = top_k(own, best, left_out);
      if (list.empty()) continue;  // all items are seen: nothing is expected
      const float largest = list[0].score;
      const auto weight = [&](float score) {
        return score == largest ? 1.0 : std::exp(static_cast<double>(score - largest));  // equal infinities too
      };
      double all = 0, listed = 0;
      for (std::uint32_t item = 0; item < items; ++item)
        if (!left_out(item)) all += weight(own[item]);
      for (const ScoredItem& place : list) listed += weight(place.score);
      expected[chosen[column]] = listed / all;
    }
  });

  Calibration result;
  constexpr double steps = 1u << 30;
  const auto by_expected =
      order_by(targets.size(), [&](std::size_t k) { return static_cast<std::size_t>(steps * expected[k]); });
  const std::size_t bins = std::min(options.bins, targets.size());
  for (std::size_t b = 0; b < bins; ++b) {
    const std::size_t begin = targets.size() * b / bins, end = targets.size() * (b + 1) / bins;
    CalibrationBin bin{.targets = end - begin};
    for (const std::size_t k : std::span(by_expected).subspan(begin, end - begin)) {
      bin.predicted += expected[k];
      bin.observed += hit(evaluation.ranks[k], options.cutoff);
    }
    result.error += std::abs(bin.predicted - bin.observed) / static_cast<double>(targets.size());
    bin.predicted /= static_cast<double>(bin.targets);
    bin.observed /= static_cast<double>(bin.targets);
    result.bins.push_back(bin);
  }
  return result;
}

}  // namespace lstmrec

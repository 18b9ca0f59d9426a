#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/eval/metrics.hpp>
#include <lstmrec/eval/ranking.hpp>
#include <lstmrec/model/recommender.hpp>
#include <span>
#include <vector>

namespace lstmrec {

/// The weight of the counts beside the network with the best NDCG@10 over some targets. They cost time and memory at
/// every list, so it is 0 unless the best raises the figure by at least 2%.
///
/// `recommender`: with its counts, and with config.counts_weight = 0. The result does not depend on the number of
/// threads.
inline double choose_counts_weight(const Recommender& recommender, const Split& split, std::span<const Target> targets,
                                   std::size_t threads = 0) {
  assert(recommender.config.counts_weight == 0);
  constexpr std::array weights = {0.0, 0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0};
  constexpr std::size_t batch = 64;
  const auto items = static_cast<std::size_t>(recommender.items());
  const std::size_t batches = (targets.size() + batch - 1) / batch;
  std::vector<std::array<double, weights.size()>> sums(batches);
  ThreadPool pool(threads);
  pool.run(batches, [&](std::size_t number) {
    const auto chosen = targets.subspan(number * batch).first(std::min(batch, targets.size() - number * batch));
    std::vector<History> histories;
    for (const Target target : chosen) histories.push_back(split.history(target));
    Matrix<float> scores(recommender.items(), static_cast<Index>(chosen.size()));
    recommender.score(histories, scores);
    Vector<float> counts(recommender.items()), mixed(recommender.items());
    SeenItems seen(items);
    sums[number] = {};
    for (std::size_t k = 0; k < chosen.size(); ++k) {
      if (histories[k].empty()) continue;  // popularity alone, whatever the weight
      counts.setZero();
      recommender.add_counts(histories[k], 1, mixed, counts);
      seen.assign(recommender.config.recommend_seen ? History{} : histories[k]);
      for (std::size_t w = 0; w < weights.size(); ++w) {
        mixed = scores.col(static_cast<Index>(k)) + static_cast<float>(weights[w]) * counts;
        sums[number][w] += ndcg(rank_of({mixed.data(), items}, split.event(chosen[k]).item, seen.list()), 10);
      }
    }
  });
  std::array<double, weights.size()> total = {};
  for (const auto& sum : sums)
    for (std::size_t w = 0; w < weights.size(); ++w) total[w] += sum[w];
  const auto best = std::max_element(total.begin(), total.end());
  return *best > 1.02 * total[0] ? weights[static_cast<std::size_t>(best - total.begin())] : 0;
}

}  // namespace lstmrec

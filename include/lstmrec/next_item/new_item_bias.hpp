#pragma once

#include <algorithm>
#include <cstddef>
#include <lstmrec/core/feature_rows.hpp>
#include <lstmrec/core/products.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/data/split.hpp>
#include <span>
#include <vector>

namespace lstmrec {

/// How much higher the network scores what came next for knowing its events than it would from its features alone, on
/// average over some targets, and at least 0:
///
///     mean over targets of  hᵀ (δᵢ − mean δ) + βᵢ − mean β,   h the output after the target's history, i its item
///
/// A new item has no part of its own, so this much stands between it and an item that is known and suits as well.
/// `scorer`: of `network`, whose item vectors have their content. Cost: one pass along the targets' histories.
template <class Network, class Scorer>
double new_item_bias(const Network& network, const FeatureRows& rows, const Scorer& scorer, const Split& split,
                     std::span<const Target> targets) {
  if (rows.empty() || targets.empty()) return 0;
  ThreadPool one(1);
  Network own = network;
  own.add_content(rows, {}, one, -1);
  const auto& vectors = own.output_vectors();
  using Scalar = typename Network::Scalar;
  const Vector<Scalar> mean_vector = vectors.rowwise().mean();
  double sum = 0;
  constexpr std::size_t together = 1024;
  for (std::size_t begin = 0; begin < targets.size(); begin += together) {
    const auto some = targets.subspan(begin, std::min(together, targets.size() - begin));
    std::vector<History> histories;
    for (const Target target : some) histories.push_back(split.history(target));
    const auto outputs = scorer.outputs(histories);
    for (std::size_t k = 0; k < some.size(); ++k) {
      const auto item = static_cast<Index>(split.event(some[k]).item);
      const auto h = outputs.col(static_cast<Index>(k)).head(vectors.rows());
      sum += static_cast<double>(h.dot(vectors.col(item) - mean_vector));
      if constexpr (requires { own.head.bias(0); })
        sum += static_cast<double>(own.head.bias(item) - own.head.bias.mean());
    }
  }
  return std::max(0.0, sum / static_cast<double>(targets.size()));
}

}  // namespace lstmrec

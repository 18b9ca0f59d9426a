#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/top_k.hpp>
#include <lstmrec/counts/sparse_rows.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/split.hpp>
#include <span>
#include <stdexcept>
#include <vector>

namespace lstmrec {

struct ItemKnnOptions {
  std::size_t neighbours = 100;  ///< Kept for each item.
  double shrinkage = 20;         ///< Added to the similarity's denominator: few common users say little.
  std::size_t window = 20;       ///< How many of a history's last items speak.
  double decay = 0.8;            ///< The weight of an item to that of the one after it.
};

/// The baseline of similar items: those that the same users have in the training part. A Scorer.
///
///     s(i, j) = n(i, j) / (√(n(i) n(j)) + shrinkage)     n: users that have i, that have both
///     score(j) = Σ_age decay^age · s(item of that age, j)     over the history's last `window` items
///
/// Of each item the `neighbours` most similar others are kept, of equal ones those of the lower index. A history
/// without events gets zeros. A history's items are indices of the split (an assert). Cost of a query: window ×
/// neighbours.
struct ItemKnn {
  ItemKnnOptions options;
  SparseRows similarities;  ///< items × items, the kept neighbours of each item.

  ItemKnn() = default;

  /// Throws std::invalid_argument on options outside their ranges. Cost: the sum over users of squared length, +
  /// items².
  explicit ItemKnn(const Split& split, const ItemKnnOptions& chosen = {}) : options(chosen) {
    if (options.neighbours < 1 || options.window < 1)
      throw std::invalid_argument("neighbours and window must be at least 1");
    if (!(options.shrinkage >= 0)) throw std::invalid_argument("shrinkage must not be negative");
    if (!(options.decay > 0 && options.decay <= 1)) throw std::invalid_argument("decay must be in (0, 1]");

    const std::size_t items = split.sequences.items.size();
    std::vector<std::vector<std::uint32_t>> items_of(split.sequences.size()), users_of(items);
    for (std::size_t user = 0; user < items_of.size(); ++user) {
      auto& own = items_of[user];
      for (const Event& event : split.train(user)) own.push_back(event.item);
      std::sort(own.begin(), own.end());
      own.erase(std::unique(own.begin(), own.end()), own.end());
      for (const auto item : own) users_of[item].push_back(static_cast<std::uint32_t>(user));
    }

    std::vector<std::uint32_t> common(items);
    std::vector<float> similar(items);
    std::vector<double> row(items);
    std::vector<ScoredItem> best(options.neighbours);
    for (std::size_t item = 0; item < items; ++item) {
      std::fill(common.begin(), common.end(), 0u);
      for (const auto user : users_of[item])
        for (const auto other : items_of[user]) ++common[other];
      for (std::size_t other = 0; other < items; ++other) {
        similar[other] = 0;
        if (common[other] == 0) continue;
        const double product = static_cast<double>(users_of[item].size()) * static_cast<double>(users_of[other].size());
        similar[other] = static_cast<float>(common[other] / (std::sqrt(product) + options.shrinkage));
      }
      std::fill(row.begin(), row.end(), 0.0);
      for (const auto& [other, similarity] : top_k(similar, best, [&](std::uint32_t other) { return other == item; }))
        row[other] = static_cast<double>(similarity);
      similarities.push_row(row);
    }
  }

  Index items() const { return static_cast<Index>(similarities.rows()); }

  /// The scores of one history; overwrites `scores` (one an item), allocates nothing.
  void score(History history, std::span<float> scores) const {
    std::fill(scores.begin(), scores.end(), 0.0f);
    double decayed = 1;
    for (std::size_t age = 0; age < std::min(history.size(), options.window); ++age, decayed *= options.decay)
      similarities.add_row(history[history.size() - 1 - age].item, static_cast<float>(decayed), scores);
  }

  void score(std::span<const History> histories, MatrixRef<float> scores) const {
    for (std::size_t column = 0; column < histories.size(); ++column)
      score(histories[column],
            {scores.col(static_cast<Index>(column)).data(), static_cast<std::size_t>(scores.rows())});
  }
};

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <lstmrec/baselines/best_of_row.hpp>
#include <lstmrec/baselines/decayed_window.hpp>
#include <lstmrec/baselines/recent_items.hpp>
#include <lstmrec/baselines/row_accumulator.hpp>
#include <lstmrec/baselines/sparse_rows.hpp>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/top_k.hpp>
#include <lstmrec/data/event.hpp>
#include <span>
#include <vector>

namespace lstmrec {

struct Split;

struct ItemKnnOptions {
  std::size_t neighbours = 100;  ///< Kept for each item.
  double shrinkage = 20;         ///< Added to the similarity's denominator: shrinks what rests on few common users.
  std::size_t window = 20;       ///< How many of a history's last items count.
  double decay = 0.8;            ///< What an item counts to the one after it.
  std::size_t user_items = default_user_items;  ///< A user is learned from by so many of the last different items.
};

/// The baseline of similar items: those that the same users have in the training part. A TiledScorer.
///
///     s(i, j) = n(i, j) / (√(n(i) n(j)) + shrinkage)     n: users that have i, that have both, among their last
///                                                        `user_items` different items
///     score(j) = Σ_age decay^age · s(item of that age, j)     over the history's last `window` items
///
/// Each item keeps its `neighbours` most similar others, of equal ones those of the lower index. A history
/// without events gets zeros. A history's items are indices of the split (an assert). Cost of a query: window ×
/// neighbours.
struct ItemKnn {
  ItemKnnOptions options;
  SparseRows similarities;  ///< items × items, the kept neighbours of each item.

  ItemKnn() = default;
  /// Throws ConfigError on options outside their ranges. Cost: user_pairs(split.train_length, user_items), in time.
  /// A template, so that who only serves need not compile what a Split needs.
  template <std::same_as<Split> TrainingSplit>
  explicit ItemKnn(const TrainingSplit& split, const ItemKnnOptions& chosen = {}) : options(chosen) {
    require(options.neighbours >= 1, "neighbours must be at least 1", options.neighbours);
    require(options.shrinkage >= 0 && std::isfinite(options.shrinkage), "shrinkage must be finite and not negative",
            options.shrinkage);
    require(options.user_items >= 1, "user_items must be at least 1", options.user_items);
    history_window().check();
    check_split(split);
    const std::size_t items = split.sequences.items.size();
    std::vector<std::vector<std::uint32_t>> items_of(split.sequences.size()), users_of(items);
    RecentItems recent(items, options.user_items);
    for (std::size_t user = 0; user < items_of.size(); ++user) {
      recent.collect(split.train(user), items_of[user]);
      for (const auto item : items_of[user]) users_of[item].push_back(static_cast<std::uint32_t>(user));
    }
    std::vector<double> counts;  // beside each other, since a row reads them in no order
    for (const auto& users : users_of) counts.push_back(static_cast<double>(users.size()));
    RowAccumulator<std::uint32_t> common(items);
    std::vector<ScoredItem> row;
    for (std::uint32_t item = 0; item < items; ++item) {
      for (const auto user : users_of[item])
        for (const auto other : items_of[user]) ++common[other];
      common.take([&](std::uint32_t other, std::uint32_t users) {
        const double root = std::sqrt(counts[item] * counts[other]);
        if (other != item) row.push_back({other, static_cast<float>(users / (root + options.shrinkage))});
      });
      push_best(similarities, row, options.neighbours);
    }
  }

  Index items() const { return static_cast<Index>(similarities.rows()); }

  Matrix<float> outputs(std::span<const History>) const { return {}; }
  void score_tile(std::span<const History> histories, const Matrix<float>&, Index first,
                  MatrixRef<float> scores) const {
    for (std::size_t k = 0; k < histories.size(); ++k) {
      const std::span<float> own(scores.col(static_cast<Index>(k)).data(), static_cast<std::size_t>(scores.rows()));
      std::fill(own.begin(), own.end(), 0.0f);
      history_window().for_each(histories[k], [&](std::uint32_t item, double weight) {
        similarities.add_row(item, static_cast<float>(weight), own, static_cast<std::uint32_t>(first));
      });
    }
  }
  void score(std::span<const History> histories, MatrixRef<float> scores) const {
    score_tile(histories, {}, 0, scores);
  }

 private:
  DecayedWindow history_window() const { return {options.window, options.decay}; }
};

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/baselines/best_of_row.hpp>
#include <lstmrec/baselines/recent_items.hpp>
#include <lstmrec/baselines/row_accumulator.hpp>
#include <lstmrec/baselines/sparse_rows.hpp>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/top_k.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/ratings/bias.hpp>
#include <lstmrec/ratings/queries.hpp>
#include <lstmrec/ratings/split.hpp>
#include <optional>
#include <span>
#include <stdexcept>
#include <vector>

namespace lstmrec {

struct RatingNeighbourOptions {
  std::size_t neighbours = 50;  ///< Kept for each item.
  double shrinkage = 100;       ///< With one common user more than so many, half of the similarity is left.
  std::size_t user_items = default_user_items;  ///< A user is learned from by so many of the last different items.
};

/// The evidence of a user's ratings of similar items for an item.
struct NeighbourRating {
  double baseline = 0;    ///< μ + b_i + b_u.
  double similarity = 0;  ///< S = Σ s.
  double residual = 0;    ///< Z = Σ s z.

  /// Blends another model's prediction with the neighbours': a weighted mean in which the prediction has weight 1 and
  /// each neighbour weight · s.
  ///
  ///     r̂ = (prediction + weight · Σ s (baseline + z)) / (1 + weight · Σ s)
  ///
  /// With `baseline` as the prediction this is the neighbourhood model alone. Without neighbours it is the prediction.
  float blend(double prediction, double weight) const {
    return static_cast<float>((prediction + weight * (similarity * baseline + residual)) / (1 + weight * similarity));
  }
};

/// Similar items: those that the same users rate alike.
///
///     z_ui = r_ui − μ − b_i − b_u
///     s(i, j) = Σ z_ui z_uj / √(Σ z_ui² Σ z_uj²) · (n − 1) / (n − 1 + shrinkage)    over the n users who rated both
///                                                                         among their last `user_items` items
///
/// Each item keeps the `neighbours` others of the highest similarity above 0, of equal ones those of the lower index.
/// A user's opinion of an item is estimated from those of the user's visible ratings whose items are among its
/// neighbours; b_u is the FoldInBias, so that users need not have been in training. Of an item rated again the last
/// rating counts.
///
/// Sarwar et al., "Item-based collaborative filtering recommendation algorithms", 2001; on residuals, shrunk where few
/// users are common: Koren, "Factor in the neighbors", 2010, section 2.2.
struct RatingNeighbours {
  SparseRows similarities;  ///< items × items, the kept neighbours of each item.

  RatingNeighbours() = default;

  /// `bias`: of the same split. Throws ConfigError on options outside their ranges, and std::invalid_argument on biases
  /// of other users or items.
  /// Memory beside the result: 32 bytes a training rating and 36 an item. Cost: user_pairs of how many training ratings
  /// each user has.
  RatingNeighbours(const RatingSplit& split, const RatingBias& bias, const RatingNeighbourOptions& options = {}) {
    if (options.neighbours < 1) throw ConfigError("neighbours must be at least 1");
    if (!(options.shrinkage > 0 && std::isfinite(options.shrinkage)))
      throw ConfigError("shrinkage must be positive and finite");
    require(options.user_items >= 1, "user_items must be at least 1", options.user_items);
    check_split(split);
    const Sequences& sequences = split.sequences;
    if (bias.user_bias.size() != sequences.size() || bias.item_bias.size() != sequences.items.size())
      throw std::invalid_argument("the biases must be of the split's users and items");
    const std::size_t items = sequences.items.size();
    std::vector<std::vector<Residual>> of_user(sequences.size()), of_item(items);
    RecentItems recent(items, options.user_items);
    for (std::uint32_t user = 0; user < of_user.size(); ++user) {
      recent.next_user();
      for (std::size_t k = sequences.offsets[user + 1]; k-- > sequences.offsets[user];) {
        if (split.parts[k] != Part::train || !recent.admits(sequences.events.items[k])) continue;
        const Event& event = sequences.events[k];
        const double over_item = static_cast<double>(event.rating) - bias.mean - bias.item_bias[event.item];
        of_user[user].push_back({event.item, over_item - bias.user_bias[user]});
      }
      std::sort(of_user[user].begin(), of_user[user].end(), before);
      for (const auto& [item, z] : of_user[user]) of_item[item].push_back({user, z});
    }

    struct Sums {
      double product = 0, own_square = 0, other_square = 0;
      std::uint32_t users = 0;
    };
    RowAccumulator<Sums> sums(items);
    std::vector<ScoredItem> row;
    for (std::uint32_t item = 0; item < items; ++item) {
      for (const auto& [user, own] : of_item[item])
        for (const auto& [other, z] : of_user[user]) {
          Sums& sum = sums[other];
          ++sum.users;
          sum.product += own * z;
          sum.own_square += own * own;
          sum.other_square += z * z;
        }
      sums.take([&](std::uint32_t other, const Sums& sum) {
        if (other == item || sum.product <= 0 || sum.users < 2) return;
        const double common = sum.users - 1.0, cosine = sum.product / std::sqrt(sum.own_square * sum.other_square);
        row.push_back({other, static_cast<float>(cosine * common / (common + options.shrinkage))});
      });
      push_best(similarities, row, options.neighbours);
    }
  }

  /// One a target, in the order of asked_events; reads the targets' items and nothing else. `bias`: of the split that
  /// the neighbours were made from; the cases' indices are its. Cost: a pass over the visible ratings, which cases that
  /// follow each other and look at the same events share where they grow, and the kept neighbours a target. Memory: 16
  /// bytes an item for the time of the call, so ask for many cases together.
  std::vector<NeighbourRating> ratings(std::span<const RatingQuery> cases, const FoldInBias& bias) const {
    std::vector<NeighbourRating> result;
    std::vector<std::optional<double>> rated(bias.item_bias.size());  // r − μ − b_i of an item's last visible rating
    LeadingEvents seen;
    double sum = 0;
    for (const RatingQuery& one : cases) {
      if (!one.visible.shares_with(seen) || one.visible.size() < seen.size()) {
        for (const Event& event : seen) rated[event.item].reset();
        seen = {};
        sum = 0;
      }
      for (std::size_t k = seen.size(); k < one.visible.size(); ++k) {
        rated[one.visible[k].item] = bias.residual(one.visible[k]);
        sum += *rated[one.visible[k].item];
      }
      seen = one.visible;
      const double user_bias = bias.user_bias(sum, seen.size());
      for (const Event& target : one.asked) {
        NeighbourRating& rating = result.emplace_back();
        rating.baseline = bias.mean + bias.item_bias[target.item] + user_bias;
        const SparseRows::Row row = similarities[target.item];
        for (std::size_t k = 0; k < row.size(); ++k) {
          if (!rated[row.items[k]]) continue;
          const double similarity = static_cast<double>(row.values[k]);
          rating.similarity += similarity;
          rating.residual += similarity * (*rated[row.items[k]] - user_bias);
        }
      }
    }
    return result;
  }

 private:
  /// z of an item's user or of a user's item.
  struct Residual {
    std::uint32_t index;
    double value;
  };

  static bool before(const Residual& a, const Residual& b) { return a.index < b.index; }
};

}  // namespace lstmrec

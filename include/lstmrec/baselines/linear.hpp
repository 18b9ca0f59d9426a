#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/baselines/decayed_window.hpp>
#include <lstmrec/baselines/popularity.hpp>
#include <lstmrec/baselines/recent_items.hpp>
#include <lstmrec/core/compiled.hpp>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/data/split.hpp>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

namespace lstmrec {

// Linear maps from a history to the next item, in closed form: two baselines that differ in what they
// are fitted to. Both solve a symmetric positive definite system of items × items:
//
//     const DecayedRidgeEquations equations(split);         // once
//     const LinearScorer scorer = equations.solve(300);     // for every λ that is tried on the validation part

/// The largest catalogue for which there are linear baselines: there a matrix takes 400 MB, and solving 2 GB.
inline constexpr std::size_t max_linear_items = 10'000;

/// Throws ConfigError on more than max_linear_items.
inline void check_linear_items(std::size_t items) {
  if (items > max_linear_items)
    detail::fail<ConfigError>({"linear baselines are for at most ", max_linear_items, " items, got ", items});
}

/// Scores that are linear in a history, x B with the x of DecayedWindow. A TiledScorer.
///
/// A history without events gets the popularity shares. A history's items are indices of the split (an assert). Cost of
/// a query: window × items.
struct LinearScorer {
  DecayedWindow history;
  Popularity popularity;
  Matrix<float> weights;  ///< Bᵀ, items × items: a column is what one item of the history says of all.

  Index items() const { return popularity.items(); }

  Matrix<float> outputs(std::span<const History>) const { return {}; }
  void score_tile(std::span<const History> histories, const Matrix<float>& outputs, Index first,
                  MatrixRef<float> scores) const {
    popularity.score_tile(histories, outputs, first, scores);
    for (std::size_t k = 0; k < histories.size(); ++k) {
      if (histories[k].empty()) continue;
      auto sum = scores.col(static_cast<Index>(k));
      sum.setZero();
      history.for_each(histories[k], [&](std::uint32_t item, double weight) {
        sum += static_cast<float>(weight) * weights.col(item).segment(first, scores.rows());
      });
    }
  }
  void score(std::span<const History> histories, MatrixRef<float> scores) const {
    score_tile(histories, {}, 0, scores);
  }
};

/// EASE: every item of a user from the user's other items, without regard to their order.
///
///     B = argmin ‖X − X B‖² + λ ‖B‖²  with a zero diagonal
///     B(i, j) = −P(i, j) / P(j, j) for i ≠ j,   P = (XᵀX + λ I)⁻¹
///
/// X: users × items, 1 where the item is among the user's last `user_items` different ones in the training part. Steck,
/// "Embarrassingly shallow autoencoders for sparse data", 2019. The decay is none of the paper's: it tells the scorer
/// which items are recent.
template <class Scalar = float>
struct EaseEquations {
  DecayedWindow history;
  Popularity popularity;
  Matrix<Scalar> gram;  ///< XᵀX.

  /// Throws ConfigError on options outside their ranges and on more than max_linear_items.
  /// Cost: user_pairs(split.train_length, user_items), in time.
  explicit EaseEquations(const Split& split, const DecayedWindow& chosen = {50, .9},
                         std::size_t user_items = default_user_items)
      : history(chosen), popularity(split) {
    history.check();
    require(user_items >= 1, "user_items must be at least 1", user_items);
    check_linear_items(popularity.shares.size());
    gram.setZero(popularity.items(), popularity.items());
    RecentItems recent(popularity.shares.size(), user_items);
    std::vector<std::uint32_t> own;
    for (std::size_t user = 0; user < split.sequences.size(); ++user) {
      recent.collect(split.train(user), own);
      for (const auto item : own)
        for (const auto other : own) gram(other, item) += 1;
    }
  }

  /// Throws ConfigError on a λ that is not positive and finite, DataError on one that is too small to solve with.
  /// Memory beside the result: 2 items² numbers.
  LinearScorer solve(double lambda) const;
};

/// The decayed ridge: the next item from the last ones, by least squares over all positions of the training part.
///
///     B = argmin ‖Y − X B‖² + λ ‖B‖² = (XᵀX + λ I)⁻¹ XᵀY
///
/// A row a training event that has others before it: of X (events × items) what these are by DecayedWindow, of Y the
/// event's item.
template <class Scalar = float>
struct DecayedRidgeEquations {
  DecayedWindow history;
  Popularity popularity;
  Matrix<Scalar> gram;   ///< XᵀX.
  Matrix<Scalar> right;  ///< XᵀY.

  /// Throws ConfigError on options outside their ranges and on more than max_linear_items.
  /// Cost: events × window.
  explicit DecayedRidgeEquations(const Split& split, const DecayedWindow& chosen = {20, .8})
      : history(chosen), popularity(split) {
    history.check();
    check_linear_items(popularity.shares.size());
    gram.setZero(popularity.items(), popularity.items());
    right.setZero(popularity.items(), popularity.items());
    // Two events that stand `gap` apart are in the same `rows` rows of X, one after the other. Together these add
    // Σ_{k < rows} decay^k · decay^(gap + k) to XᵀX.
    std::vector<double> powers(1, 1.0), sums(1, 0.0);
    for (std::size_t k = 0; k < history.window; ++k) {
      sums.push_back(sums.back() + powers.back() * powers.back());
      powers.push_back(powers.back() * history.decay);
    }
    for (std::size_t user = 0; user < split.sequences.size(); ++user) {
      const auto train = split.train(user).items;
      for (std::size_t later = 0; later < train.size(); ++later) {
        const std::uint32_t item = train[later];
        for (std::size_t gap = 0; gap < history.window && gap <= later; ++gap) {
          const std::uint32_t before = train[later - gap];
          const std::size_t rows = std::min(history.window - gap, train.size() - 1 - later);
          const auto both = static_cast<Scalar>(powers[gap] * sums[rows]);
          gram(item, before) += both;
          if (gap > 0) gram(before, item) += both;
          if (gap < later) right(train[later - gap - 1], item) += static_cast<Scalar>(powers[gap]);
        }
      }
    }
  }

  /// Throws ConfigError on a λ that is not positive and finite, DataError on one that is too small to solve with.
  /// Memory beside the result: 2 items² numbers.
  LinearScorer solve(double lambda) const;
};

}  // namespace lstmrec

#ifdef LSTMREC_COMPILED
extern template struct lstmrec::EaseEquations<float>;
extern template struct lstmrec::DecayedRidgeEquations<float>;
#else
#include <lstmrec/baselines/linear_inl.hpp>
#endif

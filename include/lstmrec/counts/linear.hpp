#pragma once

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/counts/popularity.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/split.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace lstmrec {

// What a linear map from a history to the next item reaches, in closed form: two baselines that differ in what they
// are fitted to. Both solve a symmetric positive definite system of items × items:
//
//     const DecayedRidgeEquations equations(split);         // once
//     const LinearScorer scorer = equations.solve(300);     // for every λ that is tried on the validation part

/// The largest catalogue for which there are linear baselines: there a matrix takes 400 MB, and solving 2 GB.
inline constexpr std::size_t max_linear_items = 10'000;

/// Throws std::invalid_argument on more than max_linear_items.
inline void check_linear_items(std::size_t items) {
  if (items > max_linear_items)
    throw std::invalid_argument("linear baselines are for at most " + std::to_string(max_linear_items) +
                                " items, got " + std::to_string(items));
}

/// A history as a vector of items: x = Σ_age decay^age · e(item of that age), over its last `window` events.
struct DecayedWindow {
  std::size_t window;
  double decay;

  /// Throws std::invalid_argument that names the rule which an option breaks.
  void check() const {
    if (window < 1) throw std::invalid_argument("window must be at least 1");
    if (!(decay > 0 && decay <= 1)) throw std::invalid_argument("decay must be in (0, 1]");
  }
};

/// Scores that are linear in a history, x B with the x of DecayedWindow. A Scorer.
///
/// A history without events gets the popularity shares. A history's items are indices of the split (an assert). Cost of
/// a query: window × items.
struct LinearScorer {
  DecayedWindow history;
  Popularity popularity;
  Matrix<float> weights;  ///< Bᵀ, items × items: a column is what one item of the history says of all.

  Index items() const { return popularity.items(); }

  void score(std::span<const History> histories, MatrixRef<float> scores) const {
    popularity.score(histories, scores);
    for (std::size_t column = 0; column < histories.size(); ++column) {
      const History events = histories[column];
      if (events.empty()) continue;
      auto sum = scores.col(static_cast<Index>(column));
      sum.setZero();
      double decayed = 1;
      for (std::size_t age = 0; age < std::min(events.size(), history.window); ++age, decayed *= history.decay)
        sum += static_cast<float>(decayed) * weights.col(events[events.size() - 1 - age].item);
    }
  }
};

namespace detail {

/// (A + λ I)⁻¹ right, of a symmetric A. Throws std::invalid_argument unless λ makes it positive definite.
/// A template, as its callers are, so that Eigen's decomposition is compiled only in programs that solve something.
template <class Scalar>
Matrix<Scalar> solve_regularised(Matrix<Scalar> a, double lambda, Matrix<Scalar> right) {
  if (!(lambda > 0 && std::isfinite(lambda))) throw std::invalid_argument("lambda must be positive and finite");
  a.diagonal().array() += static_cast<Scalar>(lambda);
  const Eigen::LLT<Eigen::Ref<Matrix<Scalar>>> factor(a);  // in place
  if (factor.info() != Eigen::Success)
    throw std::invalid_argument("lambda is too small for this data: rounding leaves the system not positive definite");
  factor.solveInPlace(right);
  return right;
}

}  // namespace detail

/// EASE: every item of a user from the user's other items, without regard to their order.
///
///     B = argmin ‖X − X B‖² + λ ‖B‖²  with a zero diagonal
///     B(i, j) = −P(i, j) / P(j, j) for i ≠ j,   P = (XᵀX + λ I)⁻¹
///
/// X: users × items, 1 where the training part has the item. Steck, "Embarrassingly shallow autoencoders for sparse
/// data", 2019. The decay is none of the paper's: it tells the scorer which items are recent.
template <class Scalar = float>
struct EaseEquations {
  DecayedWindow history;
  Popularity popularity;
  Matrix<Scalar> gram;  ///< XᵀX.

  /// Throws std::invalid_argument on options outside their ranges and on more than max_linear_items.
  /// Cost: the sum over users of squared length.
  explicit EaseEquations(const Split& split, const DecayedWindow& chosen = {50, .9})
      : history(chosen), popularity(split) {
    history.check();
    check_linear_items(popularity.shares.size());
    gram.setZero(popularity.items(), popularity.items());
    std::vector<std::uint32_t> own;
    for (std::size_t user = 0; user < split.sequences.size(); ++user) {
      own.clear();
      for (const Event& event : split.train(user)) own.push_back(event.item);
      std::sort(own.begin(), own.end());
      own.erase(std::unique(own.begin(), own.end()), own.end());
      for (const auto item : own)
        for (const auto other : own) gram(other, item) += 1;
    }
  }

  /// Throws std::invalid_argument on a λ that is too small. Memory beside the result: 2 items² numbers.
  LinearScorer solve(double lambda) const {
    const Matrix<Scalar> p =
        detail::solve_regularised<Scalar>(gram, lambda, Matrix<Scalar>::Identity(gram.rows(), gram.cols()));
    LinearScorer scorer{history, popularity, {}};
    scorer.weights = (p.diagonal().cwiseInverse().asDiagonal() * -p).template cast<float>();
    scorer.weights.diagonal().setZero();
    return scorer;
  }
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

  /// Throws std::invalid_argument on options outside their ranges and on more than max_linear_items.
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
      const History train = split.train(user);
      for (std::size_t later = 0; later < train.size(); ++later) {
        const std::uint32_t item = train[later].item;
        for (std::size_t gap = 0; gap < history.window && gap <= later; ++gap) {
          const std::uint32_t before = train[later - gap].item;
          const std::size_t rows = std::min(history.window - gap, train.size() - 1 - later);
          const auto both = static_cast<Scalar>(powers[gap] * sums[rows]);
          gram(item, before) += both;
          if (gap > 0) gram(before, item) += both;
          if (gap < later) right(train[later - gap - 1].item, item) += static_cast<Scalar>(powers[gap]);
        }
      }
    }
  }

  /// Throws std::invalid_argument on a λ that is too small. Memory beside the result: 2 items² numbers.
  LinearScorer solve(double lambda) const {
    LinearScorer scorer{history, popularity, {}};
    scorer.weights = detail::solve_regularised<Scalar>(gram, lambda, right).transpose().template cast<float>();
    return scorer;
  }
};

}  // namespace lstmrec

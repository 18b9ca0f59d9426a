#pragma once

#include <concepts>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/data/event.hpp>
#include <span>

namespace lstmrec {

/// What can be evaluated: anything that scores all items for what may come after each of some histories.
///
///     struct Newest {  // recommends the items with the highest indices
///       Index items() const { return 100; }
///       void score(std::span<const History> histories, MatrixRef<float> scores) const {
///         for (Index column = 0; column < scores.cols(); ++column)
///           scores.col(column).setLinSpaced(0, 99);
///       }
///     };
///
/// `scores`: items × histories, one column a history, to be overwritten. A higher score is better and only the order
/// matters; −∞ is allowed, NaN is not. `score` is const and called from several threads at once. A scorer may have a
/// member `item_ids` (Vocabulary), as a Recommender has: data whose items have other indices is then refused.
template <class S>
concept Scorer = requires(const S& scorer, std::span<const History> histories, MatrixRef<float> scores) {
  { scorer.items() } -> std::convertible_to<Index>;
  scorer.score(histories, scores);
};

}  // namespace lstmrec

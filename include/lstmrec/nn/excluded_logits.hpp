#pragma once

#include <cstddef>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/nn/item_labels.hpp>
#include <vector>

namespace lstmrec::detail {

/// Sets the logits of a column's excluded items to `value`, its labels excepted: before the loss so low that they take
/// no part in it, and after it, where logits have become their gradients, to 0. `kept`: scratch.
template <class Scalar>
void exclude(const ItemLabels& labels, MatrixRef<Scalar> logits, Scalar value, std::vector<Scalar>& kept) {
  if (labels.excluded.empty()) return;
  for (Index column = 0; column < logits.cols(); ++column) {
    Scalar* z = logits.col(column).data();
    const auto items = labels.items_of(column);
    const auto weights = labels.weights_of(column);
    kept.clear();
    for (const auto item : items) kept.push_back(z[item]);
    for (const auto item : labels.excluded[static_cast<std::size_t>(column)]) z[item] = value;
    for (std::size_t k = 0; k < items.size(); ++k)
      if (weights[k] != 0) z[items[k]] = kept[k];
  }
}

/// Sets the logits that take no part in a sampled loss: those of negatives that are excluded or labels, and the rows of
/// missing labels. The rows are the negatives and then a column's own labels, whose weights are `own_weights`.
template <class Scalar>
void leave_out(const ItemLabels& labels, const std::vector<float>& own_weights, Index negatives, Scalar value,
               MatrixRef<Scalar> logits) {
  for (Index column = 0; column < logits.cols(); ++column) {
    Scalar* const z = logits.col(column).data();
    if (!labels.excluded.empty())
      for (const auto row : labels.excluded[static_cast<std::size_t>(column)]) z[row] = value;
    const auto own = labels.items_of(column);
    for (std::size_t k = 0; k < own.size(); ++k) {
      if (own_weights[static_cast<std::size_t>(column) * own.size() + k] == 0)
        z[negatives + static_cast<Index>(k)] = value;
      else if (own[k] < negatives)
        z[own[k]] = value;
    }
  }
}

}  // namespace lstmrec::detail

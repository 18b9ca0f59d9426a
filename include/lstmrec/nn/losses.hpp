#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/nn/item_targets.hpp>
#include <type_traits>

namespace lstmrec {

/// A loss over the items: called with the logits of some events (items × events) and their targets, it returns the
/// summed loss and leaves the gradient of the logits in their place. Const, and callable from any number of threads.
/// A column without targets has zero weights, and no loss or gradient. The logits of excluded items are −1e30, and what
/// gradient the loss leaves there is ignored.
template <class Loss, class Scalar>
concept ItemLoss = requires(const Loss& loss, MatrixRef<Scalar> logits, const ItemTargets& targets) {
  { loss(logits, targets) } -> std::convertible_to<double>;
};

/// Softmax cross-entropy over the whole catalogue, L = −Σₖ wₖ log softmax(z)ₖ, with gradient (Σₖ wₖ) softmax(z) − w.
struct SoftmaxCrossEntropy {
  template <class Logits>
  double operator()(Logits&& logits, const ItemTargets& targets) const {
    using Scalar = typename std::remove_reference_t<Logits>::Scalar;
    double loss = 0;
    for (Index column = 0; column < logits.cols(); ++column) {
      auto z = logits.col(column).array();
      const auto items = targets.items_of(column);
      const auto weights = targets.weights_of(column);
      const Scalar largest = z.maxCoeff();
      double weight = 0, weighted_logits = 0;
      for (std::size_t k = 0; k < items.size(); ++k) {
        weight += static_cast<double>(weights[k]);
        weighted_logits += static_cast<double>(weights[k]) * static_cast<double>(z(items[k]) - largest);
      }
      z = (z - largest).exp();
      const Scalar sum = z.sum();
      loss += weight * std::log(static_cast<double>(sum)) - weighted_logits;
      z *= static_cast<Scalar>(weight) / sum;
      for (std::size_t k = 0; k < items.size(); ++k) z(items[k]) -= static_cast<Scalar>(weights[k]);
    }
    return loss;
  }
};

/// The squared error, L = Σ (prediction − target)² / count over `count` predictions; d_prediction (same shape) :=
/// its gradient 2 (prediction − target) / count.
template <class Prediction, class Target, class Gradient>
double squared_error(const Prediction& prediction, const Target& target, Index count, Gradient&& d_prediction) {
  using Scalar = typename Prediction::Scalar;
  d_prediction = prediction - target;
  const auto loss = static_cast<double>(d_prediction.squaredNorm()) / static_cast<double>(count);
  d_prediction *= Scalar(2) / static_cast<Scalar>(count);
  return loss;
}

}  // namespace lstmrec

#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <lstmrec/core/lanes.hpp>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/nn/item_labels.hpp>
#include <type_traits>

namespace lstmrec {

/// A loss over the items: called with the logits of some events (rows × events) and their labels, it returns the summed
/// loss and leaves the gradient of the logits in their place. Const, and callable from any number of threads.
///
/// A column without labels has zero weights, and no loss or gradient. The logits of excluded items are −1e30, and the
/// gradient that the loss leaves there is ignored. Which item of the catalogue a row stands for, LogitLabels says.
template <class Loss, class Scalar>
concept ItemLoss = requires(const Loss& loss, MatrixRef<Scalar> logits, const LogitLabels& labels) {
  { loss(logits, labels) } -> std::convertible_to<double>;
};

/// A borrowed ItemLoss of any type. It is called once for 128 events, so that training is compiled once for all losses.
template <class Scalar>
class ItemLossRef {
 public:
  template <ItemLoss<Scalar> Loss>
  requires(!std::same_as<Loss, ItemLossRef>) ItemLossRef(const Loss& loss)
      : loss_(&loss), call_([](const void* self, MatrixRef<Scalar> logits, const LogitLabels& labels) {
          return static_cast<double>((*static_cast<const Loss*>(self))(logits, labels));
        }) {}

  double operator()(MatrixRef<Scalar> logits, const LogitLabels& labels) const { return call_(loss_, logits, labels); }

 private:
  const void* loss_;
  double (*call_)(const void*, MatrixRef<Scalar>, const LogitLabels&);
};

/// Softmax cross-entropy over all rows, L = −Σₖ wₖ log softmax(z)ₖ, with gradient (Σₖ wₖ) softmax(z) − w.
struct SoftmaxCrossEntropy {
  template <class Logits>
  double operator()(Logits&& logits, const LogitLabels& labels) const {
    using Scalar = typename std::remove_reference_t<Logits>::Scalar;
    double loss = 0;
    for (Index column = 0; column < logits.cols(); ++column) {
      auto z = logits.col(column).array();
      const auto rows = labels.rows_of(column);
      const auto weights = labels.weights_of(column);
      const Scalar largest = z.maxCoeff();
      double weight = 0, weighted_logits = 0;
      for (std::size_t k = 0; k < rows.size(); ++k) {
        weight += static_cast<double>(weights[k]);
        weighted_logits += static_cast<double>(weights[k]) * static_cast<double>(z(rows[k]) - largest);
      }
      Scalar* const numbers = logits.col(column).data();
      for_each_lane<Scalar>(z.size(), [=](auto at) { at.store(numbers, exp(at[numbers] - largest)); });
      const Scalar sum = sum_of_lanes<Scalar>(z.size(), [=](auto at) { return at[numbers]; });
      loss += weight * std::log(static_cast<double>(sum)) - weighted_logits;
      const Scalar scale = static_cast<Scalar>(weight) / sum;
      for_each_lane<Scalar>(z.size(), [=](auto at) { at.store(numbers, scale * at[numbers]); });
      for (std::size_t k = 0; k < rows.size(); ++k) z(rows[k]) -= static_cast<Scalar>(weights[k]);
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

#pragma once

#include <cassert>
#include <cstddef>
#include <lstmrec/core/buffer.hpp>
#include <lstmrec/core/packed_steps.hpp>
#include <lstmrec/nn/dense.hpp>
#include <lstmrec/nn/losses.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <lstmrec/nn/recurrent.hpp>
#include <vector>

namespace textbook {

using namespace lstmrec;

/// The textbook rating network: three numbers (user, item, time) as a sequence of three steps of one feature.
///
///     h = lstm(user, item, time)      the state after the third step
///     r̂ = w·h + b
///
/// Keras' `LSTM(64) -> Dense(1)`, with its defaults.
template <class Scalar_ = float>
struct TextbookRatingNetwork {
  using Scalar = Scalar_;
  static constexpr Index steps = 3;

  struct Cache {
    PackedSteps packed;
    Buffer<Scalar> hidden, predictions, d_predictions, d_hidden;
    typename Lstm<Scalar>::Cache lstm;
  };

  Lstm<Scalar> lstm;
  Dense<Scalar> output;

  TextbookRatingNetwork() = default;
  explicit TextbookRatingNetwork(Index hidden) : lstm(1, hidden), output(hidden, 1) {}

  void initialise(Random& random) {
    lstm.initialise(random);
    output.initialise(random);
  }

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... networks) {
    visit_member(visitor, "lstm", networks.lstm...);
    visit_member(visitor, "output", networks.output...);
  }

  /// cache.predictions (1 × events) := r̂. inputs: events × 3, a row an event, which is the packed batch as it lies in
  /// memory.
  void forward(const Matrix<Scalar>& inputs, Cache& cache) const {
    assert(inputs.cols() == steps);
    const Index events = inputs.rows();
    if (cache.packed.sequences() != events)
      cache.packed = PackedSteps(std::vector<Index>(static_cast<std::size_t>(events), steps));
    auto hidden = cache.hidden.resize(lstm.hidden_size(), steps * events);
    lstm.forward(packed(inputs), cache.packed, cache.lstm, hidden);
    output.forward(hidden.rightCols(events), cache.predictions.resize(1, events));
  }

  /// One training pass: returns the squared error divided by `count` and adds its gradients. ratings: 1 × events.
  double forward_backward(const Matrix<Scalar>& inputs, const Matrix<Scalar>& ratings, Index count, Cache& cache,
                          TextbookRatingNetwork& gradients) const {
    forward(inputs, cache);
    const Index events = inputs.rows();
    auto d_predictions = cache.d_predictions.resize(1, events);
    const double loss = squared_error(cache.predictions.view(), ratings, count, d_predictions);
    auto d_hidden = cache.d_hidden.resize(lstm.hidden_size(), steps * events);
    d_hidden.leftCols((steps - 1) * events).setZero();
    output.backward(cache.hidden.view().rightCols(events), d_predictions, gradients.output, d_hidden.rightCols(events));
    lstm.backward(packed(inputs), cache.packed, cache.lstm, d_hidden, gradients.lstm);
    return loss;
  }

 private:
  static Eigen::Map<const Matrix<Scalar>> packed(const Matrix<Scalar>& inputs) {
    return {inputs.data(), 1, inputs.size()};
  }
};

}  // namespace textbook

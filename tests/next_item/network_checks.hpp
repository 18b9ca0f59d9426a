#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/next_item/network.hpp>
#include <lstmrec/nn/gradient_check.hpp>
#include <span>
#include <vector>

#include "catch.hpp"
#include "nn/support.hpp"

namespace lstmrec {

inline constexpr Index network_items = 7;  ///< Of the networks that are checked here.

/// Column j of some_batch excludes the first j mod 6 of these.
inline const std::vector<std::uint32_t> excluded_items = {4, 1, 6, 0, 4};

/// A batch of the sequences in `ragged_lengths`; two labels a column, the second sometimes of weight zero.
inline SequenceBatch some_batch(bool excludes) {
  SequenceBatch batch;
  batch.steps = PackedSteps(ragged_lengths);
  batch.labels_per_column = 2;
  Random random(5);
  for (Index column = 0; column < batch.steps.columns(); ++column) {
    batch.inputs.push_back(static_cast<std::uint32_t>(random.below(network_items)));
    for (int k = 0; k < 2; ++k) {
      batch.labels.push_back(static_cast<std::uint32_t>(random.below(network_items)));
      batch.weights.push_back(k == 1 && column % 3 == 0 ? 0.f : 0.25f * static_cast<float>(k + 1));
    }
    if (excludes) batch.excluded.push_back(std::span(excluded_items).first(static_cast<std::size_t>(column) % 6));
    batch.times.push_back(static_cast<std::int64_t>(random.below(1000)));
    batch.ratings.push_back(0.5f * static_cast<float>(1 + random.below(10)));
  }
  batch.dropout_seeds = some_keys(batch.steps.columns());
  return batch;
}

/// Compares the gradients of all parameters of a network, in double, with differences.
template <class Network, class Loss>
void check_network_gradients(Network& network, const Loss& loss, const SequenceBatch& batch) {
  typename Network::Cache cache;
  auto gradients = ones_like(network), unused = zeros_like(network);
  network.forward_backward(batch, loss, cache, gradients);
  subtract_ones(gradients);
  const auto difference =
      check_gradients(network, gradients, [&] { return network.forward_backward(batch, loss, cache, unused); });
  INFO(difference.name << "(" << difference.row << ", " << difference.column << "): " << difference.analytic << ", "
                       << difference.numeric);
  CHECK(difference.relative < gradient_tolerance);
}
template <class Network, class Loss>
void check_network_gradients(Network& network, const Loss& loss, bool excludes) {
  check_network_gradients(network, loss, some_batch(excludes));
}

/// A loss of a user's that keeps the logits it was called with (of one tile). Its gradient is zero.
struct KeepLogits {
  Matrix<double>& kept;
  template <class Logits>
  double operator()(Logits&& logits, const LogitLabels&) const {
    kept = logits.template cast<double>();
    logits.setZero();
    return 0;
  }
};

/// The logits of all columns in a training pass.
template <class Network>
Matrix<double> logits_of(const Network& network, const SequenceBatch& batch) {
  Matrix<double> logits;
  typename Network::Cache cache;
  auto unused = zeros_like(network);
  network.forward_backward(batch, KeepLogits{logits}, cache, unused);
  return logits;
}

/// Compares the scores after every step, of one sequence alone and of all in step, with the logits of a training pass.
template <class Network>
void check_step_against_forward(const Network& network, double tolerance, SequenceBatch batch = some_batch(false)) {
  const auto ask = [&](auto& state, Index column, Index columns) {
    if (batch.questions.empty()) return;
    constexpr auto each = static_cast<Index>(EventContext::codes_of_question);
    std::copy_n(batch.questions.begin() + column * each, columns * each, state.questions.begin());
  };
  batch.dropout_seeds.clear();  // no dropout
  const Matrix<double> logits = logits_of(network, batch);
  for (Index sequence = 0; sequence < batch.steps.sequences(); ++sequence) {
    auto state = network.initial_state();
    Vector<typename Network::Scalar> scores(network_items);
    for (Index step = 0; step < ragged_lengths[static_cast<std::size_t>(sequence)]; ++step) {
      const Index column = batch.steps.begin(step) + sequence;
      network.step(batch.events().subspan(static_cast<std::size_t>(column), 1), state);
      ask(state, column, 1);
      network.compute_output(state);
      network.score(state.output, scores);
      CHECK(distance(scores, logits.col(column)) < tolerance);
    }
  }
  auto state = network.initial_state(batch.steps.sequences());
  for (Index step = 0; step < batch.steps.steps(); ++step) {
    const Index begin = batch.steps.begin(step), alive = batch.steps.alive(step);
    network.step(batch.events().subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(alive)), state);
    ask(state, begin, alive);
    network.compute_output(state);
    Matrix<typename Network::Scalar> scores(network_items, state.output.cols());
    network.score(state.output, scores);
    CHECK(distance(scores.leftCols(alive), logits.middleCols(begin, alive)) < tolerance);
  }
}

}  // namespace lstmrec

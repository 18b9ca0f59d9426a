#pragma once

#include <cmath>
#include <cstddef>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <string>
#include <tuple>
#include <vector>

namespace lstmrec {

/// first := first + second + …, the gradients of a batch's shards, in this order whatever the number of threads.
/// Returns the Euclidean norm of the sum.
template <class Layer>
double sum_gradients(Layer& first, const std::vector<const Layer*>& others, ThreadPool& pool) {
  auto sums = parameter_blocks(first);
  std::vector<double> squares(sums.size(), 0.0);
  std::vector<decltype(parameter_blocks(*others[0]))> terms;
  for (const Layer* other : others) terms.push_back(parameter_blocks(*other));
  pool.run_ranges(sums.size(), [&](std::size_t k) {
    auto& sum = std::get<1>(sums[k]);
    for (const auto& term : terms) sum += std::get<1>(term[k]);
    squares[k] = static_cast<double>(sum.matrix().squaredNorm());
  });
  double square = 0;
  for (const double part : squares) square += part;
  return std::sqrt(square);
}

/// Throws TrainingDiverged unless a batch's loss and the norm of its gradients are finite. Epoch and batch from 0.
inline void check_finite(double loss, double norm, std::size_t epoch, std::size_t batch) {
  if (std::isfinite(loss) && std::isfinite(norm)) return;
  throw TrainingDiverged("epoch " + std::to_string(epoch + 1) + ", batch " + std::to_string(batch + 1) + ": loss " +
                         std::to_string(loss) + ", gradient norm " + std::to_string(norm) +
                         "; a lower learning rate may help");
}

/// Scales gradients of a known norm so that it is at most `largest`.
/// Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks", 2013, Algorithm 1.
template <class Layer>
void clip_gradients(Layer& gradients, double norm, double largest, ThreadPool& pool) {
  if (!(norm > largest)) return;
  auto blocks = parameter_blocks(gradients);
  const auto scale = static_cast<typename Layer::Scalar>(largest / norm);
  pool.run_ranges(blocks.size(), [&](std::size_t k) { std::get<1>(blocks[k]) *= scale; });
}

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/lanes.hpp>
#include <lstmrec/core/products.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <span>
#include <string>
#include <vector>

namespace lstmrec {

namespace detail {

/// Adds equally shaped parameters to the first, in their order whatever the number of threads; those of size 0 are
/// left out. Returns the Euclidean norm of the sum.
template <class Scalar>
double sum_parameters(std::span<const std::vector<ParameterView<Scalar>>> parts,
                      const std::vector<ParameterBlock>& blocks, ThreadPool& pool) {
  std::vector<double> squares(blocks.size(), 0.0);
  pool.run_ranges(blocks.size(), [&](std::size_t k) {
    Scalar* const sum = blocks[k].of(parts.front());
    for (std::size_t part = 1; part < parts.size(); ++part) {
      if (parts[part][blocks[k].parameter].size() == 0) continue;
      const Scalar* const term = blocks[k].of(parts[part]);
      for_each_lane<Scalar>(blocks[k].count, [=](auto at) { at.store(sum, at[sum] + at[term]); });
    }
    squares[k] = static_cast<double>(detail::dot(blocks[k].count, sum, sum));
  });
  double square = 0;
  for (const double part : squares) square += part;
  return std::sqrt(square);
}

}  // namespace detail

/// Adds the gradients of a batch's parts to those of the first, in their order whatever the number of threads. Parts
/// but the first may lack parameters. Returns the Euclidean norm of the sum.
template <class Layer>
double sum_gradients(std::vector<Layer>& parts, ThreadPool& pool) {
  std::vector<std::vector<ParameterView<typename Layer::Scalar>>> views;
  for (Layer& part : parts) views.push_back(parameter_views(part));
  return detail::sum_parameters<typename Layer::Scalar>(views, parameter_blocks(views.front()), pool);
}

/// That of gradients whose item tables hold the columns of some items, and then room to spare, on which no bit of the
/// norm depends.
template <class Layer>
double sum_gradients(std::vector<Layer>& parts, ThreadPool& pool, std::span<const std::uint32_t> items) {
  std::vector<std::vector<ParameterView<typename Layer::Scalar>>> views;
  for (Layer& part : parts) views.push_back(parameter_views(part));
  return detail::sum_parameters<typename Layer::Scalar>(views, sparse_parameter_blocks(views.front(), items), pool);
}

/// Sets gradients to zero.
template <class Layer>
void set_zero(Layer& gradients, ThreadPool& pool) {
  const auto views = parameter_views(gradients);
  const auto blocks = parameter_blocks(views);
  pool.run_ranges(blocks.size(),
                  [&](std::size_t k) { std::fill_n(blocks[k].of(views), blocks[k].count, typename Layer::Scalar(0)); });
}

/// The norm that sum_gradients would return for one part, to the bit.
template <class Layer>
double gradient_norm(Layer& gradients, ThreadPool& pool) {
  const std::vector<std::vector<ParameterView<typename Layer::Scalar>>> views(1, parameter_views(gradients));
  return detail::sum_parameters<typename Layer::Scalar>(views, parameter_blocks(views.front()), pool);
}

/// Throws TrainingDiverged unless a batch's loss and the norm of its gradients are finite. Epoch and batch from 0.
inline void check_finite(double loss, double norm, std::size_t epoch, std::size_t batch) {
  if (std::isfinite(loss) && std::isfinite(norm)) return;
  detail::fail<TrainingDiverged>({"epoch ", epoch + 1, ", batch ", batch + 1, ": loss ", loss, ", gradient norm ", norm,
                                  "; a lower learning rate may help"});
}

/// Scales gradients of a known norm so that it is at most `largest`.
/// Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks", 2013, Algorithm 1.
template <class Layer>
void clip_gradients(Layer& gradients, double norm, double largest, ThreadPool& pool) {
  if (!(norm > largest)) return;
  using Scalar = typename Layer::Scalar;
  const auto views = parameter_views(gradients);
  const auto blocks = parameter_blocks(views);
  const auto scale = static_cast<Scalar>(largest / norm);
  pool.run_ranges(blocks.size(), [&](std::size_t k) {
    Scalar* const numbers = blocks[k].of(views);
    for_each_lane<Scalar>(blocks[k].count, [=](auto at) { at.store(numbers, scale * at[numbers]); });
  });
}

}  // namespace lstmrec

#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/lanes.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <span>
#include <vector>

namespace lstmrec {

/// Where Adam adds ε: to √v̂ as in the paper's Algorithm 1 and PyTorch, or to √v before v's bias is corrected, as at
/// the end of the paper's section 2 and in Keras (which matters in the first steps only).
enum class EpsilonPlace { corrected, uncorrected };

struct AdamOptions {
  double beta1 = 0.9;    ///< Decay of the mean of gradients.
  double beta2 = 0.999;  ///< Decay of the mean of squared gradients.
  double epsilon = 1e-8;
  EpsilonPlace epsilon_place = EpsilonPlace::corrected;
  double weight_decay = 0;  ///< Decoupled, of weights only.
};

namespace detail {

/// Step number `steps` of Adam for some blocks: g the gradients, w the weights, m and v the moments.
template <class Scalar>
void adam_step(const AdamOptions& options, std::int64_t steps, double learning_rate,
               const std::vector<ParameterBlock>& blocks, const std::vector<ParameterView<const Scalar>>& g,
               const std::vector<ParameterView<Scalar>>& w, const std::vector<ParameterView<Scalar>>& m,
               const std::vector<ParameterView<Scalar>>& v, ThreadPool& pool) {
  const double mean_correction = 1 - std::pow(options.beta1, static_cast<double>(steps));
  const double square_correction = std::sqrt(1 - std::pow(options.beta2, static_cast<double>(steps)));
  const bool is_corrected = options.epsilon_place == EpsilonPlace::corrected;
  // η m̂ / (√v̂ + ε) = rate · m / (√v + epsilon)
  const auto rate = static_cast<Scalar>(learning_rate * square_correction / mean_correction);
  const auto epsilon = static_cast<Scalar>(is_corrected ? options.epsilon * square_correction : options.epsilon);
  const auto weight_decay = static_cast<Scalar>(learning_rate * options.weight_decay);
  const auto beta1 = static_cast<Scalar>(options.beta1), beta2 = static_cast<Scalar>(options.beta2);
  constexpr auto one = Scalar(1);
  pool.run_ranges(blocks.size(), [&](std::size_t k) {
    const ParameterBlock& block = blocks[k];
    const Scalar decay = has_weight_decay(block.kind) ? weight_decay : Scalar(0);
    const Scalar* const gradient = block.of(g);
    Scalar *const weight = block.of_whole(w), *const mean = block.of_whole(m), *const square_mean = block.of_whole(v);
    for_each_lane<Scalar>(block.count, [=](auto at) {
      const auto new_mean = beta1 * at[mean] + (one - beta1) * at[gradient];
      const auto new_square = beta2 * at[square_mean] + (one - beta2) * square(at[gradient]);
      at.store(mean, new_mean);
      at.store(square_mean, new_square);
      at.store(weight, at[weight] - (decay * at[weight] + rate * new_mean / (sqrt(new_square) + epsilon)));
    });
  });
}

}  // namespace detail

/// Adam, and AdamW where weight_decay > 0.
///
///     m = β₁ m + (1 − β₁) g      v = β₂ v + (1 − β₂) g²
///     w = w − η (m̂ / (√v̂ + ε) + λ w),   m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ)
///
/// Kingma and Ba, "Adam", 2015, Algorithm 1; Loshchilov and Hutter, "Decoupled weight decay regularization", 2019,
/// Algorithm 2. Holds two numbers a parameter.
template <class Layer>
class Adam {
 public:
  using Scalar = typename Layer::Scalar;

  explicit Adam(const Layer& layer, const AdamOptions& options = {})
      : options_(options), mean_(zeros_like(layer)), square_(mean_) {}

  /// One step for all parameters of `layer`; `gradients` of the same shape. The threads of the pool share the work.
  void update(Layer& layer, const Layer& gradients, double learning_rate, ThreadPool& pool) {
    const auto g = parameter_views(gradients);
    run(layer, g, parameter_blocks(g), learning_rate, pool);
  }

  /// One step where the gradients' item tables hold only the columns of `items`: see sparse_parameter_blocks. Other
  /// columns, and what is known of their gradients, stay as they are ("lazy" Adam).
  void update(Layer& layer, const Layer& gradients, double learning_rate, ThreadPool& pool,
              std::span<const std::uint32_t> items) {
    const auto g = parameter_views(gradients);
    run(layer, g, sparse_parameter_blocks(g, items), learning_rate, pool);
  }

  /// One step for all parameters, on the calling thread alone.
  void update(Layer& layer, const Layer& gradients, double learning_rate) {
    ThreadPool one(1);
    update(layer, gradients, learning_rate, one);
  }

  /// Calls visitor(name, value) for all that a step changes and later steps read.
  template <class Self, class Visitor>
  static void visit_state(Self& self, Visitor&& visitor) {
    visitor("steps", self.steps_);
    visitor("mean", self.mean_);
    visitor("square", self.square_);
  }

 private:
  void run(Layer& layer, const std::vector<ParameterView<const Scalar>>& g, const std::vector<ParameterBlock>& blocks,
           double learning_rate, ThreadPool& pool) {
    ++steps_;
    detail::adam_step(options_, steps_, learning_rate, blocks, g, parameter_views(layer), parameter_views(mean_),
                      parameter_views(square_), pool);
  }

  AdamOptions options_;
  std::int64_t steps_ = 0;
  Layer mean_, square_;
};

}  // namespace lstmrec

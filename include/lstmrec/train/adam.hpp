#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <span>

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
    const auto change = next_step(learning_rate);
    auto blocks = parameter_blocks(gradients, layer, mean_, square_);
    pool.run_ranges(blocks.size(), [&](std::size_t k) {
      auto& [kind, g, w, m, v] = blocks[k];
      change(kind, g, w, m, v);
    });
  }

  /// The same where the gradients' tables hold only the touched columns: see touched_blocks. Other columns, and what is
  /// known of their gradients, stay as they are ("lazy" Adam).
  void update(Layer& layer, const Layer& gradients, double learning_rate, ThreadPool& pool,
              std::span<const std::uint32_t> columns) {
    const auto change = next_step(learning_rate);
    auto blocks = touched_blocks(columns, gradients, layer, mean_, square_);
    pool.run_ranges(blocks.size(), [&](std::size_t k) {
      auto& [kind, column, g, w, m, v] = blocks[k];
      change(kind, g, w, m, v);
    });
  }

  /// The first on the calling thread alone.
  void update(Layer& layer, const Layer& gradients, double learning_rate) {
    ThreadPool one(1);
    update(layer, gradients, learning_rate, one);
  }

 private:
  /// Counts the step and returns what it does to a block.
  auto next_step(double learning_rate) {
    ++steps_;
    const double mean_correction = 1 - std::pow(options_.beta1, static_cast<double>(steps_));
    const double square_correction = std::sqrt(1 - std::pow(options_.beta2, static_cast<double>(steps_)));
    const bool paper = options_.epsilon_place == EpsilonPlace::corrected;
    // η m̂ / (√v̂ + ε) = rate · m / (√v + epsilon)
    const auto rate = static_cast<Scalar>(learning_rate * square_correction / mean_correction);
    const auto epsilon = static_cast<Scalar>(paper ? options_.epsilon * square_correction : options_.epsilon);
    const auto decay = static_cast<Scalar>(learning_rate * options_.weight_decay);
    const auto beta1 = static_cast<Scalar>(options_.beta1), beta2 = static_cast<Scalar>(options_.beta2);
    return [=](Kind kind, const auto& g, auto& w, auto& m, auto& v) {
      m = beta1 * m + (Scalar(1) - beta1) * g;
      v = beta2 * v + (Scalar(1) - beta2) * g.square();
      w -= (decays(kind) ? decay : Scalar(0)) * w + rate * m / (v.sqrt() + epsilon);
    };
  }

  AdamOptions options_;
  std::int64_t steps_ = 0;
  Layer mean_, square_;
};

}  // namespace lstmrec

#pragma once

#include <lstmrec/nn/parameters.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace lstmrec {

/// Where Adam adds ε: to √v̂ as in the paper's Algorithm 1 and PyTorch, or to √v before v's bias is corrected, as at the
/// end of the paper's section 2 and in Keras (which matters in the first steps only).
enum class EpsilonPlace { corrected, uncorrected };

struct AdamOptions {
  double beta1 = 0.9;         ///< Decay of the mean of gradients.
  double beta2 = 0.999;       ///< Decay of the mean of squared gradients.
  double epsilon = 1e-8;
  EpsilonPlace epsilon_place = EpsilonPlace::corrected;
  double weight_decay = 0;    ///< Decoupled, of Kind::weight only.
};

namespace detail {

struct AdamFactors {
  double beta1, beta2, rate, epsilon, decay;
};

/// m = β₁ m + (1 − β₁) g,  v = β₂ v + (1 − β₂) g²,  w = w − decay w − rate m / (√v + ε).
template <class Scalar>
void adam_step(Scalar* weights, const Scalar* gradients, Scalar* means, Scalar* squares, Index size,
               const AdamFactors& factors) {
  const auto beta1 = static_cast<Scalar>(factors.beta1), beta2 = static_cast<Scalar>(factors.beta2);
  constexpr Index block = 2048;  // all four stay in the first-level cache from one line to the next
  for (Index begin = 0; begin < size; begin += block) {
    const Index count = std::min(block, size - begin);
    const auto g = values(gradients + begin, count);
    auto w = values(weights + begin, count), m = values(means + begin, count), v = values(squares + begin, count);
    m = beta1 * m + (Scalar(1) - beta1) * g;
    v = beta2 * v + (Scalar(1) - beta2) * g.square();
    w -= static_cast<Scalar>(factors.decay) * w +
         static_cast<Scalar>(factors.rate) * m / (v.sqrt() + static_cast<Scalar>(factors.epsilon));
  }
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
  explicit Adam(const Layer& layer, const AdamOptions& options = {})
      : options_(options), mean_(zeros_like(layer)), square_(mean_) {}

  /// One step for all parameters of `layer`; `gradients` of the same shape.
  void update(Layer& layer, const Layer& gradients, double learning_rate) {
    ++steps_;
    const double mean_correction = 1 - std::pow(options_.beta1, static_cast<double>(steps_));
    const double square_correction = std::sqrt(1 - std::pow(options_.beta2, static_cast<double>(steps_)));
    const bool paper = options_.epsilon_place == EpsilonPlace::corrected;
    // η m̂ / (√v̂ + ε) = rate · m / (√v + epsilon)
    const double rate = learning_rate * square_correction / mean_correction;
    const double epsilon = paper ? options_.epsilon * square_correction : options_.epsilon;
    auto visitor = [&](const char*, Kind kind, auto& parameter, const auto& gradient, auto& mean, auto& square) {
      const double decay = kind == Kind::weight ? learning_rate * options_.weight_decay : 0;
      detail::adam_step(parameter.data(), gradient.data(), mean.data(), square.data(), parameter.size(),
                        {options_.beta1, options_.beta2, rate, epsilon, decay});
    };
    Layer::visit(visitor, layer, gradients, mean_, square_);
  }

 private:
  AdamOptions options_;
  std::int64_t steps_ = 0;
  Layer mean_, square_;
};

}  // namespace lstmrec

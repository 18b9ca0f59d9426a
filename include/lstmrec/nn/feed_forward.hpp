#pragma once

#include <algorithm>
#include <lstmrec/core/buffer.hpp>
#include <lstmrec/core/lanes.hpp>
#include <lstmrec/nn/dense.hpp>
#include <numbers>

namespace lstmrec {

namespace detail {

/// tanh(√(2/π) (x + 0.044715 x³)), the tanh of gelu.
template <class Numbers>
Numbers gelu_tanh(Numbers x) {
  using Scalar = typename Numbers::Scalar;
  constexpr auto a = Scalar(std::numbers::inv_sqrtpi * std::numbers::sqrt2), b = Scalar(0.044715);
  return tanh(a * (x + b * (x * x * x)));
}

}  // namespace detail

/// y = gelu(x) for `size` numbers; y may be x. The Gaussian error linear unit in its tanh form,
/// gelu(x) = x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))). Hendrycks and Gimpel, "Gaussian error linear units", 2016.
template <class Scalar>
void gelu(const Scalar* x, Scalar* y, Index size) {
  for_each_lane<Scalar>(size,
                        [=](auto at) { at.store(y, Scalar(0.5) * at[x] * (Scalar(1) + detail::gelu_tanh(at[x]))); });
}

/// The position-wise feed-forward part of a block, y = W₂ gelu(W₁ x + b₁) + b₂, with a wide middle.
/// Vaswani et al., "Attention is all you need", 2017, eq. 2.
///
/// Works through tiles of columns that stay in cache; of the wide middle only W₁ x + b₁ is kept.
template <class Scalar_ = float>
struct FeedForward {
  using Scalar = Scalar_;
  static constexpr Index tile = 256;  ///< Columns at a time.

  struct Cache {
    Buffer<Scalar> wide;    ///< W₁ x + b₁, middle × columns.
    Buffer<Scalar> active;  ///< gelu of a tile.
    Buffer<Scalar> d_wide;  ///< Gradient of a tile.
    PackedMatrix<Scalar> expand,
        contract;  ///< W₁ and W₂ for `forward`, W₁ᵀ and W₂ᵀ for `backward`: packed once for all tiles.
  };

  Dense<Scalar> expand;    ///< W₁, b₁.
  Dense<Scalar> contract;  ///< W₂, b₂.

  FeedForward() = default;
  FeedForward(Index size, Index middle) : expand(size, middle), contract(middle, size) {}

  void initialise(Random& random) {
    expand.initialise(random);
    contract.initialise(random);
  }

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... layers) {
    visit_member(visitor, "expand", layers.expand...);
    visit_member(visitor, "contract", layers.contract...);
  }

  /// y (size × columns) := the formula. x: size × columns.
  void forward(ConstMatrixRef<Scalar> x, Cache& cache, MatrixRef<Scalar> y) const {
    auto wide = cache.wide.resize(expand.output_size(), x.cols());
    cache.expand.pack(expand.weight);
    cache.contract.pack(contract.weight);
    for (Index begin = 0; begin < x.cols(); begin += tile) {
      const Index count = std::min(tile, x.cols() - begin);
      auto z = wide.middleCols(begin, count);
      auto active = cache.active.resize(wide.rows(), count);
      linalg::product(cache.expand, x.middleCols(begin, count), z);
      linalg::add_to_columns(expand.bias, z);
      gelu(z.data(), active.data(), z.size());
      linalg::product(cache.contract, active, y.middleCols(begin, count));
      linalg::add_to_columns(contract.bias, y.middleCols(begin, count));
    }
  }

  /// One streaming step. x, y: size × columns, `wide`: scratch, middle × columns. For one column allocates nothing.
  void step(ConstMatrixRef<Scalar> x, MatrixRef<Scalar> wide, MatrixRef<Scalar> y) const {
    expand.forward(x, wide);
    gelu(wide.data(), wide.data(), wide.size());
    contract.forward(wide, y);
  }

  /// Adds to `gradients` and overwrites d_input (size × columns).
  void backward(ConstMatrixRef<Scalar> x, Cache& cache, ConstMatrixRef<Scalar> d_output, FeedForward& gradients,
                MatrixRef<Scalar> d_input) const {
    const auto wide = cache.wide.view();
    cache.expand.pack_transposed(expand.weight);
    cache.contract.pack_transposed(contract.weight);
    for (Index begin = 0; begin < x.cols(); begin += tile) {
      const Index count = std::min(tile, x.cols() - begin);
      const auto z = wide.middleCols(begin, count);
      auto active = cache.active.resize(wide.rows(), count);
      auto d_wide = cache.d_wide.resize(wide.rows(), count);
      // t = tanh(a (z + b z³)), gelu = z/2 (1 + t), gelu' = (1 + t)/2 + z/2 (1 − t²) a (1 + 3 b z²)
      constexpr auto a = Scalar(std::numbers::inv_sqrtpi * std::numbers::sqrt2), b = Scalar(0.044715);
      constexpr auto one = Scalar(1), half = Scalar(0.5);
      const Scalar* const in = z.data();
      Scalar *const out = active.data(), *const slope = d_wide.data();
      for_each_lane<Scalar>(z.size(), [=](auto at) {
        const auto v = at[in], t = detail::gelu_tanh(v);
        at.store(out, half * v * (one + t));
        at.store(slope, half * (one + t) + half * v * (one - square(t)) * a * (one + Scalar(3) * b * square(v)));
      });
      Dense<Scalar>::add_gradients(active, d_output.middleCols(begin, count), gradients.contract);
      linalg::product(cache.contract, d_output.middleCols(begin, count), active);
      for_each_lane<Scalar>(z.size(), [=](auto at) { at.store(slope, at[slope] * at[out]); });  // the gradient of z
      Dense<Scalar>::add_gradients(x.middleCols(begin, count), d_wide, gradients.expand);
      linalg::product(cache.expand, d_wide, d_input.middleCols(begin, count));
    }
  }
};

}  // namespace lstmrec

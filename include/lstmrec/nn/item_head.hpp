#pragma once

#include <lstmrec/core/buffer.hpp>
#include <lstmrec/core/products.hpp>
#include <lstmrec/nn/losses.hpp>
#include <lstmrec/nn/parameters.hpp>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <span>
#include <vector>

namespace lstmrec {

/// Scores every item of the catalogue: z = Vᵀ h + b, with one output vector an item in the columns of V.
///
/// V (size × items) belongs to the network and is borrowed here, so that it may be the table of the item embedding too
/// (tied vectors: Press and Wolf, "Using the output embedding to improve language models", 2017).
template <class Scalar_ = float>
struct ItemHead {
  using Scalar = Scalar_;
  static constexpr Index tile = 128;  ///< Columns whose logits are in memory at a time.

  struct Cache {
    LeftFactor<Scalar> vectors;  ///< Vᵀ, packed once for all tiles.
    Buffer<Scalar> logits;       ///< items × tile.
    std::vector<Scalar> kept;    ///< Scratch, the logits of a column's targets.
  };

  Vector<Scalar> bias;  ///< b, items.

  ItemHead() = default;
  explicit ItemHead(Index items) : bias(Vector<Scalar>::Zero(items)) {}

  Index items() const { return bias.rows(); }

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... heads) {
    visitor("bias", Kind::bias, heads.bias...);
  }

  /// scores (items × columns) := Vᵀ h + b. h: size × columns. For one column, known at compile time, allocates nothing.
  template <class Vectors, class H, class Scores>
  void score(const Vectors& vectors, const H& h, Scores&& scores) const {
    if constexpr (H::ColsAtCompileTime == 1) {
      // An item after the other: one stream through memory, which is all that limits a single query.
      for (Index item = 0; item < items(); ++item) scores[item] = vectors.col(item).dot(h) + bias[item];
    } else {
      transposed_product(vectors, h, scores);
      add_to_columns(bias, scores);
    }
  }

  /// Scores, loss and both gradients in one pass over tiles of columns: never an items × columns matrix in memory.
  ///
  /// Returns the loss. Adds to d_vectors (size × items) and `gradients`, overwrites d_h (size × columns). Excluded
  /// items take no part in the loss, unless they are targets.
  template <ItemLoss<Scalar> Loss>
  double loss(const Loss& loss, ConstMatrixRef<Scalar> vectors, ConstMatrixRef<Scalar> h, const ItemTargets& targets,
              Cache& cache, MatrixRef<Scalar> d_vectors, ItemHead& gradients, MatrixRef<Scalar> d_h) const {
    assert(static_cast<std::size_t>(h.cols()) == targets.columns() && vectors.cols() == items());
    double sum = 0;
    cache.vectors.pack_transposed(vectors);
    for (Index begin = 0; begin < h.cols(); begin += tile) {
      const Index count = std::min(tile, h.cols() - begin);
      const ItemTargets part = targets.middle_columns(begin, count);
      auto logits = cache.logits.resize(items(), count);
      product(cache.vectors, h.middleCols(begin, count), logits);
      add_to_columns(bias, logits);
      exclude(part, logits, Scalar(-1e30), cache.kept);  // finite, so that no loss meets ∞ − ∞
      MatrixRef<Scalar> logits_and_gradient(logits);
      sum += static_cast<double>(loss(logits_and_gradient, part));
      exclude(part, logits, Scalar(0), cache.kept);
      // z = Vᵀ h + b
      product(vectors, logits, d_h.middleCols(begin, count));
      add_product_transposed(h.middleCols(begin, count), logits, d_vectors);
      add_row_sums(logits, gradients.bias);
    }
    return sum;
  }

 private:
  /// Sets the excluded entries of every column, the targets excepted.
  template <class Logits>
  static void exclude(const ItemTargets& targets, Logits& logits, Scalar value, std::vector<Scalar>& kept) {
    if (targets.excluded.empty()) return;
    for (Index column = 0; column < logits.cols(); ++column) {
      Scalar* z = logits.col(column).data();
      const auto items = targets.items_of(column);
      const auto weights = targets.weights_of(column);
      kept.clear();
      for (const auto item : items) kept.push_back(z[item]);
      for (const auto item : targets.excluded[static_cast<std::size_t>(column)]) z[item] = value;
      for (std::size_t k = 0; k < items.size(); ++k)
        if (weights[k] != 0) z[items[k]] = kept[k];
    }
  }
};

}  // namespace lstmrec

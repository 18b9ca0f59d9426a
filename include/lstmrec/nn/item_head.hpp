#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/buffer.hpp>
#include <lstmrec/core/products.hpp>
#include <lstmrec/nn/losses.hpp>
#include <lstmrec/nn/parameters.hpp>
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
    PackedMatrix<Scalar> vectors, vectors_transposed;  ///< V and Vᵀ, packed once for all tiles.
    Buffer<Scalar> logits;                             ///< items × tile.
    std::vector<Scalar> kept;                          ///< Scratch, the logits of a column's labels.
    std::vector<std::uint32_t> own_rows;               ///< Rows of the labels, where negatives are sampled.
    std::vector<float> own_weights;                    ///< Their weights.
    std::vector<std::uint32_t> label_items;            ///< Their items in the catalogue.
  };

  Vector<Scalar> bias;  ///< b, items.

  ItemHead() = default;
  explicit ItemHead(Index items) : bias(linalg::filled<Vector<Scalar>>(items, 1)) {}

  Index items() const { return bias.rows(); }

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... heads) {
    visitor("bias", ParameterKind::item_bias, heads.bias...);
  }

  /// scores (rows × columns) := Vᵀ h + b of the items from `first` on, as many as there are rows. h: size × columns.
  /// Allocates nothing for one column, and an item's score then has the same bits whatever items are beside it.
  void score(ConstMatrixRef<Scalar> vectors, ConstMatrixRef<Scalar> h, MatrixRef<Scalar> scores,
             Index first = 0) const {
    const auto own = vectors.middleCols(first, scores.rows());
    if (h.cols() == 1) {
      linalg::dots(own, h, scores);  // one stream through memory, which is all that limits a single query
    } else {
      linalg::transposed_product(own, h, scores);
    }
    linalg::add_to_columns(bias.segment(first, scores.rows()), scores);
  }

  /// scores (tile × columns) := those of the items from `first` on, for as many as `scores` has rows. `packed`: null,
  /// or Vᵀ packed, which is faster where many batches are scored.
  void score_tile(ConstMatrixRef<Scalar> vectors, const PackedMatrix<Scalar>* packed, Index first,
                  ConstMatrixRef<Scalar> h, MatrixRef<Scalar> scores) const {
    if (packed != nullptr)
      packed->multiply_rows(first, h, scores);
    else
      linalg::transposed_product(vectors.middleCols(first, scores.rows()), h, scores);
    linalg::add_to_columns(bias.segment(first, scores.rows()), scores);
  }

  /// Scores, loss and both gradients in one pass over tiles of columns, so that an items × columns matrix is never in
  /// memory.
  ///
  /// Returns the loss. Adds to d_vectors (size × items) and `gradients`, overwrites d_h (size × columns). Excluded
  /// items take no part in the loss, unless they are labels.
  double loss_and_gradient(const ItemLossRef<Scalar>& loss, ConstMatrixRef<Scalar> vectors, ConstMatrixRef<Scalar> h,
                           const ItemLabels& labels, Cache& cache, MatrixRef<Scalar> d_vectors, ItemHead& gradients,
                           MatrixRef<Scalar> d_h) const {
    assert(static_cast<std::size_t>(h.cols()) == labels.columns() && vectors.cols() == items());
    if (labels.sampled) return sampled_loss_and_gradient(loss, vectors, h, labels, cache, d_vectors, gradients, d_h);
    double sum = 0;
    cache.vectors.pack(vectors);
    cache.vectors_transposed.pack_transposed(vectors);
    for (Index begin = 0; begin < h.cols(); begin += tile) {
      const Index count = std::min(tile, h.cols() - begin);
      const ItemLabels part = labels.middle_columns(begin, count);
      auto logits = cache.logits.resize(items(), count);
      linalg::product(cache.vectors_transposed, h.middleCols(begin, count), logits);
      linalg::add_to_columns(bias, logits);
      exclude(part, logits, Scalar(-1e30), cache.kept);  // finite, so that no loss meets ∞ − ∞
      sum += loss(logits, {part.per_column, part.items, part.weights, {}, {}, {}});
      exclude(part, logits, Scalar(0), cache.kept);
      // z = Vᵀ h + b
      linalg::product(cache.vectors, logits, d_h.middleCols(begin, count));
      linalg::add_product_transposed(h.middleCols(begin, count), logits, d_vectors);
      linalg::add_row_sums(logits, gradients.bias);
    }
    return sum;
  }

 private:
  /// The loss over a column's own labels and the sampled negatives, which all columns share:
  ///
  ///     Z = Σ over labels exp(zᵢ) + Σ over negatives (countⱼ / (n qⱼ)) exp(zⱼ)
  ///
  /// with the n draws from q, of which j is countⱼ, labels and excluded items left out of the second sum: its mean
  /// over the draws is the rest of the catalogue's sum. Bengio and Senécal, "Quick training of probabilistic neural
  /// nets by importance sampling", 2003, eq. 10; the labels are always there, so their logits take no correction.
  double sampled_loss_and_gradient(const ItemLossRef<Scalar>& loss, ConstMatrixRef<Scalar> vectors,
                                   ConstMatrixRef<Scalar> h, const ItemLabels& labels, Cache& cache,
                                   MatrixRef<Scalar> d_vectors, ItemHead& gradients, MatrixRef<Scalar> d_h) const {
    const SampledItems& sampled = *labels.sampled;
    const auto per_column = static_cast<Index>(labels.per_column);
    const Index negatives = sampled.negatives(), rows = negatives + per_column;
    const auto negative_vectors = vectors.leftCols(negatives);
    const Vector<Scalar> shift =
        bias.head(negatives) +
        Eigen::Map<const Eigen::VectorXf>(sampled.log_weights.data(), negatives).template cast<Scalar>();
    cache.vectors.pack(negative_vectors);
    cache.vectors_transposed.pack_transposed(negative_vectors);
    double sum = 0;
    for (Index begin = 0; begin < h.cols(); begin += tile) {
      const Index count = std::min(tile, h.cols() - begin);
      const ItemLabels part = labels.middle_columns(begin, count);
      const auto part_h = h.middleCols(begin, count);
      auto logits = cache.logits.resize(rows, count);
      // Row `negatives` + k of a column is its own k-th target; one that repeats another adds its weight to that one's.
      cache.own_rows.clear();
      cache.own_weights.assign(part.weights.begin(), part.weights.end());
      linalg::product(cache.vectors_transposed, part_h, logits.topRows(negatives));
      linalg::add_to_columns(shift, logits.topRows(negatives));
      for (Index column = 0; column < count; ++column) {
        const auto own = part.items_of(column);
        float* const weights = cache.own_weights.data() + column * per_column;
        for (std::size_t k = 0; k < own.size(); ++k) {
          cache.own_rows.push_back(static_cast<std::uint32_t>(negatives) + static_cast<std::uint32_t>(k));
          const auto first = static_cast<std::size_t>(std::find(own.begin(), own.end(), own[k]) - own.begin());
          if (weights[k] == 0 || first == k) continue;
          weights[first] += weights[k];
          weights[k] = 0;
        }
        for (std::size_t k = 0; k < own.size(); ++k)
          if (weights[k] != 0)
            logits(negatives + static_cast<Index>(k), column) =
                linalg::dot(vectors.col(own[k]), part_h.col(column)) + bias[own[k]];
      }
      cache.label_items.clear();
      for (const std::uint32_t column : part.items) cache.label_items.push_back(sampled.item_of_column[column]);
      const LogitLabels own_labels{part.per_column,   cache.own_rows,
                                   cache.own_weights, sampled.item_of_column.first(static_cast<std::size_t>(negatives)),
                                   cache.label_items, sampled.log_weights};
      leave_out(part, cache.own_weights, negatives, Scalar(-1e30), logits);
      sum += loss(logits, own_labels);
      leave_out(part, cache.own_weights, negatives, Scalar(0), logits);
      const auto d_negatives = logits.topRows(negatives);
      linalg::product(cache.vectors, d_negatives, d_h.middleCols(begin, count));
      linalg::add_product_transposed(part_h, d_negatives, d_vectors.leftCols(negatives));
      linalg::add_row_sums(d_negatives, gradients.bias.head(negatives));
      for (Index column = 0; column < count; ++column) {
        const auto own = part.items_of(column);
        for (std::size_t k = 0; k < own.size(); ++k) {
          const Scalar d = logits(negatives + static_cast<Index>(k), column);
          if (d == 0) continue;
          linalg::add_scaled(d, vectors.col(own[k]), d_h.col(begin + column));
          linalg::add_scaled(d, part_h.col(column), d_vectors.col(own[k]));
          gradients.bias[own[k]] += d;
        }
      }
    }
    return sum;
  }

  /// Sets what takes no part in a sampled loss: negatives that are excluded or labels, and the rows of missing
  /// labels.
  template <class Logits>
  static void leave_out(const ItemLabels& labels, const std::vector<float>& own_weights, Index negatives, Scalar value,
                        Logits& logits) {
    for (Index column = 0; column < logits.cols(); ++column) {
      Scalar* const z = logits.col(column).data();
      if (!labels.excluded.empty())
        for (const auto item : labels.excluded[static_cast<std::size_t>(column)]) {
          const std::uint32_t sampled_column = labels.sampled->column_of_item[item];
          if (sampled_column < negatives) z[sampled_column] = value;
        }
      const auto own = labels.items_of(column);
      for (std::size_t k = 0; k < own.size(); ++k) {
        if (own_weights[static_cast<std::size_t>(column) * own.size() + k] == 0)
          z[negatives + static_cast<Index>(k)] = value;
        else if (own[k] < negatives)
          z[own[k]] = value;
      }
    }
  }

  /// Sets the excluded entries of every column, the labels excepted.
  template <class Logits>
  static void exclude(const ItemLabels& labels, Logits& logits, Scalar value, std::vector<Scalar>& kept) {
    if (labels.excluded.empty()) return;
    for (Index column = 0; column < logits.cols(); ++column) {
      Scalar* z = logits.col(column).data();
      const auto items = labels.items_of(column);
      const auto weights = labels.weights_of(column);
      kept.clear();
      for (const auto item : items) kept.push_back(z[item]);
      for (const auto item : labels.excluded[static_cast<std::size_t>(column)]) z[item] = value;
      for (std::size_t k = 0; k < items.size(); ++k)
        if (weights[k] != 0) z[items[k]] = kept[k];
    }
  }
};

}  // namespace lstmrec

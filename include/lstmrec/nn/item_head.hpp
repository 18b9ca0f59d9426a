#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/buffer.hpp>
#include <lstmrec/core/products.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/nn/item_labels.hpp>
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
  static constexpr Index tile = 128;  ///< Columns of a tile, whose logits are in memory together.
  static constexpr std::size_t most_logits = std::size_t{128} << 20;  ///< Bytes.

  /// A part of a batch, borrowed.
  struct Part {
    ConstMatrixRef<Scalar> h;  ///< size × columns.
    ItemLabels labels;
    MatrixRef<Scalar> d_h;  ///< size × columns, overwritten.
  };

  /// Some columns of a part.
  struct Place {
    std::size_t part = 0;
    Index begin = 0, count = 0;
  };

  /// Columns whose logits are in memory.
  struct Tile {
    Place place;
    Buffer<Scalar> logits;  ///< rows × columns.
  };

  /// Some of a tile's columns, worked on by one thread.
  struct Piece {
    double loss = 0;
    std::vector<Scalar> kept;                ///< Scratch, the logits of a column's labels.
    std::vector<std::uint32_t> own_rows;     ///< Rows of the labels, where negatives are sampled.
    std::vector<float> own_weights;          ///< Their weights.
    std::vector<std::uint32_t> label_items;  ///< Their items in the catalogue.
  };

  struct Cache {
    PackedMatrix<Scalar> vectors, vectors_transposed;  ///< V and Vᵀ, packed once for all tiles.
    Vector<Scalar> shift;                              ///< What is added to the rows that all columns share.
    std::vector<Place> places;                         ///< Of all tiles, in the order in which they are worked on.
    std::vector<Tile> tiles;
    std::vector<Piece> pieces;
  };

  Vector<Scalar> bias;  ///< b, items.

  ItemHead() = default;
  explicit ItemHead(Index items) : bias(linalg::filled<Vector<Scalar>>(items, 1)) {}

  Index items() const { return bias.rows(); }

  /// How many tiles of so many rows are in memory at once: two a thread, but no more than `most_logits` or one.
  static std::size_t tiles_at_once(Index rows, std::size_t threads) {
    const std::size_t room = most_logits / (static_cast<std::size_t>(std::max<Index>(1, rows) * tile) * sizeof(Scalar));
    return threads == 1 ? 1 : std::clamp<std::size_t>(room, 1, 2 * threads);
  }

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
  /// Returns the loss. Adds to d_vectors (size × items) and `gradients`, overwrites d_h of every part. Excluded items
  /// take no part in the loss, unless they are labels.
  ///
  /// The threads of the pool share the columns of some tiles, and then the items' gradients, each of which is a sum
  /// over tiles in their order: so their number changes no bit. Memory: the logits of two tiles a thread, but no more
  /// than `most_logits` or one tile.
  ///
  /// With sampled negatives the loss is over a column's own labels and the negatives, which all columns share:
  ///
  ///     Z = Σ over labels exp(zᵢ) + Σ over negatives (countⱼ / (n qⱼ)) exp(zⱼ)
  ///
  /// with the n draws from q, of which j is countⱼ, labels and excluded items left out of the second sum: its mean
  /// over the draws is the rest of the catalogue's sum. Bengio and Senécal, "Quick training of probabilistic neural
  /// nets by importance sampling", 2003, eq. 10; the labels are always there, so their logits take no correction.
  double loss_and_gradient(const ItemLossRef<Scalar>& loss, ConstMatrixRef<Scalar> vectors, std::span<const Part> parts,
                           Cache& cache, MatrixRef<Scalar> d_vectors, ItemHead& gradients, ThreadPool& pool) const {
    if (parts.empty()) return 0;
    const SampledItems* const sampled = parts.front().labels.sampled;
    const Index shared = sampled ? sampled->negatives() : items();
    const Index rows = shared + (sampled ? static_cast<Index>(parts.front().labels.per_column) : 0);
    const Index touched = sampled ? static_cast<Index>(sampled->item_of_column.size()) : items();
    pool.run(2, [&](std::size_t transposed) {
      if (transposed == 0)
        cache.vectors.pack(vectors.leftCols(shared));
      else
        cache.vectors_transposed.pack_transposed(vectors.leftCols(shared));
    });
    cache.shift = bias.head(shared);
    if (sampled)
      cache.shift += Eigen::Map<const Eigen::VectorXf>(sampled->log_weights.data(), shared).template cast<Scalar>();

    const std::size_t threads = pool.threads();
    const std::size_t at_once = tiles_at_once(rows, threads);
    const Index piece = at_once < threads ? chunk : tile;
    const auto pieces = static_cast<std::size_t>(tile / piece);
    const std::size_t ranges = threads == 1 ? 1 : std::min<std::size_t>(2 * threads, (touched + 63) / 64);
    cache.tiles.resize(at_once);
    cache.pieces.resize(at_once * pieces);
    // Whole tiles first, so that those that are worked on at once are of one size.
    cache.places.clear();
    for (const bool whole : {true, false})
      for (std::size_t part = 0; part < parts.size(); ++part)
        for (Index begin = 0, columns = parts[part].h.cols(); begin < columns; begin += tile)
          if ((begin + tile <= columns) == whole)
            cache.places.push_back({part, begin, std::min(tile, columns - begin)});
    double sum = 0;
    for (std::size_t done = 0, count = 0; done < cache.places.size(); done += count) {
      count = std::min(at_once, cache.places.size() - done);
      for (std::size_t k = 0; k < count; ++k) {
        cache.tiles[k].place = cache.places[done + k];
        cache.tiles[k].logits.resize(rows, cache.tiles[k].place.count);
      }
      pool.run(count * pieces, [&](std::size_t k) {
        Tile& whole = cache.tiles[k / pieces];
        const Index first = static_cast<Index>(k % pieces) * piece;
        cache.pieces[k].loss = 0;
        if (first < whole.place.count)
          run_piece(loss, vectors, parts[whole.place.part], whole, first, std::min(piece, whole.place.count - first),
                    cache, cache.pieces[k]);
      });
      for (std::size_t k = 0; k < count; ++k) {  // tile by tile, so that the pieces change no bit of the sum
        double of_tile = 0;
        for (std::size_t p = 0; p < pieces; ++p) of_tile += cache.pieces[k * pieces + p].loss;
        sum += of_tile;
      }
      pool.run(ranges, [&](std::size_t range) {
        // No range holds the last of the shared rows alone: the product of a single row adds in another order.
        const auto end_of = [&](std::size_t r) {
          const Index end = touched * static_cast<Index>(r) / static_cast<Index>(ranges);
          return end == shared - 1 && shared > 1 ? shared : end;
        };
        for (std::size_t k = 0; k < count; ++k)
          add_item_gradients(parts[cache.tiles[k].place.part], cache.tiles[k], shared, end_of(range), end_of(range + 1),
                             d_vectors, gradients);
      });
    }
    return sum;
  }

  /// The loss and gradients of one part, on the calling thread.
  double loss_and_gradient(const ItemLossRef<Scalar>& loss, ConstMatrixRef<Scalar> vectors, ConstMatrixRef<Scalar> h,
                           const ItemLabels& labels, Cache& cache, MatrixRef<Scalar> d_vectors, ItemHead& gradients,
                           MatrixRef<Scalar> d_h) const {
    assert(static_cast<std::size_t>(h.cols()) == labels.columns() && vectors.cols() == items());
    const Part part{h, labels, d_h};
    ThreadPool one(1);
    return loss_and_gradient(loss, vectors, {&part, 1}, cache, d_vectors, gradients, one);
  }

 private:
  static constexpr Index chunk = 32;  ///< Columns that the loss is given at once.

  /// Turns the logits of a tile's columns first … first + count − 1 into their gradients, and sets d_h.
  void run_piece(const ItemLossRef<Scalar>& loss, ConstMatrixRef<Scalar> vectors, const Part& part, Tile& whole,
                 Index first, Index count, const Cache& cache, Piece& piece) const {
    const SampledItems* const sampled = part.labels.sampled;
    const Index shared = cache.shift.size();
    const auto all = whole.logits.view().middleCols(first, count);
    const auto h = part.h.middleCols(whole.place.begin + first, count);
    auto d_h = part.d_h.middleCols(whole.place.begin + first, count);
    linalg::product(cache.vectors_transposed, h, all.topRows(shared));
    linalg::add_to_columns(cache.shift, all.topRows(shared));
    for (Index begin = 0; begin < count; begin += chunk) {
      const Index columns = std::min(chunk, count - begin);
      const ItemLabels labels = part.labels.middle_columns(whole.place.begin + first + begin, columns);
      auto logits = all.middleCols(begin, columns);
      if (sampled) {
        const LogitLabels own = score_own_labels(vectors, h.middleCols(begin, columns), labels, shared, logits, piece);
        leave_out(labels, piece.own_weights, shared, Scalar(-1e30), logits);  // finite, so that no loss meets ∞ − ∞
        piece.loss += loss(logits, own);
        leave_out(labels, piece.own_weights, shared, Scalar(0), logits);
      } else {
        exclude(labels, logits, Scalar(-1e30), piece.kept);
        piece.loss += loss(logits, {labels.per_column, labels.items, labels.weights, {}, {}, {}});
        exclude(labels, logits, Scalar(0), piece.kept);
      }
    }
    // z = Vᵀ h + b
    linalg::product(cache.vectors, all.topRows(shared), d_h);
    if (!sampled) return;
    const ItemLabels labels = part.labels.middle_columns(whole.place.begin + first, count);
    for (Index column = 0; column < count; ++column) {
      const auto own = labels.items_of(column);
      for (std::size_t k = 0; k < own.size(); ++k)
        if (const Scalar d = all(shared + static_cast<Index>(k), column); d != 0)
          linalg::add_scaled(d, vectors.col(own[k]), d_h.col(column));
    }
  }

  /// Sets the logits of the columns' own labels, which are the rows from `negatives` on, and returns what the loss is
  /// told of all rows. A label that repeats another adds its weight to that one's.
  LogitLabels score_own_labels(ConstMatrixRef<Scalar> vectors, ConstMatrixRef<Scalar> h, const ItemLabels& labels,
                               Index negatives, MatrixRef<Scalar> logits, Piece& piece) const {
    const SampledItems& sampled = *labels.sampled;
    piece.own_rows.clear();
    piece.label_items.clear();
    piece.own_weights.assign(labels.weights.begin(), labels.weights.end());
    for (Index column = 0; column < logits.cols(); ++column) {
      const auto own = labels.items_of(column);
      float* const weights = piece.own_weights.data() + static_cast<std::size_t>(column) * labels.per_column;
      for (std::size_t k = 0; k < own.size(); ++k) {
        piece.own_rows.push_back(static_cast<std::uint32_t>(negatives) + static_cast<std::uint32_t>(k));
        piece.label_items.push_back(sampled.item_of_column[own[k]]);
        const auto first = static_cast<std::size_t>(std::find(own.begin(), own.end(), own[k]) - own.begin());
        if (weights[k] == 0 || first == k) continue;
        weights[first] += weights[k];
        weights[k] = 0;
      }
      for (std::size_t k = 0; k < own.size(); ++k)
        if (weights[k] != 0)
          logits(negatives + static_cast<Index>(k), column) =
              linalg::dot(vectors.col(own[k]), h.col(column)) + bias[own[k]];
    }
    return {labels.per_column, piece.own_rows,
            piece.own_weights, sampled.item_of_column.first(static_cast<std::size_t>(negatives)),
            piece.label_items, sampled.log_weights};
  }

  /// Adds what a tile says of the vectors and biases first … end − 1.
  void add_item_gradients(const Part& part, Tile& whole, Index shared, Index first, Index end,
                          MatrixRef<Scalar> d_vectors, ItemHead& gradients) const {
    const auto d_logits = whole.logits.view();
    const auto h = part.h.middleCols(whole.place.begin, whole.place.count);
    if (const Index count = std::min(shared, end) - first; count > 0) {
      linalg::add_product_transposed(h, d_logits.middleRows(first, count), d_vectors.middleCols(first, count));
      linalg::add_row_sums(d_logits.middleRows(first, count),
                           MatrixRef<Scalar>(gradients.bias).middleRows(first, count));
    }
    if (!part.labels.sampled) return;
    const ItemLabels labels = part.labels.middle_columns(whole.place.begin, whole.place.count);
    for (Index column = 0; column < whole.place.count; ++column) {
      const auto own = labels.items_of(column);
      for (std::size_t k = 0; k < own.size(); ++k) {
        if (own[k] < first || own[k] >= end) continue;
        const Scalar d = d_logits(shared + static_cast<Index>(k), column);
        if (d == 0) continue;
        linalg::add_scaled(d, h.col(column), d_vectors.col(own[k]));
        gradients.bias[own[k]] += d;
      }
    }
  }

  /// Sets what takes no part in a sampled loss: negatives that are excluded or labels, and the rows of missing
  /// labels.
  template <class Logits>
  static void leave_out(const ItemLabels& labels, const std::vector<float>& own_weights, Index negatives, Scalar value,
                        Logits& logits) {
    for (Index column = 0; column < logits.cols(); ++column) {
      Scalar* const z = logits.col(column).data();
      if (!labels.excluded.empty())
        for (const auto row : labels.excluded[static_cast<std::size_t>(column)]) z[row] = value;
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

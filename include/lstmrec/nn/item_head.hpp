#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/buffer.hpp>
#include <lstmrec/core/feature_rows.hpp>
#include <lstmrec/core/products.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/nn/excluded_logits.hpp>
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
    double loss = 0;
  };

  /// Columns whose logits are in memory.
  struct Tile {
    Place* place = nullptr;
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
    Buffer<Scalar> odd_d_vectors, odd_d_bias;  ///< What the parts of odd numbers add to the gradients of V and b.
  };

  Vector<Scalar> bias;     ///< b, items.
  Vector<Scalar> content;  ///< w, features; empty where none are used. As in ItemVectors, b = β + wᵀ c.

  ItemHead() = default;
  explicit ItemHead(Index items, Index features = 0)
      : bias(linalg::filled<Vector<Scalar>>(items, 1)),
        content(linalg::filled<Vector<Scalar>>(std::max<Index>(0, features), 1)) {}

  Index items() const { return bias.rows(); }

  /// How many sums the items' gradients of so many parts are taken to: those of even and of odd parts apart, where two
  /// tiles of so many rows have room in `most_logits`.
  static std::size_t sums_of(Index rows, std::size_t parts) {
    return std::min({parts, std::size_t{2}, room_for(rows)});
  }

  /// How many tiles of so many rows are in memory at once: one a thread where each thread has a sum of its own, else
  /// two a thread, but no more than `most_logits` or one.
  static std::size_t tiles_at_once(Index rows, std::size_t parts, std::size_t threads) {
    return threads <= sums_of(rows, parts) ? threads : std::min(room_for(rows), 2 * threads);
  }

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... heads) {
    visitor("bias", ParameterKind::item_bias, heads.bias...);
    visitor("content", ParameterKind::feature_bias, heads.content...);
  }

  Index features() const { return content.rows(); }

  /// wᵀ c, what the features alone say.
  Scalar content_bias(const FeatureRows::Row& row) const {
    Scalar sum = 0;
    for (std::size_t k = 0; k < row.size(); ++k) sum += static_cast<Scalar>(row.values[k]) * content(row.features[k]);
    return sum;
  }

  /// b := β + sign · wᵀ c: see ItemVectors.
  void add_content(const FeatureRows& rows, std::span<const std::uint32_t> items, ThreadPool&, Scalar sign = 1) {
    const std::size_t columns = items.empty() ? rows.rows() : items.size();
    for (std::size_t column = 0; column < columns; ++column)
      bias(static_cast<Index>(column)) += sign * content_bias(rows[items.empty() ? column : items[column]]);
  }
  void add_content_gradient(const FeatureRows& rows, std::span<const std::uint32_t> items, ThreadPool&) {
    const std::size_t columns = items.empty() ? rows.rows() : items.size();
    for (std::size_t column = 0; column < columns; ++column) {
      const auto row = rows[items.empty() ? column : items[column]];
      for (std::size_t k = 0; k < row.size(); ++k)
        content(row.features[k]) += static_cast<Scalar>(row.values[k]) * bias(static_cast<Index>(column));
    }
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
  /// Each of two threads takes the tiles of its own half of the parts all the way, so that their logits stay in its
  /// processor's cache. More threads share the columns of some tiles, and then the items. The items' gradients are sums
  /// over tiles in their order either way, so the number of threads changes no bit. Memory: the logits of two tiles a
  /// thread, but no more than `most_logits` or one tile, and a second gradient of the items (see `sums_of`).
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

    // Whole tiles first, so that those that are worked on at once are of one size.
    cache.places.clear();
    for (const bool whole : {true, false})
      for (std::size_t part = 0; part < parts.size(); ++part)
        for (Index begin = 0, columns = parts[part].h.cols(); begin < columns; begin += tile)
          if ((begin + tile <= columns) == whole)
            cache.places.push_back({part, begin, std::min(tile, columns - begin)});
    cache.tiles.resize(tiles_at_once(rows, parts.size(), pool.threads()));

    const std::size_t sums = sums_of(rows, parts.size());
    const auto odd_d_vectors = cache.odd_d_vectors.resize(d_vectors.rows(), sums > 1 ? touched : 0);
    const auto odd_d_bias = cache.odd_d_bias.resize(sums > 1 ? touched : 0, 1);
    const MatrixRef<Scalar> d_bias(gradients.bias);
    const auto set_tile = [&](Tile& whole, Place& place) {
      whole.place = &place;
      whole.logits.resize(rows, place.count);
    };
    const std::size_t ranges =
        pool.threads() == 1 ? 1 : std::min(2 * pool.threads(), static_cast<std::size_t>(touched + 63) / 64);
    const auto for_each_range = [&](auto&& task) {
      pool.run(ranges, [&](std::size_t range) {
        // No range holds the last of the shared rows alone: the product of a single row adds in another order.
        const auto end_of = [&](std::size_t r) {
          const Index end = touched * static_cast<Index>(r) / static_cast<Index>(ranges);
          return end == shared - 1 && shared > 1 ? shared : end;
        };
        task(end_of(range), end_of(range + 1));
      });
    };
    const auto add_gradients_of = [&](Tile& whole, Index first, Index end) {
      const bool is_odd = whole.place->part % sums == 1;
      add_item_gradients(parts[whole.place->part], whole, shared, first, end, is_odd ? odd_d_vectors : d_vectors,
                         is_odd ? odd_d_bias : d_bias);
    };
    if (sums > 1)
      for_each_range([&](Index first, Index end) {
        linalg::set_zero(odd_d_vectors.middleCols(first, end - first));
        linalg::set_zero(odd_d_bias.middleRows(first, end - first));
      });
    if (pool.threads() <= sums) {
      cache.pieces.resize(sums);
      pool.run(sums, [&](std::size_t sum) {
        Tile& whole = cache.tiles[sum % cache.tiles.size()];
        for (Place& place : cache.places) {
          if (place.part % sums != sum) continue;
          set_tile(whole, place);
          place.loss = run_piece(loss, vectors, parts[place.part], whole, 0, place.count, cache, cache.pieces[sum]);
          add_gradients_of(whole, 0, touched);
        }
      });
    } else {
      const Index piece = cache.tiles.size() < pool.threads() ? chunk : tile;
      const auto pieces = static_cast<std::size_t>(tile / piece);
      cache.pieces.resize(cache.tiles.size() * pieces);
      for (std::size_t done = 0, count = 0; done < cache.places.size(); done += count) {
        count = std::min(cache.tiles.size(), cache.places.size() - done);
        for (std::size_t k = 0; k < count; ++k) set_tile(cache.tiles[k], cache.places[done + k]);
        pool.run(count * pieces, [&](std::size_t k) {
          Tile& whole = cache.tiles[k / pieces];
          const Place& place = *whole.place;
          const Index first = static_cast<Index>(k % pieces) * piece;
          Piece& own = cache.pieces[k];
          own.loss = first >= place.count ? 0
                                          : run_piece(loss, vectors, parts[place.part], whole, first,
                                                      std::min(piece, place.count - first), cache, own);
        });
        for (std::size_t k = 0; k < count * pieces; ++k) cache.tiles[k / pieces].place->loss += cache.pieces[k].loss;
        for_each_range([&](Index first, Index end) {
          for (std::size_t k = 0; k < count; ++k) add_gradients_of(cache.tiles[k], first, end);
        });
      }
    }
    if (sums > 1)
      for_each_range([&](Index first, Index end) {
        linalg::add(odd_d_vectors.middleCols(first, end - first), d_vectors.middleCols(first, end - first));
        linalg::add(odd_d_bias.middleRows(first, end - first), d_bias.middleRows(first, end - first));
      });
    double sum = 0;
    for (const Place& place : cache.places) sum += place.loss;
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

  /// How many tiles of so many rows have room in `most_logits`, at least 1.
  static std::size_t room_for(Index rows) {
    return std::max<std::size_t>(
        1, most_logits / (static_cast<std::size_t>(std::max<Index>(1, rows) * tile) * sizeof(Scalar)));
  }

  /// Turns the logits of a tile's columns first … first + count − 1 into their gradients, and sets d_h. Returns the
  /// loss.
  double run_piece(const ItemLossRef<Scalar>& loss, ConstMatrixRef<Scalar> vectors, const Part& part, Tile& whole,
                   Index first, Index count, const Cache& cache, Piece& piece) const {
    const SampledItems* const sampled = part.labels.sampled;
    const Index shared = cache.shift.size();
    const auto all = whole.logits.view().middleCols(first, count);
    const auto h = part.h.middleCols(whole.place->begin + first, count);
    auto d_h = part.d_h.middleCols(whole.place->begin + first, count);
    double sum = 0;
    linalg::product(cache.vectors_transposed, h, all.topRows(shared));
    linalg::add_to_columns(cache.shift, all.topRows(shared));
    for (Index begin = 0; begin < count; begin += chunk) {
      const Index columns = std::min(chunk, count - begin);
      const ItemLabels labels = part.labels.middle_columns(whole.place->begin + first + begin, columns);
      auto logits = all.middleCols(begin, columns);
      if (sampled) {
        const LogitLabels own = score_own_labels(vectors, h.middleCols(begin, columns), labels, shared, logits, piece);
        detail::leave_out(labels, piece.own_weights, shared, Scalar(-1e30),
                          logits);  // finite, so that no loss meets ∞ − ∞
        sum += loss(logits, own);
        detail::leave_out(labels, piece.own_weights, shared, Scalar(0), logits);
      } else {
        detail::exclude(labels, logits, Scalar(-1e30), piece.kept);
        sum += loss(logits, {labels.per_column, labels.items, labels.weights, {}, {}, {}});
        detail::exclude(labels, logits, Scalar(0), piece.kept);
      }
    }
    // z = Vᵀ h + b
    linalg::product(cache.vectors, all.topRows(shared), d_h);
    if (!sampled) return sum;
    const ItemLabels labels = part.labels.middle_columns(whole.place->begin + first, count);
    for (Index column = 0; column < count; ++column) {
      const auto own = labels.items_of(column);
      for (std::size_t k = 0; k < own.size(); ++k)
        if (const Scalar d = all(shared + static_cast<Index>(k), column); d != 0)
          linalg::add_scaled(d, vectors.col(own[k]), d_h.col(column));
    }
    return sum;
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
                          MatrixRef<Scalar> d_vectors, MatrixRef<Scalar> d_bias) const {
    const auto d_logits = whole.logits.view();
    const auto h = part.h.middleCols(whole.place->begin, whole.place->count);
    if (const Index count = std::min(shared, end) - first; count > 0) {
      linalg::add_product_transposed(h, d_logits.middleRows(first, count), d_vectors.middleCols(first, count));
      linalg::add_row_sums(d_logits.middleRows(first, count), d_bias.middleRows(first, count));
    }
    if (!part.labels.sampled) return;
    const ItemLabels labels = part.labels.middle_columns(whole.place->begin, whole.place->count);
    for (Index column = 0; column < whole.place->count; ++column) {
      const auto own = labels.items_of(column);
      for (std::size_t k = 0; k < own.size(); ++k) {
        if (own[k] < first || own[k] >= end) continue;
        const Scalar d = d_logits(shared + static_cast<Index>(k), column);
        if (d == 0) continue;
        linalg::add_scaled(d, h.col(column), d_vectors.col(own[k]));
        d_bias(own[k], 0) += d;
      }
    }
  }
};

}  // namespace lstmrec

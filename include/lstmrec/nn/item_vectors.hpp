#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/feature_rows.hpp>
#include <lstmrec/core/products.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/nn/embedding.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <span>

namespace lstmrec {

/// The vectors of items, of which a part may be made of what is known of them (categories, words of the title):
///
///     e = δ + W c           δ: the item's own part; c: its features, few of which are not 0; W: a vector a feature
///
/// An item without any event so has a vector all the same, and rare items lean on what they share with others. Training
/// changes δ and W, and works with the sums: `table` holds δ between steps, and e during one and ever after training
/// (`add_content`). Without features this is an Embedding.
///
/// Vasile, Smirnova, Conneau, "Meta-Prod2Vec", 2016; Kula, "Metadata embeddings for user and item cold-start
/// recommendations" (LightFM), 2015, section 3.
template <class Scalar_ = float>
struct ItemVectors : Embedding<Scalar_, ParameterKind::item_embedding> {
  using Base = Embedding<Scalar_, ParameterKind::item_embedding>;
  using Scalar = Scalar_;
  Matrix<Scalar> content;  ///< W, size × features; empty where no features are used.

  ItemVectors() = default;
  /// `features`: 0 or less: none.
  ItemVectors(Index count, Index size, Index features)
      : Base(count, size),
        content(linalg::filled<Matrix<Scalar>>(features > 0 ? size : 0, std::max<Index>(0, features))) {}

  Index features() const { return content.cols(); }

  /// Normal with the given standard deviation.
  void initialise(Random& random, double deviation) {
    Base::initialise(random, deviation);
    fill_normal(content, deviation, random);
  }

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... layers) {
    Base::visit(visitor, layers...);
    visitor("content", ParameterKind::feature_embedding, layers.content...);
  }

  /// vector := W c, what the features alone say.
  void content_vector(const FeatureRows::Row& row, MatrixRef<Scalar> vector) const {
    linalg::set_zero(vector);
    add(row, Scalar(1), vector);
  }

  /// e := δ + W c for the columns of the table, which hold δ of the items `items` (empty: of all, in order). `sign`: −1
  /// takes it back. `rows`: a row an item. Cost: an addition of a vector for each entry.
  void add_content(const FeatureRows& rows, std::span<const std::uint32_t> items, ThreadPool& pool, Scalar sign = 1) {
    const std::size_t columns = items.empty() ? rows.rows() : items.size();
    assert(static_cast<Index>(columns) <= this->count());
    pool.run_ranges(columns, [&](std::size_t column) {
      add(rows[items.empty() ? column : items[column]], sign,
          MatrixRef<Scalar>(this->table).col(static_cast<Index>(column)));
    });
  }

  /// After a pass with e: adds to `content`, the gradient of W, what the table, that of e, gives. That of δ is that of
  /// e. The threads share the numbers of each vector, so their number changes no bit.
  void add_content_gradient(const FeatureRows& rows, std::span<const std::uint32_t> items, ThreadPool& pool) {
    const std::size_t columns = items.empty() ? rows.rows() : items.size();
    const Index size = content.rows(), ranges = std::min<Index>(static_cast<Index>(pool.threads()), size);
    pool.run(static_cast<std::size_t>(ranges), [&](std::size_t range) {
      const Index first = size * static_cast<Index>(range) / ranges;
      const Index own = size * static_cast<Index>(range + 1) / ranges - first;
      const auto to = MatrixRef<Scalar>(content).middleRows(first, own);
      const auto from = ConstMatrixRef<Scalar>(this->table).middleRows(first, own);
      for (std::size_t column = 0; column < columns; ++column) {
        const auto row = rows[items.empty() ? column : items[column]];
        for (std::size_t k = 0; k < row.size(); ++k)
          linalg::add_scaled(static_cast<Scalar>(row.values[k]), from.col(static_cast<Index>(column)),
                             to.col(row.features[k]));
      }
    });
  }

 private:
  void add(const FeatureRows::Row& row, Scalar sign, MatrixRef<Scalar> vector) const {
    for (std::size_t k = 0; k < row.size(); ++k) {
      assert(row.features[k] < static_cast<std::uint32_t>(features()));
      linalg::add_scaled(sign * static_cast<Scalar>(row.values[k]),
                         ConstMatrixRef<Scalar>(content).col(row.features[k]), vector);
    }
  }
};

}  // namespace lstmrec

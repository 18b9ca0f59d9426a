#pragma once

#include <cstdint>
#include <lstmrec/data/event.hpp>
#include <lstmrec/next_item/config.hpp>
#include <lstmrec/nn/dropout.hpp>
#include <lstmrec/nn/item_vectors.hpp>
#include <lstmrec/nn/layer_norm.hpp>
#include <span>

namespace lstmrec {

/// Embeds an event by its item: x = dropout(norm(E eᵢ)), without the norm where blocks are plain.
///
/// An input of one's own has these members, but for backward_to_vectors. It is given whole events, so it may read their
/// times and ratings too; it then says `sees_items_only = false`; such a network is trained and evaluated, but a
/// Ranker, which is told of items only, does not take it.
template <class Scalar_ = float>
struct ItemInput {
  using Scalar = Scalar_;
  static constexpr double vector_deviation = 0.02;  ///< Standard deviation of the item vectors at the start.
  static constexpr bool sees_items_only = true;     ///< Whether events of one item are embedded alike.

  struct Cache {
    typename LayerNorm<Scalar>::Cache norm;
  };

  ItemVectors<Scalar> item_vectors;  ///< E, embedding size × items.
  LayerNorm<Scalar> norm;            ///< Empty where blocks are plain.
  Dropout dropout;

  ItemInput() = default;
  ItemInput(Index items, const RecommenderConfig& config)
      : item_vectors(items, config.embedding_size, config.item_features),
        norm(config.block == BlockKind::plain ? 0 : config.embedding_size),
        dropout{config.dropout, ~std::uint64_t{0}} {}

  Index size() const { return item_vectors.size(); }

  void initialise(Random& random) { item_vectors.initialise(random, vector_deviation); }

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... inputs) {
    visit_member(visitor, "item_vectors", inputs.item_vectors...);
    visit_member(visitor, "input_norm", inputs.norm...);
  }

  /// x (size × events) := the embedded events, as training has them. `dropout_seeds`: one an event.
  void forward(const History& events, std::span<const std::uint64_t> dropout_seeds, Cache& cache,
               MatrixRef<Scalar> x) const {
    item_vectors.forward(events.items, x);
    if (norm.size() > 0) norm.forward(x, cache.norm);
    dropout.apply(dropout_seeds, x);
  }

  /// Adds to `gradients`, but for the item vectors, whose gradients d_x (size × events) then holds, a column an event.
  /// An input of one's own has `backward(events, dropout_seeds, cache, d_x, gradients)` instead, which adds all.
  void backward_to_vectors(std::span<const std::uint64_t> dropout_seeds, const Cache& cache, MatrixRef<Scalar> d_x,
                           ItemInput& gradients) const {
    dropout.apply(dropout_seeds, d_x);
    if (norm.size() > 0) norm.backward(cache.norm, gradients.norm, d_x);
  }

  /// x (size × events) := the embedded events, as a trained network has them.
  void embed(const History& events, MatrixRef<Scalar> x) const {
    item_vectors.forward(events.items, x);
    normalise(x);
  }

  /// The part of `embed` behind the table, in place.
  void normalise(MatrixRef<Scalar> x) const {
    if (norm.size() > 0) norm.apply(x);
  }
};

}  // namespace lstmrec

#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/products.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/event_context.hpp>
#include <lstmrec/next_item/config.hpp>
#include <lstmrec/nn/dropout.hpp>
#include <lstmrec/nn/embedding.hpp>
#include <lstmrec/nn/item_vectors.hpp>
#include <lstmrec/nn/layer_norm.hpp>
#include <span>

namespace lstmrec {

/// Embeds an event by its item, and by what else its network reads of it (ContextInputs):
///
///     x = dropout(norm(E eᵢ + Σ C cₖ))       over the codes k of the event, without the norm where blocks are plain
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
  Embedding<Scalar> context;         ///< C, embedding size × codes; empty where only items are read.
  LayerNorm<Scalar> norm;            ///< Empty where blocks are plain.
  Dropout dropout;

  ItemInput() = default;
  ItemInput(Index items, const RecommenderConfig& config)
      : item_vectors(items, config.embedding_size, config.item_features),
        context(static_cast<Index>(EventContext::codes(config.context_inputs())),
                config.context_inputs().count() > 0 ? config.embedding_size : 0),
        norm(config.block == BlockKind::plain ? 0 : config.embedding_size),
        dropout{config.dropout, ~std::uint64_t{0}} {}

  Index size() const { return item_vectors.size(); }

  void initialise(Random& random) { item_vectors.initialise(random, vector_deviation); }

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... inputs) {
    visit_member(visitor, "item_vectors", inputs.item_vectors...);
    visit_member(visitor, "context", inputs.context...);
    visit_member(visitor, "input_norm", inputs.norm...);
  }

  /// x (size × events) := the embedded events, as training has them. `dropout_seeds`: one an event.
  void forward(const History& events, std::span<const std::uint64_t> dropout_seeds, Cache& cache,
               MatrixRef<Scalar> x) const {
    item_vectors.forward(events.items, x);
    add_context(events, x);
    if (norm.size() > 0) norm.forward(x, cache.norm);
    dropout.apply(dropout_seeds, x);
  }

  /// Adds to `gradients`, but for the item vectors, whose gradients d_x (size × events) then holds, a column an event.
  /// An input of one's own has `backward(events, dropout_seeds, cache, d_x, gradients)` instead, which adds all.
  void backward_to_vectors(const History& events, std::span<const std::uint64_t> dropout_seeds, const Cache& cache,
                           MatrixRef<Scalar> d_x, ItemInput& gradients) const {
    dropout.apply(dropout_seeds, d_x);
    if (norm.size() > 0) norm.backward(cache.norm, gradients.norm, d_x);
    for_each_code(events, [&](std::uint32_t code, Index event) {
      linalg::add(ConstMatrixRef<Scalar>(d_x).col(event), MatrixRef<Scalar>(gradients.context.table).col(code));
    });
  }

  /// x (size × events) := the embedded events, as a trained network has them.
  void embed(const History& events, MatrixRef<Scalar> x) const {
    item_vectors.forward(events.items, x);
    add_context(events, x);
    normalise(x);
  }

  /// The part of `embed` behind the tables, in place.
  void normalise(MatrixRef<Scalar> x) const {
    if (norm.size() > 0) norm.apply(x);
  }

 private:
  /// Calls visit(code, number of the event) for every code of the events.
  template <class Visit>
  void for_each_code(const History& events, Visit&& visit) const {
    if (events.context.empty() || context.count() == 0) return;
    const std::size_t codes = events.context.size() / events.size();
    for (std::size_t k = 0; k < events.context.size(); ++k) {
      assert(events.context[k] < static_cast<std::uint32_t>(context.count()));
      visit(events.context[k], static_cast<Index>(k / codes));
    }
  }

  void add_context(const History& events, MatrixRef<Scalar> x) const {
    for_each_code(events, [&](std::uint32_t code, Index event) {
      linalg::add(ConstMatrixRef<Scalar>(context.table).col(code), x.col(event));
    });
  }
};

}  // namespace lstmrec

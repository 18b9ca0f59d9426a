#pragma once

#include <lstmrec/nn/dense.hpp>
#include <lstmrec/nn/embedding.hpp>
#include <lstmrec/nn/item_head.hpp>
#include <lstmrec/nn/parameters.hpp>

/// The parameters of a small network: tables of items, and what does not depend on items.
template <class Scalar_>
struct ItemTables {
  using Scalar = Scalar_;
  lstmrec::Embedding<Scalar, lstmrec::ParameterKind::item_embedding> vectors;
  lstmrec::Dense<Scalar> dense;
  lstmrec::ItemHead<Scalar> head;

  ItemTables() = default;
  ItemTables(lstmrec::Index items, lstmrec::Index size) : vectors(items, size), dense(size, size), head(items) {}

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... layers) {
    lstmrec::visit_member(visitor, "vectors", layers.vectors...);
    lstmrec::visit_member(visitor, "dense", layers.dense...);
    lstmrec::visit_member(visitor, "head", layers.head...);
  }
};

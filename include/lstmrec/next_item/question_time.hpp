#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/buffer.hpp>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/products.hpp>
#include <lstmrec/data/event_context.hpp>
#include <lstmrec/nn/embedding.hpp>
#include <span>

namespace lstmrec {

/// Adapts what a network makes of a history to the time at which a list is asked for:
///
///     h' = h ⊙ (1 + Σ gₖ) + Σ sₖ       over the codes k of that time (EventContext::write_question)
///
/// g and s start at 0, so that h' = h. Beutel and others, "Latent cross: making use of context in recurrent recommender
/// systems", 2018, section 4.3, which has the first term.
template <class Scalar_ = float>
struct QuestionTime {
  using Scalar = Scalar_;
  Embedding<Scalar> gates, shifts;  ///< g and s, size × codes; empty in networks that don't take the time.

  QuestionTime() = default;
  explicit QuestionTime(Index size)
      : gates(static_cast<Index>(EventContext::question_codes), size),
        shifts(static_cast<Index>(EventContext::question_codes), size) {}

  bool is_used() const { return gates.count() > 0; }

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... layers) {
    visit_member(visitor, "gates", layers.gates...);
    visit_member(visitor, "shifts", layers.shifts...);
  }

  /// h (size × columns) := h'. `codes`: EventContext::codes_of_question a column. Allocates nothing.
  void apply(std::span<const std::uint32_t> codes, MatrixRef<Scalar> h) const {
    assert(codes.size() == EventContext::codes_of_question * static_cast<std::size_t>(h.cols()));
    for (Index column = 0; column < h.cols(); ++column)
      for (Index row = 0; row < h.rows(); ++row) {
        Scalar gate = 1, shift = 0;
        for (const std::uint32_t code : codes_of(codes, column)) {
          gate += gates.table(row, code);
          shift += shifts.table(row, code);
        }
        h(row, column) = h(row, column) * gate + shift;
      }
  }

  /// d_h := the gradient of h from that of h'; adds to `gradients`. `before`: h.
  void backward(std::span<const std::uint32_t> codes, ConstMatrixRef<Scalar> before, QuestionTime& gradients,
                MatrixRef<Scalar> d_h) const {
    for (Index column = 0; column < d_h.cols(); ++column)
      for (Index row = 0; row < d_h.rows(); ++row) {
        Scalar gate = 1;
        const Scalar d = d_h(row, column);
        for (const std::uint32_t code : codes_of(codes, column)) {
          gate += gates.table(row, code);
          gradients.shifts.table(row, code) += d;
          gradients.gates.table(row, code) += d * before(row, column);
        }
        d_h(row, column) = d * gate;
      }
  }

 private:
  static std::span<const std::uint32_t> codes_of(std::span<const std::uint32_t> codes, Index column) {
    return codes.subspan(EventContext::codes_of_question * static_cast<std::size_t>(column),
                         EventContext::codes_of_question);
  }
};

}  // namespace lstmrec

#pragma once

#include <concepts>
#include <cstdint>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/event_context.hpp>
#include <lstmrec/data/trained_on.hpp>
#include <lstmrec/data/vocabulary.hpp>
#include <span>

namespace lstmrec {

/// Anything that scores all items for the event that may come after each of some histories, and so can be evaluated.
///
///     struct Newest {  // recommends the items with the highest indices
///       Index items() const { return 100; }
///       void score(std::span<const History> histories, MatrixRef<float> scores) const {
///         for (Index column = 0; column < scores.cols(); ++column)
///           scores.col(column).setLinSpaced(0, 99);
///       }
///     };
///
/// `scores`: items × histories, one column a history, to be overwritten. A higher score is better and only the order
/// matters; −∞ is allowed, NaN is not. `score` is const and called from several threads at once.
///
/// A scorer may have `item_ids()`, a Vocabulary: evaluate() then matches items by id where those of the data have other
/// indices, and other functions refuse such data. It may have
/// `exclude_seen()`: whether it was made to leave out the items of a history, which evaluations then follow. It may
/// have `trained_on()`, a TrainedOn: evaluations then say where their figures are not those of a test; and `context()`,
/// a const EventContext&: they then refuse data whose times are in other ticks, and say where the time of a target is
/// known. Whoever wraps a recommender passes all of these on.
template <class S>
concept Scorer = requires(const S& scorer, std::span<const History> histories, MatrixRef<float> scores) {
  { scorer.items() } -> std::convertible_to<Index>;
  scorer.score(histories, scores);
};

/// A scorer that can score a part of the items, so that nobody has to hold the scores of a whole catalogue:
/// `score_tile` fills the rows of the items first … first + scores.rows() − 1, from what `outputs` has computed of the
/// histories once: a column a history, or nothing (0 × 0). It is given all of those histories, or consecutive ones and
/// their columns. An item's score has the same bits whatever the tile it lies in, if tiles begin at multiples of
/// `tile_multiple`.
template <class S>
concept TiledScorer = Scorer<S> && requires(const S& scorer, std::span<const History> histories,
                                            const Matrix<float>& outputs, Index first, MatrixRef<float> scores) {
  { scorer.outputs(histories) } -> std::convertible_to<Matrix<float>>;
  scorer.score_tile(histories, outputs, first, scores);
};

/// Tiles of items begin at multiples of it.
inline constexpr Index tile_multiple = 64;

/// A borrowed Scorer of any type. It is called once for a batch of histories, so that evaluations are compiled once for
/// all scorers.
class ScorerRef {
 public:
  template <Scorer S>
  requires(!std::same_as<S, ScorerRef>) ScorerRef(const S& scorer)
      : scorer_(&scorer), items_(static_cast<Index>(scorer.items())) {
    if constexpr (requires { scorer.item_ids(); }) item_ids_ = &scorer.item_ids();
    if constexpr (requires { scorer.exclude_seen(); }) exclude_seen_ = scorer.exclude_seen();
    if constexpr (requires { scorer.trained_on(); }) trained_on_ = scorer.trained_on();
    if constexpr (requires {
                    { scorer.context() } -> std::same_as<const EventContext&>;
                  })
      context_ = &scorer.context();
    is_tiled_ = TiledScorer<S>;
    outputs_ = [](const void* self, std::span<const History> histories) {
      if constexpr (TiledScorer<S>)
        return Matrix<float>(static_cast<const S*>(self)->outputs(histories));
      else
        return Matrix<float>();
    };
    score_ = [](const void* self, std::span<const History> histories, const Matrix<float>& outputs, Index first,
                MatrixRef<float> scores) {
      if constexpr (TiledScorer<S>)
        static_cast<const S*>(self)->score_tile(histories, outputs, first, scores);
      else
        static_cast<const S*>(self)->score(histories, scores);
    };
  }

  Index items() const { return items_; }
  const Vocabulary* item_ids() const { return item_ids_; }  ///< Null where the scorer has none.
  bool exclude_seen() const { return exclude_seen_; }
  const TrainedOn& trained_on() const { return trained_on_; }
  const EventContext* context() const { return context_; }  ///< Null where the scorer has none.
  bool is_tiled() const { return is_tiled_; }

  Matrix<float> outputs(std::span<const History> histories) const { return outputs_(scorer_, histories); }

  /// The scores of the items from `first` on; all of them, and first = 0, where the scorer is not tiled.
  void score_tile(std::span<const History> histories, const Matrix<float>& outputs, Index first,
                  MatrixRef<float> scores) const {
    score_(scorer_, histories, outputs, first, scores);
  }

 private:
  const void* scorer_;
  Index items_;
  const Vocabulary* item_ids_ = nullptr;
  bool exclude_seen_ = true, is_tiled_ = false;
  TrainedOn trained_on_;
  const EventContext* context_ = nullptr;
  Matrix<float> (*outputs_)(const void*, std::span<const History>) = nullptr;
  void (*score_)(const void*, std::span<const History>, const Matrix<float>&, Index, MatrixRef<float>) = nullptr;
};

}  // namespace lstmrec

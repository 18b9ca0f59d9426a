#pragma once

#include <cassert>
#include <concepts>
#include <cstddef>
#include <lstmrec/baselines/popularity.hpp>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/data/event.hpp>
#include <span>

namespace lstmrec {

/// The baseline that recommends a history's own items again, the last first, and then the popular ones. A TiledScorer.
///
///     score(j) = 2 + 1 / (1 + events after the last of j)     of an item of the history
///     score(j) = share(j)                                     of another
struct Repeats {
  Popularity popularity;

  Repeats() = default;
  template <std::same_as<Split> TrainingSplit>
  explicit Repeats(const TrainingSplit& split) : popularity(split) {}

  Index items() const { return popularity.items(); }

  Matrix<float> outputs(std::span<const History>) const { return {}; }
  void score_tile(std::span<const History> histories, const Matrix<float>& none, Index first,
                  MatrixRef<float> scores) const {
    popularity.score_tile(histories, none, first, scores);
    for (std::size_t k = 0; k < histories.size(); ++k) {
      const auto& items = histories[k].items;
      for (std::size_t place = 0; place < items.size(); ++place) {  // what comes later overwrites what came before
        assert(static_cast<Index>(items[place]) < popularity.items());
        const Index row = static_cast<Index>(items[place]) - first;
        if (row >= 0 && row < scores.rows())
          scores(row, static_cast<Index>(k)) = 2 + 1 / static_cast<float>(items.size() - place);
      }
    }
  }
  void score(std::span<const History> histories, MatrixRef<float> scores) const {
    score_tile(histories, {}, 0, scores);
  }
};

}  // namespace lstmrec

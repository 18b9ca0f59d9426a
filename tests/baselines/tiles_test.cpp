// The baselines' scores of a part of the items, which have to be those of all items to the bit: an evaluation compares
// a target's score, which comes from a small tile, with those of large ones.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/baselines/item_knn.hpp>
#include <lstmrec/baselines/linear.hpp>
#include <lstmrec/baselines/markov.hpp>
#include <lstmrec/baselines/popularity.hpp>
#include <lstmrec/baselines/repeats.hpp>
#include <lstmrec/baselines/session_knn.hpp>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/eval/scorer.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "catch.hpp"
#include "data/logs.hpp"

using namespace lstmrec;

static_assert(TiledScorer<Popularity> && TiledScorer<MarkovChain> && TiledScorer<ItemKnn> && TiledScorer<LinearScorer>);
static_assert(TiledScorer<SessionKnn> && TiledScorer<Repeats>);

namespace {

/// Sequences with repeats, of items that fill four tiles and a part of a fifth.
Split several_tiles() {
  const Split split = leave_one_out(build_sequences(make_interactions(random_log(5, 6000, 60, 290))));
  REQUIRE(split.sequences.items.size() > 4 * static_cast<std::size_t>(tile_multiple));
  REQUIRE(split.sequences.items.size() % static_cast<std::size_t>(tile_multiple) != 0);
  return split;
}

/// All of the test targets, and one without events.
std::vector<History> histories_of(const Split& split) {
  std::vector<History> histories{History()};
  for (const Target target : split.test) histories.push_back(split.history(target));
  return histories;
}

template <TiledScorer S>
void check_tiles(const std::string& name, const S& scorer, const Split& split) {
  INFO(name);
  const auto histories = histories_of(split);
  const Index items = scorer.items(), columns = static_cast<Index>(histories.size());
  REQUIRE(items == static_cast<Index>(split.sequences.items.size()));
  Matrix<float> all = Matrix<float>::Constant(items, columns, std::nanf(""));
  scorer.score(histories, all);
  REQUIRE(all.allFinite());
  const Matrix<float> outputs = scorer.outputs(histories);
  for (const Index width : {tile_multiple, 3 * tile_multiple, 100 * tile_multiple}) {
    Matrix<float> tiles = Matrix<float>::Constant(items, columns, std::nanf(""));
    for (Index first = 0; first < items; first += width)
      scorer.score_tile(histories, outputs, first, tiles.middleRows(first, std::min(width, items - first)));
    CHECK(tiles == all);
  }
  // One history alone, as an evaluation asks for its target's score.
  for (Index first = 0; first < items; first += tile_multiple) {
    const Index column = first / tile_multiple % columns, rows = std::min(tile_multiple, items - first);
    Matrix<float> tile = Matrix<float>::Constant(tile_multiple, 1, std::nanf(""));
    const Matrix<float> own = outputs.size() == 0 ? outputs : Matrix<float>(outputs.col(column));
    scorer.score_tile(std::span(histories).subspan(static_cast<std::size_t>(column), 1), own, first,
                      tile.topRows(rows));
    CHECK(tile.topRows(rows) == all.block(first, column, rows, 1));
  }
}

}  // namespace

TEST_CASE("every baseline scores a tile of items as it scores them all") {
  const Split split = several_tiles();
  check_tiles("popularity", Popularity(split), split);
  check_tiles("decayed chain", MarkovChain(split), split);
  check_tiles("first-order chain", MarkovChain(split, MarkovOptions::first_order()), split);
  check_tiles("item neighbours", ItemKnn(split), split);
  for (const auto& options : {SessionKnnOptions::stan(), SessionKnnOptions::vsknn(), SessionKnnOptions::vstan()})
    check_tiles("session neighbours", SessionKnn(split, options), split);
  check_tiles("repeats", Repeats(split), split);
  check_tiles("EASE", EaseEquations(split).solve(10), split);
  check_tiles("decayed ridge", DecayedRidgeEquations(split).solve(10), split);
}

TEST_CASE("the logarithms of a chain's scores are the same to the bit in tiles, and those of its scores") {
  const Split split = several_tiles();
  for (const MarkovOptions& options : {MarkovOptions{}, MarkovOptions::first_order()}) {
    MarkovChain chain(split, options);
    chain.popularity.shares[7] = 0;  // so that an item that is nowhere in a history's rows has no score at all
    const Index items = chain.items();
    Vector<float> all = Vector<float>::Constant(items, std::nanf(""));
    Vector<float> tile = Vector<float>::Constant(tile_multiple, std::nanf(""));
    std::vector<float> scores(static_cast<std::size_t>(items));
    std::size_t nowhere = 0;
    for (const History& history : histories_of(split)) {
      chain.log_scores(history, 0, items, all);
      chain.score(history, scores);
      // What an item that is nowhere in the rows would have with one event of all.
      double weights = 0;
      DecayedWindow{options.window, options.decay}.for_each(history,
                                                            [&](std::uint32_t, double weight) { weights += weight; });
      const auto of_one_event = static_cast<float>(
          (history.empty() ? 1 : options.popularity_weight * weights) /
          static_cast<double>(std::accumulate(split.train_length.begin(), split.train_length.end(), std::size_t{0})));
      for (Index item = 0; item < items; ++item) {
        const float score = scores[static_cast<std::size_t>(item)];
        nowhere += score == 0;
        REQUIRE(all(item) == Approx(std::log(std::max({score, of_one_event, 1e-20f}))).epsilon(1e-5));
      }
      for (const Index width : {Index{7}, Index{50}, tile_multiple}) {
        for (Index first = 0; first < items; first += width) {
          const Index count = std::min(width, items - first);
          tile.setConstant(std::nanf(""));
          chain.log_scores(history, first, count, tile);
          REQUIRE(tile.head(count) == all.segment(first, count));
        }
      }
    }
    CHECK(nowhere > 0);
    CHECK(all.head(items).minCoeff() >= -47);
  }
}

// What a history gives does not depend on how it is computed, to the bit.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/next_item/recommender.hpp>
#include <lstmrec/next_item/session.hpp>
#include <span>
#include <vector>

#include "catch.hpp"
#include "nn/every_cell.hpp"
#include "random_recommender.hpp"

using namespace lstmrec;

TEST_CASE(
    "Same bits: a history alone and beside others; its steps at once, one by one, and with cached input projections") {
  constexpr Index items = 101;  // and sizes that no vector register divides
  Random random(3);
  std::vector<std::vector<std::uint32_t>> events(40);
  for (auto& each : events)
    for (std::size_t left = 1 + random.below(40); left > 0; --left)
      each.push_back(static_cast<std::uint32_t>(random.below(items)));
  const std::vector<History> histories(events.begin(), events.end());

  for (const CellKind cell : cell_kinds)
    for (const BlockKind block : {BlockKind::residual, BlockKind::plain})
      for (const bool tied : {true, false}) {
        std::vector<std::vector<std::byte>> states;
        for (const bool cached : {true, false}) {
          CAPTURE(cell, block, tied, cached);
          Recommender recommender(random_parts(items, {.embedding_size = tied ? 13 : 12,
                                                       .hidden_size = 13,
                                                       .cell = cell,
                                                       .block = block,
                                                       .tied_vectors = tied,
                                                       .markov_weight = 0}));
          if (cached) recommender.cache_input_projections();
          Matrix<float> expected(items, 40);
          recommender.score(histories, expected);
          for (const std::size_t batch : {1, 2, 3, 7, 13}) {
            CAPTURE(batch);
            for (std::size_t first = 0; first < histories.size(); first += batch) {
              const auto some = std::span(histories).subspan(first, std::min(batch, histories.size() - first));
              Matrix<float> scores(items, static_cast<Index>(some.size()));
              recommender.score(some, scores);
              REQUIRE(scores == expected.middleCols(static_cast<Index>(first), scores.cols()));
            }
          }
          for (const auto& items_of_user : events) {
            Session step_by_step(recommender), at_once(recommender);
            for (const std::uint32_t item : items_of_user) step_by_step.observe(item);
            at_once.observe_all(items_of_user);
            REQUIRE(step_by_step.save() == at_once.save());
            states.push_back(at_once.save());
          }
        }
        for (std::size_t user = 0; user < events.size(); ++user) REQUIRE(states[user] == states[events.size() + user]);
      }
}

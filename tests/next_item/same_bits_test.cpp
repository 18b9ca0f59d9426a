// What a history gives does not depend on how it is computed, to the bit.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/eval/scored.hpp>
#include <lstmrec/next_item/network_scorer.hpp>
#include <lstmrec/next_item/recommender.hpp>
#include <lstmrec/next_item/session.hpp>
#include <span>
#include <vector>

#include "catch.hpp"
#include "eval/small_split.hpp"
#include "nn/every_cell.hpp"
#include "own_block.hpp"
#include "random_recommender.hpp"

using namespace lstmrec;

namespace {

/// Counts the events that it is fed.
struct CountingSum : own_block::DecayingSum<float> {
  using DecayingSum::DecayingSum;
  static inline std::size_t events = 0;

  void step_recurrent(ConstMatrixRef<float> x, State& state) const {
    events += static_cast<std::size_t>(x.cols());
    DecayingSum::step_recurrent(x, state);
  }
};

}  // namespace

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

TEST_CASE("Same bits: the targets of users in one pass a user, in any order, and each target alone") {
  constexpr Index items = 101;
  Random random(5);
  std::vector<std::vector<std::uint32_t>> events(4);
  for (std::size_t user = 0; user < events.size(); ++user)
    for (std::size_t left = 10 + 70 * (user % 2); left > 0; --left)
      events[user].push_back(static_cast<std::uint32_t>(random.below(items)));
  std::vector<History> histories{{}, History(events[0]), History(events[0])};
  for (const auto& each : events)
    for (std::size_t length = 0; length <= each.size(); ++length)
      if (length % 5 != 3) histories.push_back(History(each).first(length));
  random.shuffle(histories);

  for (const CellKind cell : cell_kinds)
    for (const Index blocks : {1, 2})
      for (const bool cached : {true, false}) {
        CAPTURE(cell, blocks, cached);
        Recommender recommender(random_parts(
            items, {.embedding_size = 13, .hidden_size = 13, .cell = cell, .blocks = blocks, .markov_weight = 0}));
        if (cached) recommender.cache_input_projections();
        const Matrix<float> together = recommender.outputs(histories);
        for (std::size_t k = 0; k < histories.size(); ++k)
          if (!histories[k].empty())
            REQUIRE(recommender.outputs({&histories[k], 1}) == together.col(static_cast<Index>(k)));
      }
}

TEST_CASE("One pass a user: the targets of a user cost as many steps of a network as the user has events") {
  using Network = NextItemNetwork<float, CountingSum>;
  const auto parts = random_parts<Network>(50, {.embedding_size = 4, .hidden_size = 4, .markov_weight = 0});
  std::vector<std::vector<std::uint32_t>> users(10, std::vector<std::uint32_t>(30));
  users[3].resize(3000);
  Split split = split_of(users, 50);
  split.test.clear();
  for (std::uint32_t user = 0; user < users.size(); ++user)
    for (std::uint32_t position = 1; position < users[user].size(); ++position) split.test.push_back({user, position});
  const NetworkScorer<Network> scorer{.network = &parts.network, .item_counts = parts.item_counts};
  ThreadPool one(1);
  top_lists(scorer, queries_of(split, split.test), 3, {}, one);
  CHECK(CountingSum::events == 2999 + 9 * 29);
}

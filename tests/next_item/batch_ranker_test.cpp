#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <lstmrec/next_item/batch_ranker.hpp>
#include <stdexcept>
#include <vector>

#include "catch.hpp"
#include "random_recommender.hpp"
#include "trained_recommender.hpp"

using namespace lstmrec;

namespace {

/// What the ranker's lists have to be: the head of a full sort of all scores.
void check_lists(const Recommender& recommender, const std::vector<History>& histories, std::size_t n,
                 const Candidates& candidates) {
  const auto lists = BatchRanker(recommender).top_n(histories, n, candidates);
  REQUIRE(lists.size() == histories.size());
  Matrix<float> scores(recommender.items(), static_cast<Index>(histories.size()));
  recommender.score(histories, scores);
  for (std::size_t user = 0; user < histories.size(); ++user) {
    std::vector<std::uint8_t> left_out(static_cast<std::size_t>(recommender.items()), 0);
    if (candidates.exclude_seen())
      for (const Event event : histories[user]) left_out[event.item] = 1;
    std::vector<ScoredItem> all;
    for (std::uint32_t item = 0; item < left_out.size(); ++item)
      if (!left_out[item] && candidates.allows(item)) all.push_back({item, scores(item, static_cast<Index>(user))});
    std::sort(all.begin(), all.end(), ranks_before);
    all.resize(std::min(n, all.size()));
    REQUIRE(lists[user].size() == all.size());
    for (std::size_t rank = 0; rank < all.size(); ++rank) {
      // Rounding may swap two items of almost equal scores.
      const auto [item, score] = lists[user][rank];
      CHECK(std::abs(score - all[rank].score) < 1e-4f);
      CHECK(std::abs(scores(item, static_cast<Index>(user)) - all[rank].score) < 1e-4f);
      CHECK((candidates.allows(item) && !left_out[item]));
    }
  }
}

std::vector<History> some_histories(const Sequences& sequences) {
  std::vector<History> histories = {{}};
  for (std::size_t user = 0; user < 13; ++user) histories.push_back(sequences[user].first(1 + user % 12));
  return histories;
}

/// More items than a tile has, and no whole number of tiles.
struct LargeCatalogue {
  Recommender recommender{random_parts(1301, {.embedding_size = 12, .hidden_size = 12})};
  std::vector<std::uint32_t> events;

  LargeCatalogue() {
    Random random(1);
    for (std::uint32_t k = 0; k < 40; ++k) events.push_back(static_cast<std::uint32_t>(random.below(1301)));
  }
};

}  // namespace

TEST_CASE("Batch ranker: lists are the head of a full sort, with and without a Markov chain") {
  const Recommender& recommender = GENERATE(false, true) ? sample_recommender_with_markov() : sample_recommender();
  const auto histories = some_histories(sample_split().sequences);
  for (const std::size_t n : {0, 1, 10, 100000}) check_lists(recommender, histories, n, Candidates(recommender));
  check_lists(recommender, histories, 10,
              Candidates(recommender, {.exclude_seen = false, .block = {recommender.item_ids().id(3)}}));
}

TEST_CASE("Batch ranker: more items than a tile") {
  LargeCatalogue large;
  std::vector<History> histories;
  for (std::size_t length = 0; length < 40; length += 3) histories.push_back(History(large.events).first(length));
  for (const std::size_t n : {1, 10, 2000}) check_lists(large.recommender, histories, n, Candidates(large.recommender));
}

TEST_CASE("Batch ranker: candidates and histories of other items are refused") {
  const LargeCatalogue large;
  const std::vector<History> histories = {History(large.events)};
  CHECK_THROWS_AS(BatchRanker(large.recommender).top_n(histories, 10, Candidates(sample_recommender())),
                  std::invalid_argument);

  const Recommender& recommender = sample_recommender();
  const Candidates candidates(recommender);
  Sequences others = sample_split().sequences;
  Vocabulary reversed;
  for (auto item = static_cast<std::uint32_t>(others.items.size()); item-- > 0;) reversed.add(others.items.id(item));
  others.items = reversed;
  const std::vector<History> renumbered = {others[0], others[0].first(2)};
  CHECK_THROWS_AS(BatchRanker(recommender).top_n(renumbered, 10, candidates), std::invalid_argument);
  CHECK_THROWS_AS(recommender.outputs(renumbered), std::invalid_argument);
  Matrix<float> scores(recommender.items(), 2);
  CHECK_THROWS_AS(recommender.score(renumbered, scores), std::invalid_argument);
  const std::vector<std::uint32_t> too_large = {0, static_cast<std::uint32_t>(recommender.items()), 1};
  const std::vector<History> unknown = {History(too_large), History(too_large).first(1)};
  CHECK_THROWS_AS(BatchRanker(recommender).top_n(unknown, 10, candidates), std::invalid_argument);
  CHECK_THROWS_AS(recommender.outputs(unknown), std::invalid_argument);
}

TEST_CASE("Batch ranker: a score that is not a number is an error") {
  LargeCatalogue large;
  NextItemNetwork<float> network = large.recommender.network();
  network.head.bias[1300] = std::numeric_limits<float>::quiet_NaN();
  large.recommender.set_network(network);
  const std::vector<History> histories = {History(large.events)};
  CHECK_THROWS_AS(BatchRanker(large.recommender).top_n(histories, 10, Candidates(large.recommender)), Error);
}

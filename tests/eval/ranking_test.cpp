#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/data/event_columns.hpp>
#include <lstmrec/eval/metrics.hpp>
#include <lstmrec/eval/ranking.hpp>
#include <span>
#include <string>
#include <vector>

#include "catch.hpp"
#include "data/thrown.hpp"

using namespace lstmrec;

TEST_CASE("metrics of a rank") {
  CHECK(metrics::hit(10, 10) == 1);
  CHECK(metrics::hit(11, 10) == 0);
  CHECK(metrics::ndcg(1, 10) == 1);
  CHECK(metrics::ndcg(3, 10) == 0.5);
  CHECK(metrics::ndcg(10, 10) == Approx(1 / std::log2(11)));
  CHECK(metrics::ndcg(11, 10) == 0);
  CHECK(metrics::reciprocal_rank(4) == 0.25);
  const std::size_t all = std::numeric_limits<std::size_t>::max();
  CHECK(metrics::hit(metrics::not_ranked - 1, all) == 1);
  CHECK((metrics::hit(metrics::not_ranked, all) == 0 && metrics::ndcg(metrics::not_ranked, all) == 0 &&
         metrics::reciprocal_rank(metrics::not_ranked) == 0));
}

TEST_CASE("the rank counts what is better or equal and not excluded") {
  const std::vector<float> scores{5, 1, 3, 3, 4, 3};
  CHECK(rank_of(scores, 0) == 1);
  CHECK(rank_of(scores, 1) == 6);
  CHECK(rank_of(scores, 2) == 5);  // 5 and 4 are better, two others equal
  CHECK(rank_of(scores, 2, std::array{0u, 3u}) == 3);
  CHECK(rank_of(scores, 2, std::array{1u}) == 5);
  CHECK(rank_of(scores, 2, std::array{0u, 2u}) == metrics::not_ranked);
}

TEST_CASE("equal scores give the last rank") {
  const std::vector<float> zeros(7, 0.0f), lowest(7, -std::numeric_limits<float>::infinity());
  for (std::uint32_t target = 0; target < 7; ++target) {
    CHECK(rank_of(zeros, target) == 7);
    CHECK(rank_of(lowest, target) == 7);
  }
}

TEST_CASE("a score that is not a number is an error wherever it stands") {
  for (std::uint32_t place = 0; place < 5; ++place) {
    std::vector<float> scores{1, 2, 3, 4, 5};
    scores[place] = std::numeric_limits<float>::quiet_NaN();
    CHECK_THROWS_AS(rank_of(scores, 2), Error);
    CHECK_THROWS_AS(rank_of(scores, 2, std::array{place}), Error);
  }
}

TEST_CASE("the rank counted a tile at a time is the rank among all scores at once") {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr std::array values{-infinity, -1.0f, 0.0f, -0.0f, 0.5f, 2.0f, infinity};  // so few that many are equal
  Random random(1);
  std::size_t not_ranked = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<float> scores(1 + random.below(300));
    for (float& score : scores) score = values[random.below(values.size())];
    std::vector<std::uint32_t> excluded;
    const std::uint64_t one_in = 1 + random.below(6);
    for (std::uint32_t item = 0; item < scores.size(); ++item)
      if (round % 3 > 0 && random.below(one_in) == 0) excluded.push_back(item);
    const auto target = static_cast<std::uint32_t>(random.below(scores.size()));

    std::uint32_t expected = 1;
    for (std::uint32_t item = 0; item < scores.size(); ++item)
      expected += item != target && scores[item] >= scores[target] &&
                  std::find(excluded.begin(), excluded.end(), item) == excluded.end();
    if (std::find(excluded.begin(), excluded.end(), target) != excluded.end()) {
      expected = metrics::not_ranked;
      ++not_ranked;
    }
    REQUIRE(rank_of(scores, target, excluded) == expected);
    for (const std::size_t tile : {std::size_t{1}, std::size_t{7}, std::size_t{64}, scores.size(), std::size_t{1000}}) {
      RankCounter counter(target, scores[target], excluded);
      for (std::size_t first = 0; first < scores.size(); first += tile)
        counter.add(static_cast<std::uint32_t>(first),
                    std::span(scores).subspan(first, std::min(tile, scores.size() - first)));
      if (counter.rank() != expected) FAIL("tiles of " << tile << " in round " << round);
    }
  }
  CHECK(not_ranked > 20);
}

TEST_CASE("a score that is not a number is named by its item, whatever the tile it stands in") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(thrown<Error>([&] { RankCounter(17, nan, {}); }) == "the score of item 17 (dense index) is not a number");
  for (const std::uint32_t place : {0u, 63u, 64u, 100u, 129u}) {
    std::vector<float> scores(130, 1.0f);
    scores[place] = nan;
    for (const std::vector<std::uint32_t>& excluded : {std::vector<std::uint32_t>{}, {3, place}}) {
      RankCounter counter(5, 1.0f, excluded);
      CHECK(thrown<Error>([&] {
              for (std::uint32_t first = 0; first < scores.size(); first += 64)
                counter.add(first, std::span(scores).subspan(first, std::min<std::size_t>(64, scores.size() - first)));
            }) == "the score of item " + std::to_string(place) + " (dense index) is not a number");
    }
  }
}

TEST_CASE("seen items are distinct, in ascending order, and forgotten with the next history") {
  const std::vector<std::uint32_t> items{4, 1, 4, 2};
  const History history(items);
  std::vector<std::uint32_t> seen{9, 9};
  distinct_items(history, seen);
  CHECK(seen == std::vector<std::uint32_t>{1, 2, 4});
  distinct_items(history.subspan(1, 1), seen);
  CHECK(seen == std::vector<std::uint32_t>{1});
  distinct_items(history.first(0), seen);
  CHECK(seen.empty());
}

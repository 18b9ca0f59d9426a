#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/core/error.hpp>
#include <lstmrec/eval/metrics.hpp>
#include <lstmrec/eval/ranking.hpp>
#include <vector>

#include "catch.hpp"

using namespace lstmrec;

TEST_CASE("metrics of a rank") {
  CHECK(hit(10, 10) == 1);
  CHECK(hit(11, 10) == 0);
  CHECK(ndcg(1, 10) == 1);
  CHECK(ndcg(3, 10) == 0.5);
  CHECK(ndcg(10, 10) == Approx(1 / std::log2(11)));
  CHECK(ndcg(11, 10) == 0);
  CHECK(reciprocal_rank(4) == 0.25);
  const std::size_t all = std::numeric_limits<std::size_t>::max();
  CHECK(hit(not_ranked - 1, all) == 1);
  CHECK((hit(not_ranked, all) == 0 && ndcg(not_ranked, all) == 0 && reciprocal_rank(not_ranked) == 0));
}

TEST_CASE("the rank counts what is better or equal and not excluded") {
  const std::vector<float> scores{5, 1, 3, 3, 4, 3};
  CHECK(rank_of(scores, 0) == 1);
  CHECK(rank_of(scores, 1) == 6);
  CHECK(rank_of(scores, 2) == 5);  // 5 and 4 are better, two others equal
  CHECK(rank_of(scores, 2, std::array{0u, 3u}) == 3);
  CHECK(rank_of(scores, 2, std::array{1u}) == 5);
  CHECK(rank_of(scores, 2, std::array{0u, 2u}) == not_ranked);
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

TEST_CASE("seen items are distinct and forgotten with the next history") {
  const std::vector<Event> events{{.item = 4}, {.item = 1}, {.item = 4}, {.item = 2}};
  SeenItems seen(6);
  seen.assign(events);
  CHECK(std::vector<std::uint32_t>(seen.list().begin(), seen.list().end()) == std::vector<std::uint32_t>{4, 1, 2});
  seen.assign(History(events).first(2).last(1));
  CHECK(seen.list().size() == 1);
  CHECK(seen.contains(1));
  CHECK_FALSE(seen.contains(4));
}

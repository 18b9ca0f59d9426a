#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/core/top_k.hpp>
#include <vector>

#include "catch.hpp"

using namespace lstmrec;

namespace {

std::vector<ScoredItem> sorted(const std::vector<float>& scores, const std::vector<bool>& excluded) {
  std::vector<ScoredItem> all;
  for (std::uint32_t item = 0; item < scores.size(); ++item)
    if (!excluded[item]) all.push_back({item, scores[item]});
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
  return all;
}

}  // namespace

TEST_CASE("top_k is the front of a full stable sort") {
  Random random(1);
  for (int trial = 0; trial < 200; ++trial) {
    const std::size_t items = 1 + random.below(60);
    std::vector<float> scores(items);
    std::vector<bool> excluded(items);
    for (std::size_t item = 0; item < items; ++item) {
      scores[item] = static_cast<float>(random.below(8)) - 4;  // few values: many ties
      if (random.below(10) == 0) scores[item] = -std::numeric_limits<float>::infinity();
      excluded[item] = random.below(3) == 0;
    }
    const auto expected = sorted(scores, excluded);
    for (const std::size_t k : {std::size_t{0}, std::size_t{1}, std::size_t{5}, items, items + 3}) {
      std::vector<ScoredItem> best(k);
      const auto list = top_k(scores, best, [&](std::uint32_t item) { return excluded[item]; });
      REQUIRE(list.size() == std::min(k, expected.size()));
      REQUIRE(std::equal(list.begin(), list.end(), expected.begin()));
    }
  }
}

TEST_CASE("top_k gives equal scores in the order of their indices") {
  const std::vector<float> scores{1, 2, 2, 2, 3, 2};
  std::array<ScoredItem, 3> best;
  const auto list = top_k(scores, best);
  REQUIRE(list.size() == 3);
  CHECK(list[0] == ScoredItem{4, 3});
  CHECK(list[1] == ScoredItem{1, 2});
  CHECK(list[2] == ScoredItem{2, 2});
}

TEST_CASE("top_k refuses scores that are not numbers, wherever they stand") {
  for (std::size_t place = 0; place < 6; ++place) {
    std::vector<float> scores{6, 5, 4, 3, 2, 1};
    scores[place] = std::numeric_limits<float>::quiet_NaN();
    std::array<ScoredItem, 2> best;
    CHECK_THROWS_AS(top_k(scores, best), Error);
    CHECK_THROWS_AS(top_k(scores, best, [](std::uint32_t) { return true; }), Error);
  }
}

TEST_CASE("ascending items: asked for in ascending order, in steps and again") {
  const std::vector<std::uint32_t> items{0, 3, 4, 9};
  AscendingItems every(items), some(items), none;
  for (std::uint32_t item = 0; item < 12; ++item) {
    const bool expected = std::find(items.begin(), items.end(), item) != items.end();
    CHECK(every.contains(item) == expected);
    CHECK(every.contains(item) == expected);
    if (item % 3 == 0) CHECK(some.contains(item) == expected);
    CHECK(!none.contains(item));
  }
}

#include "real_data.hpp"

#include <algorithm>
#include <cstddef>
#include <lstmrec/data/movielens.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/io/text.hpp>
#include <lstmrec/ratings/levels.hpp>
#include <lstmrec/ratings/split.hpp>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"

using namespace lstmrec;

namespace {

const ItemInfo& info(const Interactions& log, int id) { return log.catalogue[log.items.index(id)]; }

void require_titles(const Interactions& log) {
  for (const ItemInfo& item : log.catalogue) {
    REQUIRE_FALSE(item.title.empty());
    REQUIRE(detail::is_utf8(item.title));
  }
}

}  // namespace

TEST_CASE("MovieLens 100K is read as published") {
  const auto folder = real_data("ml-100k");
  if (!folder) return;
  const auto log = read_movielens(*folder);
  REQUIRE(log.users.size() == 943);
  REQUIRE(log.items.size() == 1682);
  REQUIRE(log.events.size() == 100000);
  require_titles(log);
  REQUIRE(info(log, 1).title == "Toy Story (1995)");
  REQUIRE(info(log, 1).genres == std::vector<std::string>{"Animation", "Children's", "Comedy"});
  REQUIRE(info(log, 267).genres.empty());
  const auto all = build_sequences(log);
  REQUIRE(all.size() == 943);
  REQUIRE(leave_one_out(all).test.size() == 943);
  REQUIRE(RatingLevels::of(all.events.ratings).values() == std::vector<float>{1, 2, 3, 4, 5});
}

TEST_CASE("The five folds of MovieLens 100K are each a fifth of it") {
  const auto folder = real_data("ml-100k");
  if (!folder) return;
  const auto all = build_sequences(read_movielens(*folder));
  std::vector<int> tested(all.events.size(), 0);
  for (int fold = 1; fold <= 5; ++fold) {
    const auto test = read_movielens(*folder / ("u" + std::to_string(fold) + ".test"));
    REQUIRE(test.events.size() == 20000);
    const auto split = split_ratings_by_fold(all, test, .1);
    REQUIRE(std::count(split.parts.begin(), split.parts.end(), Part::test) == 20000);
    REQUIRE(std::count(split.parts.begin(), split.parts.end(), Part::validation) == 10000);
    for (std::size_t i = 0; i < tested.size(); ++i) tested[i] += split.parts[i] == Part::test ? 1 : 0;
  }
  REQUIRE(std::all_of(tested.begin(), tested.end(), [](int times) { return times == 1; }));
}

TEST_CASE("The sequences of MovieLens 1M are read as published") {
  const auto folder = real_data("ml-1m");
  if (!folder) return;
  auto log = read_movielens(*folder);
  REQUIRE(log.users.size() == 6040);
  REQUIRE(log.items.size() == 3706);
  REQUIRE(log.events.size() == 1000209);
  REQUIRE_FALSE(log.has_times);
  require_titles(log);
  REQUIRE(info(log, 73).title == "Misérables, Les (1995)");
  REQUIRE(info(log, 1).genres == std::vector<std::string>{"Animation", "Children's", "Comedy"});
  const auto all = build_sequences(std::move(log), {.min_item_count = 5});
  REQUIRE(all.size() == 6040);
  REQUIRE(all.items.size() == 3416);
  REQUIRE(all.events.size() == 999611);
}

TEST_CASE("MovieLens latest-small is read as published") {
  const auto folder = real_data("ml-latest-small");
  if (!folder) return;
  const auto log = read_movielens(*folder);
  REQUIRE(log.users.size() == 610);
  REQUIRE(log.items.size() == 9724);
  REQUIRE(log.events.size() == 100836);
  require_titles(log);
  REQUIRE(info(log, 11).title == "American President, The (1995)");
  REQUIRE(info(log, 11).genres == std::vector<std::string>{"Comedy", "Drama", "Romance"});
  REQUIRE(RatingLevels::of(log.events.ratings).values() == std::vector<float>{.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5});
}

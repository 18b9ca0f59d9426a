#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/ratings/queries.hpp>
#include <lstmrec/ratings/split.hpp>
#include <vector>

#include "catch.hpp"
#include "data/logs.hpp"

using namespace lstmrec;

namespace {

std::vector<std::uint32_t> items(const auto& events) {
  std::vector<std::uint32_t> result;
  for (const Event& event : events) result.push_back(event.item);
  return result;
}

using Items = std::vector<std::uint32_t>;

/// User 0 rates items 0 to 4, user 1 items 0 and 1, in time order.
RatingSplit two_users() {
  constexpr Part train = Part::train, validation = Part::validation, test = Part::test;
  const std::vector<LogRow> rows{{0, 0, 1, 1.f}, {0, 1, 2, 2.f}, {0, 2, 3, 3.f}, {0, 3, 4, 4.f},
                                 {0, 4, 5, 5.f}, {1, 0, 1, 2.f}, {1, 1, 2, 3.f}};
  return {build_sequences(make_interactions(rows)), {train, test, validation, train, test, train, train}, ""};
}

}  // namespace

TEST_CASE("Rating cases: one a user, with all ratings of the parts before visible, earlier or later") {
  const RatingSplit split = two_users();
  const auto test = rating_queries(split, Part::test);
  REQUIRE(test.size() == 1);
  CHECK(test[0].user == 0);
  CHECK(items(test[0].visible) == Items{0, 2, 3});
  CHECK(items(test[0].asked) == Items{1, 4});
  const auto validation = rating_queries(split, Part::validation);
  REQUIRE(validation.size() == 1);
  CHECK(items(validation[0].visible) == Items{0, 3});
  CHECK(items(validation[0].asked) == Items{2});
  CHECK(items(asked_events(test)) == Items{1, 4});
}

TEST_CASE("Rating cases in time: one a rating, with all of the user's before it visible and nothing later") {
  const RatingSplit split = two_users();
  const auto test = chronological_queries(split, Part::test);
  REQUIRE(test.size() == 2);
  CHECK(test[0].user == 0);
  CHECK(items(test[0].visible) == Items{0});
  CHECK(items(test[0].asked) == Items{1});
  CHECK(items(test[1].visible) == Items{0, 1, 2, 3});  // those of the test part too
  CHECK(items(test[1].asked) == Items{4});
  const auto train = chronological_queries(split, Part::train);
  REQUIRE(train.size() == 4);
  CHECK(train[2].user == 1);
  CHECK(train[2].visible.empty());
}

TEST_CASE("Rating cases in time: the queries of a user share the user's ratings, which outlive the split") {
  std::vector<RatingQuery> train;
  {
    const RatingSplit split = two_users();
    train = chronological_queries(split, Part::train);
  }
  CHECK(train[0].visible.begin() == train[1].visible.begin());
  CHECK(train[2].visible.begin() == train[3].visible.begin());
  CHECK(train[1].visible.begin() != train[3].visible.begin());
  CHECK(items(train[1].visible) == Items{0, 1, 2});
  CHECK(train[1].visible.first(9).size() == 3);
}

TEST_CASE("Rating cases in time: of a random log every rating of the part is met once, after those before it") {
  const RatingSplit split = split_ratings_by_time(build_sequences(make_interactions(numbered_log(7, 400))));
  std::size_t next = 0;
  const auto cases = chronological_queries(split, Part::test);
  for (const RatingQuery& one : cases) {
    REQUIRE(one.asked.size() == 1);
    const Event& target = one.asked[0];
    while (split.parts[next] != Part::test) ++next;
    REQUIRE(split.sequences.events[next++] == target);  // the ratings are numbers of rows, so no other event is equal
    for (const Event& event : one.visible) {
      REQUIRE(event.user == one.user);
      REQUIRE(event.time <= target.time);
    }
    const History own = split.sequences[one.user];
    REQUIRE(own[one.visible.size()] == target);
  }
  REQUIRE(std::count(split.parts.begin() + static_cast<std::ptrdiff_t>(next), split.parts.end(), Part::test) == 0);
}

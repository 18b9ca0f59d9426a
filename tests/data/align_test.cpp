#include <cstdint>
#include <lstmrec/data/align.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/split.hpp>
#include <tuple>
#include <vector>

#include "catch.hpp"

using namespace lstmrec;

namespace {

using Row = std::tuple<const char*, const char*, int, float>;

}  // namespace

TEST_CASE("Sequences are brought to a model's vocabulary, without what it doesn't know") {
  Vocabulary model;
  for (const char* id : {"c", "a", "z"}) model.add(id);
  const std::vector<Row> rows = {
      {"u", "a", 1, 1.f}, {"u", "b", 2, 1.f}, {"v", "b", 3, 1.f}, {"w", "c", 4, 1.f}, {"w", "a", 5, 1.f}};
  const auto [aligned, unknown, users] =
      align_items(build_sequences(make_interactions(rows)), model, {{"C", {}}, {"A", {}}, {"Z", {}}});
  CHECK(unknown == 2);
  CHECK(users == 1);
  REQUIRE(aligned.size() == 2);
  CHECK(aligned.users.id(0) == RawId("u"));
  CHECK(aligned.users.id(1) == RawId("w"));
  REQUIRE(aligned[0].size() == 1);
  REQUIRE(aligned[1].size() == 2);
  CHECK(aligned[0][0].item == 1);
  CHECK(aligned[1][0].item == 0);
  CHECK(aligned[1][1].item == 1);
  CHECK(aligned[1][1].user == 1);
  CHECK(aligned.items.size() == 3);
  CHECK(aligned.catalogue[2].title == "Z");
}

TEST_CASE("Sequences without a single known item are refused") {
  Vocabulary model;
  model.add("x");
  const std::vector<Row> rows = {{"u", "a", 1, 1.f}};
  CHECK_THROWS_AS(align_items(build_sequences(make_interactions(rows)), model, {{}}), Error);
}

TEST_CASE("A split is brought to a model's vocabulary: unknown targets are misses, and positions follow") {
  Vocabulary model;
  for (const char* id : {"c", "a", "z", "d"}) model.add(id);
  const std::vector<Row> rows = {{"u", "a", 1, 1.f}, {"u", "b", 2, 1.f}, {"u", "c", 3, 1.f}, {"u", "d", 4, 1.f},
                                 {"v", "a", 1, 1.f}, {"v", "c", 2, 1.f}, {"v", "b", 3, 1.f}, {"w", "b", 1, 1.f}};
  const Split split = leave_one_out(build_sequences(make_interactions(rows)));
  REQUIRE(split.test.size() == 2);
  const Split aligned = align_split(split, model, std::vector<ItemInfo>(4));
  check_split(aligned);
  REQUIRE(aligned.sequences.size() == 3);  // w has no event left
  CHECK(aligned.sequences[0].size() == 3);
  CHECK(aligned.sequences[2].size() == 0);
  CHECK(aligned.train_length == std::vector<std::uint32_t>{1, 1, 0});
  REQUIRE(aligned.test.size() == 1);
  CHECK(aligned.test[0].user == 0);
  CHECK(aligned.test[0].position == 2);
  CHECK(aligned.sequences.items.id(aligned.event(aligned.test[0]).item) == RawId("d"));
  CHECK(aligned.test.unknown == std::vector<std::uint32_t>{1});
  REQUIRE(aligned.validation.size() == 2);
  CHECK(aligned.validation[0].position == 1);
  CHECK(aligned.validation.unknown.empty());
  CHECK(aligned.sequences.events.times == std::vector<std::int64_t>{1, 3, 4, 1, 2});

  Vocabulary few;
  few.add("a");
  CHECK_THROWS_AS(align_split(split, few, std::vector<ItemInfo>(1)), DataError);
}

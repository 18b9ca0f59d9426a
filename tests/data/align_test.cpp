#include <lstmrec/data/align.hpp>
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

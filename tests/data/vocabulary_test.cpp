#include <cstdint>
#include <lstmrec/core/random.hpp>
#include <lstmrec/data/vocabulary.hpp>
#include <map>
#include <stdexcept>
#include <string>

#include "catch.hpp"

using lstmrec::RawId;
using lstmrec::Vocabulary;

TEST_CASE("An empty vocabulary knows no id") {
  const Vocabulary vocabulary;
  REQUIRE(vocabulary.size() == 0);
  REQUIRE_FALSE(vocabulary.find(0));
  REQUIRE_THROWS_AS(vocabulary.id(0), std::out_of_range);
}

TEST_CASE("A vocabulary numbers ids in the order of their first appearance") {
  Vocabulary vocabulary;
  REQUIRE(vocabulary.add(50) == 0);
  REQUIRE(vocabulary.add("50") == 1);
  REQUIRE(vocabulary.add(-3) == 2);
  REQUIRE(vocabulary.add(50) == 0);
  REQUIRE(vocabulary.size() == 3);
  REQUIRE(vocabulary.index("50") == 1);
  REQUIRE(vocabulary.id(2) == RawId(-3));
}

TEST_CASE("An unknown id is named") {
  Vocabulary vocabulary;
  vocabulary.add(1);
  REQUIRE_THROWS_AS(vocabulary.index(296), lstmrec::UnknownId);
  REQUIRE_THROWS_WITH(vocabulary.index("tt1"), "unknown id tt1");
}

TEST_CASE("A vocabulary agrees with a map over many integer and string ids") {
  lstmrec::Random random(1);
  Vocabulary vocabulary;
  std::map<RawId, std::uint32_t> expected;
  for (int i = 0; i < 20000; ++i) {
    // Small, huge and equal-in-the-low-bits integers, and strings.
    const auto number = static_cast<std::int64_t>(random.below(3000));
    const RawId id = i % 4 == 0   ? RawId(number)
                     : i % 4 == 1 ? RawId(-number * 1000000007)
                     : i % 4 == 2 ? RawId(number << 40)
                                  : RawId("title " + std::to_string(number));
    const auto [place, is_new] = expected.emplace(id, static_cast<std::uint32_t>(expected.size()));
    REQUIRE(vocabulary.add(id) == place->second);
  }
  REQUIRE(vocabulary.size() == expected.size());
  const Vocabulary copy = vocabulary;
  for (const auto& [id, index] : expected) {
    REQUIRE(copy.find(id) == index);
    REQUIRE(copy.id(index) == id);
  }
  REQUIRE_FALSE(copy.find(3000));
  REQUIRE_FALSE(copy.find("title 3000"));
}

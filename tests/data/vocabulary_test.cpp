#include <cstdint>
#include <initializer_list>
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
  REQUIRE(vocabulary.add("050") == 1);
  REQUIRE(vocabulary.add(-3) == 2);
  REQUIRE(vocabulary.add("50") == 0);
  REQUIRE(vocabulary.add_text("50") == 0);
  REQUIRE(vocabulary.add_text("050") == 1);
  REQUIRE(vocabulary.size() == 3);
  REQUIRE(vocabulary.index("50") == 0);
  REQUIRE(vocabulary.index("-3") == 2);
  REQUIRE(vocabulary.find(std::string("050")) == 1);
  REQUIRE_FALSE(vocabulary.find("0050"));
  REQUIRE(vocabulary.id(2) == RawId(-3));
}

TEST_CASE("An unknown id is named") {
  Vocabulary vocabulary;
  vocabulary.add(1);
  REQUIRE_THROWS_AS(vocabulary.index(296), lstmrec::UnknownId);
  REQUIRE_THROWS_WITH(vocabulary.index("tt1"), "unknown id \"tt1\"");
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

TEST_CASE("A vocabulary's fingerprint tells other ids and other orders apart") {
  const auto of = [](std::initializer_list<RawId> ids) {
    Vocabulary vocabulary;
    for (const RawId& id : ids) vocabulary.add(id);
    return vocabulary.fingerprint();
  };
  REQUIRE(of({1, "a", 2}) == of({1, "a", 2, 1}));
  REQUIRE(of({1, 2}) != of({2, 1}));
  REQUIRE(of({1, 2}) != of({1, 3}));
  REQUIRE(of({1, 2}) != of({1, 2, 3}));
  REQUIRE(of({"a"}) != of({"b"}));
  REQUIRE(of({5}) != of({1 << 21}));
  REQUIRE(of({}) != 0);
}

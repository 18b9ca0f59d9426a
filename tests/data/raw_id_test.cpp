#include <cstdint>
#include <limits>
#include <lstmrec/data/raw_id.hpp>
#include <sstream>
#include <string>
#include <string_view>

#include "catch.hpp"

using lstmrec::RawId;

TEST_CASE("A raw id is its text, and an integer where that is how one is written") {
  REQUIRE(RawId(7).is_integer());
  REQUIRE(RawId(7).integer() == 7);
  REQUIRE(RawId(std::uint8_t{7}) == RawId(std::int64_t{7}));
  REQUIRE(RawId("7") == RawId(7));
  REQUIRE(RawId(std::string("-12")) == RawId(-12));
  REQUIRE(RawId("007") != RawId(7));
  REQUIRE(RawId("tt0114709").string() == "tt0114709");
  REQUIRE(RawId(std::string("a")) == RawId(std::string_view("a")));
  REQUIRE(RawId(7).text() == "7");
  REQUIRE_THROWS_AS(RawId("a").integer(), std::bad_variant_access);
}

TEST_CASE("A raw id holds every 64-bit integer and refuses larger ones") {
  REQUIRE(RawId(std::numeric_limits<std::int64_t>::min()).text() == "-9223372036854775808");
  REQUIRE(RawId(std::uint64_t{9223372036854775807u}).integer() == std::numeric_limits<std::int64_t>::max());
  REQUIRE_THROWS_AS(RawId(std::uint64_t{9223372036854775808u}), lstmrec::DataError);
}

TEST_CASE("A raw id of a text has that text") {
  for (const char* text : {"0", "7", "-7", "9223372036854775807", "-9223372036854775808"}) {
    REQUIRE(RawId(text).is_integer());
    REQUIRE(RawId(text).text() == text);
  }
  for (const char* text : {"", "007", "-0", "+7", " 7", "7 ", "7.0", "9223372036854775808", "abc", "1e3", "-"}) {
    REQUIRE_FALSE(RawId(text).is_integer());
    REQUIRE(RawId(text).text() == text);
  }
}

TEST_CASE("Raw ids are ordered, integers by value and before strings") {
  REQUIRE(RawId(9) < RawId(10));
  REQUIRE(RawId(10) < RawId(""));
  REQUIRE(RawId("a") < RawId("b"));
  std::ostringstream out;
  out << RawId(593) << ' ' << RawId("x");
  REQUIRE(out.str() == "593 x");
}

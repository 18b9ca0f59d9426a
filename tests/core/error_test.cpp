#include <cstdint>
#include <limits>
#include <lstmrec/core/error.hpp>
#include <string>
#include <string_view>

#include "catch.hpp"

namespace {

template <class Value>
std::string complaint(const Value& value) {
  try {
    lstmrec::require(false, "rule", value);
  } catch (const lstmrec::ConfigError& error) {
    return error.what();
  }
  return "none";
}

}  // namespace

TEST_CASE("A broken rule names the rule and the value") {
  CHECK_NOTHROW(lstmrec::require(true, "rule", 1));
  CHECK(complaint(std::numeric_limits<std::int64_t>::min()) == "rule, got -9223372036854775808");
  CHECK(complaint(std::numeric_limits<std::uint64_t>::max()) == "rule, got 18446744073709551615");
  CHECK(complaint(-7) == "rule, got -7");
  CHECK(complaint(std::uint8_t{200}) == "rule, got 200");
  CHECK(complaint(0.1f) == "rule, got 0.1");
  CHECK(complaint(-1234567.0) == "rule, got -1.23457e+06");
  CHECK(complaint(-std::numeric_limits<double>::denorm_min()) == "rule, got -4.94066e-324");
  CHECK(complaint(std::numeric_limits<double>::infinity()) == "rule, got inf");
  CHECK(complaint("text") == "rule, got text");
}

TEST_CASE("A message is its parts one after the other") {
  const std::string name = "name";
  CHECK(lstmrec::detail::message({}) == "");
  CHECK(lstmrec::detail::message({name, ": ", std::string_view("abc").substr(1), 1, ", ", std::string("x") + name}) ==
        "name: bc1, xname");
  CHECK_THROWS_WITH(lstmrec::detail::fail<lstmrec::DataError>({"row ", 3u}), "row 3");
  CHECK(std::string(lstmrec::ParseError("file", 7, "expected a number").what()) == "file:7: expected a number");
}

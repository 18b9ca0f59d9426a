#include <lstmrec/io/text.hpp>
#include <string>
#include <string_view>

#include "catch.hpp"

using namespace lstmrec::detail;

TEST_CASE("Well-formed UTF-8 is told from everything else") {
  for (const char* text :
       {"", "Heat", "Amélie", "千と千尋の神隠し", "\xf0\x9f\x8e\xac", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"}) {
    CAPTURE(text);
    REQUIRE(is_utf8(text));
  }
  for (const char* text :
       {"Mis\xe9rables", "\x80", "\xc3", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe3\x81", "\xe3\x81 ", "\xff"}) {
    CAPTURE(text);
    REQUIRE_FALSE(is_utf8(text));
  }
}

TEST_CASE("Text that is not UTF-8 is read as ISO-8859-1") {
  REQUIRE(to_utf8("Mis\xe9rables, Les") == "Misérables, Les");
  REQUIRE(to_utf8("\xff\xa0") == "\u00ff\u00a0");
  REQUIRE(to_utf8("Misérables, Les") == "Misérables, Les");
}

TEST_CASE("A quoted excerpt is short and harmless") {
  REQUIRE(excerpt("1::1193::5") == "\"1::1193::5\"");
  REQUIRE(excerpt("a\tb\r\n\"\\\x1b[2J\xe9") == R"("a\tb\r\n\"\\\x1B[2J\xE9")");
  REQUIRE(excerpt(std::string(60, 'x')) == '"' + std::string(60, 'x') + '"');
  REQUIRE(excerpt(std::string(5000, 'x')) == '"' + std::string(60, 'x') + "\"...");
}

TEST_CASE("Splitting gives one part more than there are separators") {
  const auto parts = [](const char* text, Separator separator) {
    std::string joined;
    split_text(text, separator, [&](std::string_view part) { joined += '[' + std::string(part) + ']'; });
    return joined;
  };
  REQUIRE(parts("", ',') == "[]");
  REQUIRE(parts("a,,b,", ',') == "[a][][b][]");
  REQUIRE(parts("1::2:::3", {':', true}) == "[1][2][:3]");
  REQUIRE(parts("1:2::3:", {':', true}) == "[1:2][3:]");
  REQUIRE(parts("::", {':', true}) == "[][]");
}

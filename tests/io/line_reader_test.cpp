#include <algorithm>
#include <lstmrec/io/csv_reader.hpp>
#include <lstmrec/io/line_reader.hpp>
#include <string>
#include <vector>

#include "catch.hpp"
#include "data/temporary_folder.hpp"
#include "data/thrown.hpp"

using namespace lstmrec;
using lstmrec::detail::CsvReader;
using lstmrec::detail::LineReader;

namespace {

std::vector<std::string> lines_of(const std::string& content) {
  const TemporaryFolder folder;
  std::vector<std::string> lines;
  for (LineReader reader(folder.write("f", content)); reader.next();) lines.emplace_back(reader.line());
  return lines;
}

std::vector<std::vector<std::string>> records_of(const std::string& content, std::size_t columns) {
  const TemporaryFolder folder;
  std::vector<std::vector<std::string>> records;
  for (CsvReader reader(folder.write("f.csv", content)); reader.next();) {
    records.emplace_back();
    for (std::size_t i = 0; i < columns; ++i) records.back().emplace_back(reader.field(i));
  }
  return records;
}

}  // namespace

TEST_CASE("Lines may end in any way, and empty ones are skipped") {
  using Lines = std::vector<std::string>;
  REQUIRE(lines_of("").empty());
  REQUIRE(lines_of("\n\r\n\n").empty());
  REQUIRE(lines_of("\xef\xbb\xbf").empty());
  REQUIRE(lines_of("a\nb\n") == Lines{"a", "b"});
  REQUIRE(lines_of("a\r\nb\r\n") == Lines{"a", "b"});
  REQUIRE(lines_of("a\n\n\r\nb") == Lines{"a", "b"});
  REQUIRE(lines_of("a\nb\r") == Lines{"a", "b"});
  REQUIRE(lines_of("\xef\xbb\xbf"
                   "a\n\xef\xbb\xbf"
                   "b") == Lines{"a",
                                 "\xef\xbb\xbf"
                                 "b"});
}

TEST_CASE("Lines are whole wherever the block that is read ends") {
  // Lengths around the block of 256 KiB, for one line and for the lines behind it; and lines longer than two blocks.
  constexpr std::size_t block = std::size_t{1} << 18;
  for (const std::size_t length : {block - 2, block - 1, block, block + 1, 2 * block - 1, 2 * block, 5 * block + 3}) {
    for (const char* end : {"\n", "\r\n"}) {
      const std::string first(length, 'x');
      CAPTURE(length);
      REQUIRE(lines_of(first + end + "second" + end) == std::vector<std::string>{first, "second"});
      REQUIRE(lines_of("zero" + std::string(end) + first) == std::vector<std::string>{"zero", first});
    }
  }
  std::vector<std::string> expected;
  std::string content;
  for (std::size_t i = 0; i < 100000; ++i) {
    expected.push_back(std::to_string(i * i));
    content += expected.back() + '\n';
  }
  REQUIRE(lines_of(content) == expected);
}

TEST_CASE("A message has the number of its line") {
  const TemporaryFolder folder;
  const auto path = folder.write("f", "a\n\n\nb\r\nc");
  LineReader reader(path);
  reader.next();
  REQUIRE(thrown<ParseError>([&] { reader.fail({"wrong"}); }) == path.string() + ":1: wrong");
  reader.next();
  REQUIRE(thrown<ParseError>([&] { reader.fail({"wrong"}); }) == path.string() + ":4: wrong");
  reader.next();
  REQUIRE(thrown<ParseError>([&] { reader.fail({"wrong"}); }) == path.string() + ":5: wrong");
}

TEST_CASE("A zero byte is found on its line, in the first block and later") {
  const TemporaryFolder folder;
  std::string content;
  for (int i = 1; i <= 200000; ++i) content += "line\n";
  const auto message_with_zero_at = [&](std::size_t place) {
    std::string broken = content;
    broken[place] = '\0';
    const auto path = folder.write("f", broken);
    return thrown<ParseError>([&] {
      for (LineReader reader(path); reader.next();) continue;
    });
  };
  const auto path = (folder.path() / "f").string();
  REQUIRE(message_with_zero_at(0) == path + ":1: expected text, got binary data");
  REQUIRE(message_with_zero_at(5 * 1000 + 2) == path + ":1001: expected text, got binary data");
  REQUIRE(message_with_zero_at(5 * 150000) == path + ":150001: expected text, got binary data");
}

TEST_CASE("CSV fields may be quoted") {
  using Records = std::vector<std::vector<std::string>>;
  REQUIRE(records_of("a,b\n1,2\n", 2) == Records{{"1", "2"}});
  REQUIRE(records_of("\"a\",\"b\"\n\"1\",\"x, y\"\n", 2) == Records{{"1", "x, y"}});
  REQUIRE(records_of("a,b\n1,\"say \"\"hi\"\"\"\n", 2) == Records{{"1", "say \"hi\""}});
  REQUIRE(records_of("a,b\n\"\",\"\"\"\"\n", 2) == Records{{"", "\""}});
  REQUIRE(records_of("a,b\n,\n", 2) == Records{{"", ""}});
  REQUIRE(records_of("a,b\n1,6\" nails\n", 2) == Records{{"1", "6\" nails"}});
  REQUIRE(records_of("a,b\n1,\"two\nlines\"\n2,c\n", 2) == Records{{"1", "two\nlines"}, {"2", "c"}});
  REQUIRE(records_of("a,b\r\n1,\"two\r\n\r\nlines\"\r\n", 2) == Records{{"1", "two\r\n\r\nlines"}});
}

TEST_CASE("CSV with a wrong number of fields, an open quote or an unfit header is refused") {
  const TemporaryFolder folder;
  const auto message = [&](const std::string& content) {
    const auto path = folder.write("f.csv", content);
    const auto text = thrown<ParseError>([&] {
      CsvReader reader(path);
      reader.column("a");
      while (reader.next()) continue;
    });
    return text.substr(std::min(text.size(), path.string().size()));
  };
  REQUIRE(message("a,b\n1,2\n3,4\n") == "");
  REQUIRE(message("") == ":1: expected a header, got an empty file");
  REQUIRE(message("a,b\n1,2\n3\n") == ":3: expected 2 fields separated by \",\", got 1: \"3\"");
  REQUIRE(message("a,b\n1,2,3\n") == ":2: expected 2 fields separated by \",\", got 3: \"1,2,3\"");
  REQUIRE(message("a,b\n1,2\n3,\"x\n4,y\n") == ":3: expected a closing quote, got the end of the file");
  REQUIRE(message("A,b\n") == ":1: expected a header with one column \"a\", got \"A,b\"");
  REQUIRE(message("a,b,a\n") == ":1: expected a header with one column \"a\", got \"a,b,a\"");
}

TEST_CASE("The line after a record of several lines has its own number") {
  const TemporaryFolder folder;
  const auto path = folder.write("f.csv", "a,b\n1,\"x\ny\nz\"\n2\n");
  CsvReader reader(path);
  REQUIRE(reader.next());
  REQUIRE(contains(thrown<ParseError>([&] { reader.next(); }), "f.csv:5: "));
}

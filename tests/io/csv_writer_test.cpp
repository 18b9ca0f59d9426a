#include <cstddef>
#include <lstmrec/core/random.hpp>
#include <lstmrec/io/csv_reader.hpp>
#include <lstmrec/io/csv_writer.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "data/temporary_folder.hpp"

using namespace lstmrec;
using lstmrec::detail::CsvReader;

namespace {

using Records = std::vector<std::vector<std::string>>;

/// Writes records of as many fields as the first has, below a header, and requires that they are read as they were.
void require_round_trip(const TemporaryFolder& folder, const Records& records, std::string_view line_end) {
  const std::size_t columns = records.front().size();
  std::string text;
  const auto write = [&](const std::vector<std::string>& fields) {
    for (std::size_t k = 0; k < fields.size(); ++k) (text += k > 0 ? "," : "") += csv_field(fields[k]);
    text += line_end;
  };
  std::vector<std::string> header;
  for (std::size_t k = 0; k < columns; ++k) header.push_back("column, \"" + std::to_string(k) + '"');
  write(header);
  for (const auto& record : records) write(record);

  CsvReader reader(folder.write("f.csv", text));
  REQUIRE(reader.columns() == columns);
  for (std::size_t k = 0; k < columns; ++k) REQUIRE(reader.column(header[k]) == k);
  for (const auto& record : records) {
    REQUIRE(reader.next());
    for (std::size_t k = 0; k < columns; ++k) REQUIRE(std::string(reader.field(k)) == record[k]);
  }
  REQUIRE_FALSE(reader.next());
}

}  // namespace

TEST_CASE("A text is quoted as a CSV field exactly where it has to be") {
  CHECK(csv_field("") == "");
  CHECK(csv_field("Heat (1995)") == "Heat (1995)");
  CHECK(csv_field(" a;b\t'c' ") == " a;b\t'c' ");
  CHECK(csv_field("Misérables") == "Misérables");
  CHECK(csv_field("President, The") == "\"President, The\"");
  CHECK(csv_field("\"Great\" One") == "\"\"\"Great\"\" One\"");
  CHECK(csv_field("\"") == "\"\"\"\"");
  CHECK(csv_field("two\nlines") == "\"two\nlines\"");
  CHECK(csv_field("\r") == "\"\r\"");
}

TEST_CASE("What is written as CSV fields is read back as it was") {
  const TemporaryFolder folder;
  for (const char* line_end : {"\n", "\r\n"}) {
    require_round_trip(folder,
                       {{"1", "American President, The (1995)"},
                        {"2", "\"Great\" One"},
                        {"3", "two\nlines"},
                        {"4", "three\r\n\r\nlines"},
                        {"", ""},
                        {",", "\""},
                        {"\"\"", "\r"},
                        {"\n", "\r\n"},
                        {"\"a\",\"b\"", "ends in a line end\n"},
                        {"\r\"", "\"\n\""},
                        {"6\" nails", "Amélie"}},
                       line_end);
  }
}

TEST_CASE("Random texts of commas, quotes and line ends survive being written as CSV fields") {
  Random random(1);
  const TemporaryFolder folder;
  constexpr std::string_view characters = ",\"\n\r a";
  for (int file = 0; file < 100; ++file) {
    Records records(1 + random.below(40));
    const std::size_t columns = 2 + random.below(3);  // of one column an empty field would be an empty line
    for (auto& record : records) {
      record.resize(columns);
      for (std::string& field : record)
        for (std::uint64_t left = random.below(8); left > 0; --left)
          field += characters[random.below(characters.size())];
    }
    require_round_trip(folder, records, file % 2 == 0 ? "\n" : "\r\n");
  }
}

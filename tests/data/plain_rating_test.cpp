#include <charconv>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <lstmrec/core/random.hpp>
#include <lstmrec/data/movielens.hpp>
#include <lstmrec/data/plain_rating.hpp>
#include <lstmrec/io/text.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "catch.hpp"
#include "data/temporary_folder.hpp"
#include "data/thrown.hpp"

using namespace lstmrec;
using lstmrec::detail::PlainRating;
using lstmrec::detail::PlainRatings;

namespace {

/// A line with a zero byte and seven more behind it, which is how the reader keeps its text.
bool is_plain(const std::string& text, detail::Separator separator, PlainRating& rating, std::size_t& taken) {
  const std::string padded = text + std::string(8, '\0');
  PlainRatings plain(padded.data(), separator);
  const bool took = plain.next(rating);
  taken = static_cast<std::size_t>(plain.end() - padded.data());
  return took;
}

template <class Number>
bool parses_as(std::string_view field, Number expected) {
  Number value{};
  const auto [end, failure] = std::from_chars(field.data(), field.data() + field.size(), value);
  return failure == std::errc{} && end == field.data() + field.size() && value == expected;
}

/// Whether the standard library reads the first line of a text as what was taken from it.
bool agrees(std::string_view text, detail::Separator separator, const PlainRating& rating, std::size_t taken) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos || taken != end + 1) return false;
  std::string_view line = text.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::vector<std::string_view> fields;
  detail::split_text(line, separator, [&](std::string_view field) { fields.push_back(field); });
  return fields.size() == 4 && parses_as(fields[0], rating.user) && parses_as(fields[1], rating.item) &&
         parses_as(fields[2], rating.rating) && parses_as(fields[3], rating.time);
}

/// A line of ratings, in two of three cases with one to three changes to other characters of such lines.
std::string random_line(Random& random, std::string_view separator, bool may_break) {
  const auto digits = [&random](std::size_t longest) {
    std::string text;
    for (std::size_t left = 1 + random.below(longest); left > 0; --left) {
      text += static_cast<char>('0' + random.below(10));
    }
    return text;
  };
  std::string line = digits(20);
  line.append(separator).append(digits(10)).append(separator).append(digits(1));
  if (random.below(2) == 0) line += '.' + digits(1 + random.below(2));
  line.append(separator).append(digits(12)).append(random.below(4) == 0 ? "\r\n" : "\n");
  constexpr std::string_view characters = "0123456789:\t,.-+ e\r\n\"/;\x7f\x80\xff";
  for (std::uint64_t changes = may_break ? random.below(4) : 0; changes > 0; --changes) {
    const std::size_t place = random.below(line.size());
    if (random.below(2) == 0) {
      line[place] = characters[random.below(characters.size())];
    } else {
      line.insert(place, 1, characters[random.below(characters.size())]);
    }
  }
  return line;
}

}  // namespace

TEST_CASE("Lines as MovieLens has them are plain") {
  PlainRating rating;
  std::size_t taken = 0;
  REQUIRE(is_plain("1::1193::5::978300760\n", detail::Separator{':', true}, rating, taken));
  REQUIRE(rating.user == 1);
  REQUIRE(rating.item == 1193);
  REQUIRE(rating.rating == 5);
  REQUIRE(rating.time == 978300760);
  REQUIRE(taken == 22);
  REQUIRE(is_plain("200948,292757,0.5,1697164147\r\n", ',', rating, taken));
  REQUIRE(rating.item == 292757);
  REQUIRE(rating.rating == 0.5f);
  REQUIRE(rating.time == 1697164147);
  REQUIRE(is_plain("999999999999999999\t12345678\t0\t0\n", '\t', rating, taken));
  REQUIRE(rating.user == 999999999999999999);
  REQUIRE(rating.item == 12345678);
}

TEST_CASE("Other lines are left as they are") {
  PlainRating rating;
  for (const char* line : {"", "\n", "1,2,3,4", "1,2,3\n", "1,2,3,4,5\n", "-1,2,3,4\n", "1,2,3.,4\n", "1,2,.5,4\n",
                           "1,2,10,4\n", "1,2,3.25,4\n", "1,2,3,4 \n", " 1,2,3,4\n", "1,,3,4\n", "1,2,3,4\r\r\n",
                           "1234567890123456789,2,3,4\n", "1;2;3;4\n", "1,2,3,\"4\"\n"}) {
    CAPTURE(line);
    std::size_t taken = 1;
    REQUIRE_FALSE(is_plain(line, ',', rating, taken));
    REQUIRE(taken == 0);
  }
}

/// Users that begin as others do, and with or without room for a separator in the eight bytes that are compared.
TEST_CASE("A line is read the same whatever user the lines before have") {
  Random random(3);
  const auto check = [&](std::string_view name, detail::Separator separator) {
    constexpr std::string_view users[] = {"1", "12", "123456", "1234567", "12345678", "123456789", "1234567890", "7"};
    std::string text;
    int lines = 0;
    for (; lines < 10000; ++lines) {
      const std::string_view user = users[random.below(std::size(users))];
      for (std::uint64_t left = random.below(3); left > 0; --left, ++lines) {
        text.append(user).append(name).append("3").append(name).append("4").append(name).append("5\n");
      }
      text.append(user).append(name).append("33").append(name).append("4.5").append(name).append("6\n");
    }
    text += std::string(8, '\0');
    PlainRatings all(text.data(), separator);
    int taken = 0;
    for (PlainRating line;; ++taken) {
      PlainRatings one(all.end(), separator);  // knows of no line before
      PlainRating expected;
      const bool is_one = one.next(expected);
      REQUIRE(all.next(line) == is_one);
      REQUIRE(all.end() == one.end());
      if (!is_one) break;
      const bool same = line.user == expected.user && line.item == expected.item && line.rating == expected.rating &&
                        line.time == expected.time;
      if (!same) FAIL("line " << taken << " differs");
    }
    REQUIRE(taken == lines);
  };
  check(",", ',');
  check("::", detail::Separator{':', true});
}

TEST_CASE("What is plain means the same to the standard library") {
  Random random(1);
  int plain = 0, others = 0;
  for (int i = 0; i < 200000; ++i) {
    PlainRating rating;
    std::size_t taken = 0;
    const auto check = [&](std::string_view name, detail::Separator separator) {
      const std::string line = random_line(random, name, true);
      if (!is_plain(line, separator, rating, taken)) {
        ++others;
      } else if (++plain; !agrees(line, separator, rating, taken)) {
        FAIL("taken for plain: " << detail::excerpt(line));
      }
    };
    check(",", ',');
    check("::", detail::Separator{':', true});
  }
  REQUIRE(plain > 50000);
  REQUIRE(others > 50000);
}

/// Beside one more column no line is plain, so the second file is read field by field.
TEST_CASE("A log of plain and other lines is what it is without plain ones") {
  Random random(2);
  const TemporaryFolder folder;
  int read = 0, refused = 0;
  for (int file = 0; file < 300; ++file) {
    std::string plain = "userId,movieId,rating,timestamp\n", careful = "userId,movieId,rating,timestamp,note\n";
    const bool broken = file % 2 == 0;
    for (std::uint64_t left = 1 + random.below(200); left > 0; --left) {
      std::string line = random_line(random, ",", false);
      if (random.below(8) == 0) line.insert(0, random.below(2) == 0 ? "\n" : "-");
      if (broken && random.below(200) == 0) line.insert(line.find(','), "x");
      const std::size_t end = line.find_first_of("\r\n", 1);
      plain += line;
      careful += line.substr(0, end) + ',' + line.substr(end);
    }
    // The same line number and complaint, from files of the same name.
    const auto message_or_log = [&](const std::string& content, Interactions& log) {
      const auto path = folder.write("ratings.csv", content);
      return thrown<ParseError>([&] { log = read_movielens(path); });
    };
    Interactions log, expected;
    const std::string message = message_or_log(plain, log), expected_message = message_or_log(careful, expected);
    REQUIRE(message == expected_message);
    ++(message.empty() ? read : refused);
    REQUIRE(log.events.size() == expected.events.size());
    for (std::size_t row = 0; row < log.events.size(); ++row) {
      REQUIRE(log.events[row] == expected.events[row]);
    }
    for (std::uint32_t i = 0; i < log.users.size(); ++i) REQUIRE(log.users.id(i) == expected.users.id(i));
    for (std::uint32_t i = 0; i < log.items.size(); ++i) REQUIRE(log.items.id(i) == expected.items.id(i));
  }
  REQUIRE(read > 20);
  REQUIRE(refused > 20);
}

#include <algorithm>
#include <filesystem>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/movielens.hpp>
#include <string>

#include "catch.hpp"
#include "data/temporary_folder.hpp"
#include "data/thrown.hpp"

using namespace lstmrec;

namespace {

/// What the reader says of a file with this name and content, without the folder's name; "" if it is content.
std::string complaint(const std::string& name, const std::string& content) {
  const TemporaryFolder folder;
  const auto path = folder.write(name, content);
  const std::string message = thrown<Error>([&] { read_movielens(path); });
  const std::string prefix = folder.path().string() + "/";
  REQUIRE((message.empty() || message.starts_with(prefix)));
  REQUIRE_FALSE(contains(message, "\n"));
  return message.substr(message.empty() ? 0 : prefix.size());
}

}  // namespace

TEST_CASE("A missing path is reported with the reason and where the data is") {
  const std::string message = thrown<Error>([] { read_movielens("no/such/folder"); });
  REQUIRE(message.starts_with("no/such/folder: No such file or directory"));
  REQUIRE(contains(message, "https://grouplens.org/datasets/movielens/"));
}

TEST_CASE("A folder without ratings, and what is neither file nor folder, is refused") {
  const TemporaryFolder folder;
  REQUIRE(thrown<Error>([&] { read_movielens(folder.path()); }) ==
          folder.path().string() + ": expected a folder with u.data, ratings.dat, ratings.csv or sequences.txt");
  REQUIRE(thrown<Error>([] { read_movielens("/dev/null"); }) == "/dev/null: expected a file or a folder");
  std::filesystem::create_directory(folder.path() / "ratings.dat");
  REQUIRE(contains(thrown<Error>([&] { read_movielens(folder.path()); }), "ratings.dat: "));
}

TEST_CASE("An empty file and a header without rows are refused") {
  REQUIRE(complaint("ratings.dat", "") == "ratings.dat: expected ratings, got an empty file");
  REQUIRE(complaint("ratings.csv", "\n\r\n") == "ratings.csv: expected ratings, got an empty file");
  REQUIRE(complaint("ratings.csv", "userId,movieId,rating,timestamp\n") ==
          "ratings.csv: expected ratings, got a header only");
}

TEST_CASE("Half a line is refused") {
  REQUIRE(complaint("ratings.dat", "1::1193::5::978300760\n1::1193::5") ==
          "ratings.dat:2: expected 4 fields separated by \"::\", got 3: \"1::1193::5\"");
  REQUIRE(complaint("ratings.dat", "1") == "ratings.dat:1: expected 4 fields separated by \"::\", got 1: \"1\"");
  REQUIRE(complaint("u.data", "1\t2\t3\t4\n1\t2\n") ==
          "u.data:2: expected 4 fields separated by a tab, got 2: \"1\\t2\"");
  REQUIRE(complaint("u.data", "1\t2\t3\t4\t5\n") ==
          "u.data:1: expected 4 fields separated by a tab, got 5: \"1\\t2\\t3\\t4\\t5\"");
  REQUIRE(complaint("u.data", "12") == "u.data:1: expected 4 fields separated by a tab, got 1: \"12\"");
  REQUIRE(complaint("ratings.csv", "userId,movieId,rating,timestamp\n1,2,3.0,4\n\n1,2,3.0\n") ==
          "ratings.csv:4: expected 4 fields separated by \",\", got 3: \"1,2,3.0\"");
  REQUIRE(complaint("sequences.txt", "1 2 3\n4\n") ==
          "sequences.txt:2: expected a user and its items separated by spaces, got \"4\"");
}

TEST_CASE("Letters where a number belongs are refused") {
  REQUIRE(complaint("ratings.dat", "x::2::3::4\n") == "ratings.dat:1: expected an integer as user, got \"x\"");
  REQUIRE(complaint("ratings.dat", "1::2x::3::4\n") == "ratings.dat:1: expected an integer as item, got \"2x\"");
  REQUIRE(complaint("ratings.dat", "1::2::good::4\n") ==
          "ratings.dat:1: expected a finite number as rating, got \"good\"");
  REQUIRE(complaint("ratings.dat", "1::2::3::4.5\n") == "ratings.dat:1: expected an integer as timestamp, got \"4.5\"");
  REQUIRE(complaint("ratings.dat", "1::::3::4\n") == "ratings.dat:1: expected an integer as item, got \"\"");
  REQUIRE(complaint("ratings.dat", "1::2::::4\n") == "ratings.dat:1: expected a finite number as rating, got \"\"");
  REQUIRE(complaint("u.data", "1\t 2\t3\t4\n") == "u.data:1: expected an integer as item, got \" 2\"");
  REQUIRE(complaint("sequences.txt", "1 2 3\n4 5 z\n") == "sequences.txt:2: expected an integer as item, got \"z\"");
  REQUIRE(complaint("sequences.txt", "hello world\n") == "sequences.txt:1: expected an integer as user, got \"hello\"");
}

TEST_CASE("A time past 64 bits is refused, and an id is a text") {
  REQUIRE(complaint("ratings.dat", "9223372036854775807::2::3::4\n") == "");
  REQUIRE(complaint("ratings.dat", "9223372036854775808::2::3::4\n") == "");
  REQUIRE(complaint("ratings.dat", "1::2::3::-9223372036854775809\n") ==
          "ratings.dat:1: expected a 64-bit integer as timestamp, got \"-9223372036854775809\"");
  REQUIRE(complaint("ratings.dat", "1::2::3::99999999999999999999x\n") ==
          "ratings.dat:1: expected an integer as timestamp, got \"99999999999999999999x\"");
}

TEST_CASE("A rating that is not a finite number is refused") {
  for (const char* rating : {"nan", "NaN", "inf", "-inf", "infinity", "1e99", "0x5", "5,0", "5 ", "+5"}) {
    CAPTURE(rating);
    REQUIRE(complaint("u.data", "1\t2\t" + std::string(rating) + "\t4\n") ==
            "u.data:1: expected a finite number as rating, got \"" + std::string(rating) + "\"");
  }
}

TEST_CASE("A binary file is refused") {
  REQUIRE(complaint("u.data", std::string("1\t2\t3\t4\n1\t2\0\t3\t4\n", 18)) ==
          "u.data:2: expected text, got binary data");
  REQUIRE(complaint("ratings.csv", std::string("PK\3\4\0\0\0\0", 8)) ==
          "ratings.csv:1: expected text, got binary data");
  REQUIRE(complaint("x", "\x89PNG\r\n\x1a\n") ==
          "x:1: expected fields separated by tabs, \"::\", commas or spaces, got \"\\x89PNG\"");
}

TEST_CASE("A header that is missing, repeated or has wrong columns is refused") {
  REQUIRE(complaint("ratings.csv", "1,2,3.0,4\n") ==
          "ratings.csv:1: expected a header with one column \"userId\", got \"1,2,3.0,4\"");
  REQUIRE(complaint("ratings.csv", "userId,movieId,rating,timestamp\n1,2,3.0,4\nuserId,movieId,rating,timestamp\n") ==
          "ratings.csv:3: expected an integer as timestamp, got \"timestamp\"");
  REQUIRE(complaint("tags.csv", "userId,movieId,tag,timestamp\n1,2,funny,4\n") ==
          "tags.csv:1: expected a header with one column \"rating\", got \"userId,movieId,tag,timestamp\"");
  REQUIRE(
      complaint("ratings.csv", "userId,movieId,rating,rating,timestamp\n1,2,3,4,5\n") ==
      "ratings.csv:1: expected a header with one column \"rating\", got \"userId,movieId,rating,rating,timestamp\"");
}

TEST_CASE("A second line of the same user is refused") {
  REQUIRE(complaint("sequences.txt", "1 2 3\n2 3 4\n1 5\n") ==
          "sequences.txt:3: expected one line a user, got a second one of user 1");
}

TEST_CASE("A long or unprintable line is cut and escaped") {
  const std::string message = complaint("ratings.dat", "1::2::3::4\n\x1b[31m::" + std::string(100000, 'y') + "\n");
  REQUIRE(message.starts_with("ratings.dat:2: expected 4 fields separated by \"::\", got 2: \"\\x1B[31m::yyy"));
  REQUIRE(message.size() < 200);
}

TEST_CASE("A broken file of titles is refused with its own name") {
  const auto complaint_with = [](const std::string& ratings, const std::string& name, const std::string& content) {
    const TemporaryFolder folder;
    folder.write("u.genre", name == "u.genre" ? content : "unknown|0\nDrama|1\n");
    if (name == "u.genre") folder.write("u.item", "1|A||||0|1\n");
    if (name != "u.genre") folder.write(name, content);
    const auto message = thrown<ParseError>([&] { read_movielens(folder.write("log", ratings)); });
    return message.substr(std::min(message.size(), folder.path().string().size() + 1));
  };
  const std::string ratings = "1\t1\t3\t4\n", with_colons = "1::1::3::4\n";
  REQUIRE(complaint_with(with_colons, "movies.dat", "1::A::B\n2::C\n") ==
          "movies.dat:2: expected 3 fields separated by \"::\", got \"2::C\"");
  REQUIRE(complaint_with(with_colons, "movies.dat", "1:::A\n") ==
          "movies.dat:1: expected 3 fields separated by \"::\", got \"1:::A\"");
  REQUIRE(complaint_with(with_colons, "movies.dat", "x::A::B\n") ==
          "movies.dat:1: expected an integer as item, got \"x\"");
  REQUIRE(complaint_with("userId,movieId,rating,timestamp\n1,1,3,4\n", "movies.csv", "movieId,title,genres\n1,B\n") ==
          "movies.csv:2: expected 3 fields separated by \",\", got 2: \"1,B\"");
  REQUIRE(complaint_with(ratings, "u.item", "1|A||||0|1\n2|A|||\n") ==
          "u.item:2: expected 7 fields separated by \"|\", got 5: \"2|A|||\"");
  REQUIRE(complaint_with(ratings, "u.genre", "unknown|0\nDrama|2\n") ==
          "u.genre:2: expected a genre's name and the number 1 separated by \"|\", got \"Drama|2\"");
}

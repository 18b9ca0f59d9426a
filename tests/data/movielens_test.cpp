#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/movielens.hpp>
#include <lstmrec/data/sequences.hpp>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "data/temporary_folder.hpp"
#include "data/thrown.hpp"

using namespace lstmrec;

namespace {

/// Three ratings that every test file below holds: user 7 rates 50 and then −3 (half stars), user 2 rates 50.
void require_the_three_ratings(const Interactions& log, float half = 3.5f) {
  REQUIRE(log.events.size() == 3);
  REQUIRE(log.has_times);
  REQUIRE(log.has_ratings);
  REQUIRE(log.users.size() == 2);
  REQUIRE(log.users.id(0) == RawId(7));
  REQUIRE(log.users.id(1) == RawId(2));
  REQUIRE(log.items.size() == 2);
  REQUIRE(log.items.id(0) == RawId(50));
  REQUIRE(log.items.id(1) == RawId(3));
  REQUIRE(log.catalogue.size() == 2);
  const auto require_event = [&](std::size_t row, std::uint32_t user, std::uint32_t item, float rating,
                                 std::int64_t time) {
    CAPTURE(row);
    const Event& event = log.events[row];
    REQUIRE(event.user == user);
    REQUIRE(event.item == item);
    REQUIRE(event.rating == rating);
    REQUIRE(event.time == time);
  };
  require_event(0, 0, 0, 5, 978300760);
  require_event(1, 0, 1, half, 978300760);
  require_event(2, 1, 0, 1, -5);
}

/// For how many events there is room in the column that has most.
std::size_t largest_capacity(const Interactions& log) {
  std::size_t largest = 0;
  EventColumns::visit(log.events, [&](const auto& column) { largest = std::max(largest, column.capacity()); });
  return largest;
}

}  // namespace

TEST_CASE("u.data is read, whatever the name and the line ends") {
  const TemporaryFolder folder;
  const std::string rows = "7\t50\t5\t978300760\n7\t3\t3\t978300760\n2\t50\t1\t-5";
  require_the_three_ratings(read_movielens(folder.write("u1.test", rows)), 3);
  require_the_three_ratings(read_movielens(folder.write("ratings.csv", rows)), 3);
  require_the_three_ratings(
      read_movielens(folder.write("u.data",
                                  "\xef\xbb\xbf"
                                  "7\t50\t5\t978300760\r\n7\t3\t3\t978300760\r\n\r\n2\t50\t1\t-5\r\n")),
      3);
}

TEST_CASE("ratings.dat is read with whole and with half stars") {
  const TemporaryFolder folder;
  require_the_three_ratings(
      read_movielens(folder.write("ratings.dat", "7::50::5::978300760\n7::3::3::978300760\n2::50::1::-5\n")), 3);
  require_the_three_ratings(
      read_movielens(folder.write("r1.train", "7::50::5::978300760\n7::3::3.5::978300760\n2::50::1::-5\n")));
}

TEST_CASE("ratings.csv is read by the names in its header") {
  const TemporaryFolder folder;
  require_the_three_ratings(read_movielens(folder.write(
      "ratings.csv", "userId,movieId,rating,timestamp\n7,50,5.0,978300760\n7,3,3.5,978300760\n2,50,1.0,-5\n")));
  require_the_three_ratings(read_movielens(
      folder.write("log",
                   "\xef\xbb\xbf"
                   "\"timestamp\",note,\"rating\",movieId,userId\r\n978300760,\"a, \"\"b\"\"\",5,50,7\r\n"
                   "978300760,\"c\nd\",\"3.5\",3,7\r\n-5,,1e0,\"50\",2")));
}

TEST_CASE("A sequence file has positions for times") {
  const TemporaryFolder folder;
  const auto log = read_movielens(folder.write("sequences.txt", "7 50 3 50\n\n2  9 \n"));
  REQUIRE_FALSE(log.has_times);
  REQUIRE_FALSE(log.has_ratings);
  REQUIRE(log.users.size() == 2);
  REQUIRE(log.items.size() == 3);
  REQUIRE(log.events.size() == 4);
  REQUIRE(log.events.times.empty());
  REQUIRE(log.events.ratings.empty());
  REQUIRE(log.events[2].item == 0);
  REQUIRE(log.events[3].user == 1);
  REQUIRE(log.items.id(log.events[3].item) == RawId(9));
  const auto all = build_sequences(log);
  REQUIRE(all.size() == 2);
  REQUIRE(all[0].size() == 3);
  for (const Event& event : all[0]) REQUIRE(event.time == 0);
  REQUIRE(all[1][0].time == 0);
}

TEST_CASE("A folder stands for the ratings in it, and titles come from beside them") {
  const TemporaryFolder folder;
  folder.write("ratings.csv", "userId,movieId,rating,timestamp\n1,50,5.0,10\n1,3,3.5,20\n1,4,1.0,30\n1,5,2.0,40\n");
  REQUIRE(read_movielens(folder.path()).catalogue[0].title.empty());
  folder.write("movies.csv",
               "movieId,title,genres\n3,\"American President, The (1995)\",Comedy|Drama|Romance\n"
               "99,Never rated,Drama\n4,\"\"\"Great\"\" One (1999)\",(no genres listed)\n50,Amélie,Comedy\n");
  const auto log = read_movielens(folder.path());
  REQUIRE(log.source == (folder.path() / "ratings.csv").string());
  REQUIRE(log.catalogue.size() == 4);
  const auto info = [&](int id) { return log.catalogue[log.items.index(id)]; };
  REQUIRE(info(3).title == "American President, The (1995)");
  REQUIRE(info(3).genres == std::vector<std::string>{"Comedy", "Drama", "Romance"});
  REQUIRE(info(4).title == "\"Great\" One (1999)");
  REQUIRE(info(4).genres.empty());
  REQUIRE(info(50).title == "Amélie");
  REQUIRE(info(5).title.empty());
}

TEST_CASE("Titles of movies.dat and u.item may be ISO-8859-1") {
  const TemporaryFolder dat;
  dat.write("ratings.dat", "1::73::5::10\n1::8::5::10\n");
  dat.write("movies.dat", "73::Mis\xe9rables, Les (1995)::Drama|Musical\n8::Face::Off::Action\n");
  auto log = read_movielens(dat.path());
  REQUIRE(log.catalogue[0].title == "Misérables, Les (1995)");
  REQUIRE(log.catalogue[0].genres == std::vector<std::string>{"Drama", "Musical"});
  REQUIRE(log.catalogue[1].title == "Face::Off");

  const TemporaryFolder item;
  item.write("u.data", "1\t73\t5\t10\n1\t8\t5\t10\n");
  item.write("u.item", "73|Mis\xe9rables, Les (1995)|01-Jan-1995||http://x|0|1|1\n8|unknown||||1|0|0\n");
  log = read_movielens(item.path());
  REQUIRE(log.catalogue[0].title == "Misérables, Les (1995)");
  REQUIRE(log.catalogue[0].genres.empty());
  item.write("u.genre", "unknown|0\nDrama|1\nFilm-Noir|2\n\n");
  log = read_movielens(item.path() / "u.data");
  REQUIRE(log.catalogue[0].genres == std::vector<std::string>{"Drama", "Film-Noir"});
  REQUIRE(log.catalogue[1].genres.empty());
}

TEST_CASE("The files that are read of a release are the log and those of titles and genres, no others") {
  const TemporaryFolder folder;
  using Files = std::vector<std::filesystem::path>;
  const auto in_folder = [&](const char* name) { return folder.path() / name; };
  CHECK_THROWS_AS(movielens_files(folder.path()), Error);
  folder.write("ratings.csv", "a header, and no more");
  CHECK(movielens_files(folder.path()) == Files{in_folder("ratings.csv")});
  for (const char* name : {"u.genre", "movies.csv"}) folder.write(name, "");
  CHECK(movielens_files(folder.path()) == Files{in_folder("ratings.csv"), in_folder("movies.csv")});
  for (const char* name : {"movies.dat", "u.item", "u.data"}) folder.write(name, "");
  CHECK(movielens_files(in_folder("ratings.csv")) == Files{in_folder("ratings.csv"), in_folder("movies.csv")});
  folder.write("u1.test", "1\t2\t3\t4\n");
  CHECK(movielens_files(in_folder("u1.test")) ==
        Files{in_folder("u1.test"), in_folder("u.item"), in_folder("u.genre")});
}

TEST_CASE("A log larger than the block that is read arrives whole") {
  const TemporaryFolder folder;
  std::string content;
  constexpr std::uint32_t rows = 60000;
  for (std::uint32_t row = 0; row < rows; ++row) {
    content += std::to_string(row % 977) + "::" + std::to_string(row % 1009) + "::" + std::to_string(row % 5 + 1) +
               "::" + std::to_string(978300000 + row) + '\n';
  }
  const auto log = read_movielens(folder.write("ratings.dat", content));
  REQUIRE(log.events.size() == rows);
  REQUIRE(log.has_times);
  REQUIRE(log.has_ratings);
  REQUIRE(largest_capacity(log) <= rows + 1);
  for (std::uint32_t row = 0; row < rows; ++row) {
    const Event& event = log.events[row];
    const bool same = log.users.id(event.user) == RawId(row % 977) && log.items.id(event.item) == RawId(row % 1009) &&
                      event.rating == static_cast<float>(row % 5 + 1) && event.time == 978300000 + std::int64_t{row};
    if (!same) FAIL("row " << row << " differs");
  }
}

TEST_CASE("A large log's memory is reserved from parts of it, hardly more than it needs") {
  const TemporaryFolder folder;
  std::string content;
  constexpr std::uint64_t rows = 400000;
  for (std::uint64_t row = 0; row < rows; ++row) {  // users of one digit to six: lines grow
    content += std::to_string(row * row / 160000 + 1) + "\t" + std::to_string(row % 1009) + "\t4\t5\n";
  }
  REQUIRE(content.size() > 4000000);
  const auto log = read_movielens(folder.write("u.data", content));
  REQUIRE(log.events.size() == rows);
  REQUIRE(largest_capacity(log) < rows + rows / 50);  // twice as much where it had to grow
}

TEST_CASE("The text of an id counts: 007 is not 7") {
  const TemporaryFolder folder;
  for (const auto& [name, content] : std::vector<std::pair<std::string, std::string>>{
           {"ratings.csv",
            "userId,movieId,rating,timestamp\n1,7,3.0,1\n1,007,4.0,2\n01,7,3.0,3\n1,0000000005,1.0,4\n"
            "0,0,1.0,5\n"},
           {"u.data", "1\t7\t3\t1\n1\t007\t4\t2\n01\t7\t3\t3\n1\t0000000005\t1\t4\n0\t0\t1\t5\n"},
           {"sequences.txt", "1 7 007 0000000005\n01 7\n0 0\n"}}) {
    CAPTURE(name);
    const Interactions log = read_movielens(folder.write(name, content));
    REQUIRE(log.users.size() == 3);
    REQUIRE(log.users.index("01") == 1);
    REQUIRE(log.users.index(0) == 2);
    REQUIRE(log.items.size() == 4);
    REQUIRE(log.items.index(7) == 0);
    REQUIRE(log.items.index("007") == 1);
    REQUIRE(log.items.index("0000000005") == 2);
    REQUIRE(log.items.id(2).text() == "0000000005");
    REQUIRE_FALSE(log.items.find(5));
  }
}

TEST_CASE("Titles are those of the log's own release, and two logs in a folder are refused") {
  const TemporaryFolder folder;
  const auto csv = folder.write("ratings.csv", "userId,movieId,rating,timestamp\n1,7,3.0,1\n");
  folder.write("u.item", "7|Of another release|||||\n");
  REQUIRE(read_movielens(folder.path()).catalogue[0].title.empty());
  folder.write("movies.csv", "movieId,title,genres\n7,Its own,Drama\n");
  REQUIRE(read_movielens(folder.path()).catalogue[0].title == "Its own");
  REQUIRE(read_movielens(folder.path()).warnings.empty());

  folder.write("movies.csv", "id,name\n7,Another table\n");
  const Interactions log = read_movielens(csv);
  REQUIRE(log.catalogue[0].title.empty());
  REQUIRE(log.warnings.size() == 1);
  REQUIRE(log.warnings[0].ends_with(
      "movies.csv:1: expected a header with one column \"movieId\", got \"id,name\"; no titles are read"));

  folder.write("u.data", "1\t7\t3\t1\n");
  REQUIRE(thrown<Error>([&] { read_movielens(folder.path()); }) ==
          folder.path().string() + ": expected one log, got u.data and ratings.csv: state which file");
  REQUIRE(read_movielens(folder.path() / "u.data").catalogue[0].title == "Of another release");
}

TEST_CASE("Ratings that are separated by spaces are no sequences") {
  const TemporaryFolder folder;
  REQUIRE(thrown<ParseError>(
              [&] { read_movielens(folder.write("any name", "196 242 3 881250949\n186 302 3 891717742\n")); })
              .ends_with("any name:1: expected a user and items, got what looks like user, item, rating and time, "
                         "separated by spaces: separate them by tabs, or read them with read_log"));
  REQUIRE(read_movielens(folder.write("f", "1 242 3 881250949\n2 302 3\n")).events.size() == 5);
  REQUIRE(read_movielens(folder.write("g", "1 242 3 4\n2 302 3 9\n")).events.size() == 6);
}

TEST_CASE("The unit of MovieLens' times is told by their size") {
  const TemporaryFolder folder;
  const auto ticks = [&](const std::string& time) {
    return read_movielens(folder.write("u.data", "1\t7\t3\t0\n1\t8\t3\t" + time + "\n")).ticks_per_second;
  };
  REQUIRE(ticks("978300760") == 1);
  REQUIRE(ticks("-5") == 1);
  REQUIRE(ticks("978300760123") == 1000);
  REQUIRE(ticks("978300760123456") == 1'000'000);
  REQUIRE(ticks("978300760123456789") == 1'000'000'000);
  REQUIRE(ticks("-9223372036854775808") == 1'000'000'000);
}

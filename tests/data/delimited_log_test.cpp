#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/delimited_log.hpp>
#include <lstmrec/data/item_table.hpp>
#include <lstmrec/data/movielens.hpp>
#include <lstmrec/data/number_step.hpp>
#include <lstmrec/data/sequences.hpp>
#include <string>
#include <vector>

#include "../catch.hpp"
#include "../real_data.hpp"
#include "temporary_folder.hpp"
#include "thrown.hpp"

using namespace lstmrec;

namespace {

/// The events of a log, each as "user item time rating".
std::vector<std::string> events_of(const Interactions& log) {
  std::vector<std::string> events;
  for (const Event& event : log.events) {
    events.push_back(log.users.id(event.user).text() + " " + log.items.id(event.item).text());
    if (log.has_times) events.back() += " " + std::to_string(event.time);
    if (log.has_ratings) events.back() += " " + std::to_string(static_cast<int>(10 * event.rating));
  }
  return events;
}

using Events = std::vector<std::string>;

Events read(const std::string& content, const LogOptions& options = {}) {
  const TemporaryFolder folder;
  return events_of(read_log(folder.write("log", content), options));
}

std::string layout_of(const std::string& content, LogOptions options = {}) {
  std::string text;
  options.layout_found = [&](const LogLayout& layout) { text = layout.text(); };
  read(content, options);
  return text;
}

/// The message of what is thrown, behind the name of the file.
std::string failure_of(const std::string& content, const LogOptions& options = {}) {
  const TemporaryFolder folder;
  const auto path = folder.write("log", content);
  const std::string text = thrown<Error>([&] { read_log(path, options); });
  return text.starts_with(path.string()) ? text.substr(path.string().size()) : text;
}

}  // namespace

TEST_CASE("Well-known layouts are found out") {
  REQUIRE(layout_of("SessionId\tItemId\tCatId\tTime\n11\t214\t0\t1411994583.727\n11\t215\t0\t1411994787.381\n") ==
          "fields separated by tabs, with a header; user: \"SessionId\", item: \"ItemId\", time: \"Time\" (fractional "
          "seconds); not used: \"CatId\"");
  REQUIRE(layout_of("user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t2\t3.5\t978300760\n") ==
          "fields separated by tabs, with a header; user: \"user_id:token\", item: \"item_id:token\", time: "
          "\"timestamp:float\" (seconds), rating: \"rating:float\"");
  // Yoochoose, Amazon's reviews, MovieLens 100K and 1M: all without a header.
  REQUIRE(layout_of("1,2014-04-07T10:51:09.277Z,214536502,0\n1,2014-04-07T10:54:09.868Z,214536500,0\n") ==
          "fields separated by commas, without a header; user: column 1, item: column 3, time: column 2 (ISO 8601); "
          "not used: column 4");
  REQUIRE(layout_of("A2CX7LUOHB2NDG,0321732944,5.0,1341100800\nA2NWSAGRHCP8N5,0439886341,1.0,1367193600\n") ==
          "fields separated by commas, without a header; user: column 1, item: column 2, time: column 4 (seconds), "
          "rating: column 3");
  REQUIRE(layout_of("196\t242\t3\t881250949\n") ==
          "fields separated by tabs, without a header; user: column 1, item: column 2, time: column 4 (seconds), "
          "rating: column 3");
  REQUIRE(layout_of("1::122::5::838985046\n") ==
          "fields separated by \"::\", without a header; user: column 1, item: column 2, time: column 4 (seconds), "
          "rating: column 3");
  // RetailRocket and Diginetica.
  REQUIRE(layout_of("timestamp,visitorid,event,itemid,transactionid\n1433221332117,257597,view,355908,\n") ==
          "fields separated by commas, with a header; user: \"visitorid\", item: \"itemid\", time: \"timestamp\" "
          "(milliseconds), kind: \"event\"; not used: \"transactionid\"");
  REQUIRE(layout_of("sessionId;userId;itemId;timeframe;eventdate\n1;NA;81766;526309;2016-05-09\n") ==
          "fields separated by semicolons, with a header; user: \"sessionId\", item: \"itemId\", time: \"timeframe\" "
          "(seconds); not used: \"userId\", \"eventdate\"");
}

TEST_CASE("Columns are stated by names or numbers, and may be missing") {
  const std::string log = "a;b;c\nx;y;5\nx;z;4\n";
  REQUIRE(read(log, {.user_column = "b", .item_column = "c"}) == Events{"y 5", "z 4"});
  REQUIRE(read(log, {.user_column = "1", .item_column = "2", .time_column = "3"}) == Events{"x y 5", "x z 4"});
  REQUIRE(read(log, {.user_column = "1", .item_column = "2", .rating_column = "c"}) == Events{"x y 50", "x z 40"});
  REQUIRE(read("ann bob 7\n", {.time_column = "3", .separator = " "}) == Events{"ann bob 7"});
  REQUIRE(read("user,item,time\n1,2,3\n", {.time_column = ""}) == Events{"1 2"});
  REQUIRE(read("1,2\n3,4\n") == Events{"1 2", "3 4"});
  REQUIRE(read("ann,apple\nbob,pear\n") == Events{"ann apple", "bob pear"});
  REQUIRE(read("user,item\nbob,pear\n", {.has_header = false}) == Events{"user item", "bob pear"});
}

TEST_CASE("A delimited log may be quoted, have any line ends, a byte-order mark, and blank lines") {
  REQUIRE(read("\xef\xbb\xbf\"user\",\"item\",\"ts\",note\r\n\"1\",\"a,b\",\"5\",\"two\r\nlines, \"\"quoted\"\"\"\r\n"
               "2,c,6,\r\n\r\n\r\n") == Events{"1 a,b 5", "2 c 6"});
  // The lines of the first block are looked at, though not the last of them, which the block's end may have cut.
  std::string content = "user,item,note,ts\n";
  Events expected;
  for (int k = 0; k < 700; ++k) {
    const std::string user = std::to_string(k);
    content += user + ",7," + std::string(997, 'x') + ",2014-04-07T10:51:09Z\n";
    expected.push_back(user + " 7 1396867869000000");
  }
  REQUIRE(read(content) == expected);
}

TEST_CASE("Kinds of events are counted, and read as asked for") {
  const std::string log = "user,item,event,time\n1,10,view,100\n1,10,cart,101\n2,11,view,102\n2,12,buy,103\n";
  const TemporaryFolder folder;
  const auto path = folder.write("log", log);
  const Interactions all = read_log(path);
  REQUIRE(all.kinds.size() == 3);
  CHECK(all.kinds[0].name == "view");
  CHECK(all.kinds[0].events == 2);
  CHECK(all.events.size() == 4);
  const std::vector<std::uint32_t> kinds{kind_id("view"), kind_id("cart"), kind_id("view"), kind_id("buy")};
  CHECK(all.events.kinds == kinds);
  const Sequences sequences = build_sequences(all);
  CHECK(sequences[1].kinds[1] == kind_id("buy"));
  CHECK(sequences[1].back().kind == kind_id("buy"));
  const Interactions some = read_log(path, {.kinds = {"buy", "cart"}});
  CHECK(events_of(some) == Events{"1 10 101", "2 12 103"});
  CHECK(some.items.size() == 2);  // nothing is known of what was not read
  CHECK_FALSE(some.kinds[0].is_read);
  CHECK(some.kinds[0].events == 2);
  CHECK(some.kinds[1].is_read);
  CHECK(layout_of(log).ends_with("time: \"time\" (seconds), kind: \"event\""));
  CHECK(failure_of(log, {.kinds = {"sale"}}) ==
        ": expected events of the kind \"sale\", got \"view\", \"cart\", \"buy\"");
  CHECK(contains(failure_of("user,item\n1,2\n", {.kinds = {"sale"}}), "expected a column of the events' kinds"));
  // Without a header by its number, and never a column with many different texts.
  CHECK(read("1,10,view\n1,11,buy\n", {.kind_column = "3", .kinds = {"buy"}}) == Events{"1 11"});
  std::string types = "user,item,type\n";
  for (int k = 0; k < 30; ++k) types += "1," + std::to_string(k) + ",t" + std::to_string(k) + "\n";
  CHECK(contains(layout_of(types), "not used: \"type\""));
  // A column that nobody has stated may turn out to be of something else.
  std::string late = "user,item,type\n";
  for (int k = 0; k < 3000; ++k) late += "1,2," + std::string(k < 1500 ? "a" : "b" + std::to_string(k)) + "\n";
  CHECK(read_log(folder.write("late", late)).kinds.empty());
  CHECK(contains(failure_of(late, {.kind_column = "type"}), "expected at most 1000 kinds of events"));
  CHECK(contains(layout_of(log, {.kind_column = ""}), "not used: \"event\""));
}

TEST_CASE("An id of a delimited log is its text") {
  const TemporaryFolder folder;
  const std::string uuid = "8f2c1d34-0000-4000-8000-00805f9b34fb";
  const auto log = read_log(folder.write("log", "user,item\n007,00123\n7,123\n+7,B000FA64PK\n-0," + uuid +
                                                    "\n-5,k\xc3\xa4se \n99999999999999999999,\xe4\n"));
  std::vector<std::string> users, items;
  for (std::uint32_t k = 0; k < log.users.size(); ++k) users.push_back(log.users.id(k).text());
  for (std::uint32_t k = 0; k < log.items.size(); ++k) items.push_back(log.items.id(k).text());
  REQUIRE(users == Events{"007", "7", "+7", "-0", "-5", "99999999999999999999"});
  REQUIRE(items == Events{"00123", "123", "B000FA64PK", uuid, "k\xc3\xa4se ", "\xe4"});
  REQUIRE(log.users.index(7) == 1);
  REQUIRE(log.users.index(-5) == 4);
  REQUIRE(log.catalogue.size() == 6);
}

TEST_CASE("Times are read in the unit that they are written in") {
  const auto time = [](const std::string& text, const LogOptions& options = {}) {
    const TemporaryFolder folder;
    const auto log = read_log(folder.write("log", "user,item,time\n1,2," + text + "\n"), options);
    const auto sequences = build_sequences(log);
    REQUIRE(sequences.ticks_per_second == log.ticks_per_second);
    return std::to_string(log.events[0].time) + " / " + std::to_string(log.ticks_per_second);
  };
  // `date -u -d 2014-04-07T10:51:09 +%s` says 1396867869.
  REQUIRE(time("1396867869") == "1396867869 / 1");
  REQUIRE(time("-5") == "-5 / 1");
  REQUIRE(time("1396867869277") == "1396867869277 / 1000");
  REQUIRE(time("1396867869277123") == "1396867869277123 / 1000000");
  REQUIRE(time("1396867869277123456") == "1396867869277123456 / 1000000000");
  REQUIRE(time("1396867869.277") == "1396867869277000 / 1000000");
  REQUIRE(time("-1.5") == "-1500000 / 1000000");
  REQUIRE(time("1396867869.2771239") == "1396867869277123 / 1000000");
  REQUIRE(time("1.396867869e9") == "1396867869000000 / 1000000");
  REQUIRE(time("2014-04-07T10:51:09.277Z") == "1396867869277000 / 1000000");
  REQUIRE(time("2014-04-07 12:51:09+02:00") == "1396867869000000 / 1000000");
  REQUIRE(time("2014-04-07T05:21:09-0530") == "1396867869000000 / 1000000");
  REQUIRE(time("2014-04-07 10:51:09 UTC") == "1396867869000000 / 1000000");
  REQUIRE(time("2014-04-07T10:51") == "1396867860000000 / 1000000");
  REQUIRE(time("2014-04-07") == "1396828800000000 / 1000000");
  REQUIRE(time("1969-12-31T23:59:59.5") == "-500000 / 1000000");
  REQUIRE(time("2000-02-29") == "951782400000000 / 1000000");
  REQUIRE(time("1600-03-01") == "-11670912000000000 / 1000000");
  REQUIRE(time("5000", {.time_format = TimeFormat::milliseconds}) == "5000 / 1000");

  for (const char* wrong : {"2014-02-29", "2014-13-01", "2014-04-07T25:00", "2014-04-07T10:51:09.", "2014-04-07T10:60",
                            "2014-04-07X", "2014-04-07T10:51:09+2", "yesterday", "1.5.5", "", "1e300", "0000-01-01"}) {
    CAPTURE(wrong);
    REQUIRE(failure_of("user,item,time\n1,2,3\n1,2," + std::string(wrong) + "\n") != "");
  }
}

TEST_CASE("What is wrong with a delimited log is said with line and column") {
  const std::string log = "session_id,sku,ts\n8,00123,5\n";
  REQUIRE(failure_of(log, {.user_column = "sesion_id"}) ==
          ":1: expected a user column \"sesion_id\", got the columns \"session_id\", \"sku\", \"ts\"; did you mean "
          "\"session_id\"?");
  REQUIRE(failure_of(log, {.item_column = "zzzzzzzz"}) ==
          ":1: expected an item column \"zzzzzzzz\", got the columns \"session_id\", \"sku\", \"ts\"");
  REQUIRE(failure_of("a,b\nx,y\n", {.has_header = true}) ==
          ":1: expected a column of the users, got \"a\", \"b\": state which it is");
  REQUIRE(failure_of(log, {.user_column = "sku"}) ==
          ":1: expected users and items in two columns, got \"sku\" for both");
  REQUIRE(failure_of("user,user,item\n1,2,3\n", {.user_column = "user"}) ==
          ":1: expected a user column \"user\", got two of that name: state its number");
  REQUIRE(failure_of(log, {.time_column = "4"}).starts_with(":1: expected a time column \"4\", got the columns"));
  REQUIRE(failure_of("session_id,sku,ts\n8,00123,now\n") ==
          ":1: expected times in column \"ts\", got \"now\": state its format, or another column");
  REQUIRE(failure_of("") == ":1: expected lines, got an empty file");
  REQUIRE(failure_of("user,item\n") == ": expected events, got a header only");
  REQUIRE(failure_of("1 2\n").starts_with(":1: expected fields separated by tabs, commas"));
  REQUIRE(failure_of("1,2\n", {.separator = ",;"}) ==
          "expected a character or twice the same one as separator, got \",;\"");
  REQUIRE(failure_of("user,item,ts\n1,2,3\n1,2\n") == ":3: expected 3 fields separated by \",\", got 2: \"1,2\"");
  REQUIRE(failure_of("user,item,ts\n1,2,3\n1,2,3.5\n", {.time_format = TimeFormat::seconds}) ==
          ":3: column \"ts\": expected a time (seconds), got \"3.5\"");
  REQUIRE(failure_of("user,item\n1,2\n,2\n") == ":3: column \"user\": expected a user, got nothing");
  REQUIRE(failure_of("user,item,rating\n1,2,nan\n") ==
          ":2: column \"rating\": expected a finite number as rating, got \"nan\"");
}

TEST_CASE("So many bad lines as stated are left out, and shown") {
  const std::string log = "user,item,ts\n1,2,3\n1,2\n4,,5\n6,7,8\n6,7,x\n";
  std::vector<std::size_t> lines;
  LogOptions options{.time_format = TimeFormat::seconds, .skip_bad_lines = 3};
  options.bad_line = [&](const ParseError& error) { lines.push_back(error.line()); };
  REQUIRE(read(log, options) == Events{"1 2 3", "6 7 8"});
  REQUIRE(lines == std::vector<std::size_t>{3, 4, 6});
  options.skip_bad_lines = 2;
  REQUIRE(failure_of(log, options) == ":6: column \"ts\": expected a time (seconds), got \"x\"");
  // Behind a quote that is not closed nothing can be told.
  REQUIRE(failure_of("user,item\n1,\"2\n3,4\n", {.skip_bad_lines = 10}) ==
          ":2: expected a closing quote, got the end of the file");
  // A line that is left out leaves no id behind.
  const TemporaryFolder folder;
  options.skip_bad_lines = 3;
  REQUIRE(read_log(folder.write("log", log), options).users.size() == 2);
}

TEST_CASE("MovieLens 100K is the same log whichever reader reads it") {
  const auto file = real_data("ml-100k/u.data");
  if (!file) return;
  const Interactions ours = read_log(*file), theirs = read_movielens(*file);
  REQUIRE(ours.events.size() == 100000);
  REQUIRE(ours.events.users == theirs.events.users);
  REQUIRE(ours.events.items == theirs.events.items);
  REQUIRE(ours.events.times == theirs.events.times);
  REQUIRE(ours.events.ratings == theirs.events.ratings);
}

TEST_CASE("The clicks of the RecSys Challenge 2015 have the sizes that are known of them") {
  const auto file = real_data("rsc15-64/rsc15_train_full.txt");
  if (!file) return;
  const Interactions log = read_log(*file);
  REQUIRE(log.events.size() == 99943);
  REQUIRE(log.users.size() == 24761);
  REQUIRE(log.items.size() == 13133);
  REQUIRE(log.ticks_per_second == 1'000'000);
}

TEST_CASE("Logs: kinds of events count as targets what is asked for") {
  const TemporaryFolder folder;
  const auto path = folder.write("log.csv", "user,item,event\n1,a,view\n1,b,cart\n2,a,buy\n2,c,view\n");
  const Interactions log = read_log(path, {.kind_weights = {{"view", 0.f}, {"buy", 3.f}}});
  CHECK(log.events.weights == std::vector<float>{0, 1, 3, 0});
  CHECK(log.kinds[0].weight == 0);
  CHECK(log.kinds[2].weight == 3);
  const Sequences sequences = build_sequences(log);
  CHECK(sequences.weight(1, 0) == 3);
  CHECK(read_log(path).events.weights.empty());
  CHECK(thrown<DataError>([&] {
          read_log(path, {.kind_weights = {{"sale", 2.f}}});
        }).find("the kind \"sale\"") != std::string::npos);
  CHECK_THROWS_AS(read_log(path, {.kind_weights = {{"view", -1.f}}}), ConfigError);
  const auto bare = folder.write("bare.csv", "user,item\n1,a\n");
  CHECK_THROWS_AS(read_log(bare, {.kind_weights = {{"view", 1.f}}}), ParseError);
}

TEST_CASE("A table of items gives titles and categories to the items of a log") {
  const TemporaryFolder folder;
  Interactions log = read_log(folder.write("events.csv", "user,sku\n1,007\n1,8\n1,9\n"));
  std::vector<std::size_t> bad_lines;
  const auto bad_line = [&](const ParseError& error) { bad_lines.push_back(error.line()); };
  const auto path = folder.write("items.csv",
                                 "product_name;sku;categories\n\"Bolt; steel\";007;tools|\xe4rger\nNut;7;tools\n"
                                 "x;8\nWrench;9;\nno id;;z\nBetter wrench;9;\n");
  const ItemTableCounts counts = read_item_table(path, log, {.bad_line = bad_line});
  REQUIRE(counts.described == 2);
  REQUIRE(counts.foreign == 1);
  REQUIRE(counts.bad == 2);
  REQUIRE(bad_lines == std::vector<std::size_t>{4, 6});
  REQUIRE(log.catalogue[0].title == "Bolt; steel");
  REQUIRE(log.catalogue[0].genres == Events{"tools", "\xc3\xa4rger"});
  REQUIRE(log.catalogue[1].title.empty());
  REQUIRE(log.catalogue[2].title == "Better wrench");
  REQUIRE(log.catalogue[2].genres.empty());
  REQUIRE(thrown<ParseError>([&] { read_item_table(path, log, {.is_strict = true}); }) ==
          path.string() + ":4: expected 3 fields separated by \";\", got 2: \"x;8\"");
  REQUIRE(thrown<ParseError>([&] {
            read_item_table(path, log, {.title_column = "product_nam"});
          }).ends_with("did you mean \"product_name\"?"));
  const auto bare = folder.write("bare.csv", "8\tEight\ta,b\n9\tNine\tc\n");
  read_item_table(bare, log, {.category_separator = ','});
  REQUIRE(log.catalogue[1].title == "Eight");
  REQUIRE(log.catalogue[1].genres == Events{"a", "b"});
  REQUIRE(log.catalogue[2].genres == Events{"c"});
  const auto priced =
      folder.write("priced.csv", "sku,genre,brand,price\n7,a,Fj|Ko,299.9\n8,b,,0.02\n9,,Fj,1000\n007,c,Fj,cheap\n");
  const ItemTableOptions columns{.attribute_columns = {"brand"}, .number_columns = {"price"}, .bad_line = bad_line};
  bad_lines.clear();
  read_item_table(priced, log, columns);
  REQUIRE(bad_lines == std::vector<std::size_t>{5});
  const auto items = read_catalogue(priced, columns);
  REQUIRE(items.size() == 3);
  REQUIRE(items[0].id == RawId(7));
  REQUIRE(items[0].info.genres == Events{"a", "brand Fj", "brand Ko", "price 200 to 500"});
  REQUIRE(items[1].info.genres == Events{"b", "price 0.02 to 0.05"});
  REQUIRE(items[2].info.genres == Events{"brand Fj", "price 1000 to 2000"});
  for (const auto& [number, step] : std::vector<std::pair<double, std::string>>{{0, "0"},
                                                                                {-3, "-2 to -5"},
                                                                                {0.5, "0.5 to 1"},
                                                                                {0.09, "0.05 to 0.1"},
                                                                                {1, "1 to 2"},
                                                                                {9.99, "5 to 10"},
                                                                                {2e6, "2000000 to 5000000"}})
    REQUIRE(detail::step_of(number) == step);
  REQUIRE(thrown<ParseError>([&] {
            read_catalogue(priced, {.number_columns = {"prize"}});
          }).ends_with("did you mean \"price\"?"));
  const auto open = folder.write("open.csv", "sku,title\n8,\"Eight\n9,Nine\n");
  REQUIRE(read_item_table(open, log).bad == 1);
  REQUIRE(thrown<ParseError>([&] {
            read_item_table(folder.write("none.csv", "a,b\nx,1\n"), log);
          }).ends_with(":1: expected a column of the items, got \"a\", \"b\": state which it is"));
}

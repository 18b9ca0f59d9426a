#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <lstmrec/core/random.hpp>
#include <lstmrec/data/event_columns.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/raw_id.hpp>
#include <lstmrec/data/sequences.hpp>
#include <ranges>
#include <tuple>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "data/logs.hpp"

using namespace lstmrec;

static_assert(std::input_iterator<decltype(History().begin())> && std::ranges::input_range<const History> &&
              std::ranges::input_range<const EventColumns>);

namespace {

/// Which columns a log has beside users and items.
struct Columns {
  bool times, ratings;
};
constexpr Columns all_kinds[] = {{true, true}, {true, false}, {false, true}, {false, false}};

/// A random log in which every row has an item of its own, so that no two rows are equal. Users and times are few.
Interactions random_rows(std::uint64_t seed, std::size_t rows, Columns has, std::uint64_t users = 9,
                         std::uint64_t times = 5) {
  Random random(seed);
  Interactions log;
  log.has_times = has.times;
  log.has_ratings = has.ratings;
  log.source = "memory";
  for (std::size_t row = 0; row < rows; ++row) {
    const std::uint32_t user = log.users.add(RawId(random.below(users))), item = log.items.add(RawId(row));
    const auto rating = static_cast<float>(random.below(10)) / 2;
    log.add(user, item, rating, static_cast<std::int64_t>(random.below(times)) - 2);
  }
  log.catalogue.resize(log.items.size());
  return log;
}

std::vector<Event> list(const EventColumns& events) { return {events.begin(), events.end()}; }
std::vector<Event> list(const History& history) { return {history.begin(), history.end()}; }

}  // namespace

TEST_CASE("Columns that the data has not are empty, and what they would say is 0") {
  for (const Columns has : all_kinds) {
    Interactions log;
    log.has_times = has.times;
    log.has_ratings = has.ratings;
    log.reserve(3);
    CHECK(log.events.empty());
    for (std::uint32_t k = 0; k < 3; ++k) log.add(k, 7 - k, 1.5f, 100 + k);
    const EventColumns& events = log.events;
    REQUIRE(events.size() == 3);
    CHECK_FALSE(events.empty());
    CHECK(events.users == std::vector<std::uint32_t>{0, 1, 2});
    CHECK(events.items == std::vector<std::uint32_t>{7, 6, 5});
    CHECK(events.times == (has.times ? std::vector<std::int64_t>{100, 101, 102} : std::vector<std::int64_t>{}));
    CHECK(events.ratings == std::vector<float>(has.ratings ? 3 : 0, 1.5f));
    CHECK(events.times.capacity() == events.times.size());
    CHECK(events.ratings.capacity() == events.ratings.size());
    CHECK(events[1] == Event{.time = has.times ? 101 : 0, .user = 1, .item = 6, .rating = has.ratings ? 1.5f : 0.0f});
    std::size_t columns = 0;
    EventColumns::visit(events, [&](const auto& column) {
      ++columns;
      CHECK(column.size() == 3);
    });
    CHECK(columns == 2u + has.times + has.ratings);
  }
}

TEST_CASE("A row is overwritten in the columns that the data has") {
  for (const Columns has : all_kinds) {
    EventColumns events = random_rows(1, 5, has).events;
    std::vector<Event> expected = list(events);
    const Event event{.time = 77, .user = 3, .item = 9, .rating = 4.5f};
    events.set_row(2, event);
    expected[2] = {.time = has.times ? 77 : 0, .user = 3, .item = 9, .rating = has.ratings ? 4.5f : 0.0f};
    CHECK(list(events) == expected);
    CHECK(events.times.empty() != has.times);
    CHECK(events.ratings.empty() != has.ratings);
  }
}

TEST_CASE("Rows are kept in their order, and a rule sees those before it decides as they were") {
  for (const Columns has : all_kinds) {
    for (const std::uint64_t one_in : {1, 2, 5, 1000}) {  // 1: all stay
      EventColumns events = random_rows(one_in, 300, has).events;
      const std::vector<Event> before = list(events);
      std::vector<Event> expected;
      std::size_t asked = 0;
      Random random(2);
      const std::size_t gone = events.keep_rows([&](std::size_t row) {
        REQUIRE(row == asked++);
        for (std::size_t k = row; k < before.size(); ++k)
          if (events[k] != before[k]) FAIL("row " << k << " is another one when row " << row << " is asked about");
        const bool stays = random.below(one_in) == 0;
        if (stays) expected.push_back(before[row]);
        return stays;
      });
      CHECK(asked == 300);
      CHECK(gone == 300 - expected.size());
      CHECK(list(events) == expected);
      EventColumns::visit(events, [&](const auto& column) { CHECK(column.size() == expected.size()); });
      CHECK((has.times || events.times.empty()));
      CHECK((has.ratings || events.ratings.empty()));
    }
  }
  EventColumns events = random_rows(1, 10, {true, true}).events;
  CHECK(events.keep_rows([](std::size_t) { return false; }) == 10);
  CHECK((events.empty() && events.users.empty() && events.times.empty() && events.ratings.empty()));
  CHECK(events.keep_rows([](std::size_t) { return true; }) == 0);
}

TEST_CASE("A history is a view of a user's rows, and so are its parts") {
  for (const Columns has : all_kinds) {
    EventColumns events;
    for (std::uint32_t k = 0; k < 9; ++k) {
      events.users.push_back(k / 3);
      events.items.push_back(20 + k);
      if (has.times) events.times.push_back(100 * k);
      if (has.ratings) events.ratings.push_back(static_cast<float>(k) / 2);
    }
    const auto event = [&](std::uint32_t row) {
      return Event{.time = has.times ? 100 * std::int64_t{row} : 0,
                   .user = row / 3,
                   .item = 20 + row,
                   .rating = has.ratings ? static_cast<float>(row) / 2 : 0.0f};
    };
    const History history = events.rows(3, 6);
    CHECK(history.user == 1);
    CHECK(history.items.data() == events.items.data() + 3);
    CHECK(history.times.size() == (has.times ? 3 : 0));
    CHECK(history.ratings.size() == (has.ratings ? 3 : 0));
    CHECK(list(history) == std::vector<Event>{event(3), event(4), event(5)});
    CHECK(history.front() == event(3));
    CHECK(history.back() == event(5));
    CHECK(list(history.first(2)) == std::vector<Event>{event(3), event(4)});
    CHECK(list(history.subspan(1)) == std::vector<Event>{event(4), event(5)});
    CHECK(list(history.subspan(2, 1)) == std::vector<Event>{event(5)});
    CHECK(history.subspan(2, 1).user == 1);
    for (const History& none : {history.first(0), history.subspan(3), events.rows(4, 4)}) {
      CHECK(none.empty());
      CHECK(none.size() == 0);
      CHECK(none.begin() == none.end());
    }
    CHECK(std::ranges::distance(events.begin(), events.end()) == 9);
  }
}

TEST_CASE("A history of items alone has no times, no ratings and user 0") {
  const std::vector<std::uint32_t> items{3, 1, 3};
  const History history(items);
  CHECK(list(history) == std::vector<Event>{{.item = 3}, {.item = 1}, {.item = 3}});
  CHECK(History().empty());
  CHECK(list(History()).empty());
  auto place = history.begin();
  CHECK((*place++).item == 3);
  CHECK((*place).item == 1);
  CHECK(++place != history.end());
  CHECK(++place == history.end());
}

TEST_CASE("Without times each user's events stay in the order of the source") {
  for (const bool has_ratings : {true, false}) {
    const Interactions log = random_rows(4, 200, {false, has_ratings});
    const Sequences all = build_sequences(log);
    CHECK_FALSE(all.has_times);
    CHECK(all.events.times.empty());
    CHECK(all.events.ratings.size() == (has_ratings ? 200 : 0));
    REQUIRE(all.size() == log.users.size());
    for (std::uint32_t user = 0; user < all.size(); ++user) {
      std::vector<std::uint32_t> expected;
      for (const Event& event : log.events)
        if (event.user == user) expected.push_back(event.item);
      const History history = all[user];
      CHECK(std::vector(history.items.begin(), history.items.end()) == expected);
      for (const Event& event : history) CHECK(event.time == 0);
    }
  }
}

TEST_CASE("Sequences are what a plain stable sort of (user, time, row) gives") {
  for (const Columns has : all_kinds) {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      Random random(seed);
      const Interactions log =
          random_rows(seed, 1 + random.below(500), has, 1 + random.below(40), 1 + random.below(30));
      std::vector<std::tuple<std::uint32_t, std::int64_t, std::size_t>> order;
      for (std::size_t row = 0; row < log.events.size(); ++row)
        order.emplace_back(log.events[row].user, log.events[row].time, row);
      std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
        return std::tie(std::get<0>(a), std::get<1>(a)) < std::tie(std::get<0>(b), std::get<1>(b));
      });
      std::vector<Event> expected;
      for (const auto& [user, time, row] : order) expected.push_back(log.events[row]);

      const Sequences all = build_sequences(log);
      CAPTURE(has.times, has.ratings, seed);
      CHECK(list(all.events) == expected);
      CHECK(all.has_times == has.times);
      CHECK(all.has_ratings == has.ratings);

      // What is in order already stays as it is, and so does what it was sorted to.
      Interactions sorted = log;
      sorted.events = all.events;
      CHECK(list(build_sequences(sorted).events) == expected);
      // Backwards no row is in its place: equal times are now in the opposite order.
      for (std::size_t row = 0; row < expected.size(); ++row)
        sorted.events.set_row(row, expected[expected.size() - 1 - row]);
      std::vector<Event> backwards(expected.rbegin(), expected.rend());
      std::stable_sort(backwards.begin(), backwards.end(), [](const Event& a, const Event& b) {
        return std::tie(a.user, a.time) < std::tie(b.user, b.time);
      });
      CHECK(list(build_sequences(std::move(sorted)).events) == backwards);
    }
  }
}

#include <cstdint>
#include <limits>
#include <lstmrec/data/event_context.hpp>
#include <optional>
#include <stdexcept>
#include <vector>

#include "catch.hpp"

using namespace lstmrec;

namespace {

std::vector<std::uint32_t> codes_of(const EventContext& context, std::optional<std::int64_t> time,
                                    std::optional<std::int64_t> before, std::optional<float> rating = {},
                                    std::uint32_t kind = 0) {
  std::vector<std::uint32_t> codes(context.codes_of_event());
  context.write(time, before, rating, kind, codes.data());
  return codes;
}

using Codes = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("context: the gap before an event has two codes for each doubling") {
  const EventContext context({.gaps = true}, 1, {});
  CHECK(context.codes_of_event() == 1);
  CHECK(codes_of(context, 100, {}) == Codes{0});
  CHECK(codes_of(context, {}, 100) == Codes{0});
  CHECK(codes_of(context, EventContext::no_time, 100) == Codes{0});
  CHECK(codes_of(context, 100, EventContext::no_time) == Codes{0});
  CHECK(codes_of(context, 100, 100) == Codes{1});
  CHECK(codes_of(context, 99, 100) == Codes{1});  // times that go backwards
  CHECK(codes_of(context, 101, 100) == Codes{2});
  CHECK(codes_of(context, 102, 100) == Codes{4});
  CHECK(codes_of(context, 103, 100) == Codes{5});
  CHECK(codes_of(context, 104, 100) == Codes{6});
  CHECK(codes_of(context, 1 << 20, 0) == Codes{42});
  CHECK(codes_of(context, std::numeric_limits<std::int64_t>::max(), -5) == Codes{63});
  const EventContext milliseconds({.gaps = true}, 1000, {});
  CHECK(codes_of(milliseconds, 1999, 1000) == Codes{1});
  CHECK(codes_of(milliseconds, 3000, 1000) == Codes{4});
}

TEST_CASE("context: hours and days of the week are those of UTC, before 1970 too") {
  const EventContext context({.hours = true}, 1, {});
  CHECK(context.codes_of_event() == 2);
  const std::uint32_t days = EventContext::hour_codes;
  CHECK(codes_of(context, 0, {}) == Codes{1, days + 4});                            // Thursday, 1970-01-01
  CHECK(codes_of(context, -1, {}) == Codes{24, days + 3});                          // Wednesday, 23:59:59
  CHECK(codes_of(context, 1'000'000'000, {}) == Codes{1 + 1, days + 7});            // Sunday, 2001-09-09 01:46:40
  CHECK(codes_of(context, 1'795'802'400 - 86'400, {}) == Codes{1 + 18, days + 4});  // Thursday, 2026-11-26 18:00:00
  CHECK(codes_of(context, {}, {}) == Codes{0, days});
}

TEST_CASE("context: a rating has the code of the highest level that is not above it") {
  const EventContext context({.ratings = true}, 1, {1, 2, 4.5});
  CHECK(codes_of(context, {}, {}, 0) == Codes{0});
  CHECK(codes_of(context, {}, {}, 1) == Codes{1});
  CHECK(codes_of(context, {}, {}, 3) == Codes{2});
  CHECK(codes_of(context, {}, {}, 5) == Codes{3});
  const EventContext from_zero({.ratings = true}, 1, {-1, 0, 1});
  CHECK(codes_of(from_zero, {}, {}, 0) == Codes{2});
  CHECK(codes_of(from_zero, {}, {}) == Codes{0});
  CHECK(codes_of(from_zero, {}, {}, std::numeric_limits<float>::quiet_NaN()) == Codes{0});
}

TEST_CASE("context: a kind has the code of its place among those that are known") {
  const EventContext context({.kinds = true}, 1, {}, {4, 7, 9});
  CHECK(codes_of(context, {}, {}, 0, 0) == Codes{0});
  CHECK(codes_of(context, {}, {}, 0, 4) == Codes{1});
  CHECK(codes_of(context, {}, {}, 0, 9) == Codes{3});
  CHECK(codes_of(context, {}, {}, 0, 8) == Codes{0});
  CHECK(codes_of(context, {}, {}, 0, 10) == Codes{0});
  CHECK(kind_id("") == 0);
  CHECK(kind_id("view") != kind_id("cart"));
  CHECK(kind_id("a") == 0xe40c292cu);  // as FNV-1a of 32 bits is published
}

TEST_CASE("context: inputs have codes of their own, one after the other") {
  const ContextInputs inputs{.gaps = true, .hours = true, .ratings = true, .kinds = true};
  const EventContext context(inputs, 1, {1, 2}, {5});
  const std::uint32_t hours = EventContext::gap_codes, days = hours + EventContext::hour_codes;
  const std::uint32_t ratings = days + EventContext::day_codes, kinds = ratings + 33;
  CHECK(codes_of(context, 4, 2, 2, 5) == Codes{4, hours + 1, days + 4, ratings + 2, kinds + 1});
  CHECK(context.codes_of_event() == EventContext::most_codes_of_event);
  CHECK(EventContext::codes(inputs) == 64 + 25 + 8 + 33 + 32);
  CHECK(EventContext::codes({}) == 0);
  Codes question(EventContext::codes_of_question);
  context.write_question(4, 2, question.data());
  CHECK(question == Codes{4, hours + 1, days + 4});
  context.write_question({}, 2, question.data());
  CHECK(question == Codes{0, hours, days});
}

TEST_CASE("context: a history's events have those before them; times that are not known are nothing") {
  const EventContext context({.gaps = true, .ratings = true}, 1, {1});
  const std::vector<std::uint32_t> items{5, 6, 7};
  const std::vector<std::int64_t> times{EventContext::no_time, 10, 12};
  const std::vector<float> ratings{1, 0, 1};
  const History history(items, times, ratings, 0);
  const std::uint32_t levels = EventContext::gap_codes;
  Codes codes(2);
  context.write(history, 0, codes.data());
  CHECK(codes == Codes{0, levels + 1});
  context.write(history, 1, codes.data());
  CHECK(codes == Codes{0, levels});
  context.write(history, 2, codes.data());
  CHECK(codes == Codes{4, levels + 1});
  context.write(History(items), 1, codes.data());
  CHECK(codes == Codes{0, levels});
}

TEST_CASE("context: ratings of many values get levels of equally many events") {
  CHECK(rating_levels({3, 1, 2, 1}) == std::vector<float>{1, 2, 3});
  CHECK(rating_levels({}).empty());
  std::vector<float> seconds;
  for (int k = 0; k < 100; ++k) seconds.push_back(static_cast<float>(k));
  CHECK(rating_levels(seconds, 4) == std::vector<float>{0, 25, 50, 75});
  CHECK(rating_levels(std::vector<float>(100, 7), 4) == std::vector<float>{7});
}

TEST_CASE("context: levels out of order and ticks that are none are refused") {
  CHECK_THROWS_AS(EventContext({.ratings = true}, 1, {2, 1}), std::invalid_argument);
  CHECK_THROWS_AS(EventContext({.ratings = true}, 1, {1, 1}), std::invalid_argument);
  CHECK_THROWS_AS(EventContext({.ratings = true}, 1, {std::numeric_limits<float>::quiet_NaN()}), std::invalid_argument);
  CHECK_THROWS_AS(EventContext({.ratings = true}, 1, std::vector<float>(33)), std::invalid_argument);
  CHECK_THROWS_AS(EventContext({.kinds = true}, 1, {}, {2, 2}), std::invalid_argument);
  CHECK_THROWS_AS(EventContext({.kinds = true}, 1, {}, std::vector<std::uint32_t>(32)), std::invalid_argument);
  CHECK_THROWS_AS(EventContext({}, 0, {}), std::invalid_argument);
}

TEST_CASE("context: a part of a history has the codes of its events, and nobody asks after it") {
  const std::vector<std::uint32_t> items{5, 6, 7}, codes{1, 2, 3, 4, 5, 6};
  History history(items);
  history.context = codes;
  history.asked_at = 9;
  const History part = history.subspan(1, 2);
  CHECK(Codes(part.context.begin(), part.context.end()) == Codes{3, 4, 5, 6});
  CHECK_FALSE(part.asked_at.has_value());
}

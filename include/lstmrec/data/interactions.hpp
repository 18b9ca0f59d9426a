#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/event_columns.hpp>
#include <lstmrec/data/raw_id.hpp>
#include <lstmrec/data/vocabulary.hpp>
#include <ranges>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace lstmrec {

/// Events of one kind (view, cart, purchase) in the source of a log.
struct EventKind {
  std::string name;
  std::size_t events = 0;
  bool is_read = true;  ///< Whether they are in the log.
  float weight = 1;     ///< What each counts as a target.
};

/// A log of who took what and when, in the order of its source, with the ids made dense. It can be filled event by
/// event, from a database for example (examples/from_sqlite.cpp):
///
///     Interactions log{.has_times = true};
///     log.observe("ann", 296, 978300760);          // user, item, time; then a rating, if has_ratings
///     const auto sequences = build_sequences(std::move(log));
struct Interactions {
  EventColumns events = {};
  Vocabulary users = {};
  Vocabulary items = {};
  std::vector<ItemInfo> catalogue = {};  ///< By item index: as many entries as `items`.
  bool has_times = false;
  bool has_ratings = false;
  std::int64_t ticks_per_second = 1;  ///< Of the times.
  std::string source = "memory";      ///< For messages: this, or the file.
  std::vector<EventKind> kinds = {};  ///< Of the source, the first met first; empty where it does not tell them apart.
  std::vector<std::string> warnings = {};  ///< Whatever of the source was left out, a sentence each.

  /// Makes room for so many events, of the columns that the data has.
  void reserve(std::size_t count) {
    events.users.reserve(count);
    events.items.reserve(count);
    if (has_times) events.times.reserve(count);
    if (has_ratings) events.ratings.reserve(count);
  }

  /// Appends an event of raw ids; new ones get an index, and new items an empty entry in the catalogue. Time and rating
  /// are left out where the data has none. `kind`: kind_id("view"), say. Throws what `add` throws; ids that are new
  /// stay in the vocabularies then.
  void observe(const RawId& user, const RawId& item, std::int64_t time = 0, float rating = 0, float weight = 1,
               std::uint32_t kind = 0) {
    const std::uint32_t user_index = users.add(user), item_index = items.add(item);
    if (catalogue.size() < items.size()) catalogue.resize(items.size());
    add(user_index, item_index, rating, time, weight, kind);
  }

  /// Appends an event; time and rating are left out where the data has none. Throws DataError at 2³² − 1 events. A call
  /// that throws, for want of memory too, changes nothing.
  void add(std::uint32_t user, std::uint32_t item, float rating, std::int64_t time, float weight = 1,
           std::uint32_t kind = 0) {
    if (events.size() >= std::numeric_limits<std::uint32_t>::max())
      detail::fail<DataError>({source, ": a log holds at most 4294967295 events"});
    events.append({time, user, item, rating, weight, kind}, has_times, has_ratings);
  }
};

namespace detail {

/// A value that a field of any type can be made of.
struct AnyField {
  template <class Field>
  operator Field() const;
};

/// How many parts a row has for a structured binding, as far as that can be told; 5 stands for more.
template <class Row>
constexpr int parts_of_row() {
  if constexpr (requires { std::tuple_size<Row>::value; }) return static_cast<int>(std::tuple_size<Row>::value);
  if constexpr (!std::is_aggregate_v<Row>) return 4;
  constexpr AnyField any;
  if (requires { Row{any, any, any, any, any}; }) return 5;
  if (requires { Row{any, any, any, any}; }) return 4;
  if (requires { Row{any, any, any}; }) return 3;
  return 2;
}

/// Checks the types of a row's parts, with a sentence for each.
template <class User, class Item, class Time, class Rating>
constexpr void expect_types_of_parts() {
  static_assert(std::is_constructible_v<RawId, const User&> && std::is_constructible_v<RawId, const Item&>,
                "users and items have ids that are integers or strings");
  static_assert(std::integral<Time> && sizeof(Time) > 1, "times are whole seconds: integers of 2 bytes or more");
  static_assert(std::is_arithmetic_v<Rating>, "ratings are numbers; where there are none, any number does");
}

}  // namespace detail

/// Interactions from memory: any range whose elements have two parts (user, item), three (time) or four (rating), such
/// as tuples or plain structs. Ids are integers or strings, times integers (seconds), ratings numbers. Without times,
/// events are in the order of the range. The range is read once, so views such as std::views::filter do too.
/// Throws DataError that names the row where a rating is not finite as a float or a time is past 2⁶³ − 1,
/// and what RawId throws.
///
///     std::vector<std::tuple<std::string, int, long, float>> rows{{"ann", 296, 978300760, 5},
///                                                                 {"bob", 593, 978300761, 4}};
///     const auto log = lstmrec::make_interactions(rows);
template <std::ranges::input_range Range>
Interactions make_interactions(Range&& rows) {
  constexpr int parts = detail::parts_of_row<std::remove_cvref_t<std::ranges::range_reference_t<Range>>>();
  static_assert(parts >= 2 && parts <= 4, "a row has two to four parts: user, item, time and rating");
  Interactions log;
  log.has_times = parts >= 3;
  log.has_ratings = parts == 4;
  if constexpr (std::ranges::sized_range<Range>) log.reserve(std::ranges::size(rows));
  const auto add = [&](const auto& user, const auto& item, auto time, auto rating) {
    detail::expect_types_of_parts<std::remove_cvref_t<decltype(user)>, std::remove_cvref_t<decltype(item)>,
                                  decltype(time), decltype(rating)>();
    const std::size_t row = log.events.size();
    const float value = static_cast<float>(rating);
    if (!std::isfinite(value)) {
      detail::fail<DataError>({"row ", row, ": the rating must be finite, got ", static_cast<double>(value)});
    }
    if (!std::in_range<std::int64_t>(time)) {
      detail::fail<DataError>({"row ", row, ": the time must be at most 9223372036854775807, got ", time});
    }
    const std::uint32_t user_index = log.users.add(RawId(user));
    log.add(user_index, log.items.add(RawId(item)), value, static_cast<std::int64_t>(time));
  };
  for (const auto& each : rows) {
    if constexpr (parts == 2) {
      const auto& [user, item] = each;
      add(user, item, std::int64_t{0}, 0.0f);
    } else if constexpr (parts == 3) {
      const auto& [user, item, time] = each;
      add(user, item, time, 0.0f);
    } else if constexpr (parts == 4) {
      const auto& [user, item, time, rating] = each;
      add(user, item, time, rating);
    }
  }
  log.catalogue.resize(log.items.size());
  return log;
}

}  // namespace lstmrec

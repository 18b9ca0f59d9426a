#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <lstmrec/data/ties.hpp>
#include <lstmrec/lstmrec.hpp>
#include <string>
#include <utility>
#include <vector>

#include "console.hpp"

namespace example {

/// A name and what is to be said of it.
using Fact = std::pair<std::string, std::string>;

/// A day, or the number itself where that would lie before 1900 or after 2199.
inline std::string date(std::int64_t ticks, std::int64_t ticks_per_second) {
  const std::int64_t seconds = ticks / ticks_per_second;
  if (seconds < -2'208'988'800 || seconds >= 7'258'118'400) return std::to_string(ticks);
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(time)};
  const auto two = [](unsigned number) { return (number < 10 ? "-0" : "-") + std::to_string(number); };
  return std::to_string(int{day.year()}) + two(unsigned{day.month()}) + two(unsigned{day.day()});
}

/// `22 931 events (23 %) and 5 test targets have the time of the event before; …`; empty without ties.
inline std::string ties_text(const lstmrec::Split& split) {
  const lstmrec::Ties ties = count_ties(split, split.test);
  if (ties.events == 0) return {};
  const double events = static_cast<double>(ties.events);
  const double ascending = 100 * static_cast<double>(ties.ascending) / events;
  return grouped(ties.events) + " events (" +
         fixed(100 * events / static_cast<double>(split.sequences.events.size()), 0) + " %) and " +
         grouped(ties.targets) + " test targets have the time of the event before; " + fixed(ascending, 0) +
         " % of them have the larger id" +
         (ascending > 90 || ascending < 10 ? ", so their order is that of the items" : "");
}

/// The sizes, lengths, repeats and times of a log, for the first screen and the report.
inline std::vector<Fact> data_facts(const lstmrec::Split& split) {
  const lstmrec::Sequences& sequences = split.sequences;
  std::vector<std::size_t> lengths;
  std::size_t repeats = 0, immediate = 0;
  std::vector<std::uint32_t> distinct;
  for (std::size_t user = 0; user < sequences.size(); ++user) {
    const auto items = sequences[user].items;
    lengths.push_back(items.size());
    lstmrec::distinct_items(sequences[user], distinct);
    repeats += items.size() - distinct.size();
    for (std::size_t k = 1; k < items.size(); ++k) immediate += items[k] == items[k - 1];
  }
  std::sort(lengths.begin(), lengths.end());
  const auto events = static_cast<double>(sequences.events.size());
  const auto percent = [](double part, double whole, int digits) { return fixed(100 * part / whole, digits) + " %"; };
  std::vector<Fact> facts{
      {"source", sequences.source},
      {"users", grouped(sequences.size())},
      {"items", grouped(sequences.items.size())},
      {"events", grouped(sequences.events.size())},
      {"events a user", grouped(lengths.front()) + " to " + grouped(lengths.back()) + ", median " +
                            grouped(lengths[lengths.size() / 2])},
      {"repeats", repeats == 0 ? "none"
                               : percent(static_cast<double>(repeats), events, 1) +
                                     " of the events have an earlier item of their user, " +
                                     percent(static_cast<double>(immediate), events, 1) + " that of the event before"},
      {"events / (users × items)",
       percent(events, static_cast<double>(sequences.size()) * static_cast<double>(sequences.items.size()), 2)}};
  if (sequences.has_times) {
    const auto& times = sequences.events.times;
    const auto [first, last] = std::minmax_element(times.begin(), times.end());
    facts.emplace_back("time",
                       date(*first, sequences.ticks_per_second) + " to " + date(*last, sequences.ticks_per_second));
  }
  if (const std::string ties = ties_text(split); !ties.empty()) facts.emplace_back("equal times", ties);
  return facts;
}

}  // namespace example

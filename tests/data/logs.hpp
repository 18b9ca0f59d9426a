#pragma once

#include <cstddef>
#include <cstdint>
#include <lstmrec/core/random.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/raw_id.hpp>
#include <lstmrec/data/sequences.hpp>
#include <string>
#include <tuple>
#include <vector>

/// A row as users have it: user, item, time, rating.
using LogRow = std::tuple<std::int64_t, std::int64_t, std::int64_t, float>;

/// A random log with sparse ids, few different times (so many ties), repeats, and users of very different lengths.
inline std::vector<LogRow> random_log(std::uint64_t seed, std::size_t rows, std::uint64_t users = 20,
                                      std::uint64_t items = 30, std::uint64_t times = 40) {
  lstmrec::Random random(seed);
  std::vector<LogRow> log;
  for (std::size_t row = 0; row < rows; ++row) {
    const auto user = static_cast<std::int64_t>(random.below(random.below(users) + 1)) * 7 + 3;
    const auto item = static_cast<std::int64_t>(random.below(items)) * 11 - 50;
    const auto time = static_cast<std::int64_t>(random.below(times)) * 100;
    log.emplace_back(user, item, time, static_cast<float>(random.below(10) + 1) / 2);
  }
  return log;
}

/// A random log whose ratings are the numbers of the rows, by which an event is found again among equal ones: row_of.
inline std::vector<LogRow> numbered_log(std::uint64_t seed, std::size_t rows) {
  std::vector<LogRow> log = random_log(seed, rows);
  for (std::size_t row = 0; row < rows; ++row) std::get<3>(log[row]) = static_cast<float>(row);
  return log;
}
inline std::size_t row_of(const lstmrec::Event& event) { return static_cast<std::size_t>(event.rating); }

/// Events in raw ids, by which sequences with different vocabularies can be compared: user, item, time, rating.
inline std::vector<LogRow> raw(const lstmrec::Sequences& sequences, lstmrec::History history) {
  std::vector<LogRow> rows;
  for (const lstmrec::Event& event : history) {
    rows.emplace_back(sequences.users.id(event.user).integer(), sequences.items.id(event.item).integer(), event.time,
                      event.rating);
  }
  return rows;
}

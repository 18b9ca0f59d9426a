#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/function_ref.hpp>
#include <lstmrec/data/event.hpp>
#include <span>
#include <vector>

namespace lstmrec {

/// A log as columns, one entry an event each; the columns that the data does not have are empty. 16 bytes an event with
/// times, 4 more each with ratings, with weights and with kinds.
struct EventColumns {
  std::vector<std::uint32_t> users;
  std::vector<std::uint32_t> items;
  std::vector<std::int64_t> times;  ///< Empty, or one an event.
  std::vector<float> ratings;       ///< Empty, or one an event.
  /// What each event counts as a target of training; of one that counts 0 nothing is predicted. Empty: each counts 1.
  std::vector<float> weights;
  std::vector<std::uint32_t> kinds;  ///< Event::kind; empty, or one an event.

  std::size_t size() const { return items.size(); }
  bool empty() const { return items.empty(); }
  Event operator[](std::size_t row) const {
    assert(row < size());
    return {times.empty() ? 0 : times[row],        users[row],  items[row],
            ratings.empty() ? 0.0f : ratings[row], weight(row), kinds.empty() ? 0 : kinds[row]};
  }
  float weight(std::size_t row) const { return weights.empty() ? 1.0f : weights[row]; }
  auto begin() const { return detail::RowIterator<EventColumns>(this, 0); }
  auto end() const { return detail::RowIterator<EventColumns>(this, size()); }

  /// Overwrites a row, in the columns that the data has.
  void set_row(std::size_t row, const Event& event) {
    users[row] = event.user;
    items[row] = event.item;
    if (!times.empty()) times[row] = event.time;
    if (!ratings.empty()) ratings[row] = event.rating;
    if (!weights.empty()) weights[row] = event.weight;
    if (!kinds.empty()) kinds[row] = event.kind;
  }

  /// Appends a row to the columns of users and items, and to those of times and ratings where the data has them. The
  /// first weight that is not 1 makes the column of weights, and the first kind that is not 0 that of kinds. A call
  /// that throws changes nothing.
  void append(const Event& event, bool has_times, bool has_ratings) {
    const std::size_t before = size();
    try {
      users.push_back(event.user);
      items.push_back(event.item);
      if (has_times) times.push_back(event.time);
      if (has_ratings) ratings.push_back(event.rating);
      if (weights.empty() && event.weight != 1) weights.assign(before, 1.0f);
      if (!weights.empty() || event.weight != 1) weights.push_back(event.weight);
      if (kinds.empty() && event.kind != 0) kinds.assign(before, 0);
      if (!kinds.empty() || event.kind != 0) kinds.push_back(event.kind);
    } catch (...) {  // so that no column is longer than another
      users.resize(before);
      items.resize(before);
      if (has_times) times.resize(before);
      if (has_ratings) ratings.resize(before);
      if (!weights.empty()) weights.resize(before);
      if (!kinds.empty()) kinds.resize(before);
      throw;
    }
  }

  /// The rows [begin, end), which are of one user.
  History rows(std::size_t begin, std::size_t end) const& {
    History all(items, times, ratings, begin < end ? users[begin] : 0);
    all.kinds = kinds;
    return all.subspan(begin, end - begin);
  }
  History rows(std::size_t, std::size_t) const&& = delete;  // it borrows the columns

  /// Calls visitor(column) for every column that the data has.
  template <class Columns, class Visitor>
  static void visit(Columns& columns, Visitor&& visitor) {
    visitor(columns.users);
    visitor(columns.items);
    if (!columns.times.empty()) visitor(columns.times);
    if (!columns.ratings.empty()) visitor(columns.ratings);
    if (!columns.weights.empty()) visitor(columns.weights);
    if (!columns.kinds.empty()) visitor(columns.kinds);
  }

  /// Keeps the rows for which keep(row) holds, in their order and in place; returns how many go. `keep` is asked once
  /// a row, in ascending order, and may read this row and those behind it.
  std::size_t keep_rows(FunctionRef<bool(std::size_t)> keep) {
    const std::size_t before = size();
    std::size_t kept = 0;
    for (std::size_t row = 0; row < before; ++row) {
      if (!keep(row)) continue;
      if (kept != row) visit(*this, [&](auto& column) { column[kept] = column[row]; });
      ++kept;
    }
    visit(*this, [&](auto& column) { column.resize(kept); });
    return before - kept;
  }
};

/// Adds items to distinct ones, which are in ascending order and stay so. Cost: sorting the new ones, and a pass over
/// all. One new item is inserted without an allocation where there is room.
inline void add_distinct(std::span<const std::uint32_t> items, std::vector<std::uint32_t>& distinct) {
  if (items.size() == 1) {
    const auto place = std::lower_bound(distinct.begin(), distinct.end(), items[0]);
    if (place == distinct.end() || *place != items[0]) distinct.insert(place, items[0]);
    return;
  }
  if (items.empty()) return;
  const auto known = static_cast<std::ptrdiff_t>(distinct.size());
  distinct.insert(distinct.end(), items.begin(), items.end());
  std::sort(distinct.begin() + known, distinct.end());
  std::inplace_merge(distinct.begin(), distinct.begin() + known, distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
}

/// Sets `items` to the distinct items of a history, in ascending order.
inline void distinct_items(const History& history, std::vector<std::uint32_t>& items) {
  items.clear();
  add_distinct(history.items, items);
}

}  // namespace lstmrec

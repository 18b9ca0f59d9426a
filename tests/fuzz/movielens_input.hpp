#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/movielens.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/io/text.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "data/temporary_folder.hpp"

/// Reads the bytes as a MovieLens release. The first line names the file that the others are the content of; where that
/// is a file of titles, a small log stands beside it. Throws std::logic_error where the reader breaks a promise: it
/// fails with an lstmrec::Error of one printable line, or gives a log that is consistent and makes sequences.
inline void read_fuzzed_movielens(std::string_view bytes) {
  constexpr std::array names{"u.data",     "ratings.dat", "ratings.csv", "sequences.txt", "u.item", "u.genre",
                             "movies.dat", "movies.csv",  "log"};
  const std::size_t end = std::min(bytes.find('\n'), bytes.size());
  const auto* name = std::find(names.begin(), names.end() - 1, bytes.substr(0, end));
  static const TemporaryFolder folder;  // one for all inputs: making one takes longer than reading
  for (const char* other : names) std::filesystem::remove(folder.path() / other);
  folder.write(*name, bytes.substr(std::min(end + 1, bytes.size())));
  const bool is_log = name < names.begin() + 4 || name == names.end() - 1;
  if (!is_log) folder.write("log", "1\t1\t5\t10\n1\t2\t4\t20\n2\t-3\t3\t30\n");
  if (*name == std::string_view("u.genre")) folder.write("u.item", "1|A||||0|1\n2|B||||1|0\n");

  lstmrec::Interactions log;
  try {
    log = lstmrec::read_movielens(is_log ? folder.path() / *name : folder.path() / "log");
  } catch (const lstmrec::Error& error) {
    const std::string_view message = error.what();
    const bool printable = std::all_of(message.begin(), message.end(), [](char c) { return c >= ' ' && c <= '~'; });
    if (!printable || message.size() > 1000) throw std::logic_error("unfit message: " + std::string(message));
    return;
  }
  const auto require = [](bool condition, const char* promise) {
    if (!condition) throw std::logic_error(promise);
  };
  require(!log.events.empty(), "a log has events");
  require(log.catalogue.size() == log.items.size(), "a catalogue has an entry an item");
  const std::size_t rows = log.events.size();
  require(log.events.users.size() == rows, "an event has a user");
  require(log.events.times.size() == (log.has_times ? rows : 0), "an event has a time where the log has times");
  require(log.events.ratings.size() == (log.has_ratings ? rows : 0), "an event has a rating where the log has ratings");
  for (std::size_t row = 0; row < rows; ++row) {
    const lstmrec::Event& event = log.events[row];
    require(std::isfinite(event.rating), "ratings are finite");
    require(log.users.find(log.users.id(event.user)) == event.user, "user ids survive the round trip");
    require(log.items.find(log.items.id(event.item)) == event.item, "item ids survive the round trip");
  }
  for (const lstmrec::ItemInfo& item : log.catalogue) {
    require(lstmrec::detail::is_utf8(item.title), "titles are UTF-8");
    for (const std::string& genre : item.genres) require(lstmrec::detail::is_utf8(genre), "genres are UTF-8");
  }
  const std::size_t users = log.users.size();
  const auto all = lstmrec::build_sequences(std::move(log));
  require(all.events.size() == rows && all.size() == users, "sequences keep all events");
}

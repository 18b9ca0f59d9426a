#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <lstmrec/core/compiled.hpp>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/io/table_sample.hpp>
#include <lstmrec/io/time_format.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lstmrec {

/// How the lines of a delimited log are read.
struct LogLayout : TableLayout {
  std::size_t user = 0, item = 0;  ///< Places of columns, from 0.
  std::optional<std::size_t> time, rating, kind;
  TimeFormat time_format = TimeFormat::seconds;

  /// A sentence that says what each column is taken for.
  LSTMREC_INLINE std::string text() const;
};

/// The known properties of a delimited log. Those that are left out are found out from its first lines.
///
/// A column is given by its name, or by its number from 1; where there is no header, by its number. An empty name says
/// that the log has no such column.
struct LogOptions {
  std::optional<std::string> user_column = {};  ///< Of the user, or of the visit.
  std::optional<std::string> item_column = {};
  std::optional<std::string> time_column = {};  ///< Without times, events are in the order of the file.
  std::optional<std::string> rating_column = {};
  std::optional<std::string> kind_column = {};  ///< Of the kind of event: view, cart, purchase.
  std::vector<std::string> kinds = {};          ///< Only events of these kinds are read; empty: all.
  /// What events of a kind count as targets (EventColumns::weights), of others 1.
  std::vector<std::pair<std::string, float>> kind_weights = {};
  std::string separator = {};  ///< A character, or twice the same one; empty: found out.
  std::optional<bool> has_header = {};
  std::vector<std::string> column_names = {};  ///< All of them, of a log without a header; empty: there are none.
  std::optional<TimeFormat> time_format = {};
  std::string name = {};                                    ///< Of the log in messages; empty: its path.
  std::size_t skip_bad_lines = 0;                           ///< So many lines that cannot be read are left out.
  std::function<void(const ParseError&)> bad_line = {};     ///< Is told of each of them.
  std::function<void(const LogLayout&)> layout_found = {};  ///< Is told once, before the first event is read.
};

/// Reads a log of which each line is an event: fields separated by tabs, commas, semicolons, bars or "::", with or
/// without a header, by the rules of CSV (RFC 4180) with any line ends.
///
///     session_id,sku,ts
///     8f2c,00123,2024-05-01T12:00:00Z
///
///     const auto log = lstmrec::read_log("events.csv", {.user_column = "session_id", .item_column = "sku"});
///
/// Columns are found by usual names (user_id, SessionId, visitorid; item_id, sku, asin; timestamp, ts, date; rating, …,
/// and RecBole's user_id:token), where a visit or session goes before a user; without a header by what they hold. Where
/// there is a column of kinds (event, action, type, …), Interactions::kinds says how many events there are of each. An
/// id is its text (see RawId). Times are kept in parts of a second (Interactions::ticks_per_second). `path` may be a
/// pipe or /dev/stdin: it is read once.
///
/// Throws Error where the file cannot be read, and ParseError with line and column where the layout or a line is not as
/// it should be. Memory: 16 bytes an event, 8 fewer without times and 4 more with ratings, and
/// the vocabulary.
LSTMREC_INLINE Interactions read_log(const std::filesystem::path& path, const LogOptions& options = {});

}  // namespace lstmrec

#ifndef LSTMREC_COMPILED
#include <lstmrec/data/delimited_log_inl.hpp>
#endif

#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <lstmrec/data/delimited_log.hpp>
#include <lstmrec/data/item_table.hpp>
#include <lstmrec/data/movielens.hpp>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "command_line.hpp"
#include "console.hpp"
#include "table_file.hpp"

namespace example {

/// The names of time formats on the command line, in the order of TimeFormat.
inline const std::vector<std::string> time_formats{"seconds",     "milliseconds",       "microseconds",
                                                   "nanoseconds", "fractional-seconds", "iso8601"};

/// `cart,purchase` → two texts.
inline std::vector<std::string> parts_of(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

/// `view=0,purchase=3` → two kinds and what they count.
inline std::vector<std::pair<std::string, float>> weights_of(const std::string& text) {
  std::vector<std::pair<std::string, float>> weights;
  for (const std::string& part : parts_of(text)) {
    const std::size_t sign = part.rfind('=');
    float weight = -1;
    if (sign != std::string::npos) {
      const auto [end, failure] = std::from_chars(part.data() + sign + 1, part.data() + part.size(), weight);
      if (failure != std::errc{} || end != part.data() + part.size()) weight = -1;
    }
    if (sign == 0 || !(weight >= 0))
      throw lstmrec::ConfigError("--kind-weights: expected kinds and weights such as \"view=0,purchase=3\", got " +
                                 lstmrec::detail::excerpt(part));
    const std::string kind = part.substr(0, sign);
    if (std::any_of(weights.begin(), weights.end(), [&](const auto& entry) { return entry.first == kind; }))
      throw lstmrec::ConfigError("--kind-weights: expected each kind once, got " + lstmrec::detail::excerpt(kind) +
                                 " twice");
    weights.emplace_back(kind, weight);
  }
  return weights;
}

inline CommandLine::Option add_column(CommandLine& line, const std::string& name, std::optional<std::string>& column,
                                      const std::string& of) {
  return line.add_option_function<std::string>(
      name, [&](const std::string& text) { column = text; },
      "The column of the " + of + ": its name, or its number from 1; empty: there is none");
}

/// Adds the options that state a log's columns, kinds and form. `data`: the option of the log, which they need.
inline void add_log_options(CommandLine& line, lstmrec::LogOptions& log, CommandLine::Option data) {
  add_column(line, "--user-column", log.user_column, "users or visits").needs(data);
  add_column(line, "--item-column", log.item_column, "items").needs(data);
  add_column(line, "--time-column", log.time_column, "times").needs(data);
  add_column(line, "--rating-column", log.rating_column, "ratings").needs(data);
  add_column(line, "--kind-column", log.kind_column, "kinds of events, such as view or cart").needs(data);
  line.add_option_function<std::string>(
          "--kinds", [&](const std::string& text) { log.kinds = parts_of(text); },
          "Read only events of these kinds, such as \"cart,purchase\"")
      .needs(data);
  line.add_option_function<std::string>(
          "--kind-weights", [&](const std::string& text) { log.kind_weights = weights_of(text); },
          "What events count as targets by their kind, others 1: \"view=0,purchase=3\" learns from views, but to "
          "predict "
          "the other kinds alone, purchases more than the rest")
      .needs(data);
  line.add_option_function<std::string>(
          "--separator", [&](const std::string& text) { log.separator = text == "\\t" ? "\t" : text; },
          "What stands between two fields, \\t for a tab; without it it is found out")
      .needs(data);
  line.add_option_function<std::string>(
          "--columns", [&](const std::string& text) { log.column_names = parts_of(text); },
          "The names of all columns of a log without a header, such as \"user,item,time\"")
      .needs(data);
  line.add_option_function<bool>(
          "--header", [&](bool given) { log.has_header = given; }, "Whether the first line names the columns")
      .needs(data);
  line.add_option_function<std::string>(
          "--time-format",
          [&](const std::string& text) {
            log.time_format = static_cast<lstmrec::TimeFormat>(
                std::find(time_formats.begin(), time_formats.end(), text) - time_formats.begin());
          },
          "How times are written")
      .needs(data)
      .one_of(time_formats);
  line.add_option("--skip-bad-lines", log.skip_bad_lines, "So many lines that cannot be read are shown and left out")
      .needs(data)
      .check(fits<std::size_t>);
}

/// Whether a log is a MovieLens folder or a file of lines `user item item …`. Pipes are not looked into.
inline bool is_movielens(const std::filesystem::path& log) {
  if (std::filesystem::is_directory(log)) return true;
  if (!std::filesystem::is_regular_file(log)) return false;
  std::string first;
  std::getline(std::ifstream(log), first);
  if (first.starts_with("\x1f\x8b") || first.starts_with("\x28\xb5\x2f\xfd")) return false;  // compressed
  if (first.find('{') != std::string::npos) return false;                                    // JSON
  return first.find_first_of("\t,;|\"") == std::string::npos && first.find("::") == std::string::npos &&
         first.find(' ') != std::string::npos;
}

/// The files that read_any_log reads: what may not be written.
inline std::vector<std::filesystem::path> files_of_log(const std::filesystem::path& log) {
  return is_movielens(log) ? lstmrec::movielens_files(log) : std::vector{log};
}

inline void show_bad_line(const lstmrec::ParseError& error) {
  std::cerr << "left out: " << printable(error.what()) << '\n';
}

/// Returns read(). Where the file is damaged, that is said, and not what its readable part lacks.
template <class Read>
auto read_whole(TableFile& file, Read&& read) {
  try {
    auto result = read();
    file.finish();
    return result;
  } catch (const lstmrec::Error&) {
    file.finish();
    throw;
  }
}

/// Whether any column is stated, or anything else that lines of items and MovieLens releases do not have.
inline bool states_columns(const lstmrec::LogOptions& o) {
  return o.user_column || o.item_column || o.time_column || o.rating_column || o.kind_column || !o.kinds.empty() ||
         !o.kind_weights.empty() || !o.column_names.empty() || o.has_header || o.time_format || o.skip_bad_lines > 0;
}

/// Reads a log of any kind, and says what it takes each column for, unless it is to be quiet. A log of columns may be
/// compressed, or come from standard input, which is the path "-".
inline lstmrec::Interactions read_any_log(const std::filesystem::path& path, lstmrec::LogOptions options, bool quiet) {
  if (is_movielens(path) && options.separator.empty()) {
    if (states_columns(options))
      throw lstmrec::Error(path.string() +
                           ": is read as a MovieLens release or lines of a user and items, of which no "
                           "columns, kinds or bad lines can be stated; --separator makes it a log of columns");
    return lstmrec::read_movielens(path);
  }
  TableFile file(path == "-" ? "/dev/stdin" : path);
  options.name = path == "-" ? "standard input" : path.string();
  if (!file.columns().empty()) {
    if (!options.column_names.empty() || !options.separator.empty() || options.has_header)
      throw lstmrec::Error(options.name + ": lines of JSON have no --columns, --separator and --header");
    options.column_names = file.columns();
    options.separator = "\t";
    options.has_header = false;
  }
  if (!quiet) {
    options.bad_line = show_bad_line;
    options.layout_found = [&](const lstmrec::LogLayout& layout) {
      std::string text = layout.text();
      if (!file.columns().empty()) text.replace(0, text.find(';'), "lines of JSON");
      std::cerr << options.name << ": " << printable(text) << '\n';
    };
  }
  lstmrec::Interactions log = read_whole(file, [&] { return lstmrec::read_log(file.path(), options); });
  if (!quiet && !log.kinds.empty()) {
    std::cerr << options.name << ": kinds of events:";
    for (const auto& [name, events, is_read, weight] : log.kinds)
      std::cerr << (name == log.kinds.front().name ? " " : ", ") << printable(name) << ' ' << grouped(events)
                << (!is_read      ? " (left out)"
                    : weight == 0 ? " (no targets)"
                                  : "");
    std::cerr << '\n';
  }
  return log;
}

/// The options of a log and of the table of its items.
struct LogArguments {
  lstmrec::LogOptions log;
  lstmrec::ItemTableOptions table;
  std::filesystem::path items;
};

/// Adds the options of a table of items. `items`: that of its path.
inline void add_table_options(CommandLine& line, lstmrec::ItemTableOptions& table, CommandLine::Option items) {
  add_column(line, "--title-column", table.title_column, "titles in the table of items").needs(items);
  add_column(line, "--category-column", table.category_column, "categories in the table of items").needs(items);
  line.add_option_function<std::string>(
          "--attribute-columns", [&](const std::string& text) { table.attribute_columns = parts_of(text); },
          "Further columns of the table of items whose values become categories, such as \"brand,color\"")
      .needs(items);
  line.add_option_function<std::string>(
          "--number-columns", [&](const std::string& text) { table.number_columns = parts_of(text); },
          "Columns of numbers, such as \"price\": an item gets the category of the step, of 1, 2, 5, 10, 20, …, it is "
          "in")
      .needs(items);
  line.add_flag("--strict", table.is_strict, "A bad line in the table of items is an error").needs(items);
}

/// Adds the options of a log and of the table of its items. `data`: the option of the log.
inline void add_log_options(CommandLine& line, LogArguments& a, CommandLine::Option data) {
  add_log_options(line, a.log, data);
  const auto items = line.add_option("--items", a.items, "A table of the items, with their titles and categories");
  add_table_options(line, a.table, items);
}

inline std::vector<std::filesystem::path> files_of_log(const std::filesystem::path& log, const LogArguments& a) {
  auto files = files_of_log(log);
  if (!a.items.empty()) files.push_back(a.items);
  return files;
}

/// Returns read(path, options) of a table of items, which may be compressed or of JSON.
template <class Read>
auto read_items(const std::filesystem::path& items, lstmrec::ItemTableOptions options, bool quiet, Read&& read) {
  if (!quiet) options.bad_line = show_bad_line;
  TableFile file(items);
  options.name = items.string();
  if (!file.columns().empty()) {
    options.column_names = file.columns();
    options.separator = "\t";
    options.has_header = false;
  }
  return read_whole(file, [&] { return read(file.path(), options); });
}

/// Reads the table of a log's items, where one is given, and says what it describes.
inline void describe_items(lstmrec::Interactions& log, const LogArguments& a, bool quiet) {
  if (a.items.empty()) return;
  const lstmrec::ItemTableCounts counts =
      read_items(a.items, a.table, quiet,
                 [&](const auto& path, const auto& options) { return read_item_table(path, log, options); });
  if (!quiet)
    std::cerr << a.items.string() << ": describes " << grouped(counts.described) << " of " << grouped(log.items.size())
              << " items, and " << grouped(counts.foreign) << " others"
              << (counts.described == 0 ? "; is that the column of its items, and are the ids written alike?" : "")
              << '\n';
}

}  // namespace example

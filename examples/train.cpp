/// Trains a recommender on any delimited log of events (or evaluates a saved one), beside baselines:
///
///     train --data events.csv --items items.csv --model shop.safetensors --report shop.html
///
/// trainer.hpp says what it writes and how it ends.

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <lstmrec/data/delimited_log.hpp>
#include <lstmrec/data/item_table.hpp>
#include <optional>
#include <string>
#include <vector>

#include "command_line.hpp"
#include "console.hpp"
#include "trainer.hpp"

namespace {

using namespace lstmrec;
using namespace example;

/// The names of time formats on the command line, in the order of TimeFormat.
const std::vector<std::string> time_formats{"seconds",     "milliseconds",       "microseconds",
                                            "nanoseconds", "fractional-seconds", "iso8601"};

struct LogArguments {
  LogOptions log;
  ItemTableOptions table;
  std::filesystem::path items;
};

CommandLine::Option add_column(CommandLine& line, const std::string& name, std::optional<std::string>& column,
                               const std::string& of) {
  return line.add_option_function<std::string>(
      name, [&](const std::string& text) { column = text; },
      "The column of the " + of + ": its name, or its number from 1; empty: there is none");
}

void add_log_options(CommandLine& line, LogArguments& a) {
  add_column(line, "--user-column", a.log.user_column, "users or visits");
  add_column(line, "--item-column", a.log.item_column, "items");
  add_column(line, "--time-column", a.log.time_column, "times");
  add_column(line, "--rating-column", a.log.rating_column, "ratings");
  line.add_option_function<std::string>(
      "--separator", [&](const std::string& text) { a.log.separator = text == "\\t" ? "\t" : text; },
      "What stands between two fields, \\t for a tab; without it it is found out");
  line.add_option_function<bool>(
      "--header", [&](bool given) { a.log.has_header = given; }, "Whether the first line names the columns");
  line.add_option_function<std::string>(
          "--time-format",
          [&](const std::string& text) {
            a.log.time_format = static_cast<TimeFormat>(std::find(time_formats.begin(), time_formats.end(), text) -
                                                        time_formats.begin());
          },
          "How times are written")
      .one_of(time_formats);
  line.add_option("--skip-bad-lines", a.log.skip_bad_lines, "So many lines that cannot be read are shown and left out")
      .check(fits<std::size_t>);
  const auto items = line.add_option("--items", a.items, "A table of the items, with their titles and categories");
  add_column(line, "--title-column", a.table.title_column, "titles in the table of items").needs(items);
  add_column(line, "--category-column", a.table.category_column, "categories in the table of items").needs(items);
  line.add_flag("--strict", a.table.is_strict, "A bad line in the table of items is an error").needs(items);
}

void show_bad_line(const ParseError& error) { std::cerr << "left out: " << printable(error.what()) << '\n'; }

Interactions read(const std::filesystem::path& path, bool quiet, LogArguments& a) {
  if (!quiet) {
    a.log.bad_line = show_bad_line;
    a.log.layout_found = [&](const LogLayout& layout) {
      std::cerr << path.string() << ": " << printable(layout.text()) << '\n';
    };
  }
  return read_log(path, a.log);
}

void describe_items(Interactions& log, bool quiet, LogArguments& a) {
  if (a.items.empty()) return;
  if (!quiet) a.table.bad_line = show_bad_line;
  const ItemTableCounts counts = read_item_table(a.items, log, a.table);
  if (!quiet)
    std::cerr << a.items.string() << ": describes " << grouped(counts.described) << " of " << grouped(log.items.size())
              << " items, and " << grouped(counts.foreign) << " others\n";
}

}  // namespace

int main(int argc, char** argv) {
  LogArguments arguments;
  return run_trainer(
      argc, argv,
      {.description = "Trains a recommender on a log of events, and evaluates it beside baselines.",
       .help = "The log: a line an event, fields separated by tabs, commas or the like",
       .add_options = [&](CommandLine& line) { add_log_options(line, arguments); },
       .files =
           [&](const std::filesystem::path& path) {
             std::vector<std::filesystem::path> files{path};
             if (!arguments.items.empty()) files.push_back(arguments.items);
             return files;
           },
       .read = [&](const std::filesystem::path& path, bool quiet) { return read(path, quiet, arguments); },
       .describe_items = [&](Interactions& log, bool quiet) { describe_items(log, quiet, arguments); }});
}

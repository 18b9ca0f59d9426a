/// Trains a recommender on any log of events (or evaluates a saved one), beside baselines:
///
///     train --data events.csv --items items.csv --model shop.safetensors --report shop.html
///
/// trainer.hpp says what it writes and how it ends.

#include <filesystem>
#include <iostream>
#include <lstmrec/data/delimited_log.hpp>
#include <lstmrec/data/item_table.hpp>
#include <vector>

#include "any_log.hpp"
#include "command_line.hpp"
#include "console.hpp"
#include "trainer.hpp"

namespace {

using namespace lstmrec;
using namespace example;

struct LogArguments {
  LogOptions log;
  ItemTableOptions table;
  std::filesystem::path items;
};

void add_options(CommandLine& line, CommandLine::Option data, LogArguments& a) {
  add_log_options(line, a.log, data);
  const auto items = line.add_option("--items", a.items, "A table of the items, with their titles and categories");
  add_column(line, "--title-column", a.table.title_column, "titles in the table of items").needs(items);
  add_column(line, "--category-column", a.table.category_column, "categories in the table of items").needs(items);
  line.add_flag("--strict", a.table.is_strict, "A bad line in the table of items is an error").needs(items);
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
       .help = "The log: a line an event, fields separated by tabs, commas or the like; or lines of a user and items, "
               "separated by spaces; or a MovieLens folder",
       .add_options = [&](CommandLine& line, CommandLine::Option data) { add_options(line, data, arguments); },
       .files =
           [&](const std::filesystem::path& path) {
             auto files = files_of_log(path);
             if (!arguments.items.empty()) files.push_back(arguments.items);
             return files;
           },
       .read = [&](const std::filesystem::path& path, bool quiet) { return read_any_log(path, arguments.log, quiet); },
       .describe_items = [&](Interactions& log, bool quiet) { describe_items(log, quiet, arguments); }});
}

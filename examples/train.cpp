/// Trains a recommender on any log of events (or evaluates a saved one), beside baselines:
///
///     train --data events.csv --items items.csv --model shop.safetensors --report shop.html
///
/// trainer.hpp says what it writes and how it ends.

#include <filesystem>
#include <lstmrec/data/interactions.hpp>
#include <vector>

#include "any_log.hpp"
#include "command_line.hpp"
#include "trainer.hpp"

int main(int argc, char** argv) {
  using namespace example;
  LogArguments arguments;
  return run_trainer(
      argc, argv,
      {.description = "Trains a recommender on a log of events, and evaluates it beside baselines.",
       .help = "The log: a line an event, fields separated by tabs, commas or the like; or lines of a user and items, "
               "separated by spaces; or a MovieLens folder",
       .add_options = [&](CommandLine& line, CommandLine::Option data) { add_log_options(line, arguments, data); },
       .files = [&](const std::filesystem::path& path) { return files_of_log(path, arguments); },
       .read = [&](const std::filesystem::path& path, bool quiet) { return read_any_log(path, arguments.log, quiet); },
       .describe_items = [&](lstmrec::Interactions& log, bool quiet) { describe_items(log, arguments, quiet); }});
}

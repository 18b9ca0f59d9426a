#pragma once

#include <filesystem>
#include <functional>
#include <lstmrec/data/interactions.hpp>
#include <string>
#include <vector>

#include "command_line.hpp"

namespace example {

/// The kind of logs that a trainer reads.
struct TrainerData {
  std::string description;  ///< Of the program.
  std::string help;         ///< Of --data.
  /// Adds options that only these logs have, to those of --data.
  std::function<void(CommandLine&, CommandLine::Option data)> add_options = {};
  /// The files that `read` reads: what may not be written.
  std::function<std::vector<std::filesystem::path>(const std::filesystem::path&)> files = {};
  /// Reads a log, or makes one in memory, of which a program of its own wants the report; `quiet`: prints nothing.
  std::function<lstmrec::Interactions(const std::filesystem::path&, bool quiet)> read = {};
  /// Adds to the log of --data what is known of its items.
  std::function<void(lstmrec::Interactions&, bool quiet)> describe_items = {};
};

/// A program that trains a recommender (or evaluates a saved one) beside baselines, and writes model, figures, report
/// and lists.
///
/// Figures go to standard output, progress and errors to standard error. Exit codes: 0, 1 for what went wrong, 2 for a
/// wrong command line, 130 after Ctrl-C (what had been learned by then is evaluated and written all the same), 143
/// after SIGTERM (it is written and not evaluated). With --checkpoint a training can be resumed, whatever ended it.
int run_trainer(int argc, char** argv, const TrainerData& data);

}  // namespace example

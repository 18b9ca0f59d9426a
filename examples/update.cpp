/// Brings a model up to date with a log of new events, every night for example:
///
///     update --model shop.safetensors --data today.csv --only-if-better
///
/// The old log is not needed. A model with session kNN has its sequences; --memory-sequences of train says how many
/// another one keeps. Exit codes: 0, 1 for what went wrong, 2 for a wrong command line, 3 where the update was refused,
/// 130 after Ctrl-C and 143 after SIGTERM; in all these cases but 0 the model stays as it was.

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <lstmrec/lstmrec.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "any_log.hpp"
#include "command_line.hpp"
#include "console.hpp"
#include "log_remarks.hpp"

namespace {

using namespace lstmrec;
using namespace example;

struct Arguments {
  std::filesystem::path model, data, output;
  LogArguments log;
  SequenceOptions sequences;
  std::size_t epochs = 4, threads = 0;
  double learning_rate = 0;
  bool only_if_better = false, drop_repeats = false, merge_repeats = false, quiet = false;
};

void add_options(CommandLine& line, Arguments& a) {
  line.take_last();  // of an option given twice
  line.add_option("--model", a.model, "The recommender to go on from").required();
  const auto data = line.add_option("--data", a.data, "The log of new events, as train reads it").required();
  add_log_options(line, a.log, data);
  line.add_flag("--merge-repeats", a.merge_repeats, "Drop an event of the item that the event before it has");
  line.add_flag("--drop-repeats", a.drop_repeats, "Keep only a user's first event of each item");
  line.add_option("--min-rating", a.sequences.min_rating, "Drop ratings below this one");
  line.add_option("--longest-pause", a.sequences.longest_pause,
                  "Where a user pauses longer, in seconds, a new visit begins, which is a sequence of its own");
  line.add_option("--output", a.output, "Write the new recommender to this file; without it in place of the old one");
  line.add_flag(
      "--only-if-better", a.only_if_better,
      "First hold out the newest day of the log (at least the newest tenth of its sequences, at most half), learn the "
      "rest, and compare both models on it; where the new one is worse, refuse the update, with exit code 3");
  line.add_option("--epochs", a.epochs, "Passes over the new log and what the model remembers")
      .check(fits<std::size_t>)
      .capture_default_str();
  line.add_option("--learning-rate", a.learning_rate, "Without it that of the model's first training").positive();
  line.add_option("--threads", a.threads, "0: as many as there are processors; changes no result").range(0, 1024);
  line.add_flag("--quiet", a.quiet, "Print nothing but errors");
}

/// All of a log, with the sequences that begin on its last day held out and their events to be predicted: at least the
/// newest tenth, at most half.
Split hold_out_newest(Sequences sequences) {
  const auto begin_of = [&](std::uint32_t user) { return sequences[user].front().time; };
  std::vector<std::uint32_t> order;
  for (std::uint32_t user = 0; user < sequences.size(); ++user) order.push_back(user);
  if (sequences.has_times)
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return begin_of(a) < begin_of(b); });
  std::size_t count = (order.size() + 9) / 10;
  if (sequences.has_times) {
    const std::int64_t last = *std::max_element(sequences.events.times.begin(), sequences.events.times.end());
    const std::int64_t day = 86400 * sequences.ticks_per_second;
    const auto of_day =
        std::count_if(order.begin(), order.end(), [&](auto user) { return last - begin_of(user) < day; });
    count = std::clamp(static_cast<std::size_t>(of_day), count, std::max(count, order.size() / 2));
  }
  auto first = order.end() - static_cast<std::ptrdiff_t>(count);
  std::vector<bool> is_held_out(order.size());
  for (; first != order.end(); ++first) is_held_out[*first] = true;
  Split split = train_on_all(std::move(sequences));
  for (std::uint32_t user = 0; user < is_held_out.size(); ++user)
    if (is_held_out[user]) hold_out(split, user, split.test);
  split.protocol = "the newest sequences of " + split.sequences.source + ", every event from those before it";
  return split;
}

FitResult learn(const Recommender& before, const Split& split, const RecommenderConfig& config, const Arguments& a) {
  ProgressPrinter printer;
  Signals signals;
  const auto progress = [&](const TrainingProgress& p) {
    if (!a.quiet) printer(p);
  };
  FitResult result =
      update(before, split, config,
             {.threads = a.threads, .progress = progress, .stop = signals.stop(), .terminate = signals.terminate()});
  if (!a.quiet) printer.clear_bar();
  return result;
}

/// Learns all of the log and writes the model; returns the exit code.
int write_update(const Recommender& before, Sequences sequences, const RecommenderConfig& config, const Arguments& a) {
  const FitResult result = learn(before, train_on_all(std::move(sequences)), config, a);
  if (result.stopped) {
    std::cerr << "stopped by Ctrl-C; nothing is written\n";
    return interrupted;
  }
  save(result.recommender, a.output);
  if (!a.quiet) std::cerr << "model written to " << a.output.string() << '\n';
  return 0;
}

int work(Arguments& a) {
  if (a.output.empty()) a.output = a.model;
  std::vector<OptionFile> inputs;
  for (const auto& file : files_of_log(a.data, a.log)) inputs.push_back({"--data", file});
  check_outputs({{"--output", a.output}}, inputs);
  const auto say = [&](const auto&... parts) {
    if (!a.quiet) ((std::cerr << ... << parts) << '\n');
  };
  const Recommender before = load_recommender(a.model);
  Interactions log = read_any_log(a.data, a.log.log, a.quiet);
  describe_items(log, a.log, a.quiet);
  for (const std::string& warning : log.warnings) say(printable(warning));
  for (const std::string& remark : log_remarks(log)) say(printable(remark));
  SequenceOptions options = a.sequences;
  options.keep_repeats = !a.drop_repeats;
  options.keep_immediate_repeats = !a.merge_repeats;
  Sequences sequences = build_sequences(std::move(log), options);
  std::size_t known = 0;
  for (std::uint32_t item = 0; item < sequences.items.size(); ++item)
    known += before.item_ids().find(sequences.items.id(item)).has_value();
  say(a.data.string(), ": ", grouped(sequences.size()), " sequences, ", grouped(sequences.events.size()), " events of ",
      grouped(sequences.items.size()), " items, ", grouped(sequences.items.size() - known),
      " of which are new; the model knows ", grouped(before.item_ids().size()), " and remembers ",
      grouped(before.uses_session_knn() ? before.session_knn().sequences() : before.memory().size()), " sequences");
  if (const std::string remark = spelling_remark(before.item_ids(), sequences.items, a.data.string()); !remark.empty())
    say(printable(remark));
  RecommenderConfig config = continued_config(before, static_cast<std::int64_t>(a.epochs));
  if (a.learning_rate > 0) config.training.learning_rate = a.learning_rate;

  if (a.only_if_better) {
    const Split split = hold_out_newest(sequences);
    if (split.test.empty()) throw Error(a.data.string() + ": its newest sequences have no event to predict");
    if (std::none_of(split.train_length.begin(), split.train_length.end(), [](auto length) { return length > 1; }))
      throw Error(a.data.string() + ": too few sequences to hold the newest out and learn the rest");
    say("learning all but the newest ",
        grouped(static_cast<std::size_t>(std::count(split.train_length.begin(), split.train_length.end(), 0u))),
        " sequences, on which both models are tested");
    const FitResult first = learn(before, split, config, a);
    if (first.stopped) {
      std::cerr << "stopped by Ctrl-C; nothing is written\n";
      return interrupted;
    }
    if (std::none_of(split.test.begin(), split.test.end(), [&](Target target) {
          return before.item_ids().find(split.sequences.items.id(split.event(target).item)).has_value();
        })) {
      say("the model before knows none of the items to predict, so the update is better");
      return write_update(before, std::move(sequences), config, a);
    }
    const auto figures_of = [&](const Recommender& recommender) {
      return evaluate(recommender, split, split.test, {.threads = a.threads});
    };
    const std::vector<NamedEvaluation> rows{{"updated", figures_of(first.recommender)}, {"before", figures_of(before)}};
    const auto [ndcg, p] = compare(rows[0].evaluation, rows[1].evaluation, {.threads = a.threads});
    if (!a.quiet) {
      const std::size_t columns = terminal_columns(STDOUT_FILENO);
      std::ostringstream text;
      write_table(text, rows, 10, columns);
      text << "NDCG@10 less that of the model before: " << ndcg << ", " << p_text(p, CompareOptions().bootstrap_samples)
           << " (paired bootstrap over users)\n";
      std::cout << (columns > 0 ? wrapped(text.str(), columns) : text.str());
    }
    if (ndcg.value < 0) {
      std::cerr << "the update is worse than the model before, so it is refused and nothing is written\n";
      return refused;
    }
    say("learning the newest sequences too");
  }
  return write_update(before, std::move(sequences), config, a);
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line("Brings a model up to date with a log of new events; the old log is not needed.");
  Arguments arguments;
  add_options(line, arguments);
  return line.run(argc, argv, [&] { return work(arguments); });
}

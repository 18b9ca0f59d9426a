/// Shows how a model would have done in use: each period of a log is predicted from what came before it, and then
/// learned.
///
///     prequential week_0.csv week_1.csv week_2.csv …
///     prequential events.csv --days 7 --first 4 --again --report weeks.html
///
/// Compared are a model that is brought up to date by each period alone (update), one that stays as the first periods
/// have made it, one that is trained again on everything (--again), and the decayed Markov chain of everything so far.
/// A visit that goes on in the next period begins anew there. Exit codes: 0, 1 for what went wrong, 2 for a wrong
/// command line, 130 after Ctrl-C.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <lstmrec/baselines/markov.hpp>
#include <lstmrec/io/atomic_file.hpp>
#include <lstmrec/lstmrec.hpp>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "any_log.hpp"
#include "command_line.hpp"
#include "config_options.hpp"
#include "console.hpp"
#include "json.hpp"
#include "log_remarks.hpp"
#include "report_chart.hpp"
#include "report_page.hpp"

namespace {

using namespace lstmrec;
using namespace example;
using Path = std::filesystem::path;

struct Arguments {
  std::vector<std::string> logs;
  Path metrics, report;
  LogArguments log;
  SequenceOptions sequences;
  std::string preset = "default", unknown = "miss";
  double days = 0, update_learning_rate = 0;
  std::size_t first = 1, cutoff = 20, threads = 0, update_epochs = 4;
  bool again = false, merge_repeats = false, quiet = false;
};

void add_options(CommandLine& line, Arguments& a) {
  const auto logs =
      line.add_option("logs", a.logs, "Logs, a period each, in the order of time; or one log, which --days cuts")
          .required()
          .take_all();
  line.take_last();  // of an option given twice
  add_log_options(line, a.log, logs);
  line.add_flag("--merge-repeats", a.merge_repeats, "Drop an event of the item that the event before it has");
  line.add_option("--longest-pause", a.sequences.longest_pause,
                  "Where a user pauses longer, in seconds, a new visit begins, which is a sequence of its own");
  line.add_option("--days", a.days, "Cut the log into periods of so many days").positive();
  line.add_option("--first", a.first, "Periods that the first model learns").positive().capture_default_str();
  line.add_option("--unknown", a.unknown,
                  "Events of items that no earlier period has: a miss where they have to be predicted, or left-out")
      .one_of({"miss", "left-out"})
      .capture_default_str();
  line.add_option("--preset", a.preset, "quick, default or accurate").capture_default_str();
  line.add_option("--update-epochs", a.update_epochs,
                  "Passes of an update over its period and what the model remembers")
      .check(fits<std::size_t>)
      .capture_default_str();
  line.add_option("--update-learning-rate", a.update_learning_rate, "Without it that of the first training").positive();
  line.add_flag("--again", a.again, "Train a model on all periods before, each time anew: slow");
  line.add_option("--cutoff", a.cutoff, "The k of HR@k and MRR@k").positive().capture_default_str();
  line.add_option("--threads", a.threads, "0: as many as there are processors; changes no result").range(0, 1024);
  line.add_option("--metrics", a.metrics, "Write all figures to this file, as JSON");
  line.add_option("--report", a.report, "Write a page with the curves to this file, as HTML");
  line.add_flag("--quiet", a.quiet, "Print nothing but the table and errors");
}

/// Cuts a log by time into parts of so many days, counted from its first event; those without events are left out.
std::vector<Interactions> cut_by_days(const Interactions& log, double days) {
  if (!log.has_times) throw Error(log.source + ": a cut into days needs times, and there are none");
  const std::int64_t begin = *std::min_element(log.events.times.begin(), log.events.times.end());
  const double ticks = days * 86400 * static_cast<double>(log.ticks_per_second);
  std::map<std::int64_t, Interactions> parts;
  for (std::size_t row = 0; row < log.events.size(); ++row) {
    const Event event = log.events[row];
    const double place = (static_cast<double>(event.time) - static_cast<double>(begin)) / ticks;
    if (place >= 10000) throw Error(log.source + ": --days would cut it into more than 10000 periods");
    Interactions& part = parts[static_cast<std::int64_t>(place)];
    part.has_times = true;
    part.has_ratings = log.has_ratings;
    const RawId& item = log.items.id(event.item);
    part.observe(log.users.id(event.user), item, event.time, event.rating, event.weight, event.kind);
    part.catalogue[part.items.index(item)] = log.catalogue[event.item];
  }
  std::vector<Interactions> result;
  for (auto& [number, part] : parts) {
    part.ticks_per_second = log.ticks_per_second;
    part.source = log.source + ", period " + std::to_string(number);
    result.push_back(std::move(part));
  }
  return result;
}

/// Throws Error unless each log begins no earlier than the one before it.
void check_order(const std::vector<Interactions>& logs) {
  const auto first = [](const Interactions& log) {
    return *std::min_element(log.events.times.begin(), log.events.times.end());
  };
  for (std::size_t k = 1; k < logs.size(); ++k)
    if (logs[k].has_times && logs[k - 1].has_times && first(logs[k]) < first(logs[k - 1]))
      throw Error(logs[k].source + ": begins before " + logs[k - 1].source +
                  ", which it should follow: the logs are to be given in the order of time");
}

std::vector<Sequences> read_periods(Arguments& a) {
  std::vector<Interactions> logs;
  for (const std::string& path : a.logs) {
    Interactions& log = logs.emplace_back(read_any_log(path, a.log.log, a.quiet));
    describe_items(log, a.log, a.quiet || logs.size() > 1);
    if (a.quiet) continue;
    for (const std::string& warning : log.warnings) std::cerr << printable(warning) << '\n';
    for (const std::string& remark : log_remarks(log)) std::cerr << printable(remark) << '\n';
  }
  if (a.days > 0) {
    if (logs.size() != 1) throw Error("--days cuts one log, and several are given");
    logs = cut_by_days(logs.front(), a.days);
  }
  check_order(logs);
  if (logs.size() <= a.first)
    throw Error("expected more than " + std::to_string(a.first) + " periods with events, got " +
                std::to_string(logs.size()));
  SequenceOptions options = a.sequences;
  options.keep_immediate_repeats = !a.merge_repeats;
  std::vector<Sequences> periods;
  for (Interactions& log : logs) periods.push_back(build_sequences(std::move(log), options));
  return periods;
}

/// Appends the sequences of a period, whose users count as others.
void append(const Sequences& period, Sequences& all) {
  if (all.items.size() == 0) {
    all.has_times = period.has_times;
    all.has_ratings = period.has_ratings;
    all.ticks_per_second = period.ticks_per_second;
    all.source = "all periods before";
  }
  if (period.has_times != all.has_times || period.ticks_per_second != all.ticks_per_second)
    throw Error(period.source + ": expected times as those of the other periods");
  std::vector<std::uint32_t> numbers;
  for (std::uint32_t item = 0; item < period.items.size(); ++item) {
    numbers.push_back(all.items.add(period.items.id(item)));
    if (numbers.back() == all.catalogue.size()) all.catalogue.push_back(period.catalogue[item]);
  }
  const std::uint32_t users = static_cast<std::uint32_t>(all.size());
  for (std::uint32_t user = 0; user < period.size(); ++user) {
    all.users.add(RawId(std::to_string(users + user)));
    for (std::size_t row = period.offsets[user]; row < period.offsets[user + 1]; ++row) {
      Event event = period.events[row];
      event.user = users + user;
      event.item = numbers[event.item];
      all.events.append(event, all.has_times, all.has_ratings);
    }
    all.offsets.push_back(all.events.size());
  }
}

/// A training of which a random tenth of the sequences chooses.
FitResult train(const Sequences& sequences, const RecommenderConfig& config, const FitOptions& options) {
  Split split = train_on_all(sequences);
  for (std::uint32_t user = 0; user < split.sequences.size(); ++user)
    if (mix_seed(config.training.seed, user) % 10 == 0) hold_out(split, user, split.validation);
  return fit(split, config, options);
}

/// Figures of a period; of a model that knows none of its items they are 0.
std::pair<double, double> hr_and_mrr(const ScorerRef& scorer, const Split& split, const EvaluateOptions& options) {
  const auto knows = [&](Target target) {
    return scorer.item_ids() == nullptr || scorer.item_ids()->find(split.sequences.items.id(split.event(target).item));
  };
  if (split.test.empty() || std::none_of(split.test.begin(), split.test.end(), knows)) return {0, 0};
  const Evaluation figures = evaluate(scorer, split, split.test, options);
  return {figures.hr[0].value, figures.cut_mrr[0].value};
}

/// A model's figures over the periods.
struct Curve {
  std::string name;
  std::vector<double> hr, mrr, seconds;  ///< By period; seconds of training before it.

  static double mean(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return values.empty() ? 0 : sum / static_cast<double>(values.size());
  }
};

/// A chain with the ids of its items, by which an evaluation matches them. Borrows both.
struct KnownChain {
  const MarkovChain* chain;
  const Vocabulary* ids;

  Index items() const { return chain->items(); }
  const Vocabulary& item_ids() const { return *ids; }
  Matrix<float> outputs(std::span<const History> histories) const { return chain->outputs(histories); }
  void score_tile(std::span<const History> histories, const Matrix<float>& outputs, Index item,
                  MatrixRef<float> scores) const {
    chain->score_tile(histories, outputs, item, scores);
  }
  void score(std::span<const History> histories, MatrixRef<float> scores) const { chain->score(histories, scores); }
};

/// The events of a period that are to be predicted: all but the first of each sequence.
Split targets_of(const Sequences& period, const Arguments& a, const Sequences& before) {
  Split split = train_on_all(period);
  if (a.unknown == "left-out") split = align_split(split, before.items, before.catalogue);
  for (std::uint32_t user = 0; user < split.sequences.size(); ++user) hold_out(split, user, split.test);
  return split;
}

void print_row(const std::string& name, std::size_t targets, const std::vector<Curve>& curves,
               const std::vector<double>& hr, const std::vector<double>& mrr) {
  std::cout << std::left << std::setw(8) << name << std::right << std::setw(9)
            << (targets > 0 ? std::to_string(targets) : "");
  for (std::size_t m = 0; m < curves.size(); ++m)
    std::cout << "  " << std::setw(7) << fixed(hr[m], 4) << " " << std::setw(7) << fixed(mrr[m], 4);
  std::cout << std::endl;
}

void write_page(std::ostream& out, const std::vector<Curve>& curves, const Arguments& a, const std::string& source) {
  const std::string at = "@" + std::to_string(a.cutoff);
  const char* const styles[] = {"model", "third", "fourth", "fifth"};
  out << "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      << "content=\"width=device-width, initial-scale=1\">\n<title>" << escaped(source)
      << ", period by period</title>\n"
      << "<style>" << report_colours << report_style << "</style></head>\n<body><main>\n<h1>" << escaped(source)
      << ", period by period</h1>\n<p class=\"quiet\">Each period is predicted from what came before it, and then "
      << "learned. HR" << at << " is the share of events whose item is among the " << a.cutoff << " recommended; MRR"
      << at << " is the mean of 1 / its place in the list, or 0 where it is not there.</p>\n<div class=\"pair\">\n";
  std::vector<Series> hr, mrr;
  for (std::size_t m = 0; m < curves.size(); ++m) {
    hr.push_back({curves[m].name, styles[m], curves[m].hr});
    mrr.push_back({curves[m].name, styles[m], curves[m].mrr});
  }
  write_line_chart(out, "HR" + at, hr, 0, 4, "period");
  write_line_chart(out, "MRR" + at, mrr, 0, 4, "period");
  out << "</div>\n<h2>Means</h2>\n<div class=\"card scroll\"><table><thead><tr><th scope=\"col\">model</th><th "
      << "scope=\"col\">HR" << at << "</th><th scope=\"col\">MRR" << at
      << "</th><th scope=\"col\">seconds of training a period</th></tr></thead><tbody>\n";
  for (const Curve& curve : curves)
    out << "<tr><th scope=\"row\">" << escaped(curve.name) << "</th><td>" << fixed(Curve::mean(curve.hr), 4)
        << "</td><td>" << fixed(Curve::mean(curve.mrr), 4) << "</td><td>" << fixed(Curve::mean(curve.seconds), 1)
        << "</td></tr>\n";
  out << "</tbody></table></div>\n</main></body></html>\n";
}

int work(Arguments& a, const ConfigOptions<RecommenderConfig>& changes) {
  std::vector<OptionFile> inputs;
  for (const std::string& log : a.logs)
    for (const Path& file : files_of_log(log, a.log)) inputs.push_back({"logs", file});
  check_outputs({{"--metrics", a.metrics}, {"--report", a.report}}, inputs);
  const auto config_of = [&](RecommenderConfig config) {
    config.memory_sequences = 30000;
    changes.apply(config);
    config.check();
    return config;
  };
  config_of(preset(a.preset));  // what is wrong with it is said before anything is read
  const std::vector<Sequences> periods = read_periods(a);
  const RecommenderConfig config = config_of(preset(a.preset, train_on_all(periods.front())));

  Signals signals;
  const FitOptions options{.threads = a.threads, .stop = signals.stop(), .terminate = signals.terminate()};
  std::vector<Curve> curves{{"update", {}, {}, {}}, {"no update", {}, {}, {}}, {"Markov", {}, {}, {}}};
  if (a.again) curves.push_back({"again", {}, {}, {}});
  std::cout << "HR@" << a.cutoff << " and MRR@" << a.cutoff << " of " << periods.size() - a.first
            << " periods, every event from those before it in its sequence\n";
  std::cout << std::left << std::setw(8) << "period" << std::right << std::setw(9) << "targets";
  for (const Curve& curve : curves) std::cout << "  " << std::setw(15) << curve.name;
  std::cout << std::endl;

  Sequences before;
  Recommender updated, first, again;
  std::size_t all_targets = 0;
  std::vector<Json> rows;
  for (std::size_t p = 0; p < periods.size() && !options.stop.stop_requested(); ++p) {
    if (p >= a.first) {
      const auto begin = TrainingClock::now();
      if (p == a.first) {
        first = updated = train(before, config, options).recommender;
      } else {
        RecommenderConfig further = continued_config(updated, static_cast<std::int64_t>(a.update_epochs));
        if (a.update_learning_rate > 0) further.training.learning_rate = a.update_learning_rate;
        updated = update(updated, train_on_all(periods[p - 1]), further, options).recommender;
      }
      const double seconds = TrainingClock::seconds_since(begin);
      const auto begin_again = TrainingClock::now();
      if (a.again) again = p == a.first ? first : train(before, config, options).recommender;
      const double seconds_again = p == a.first ? seconds : TrainingClock::seconds_since(begin_again);
      const MarkovChain chain(train_on_all(before), {.followers = 128});
      if (options.stop.stop_requested()) break;
      const Split split = targets_of(periods[p], a, before);
      if (split.test.empty()) {
        std::cerr << printable(periods[p].source) << ": nothing to predict, so this period is only learned\n";
        append(periods[p], before);
        continue;
      }
      all_targets += split.test.size();
      const EvaluateOptions how{
          .cutoffs = {a.cutoff}, .exclude_seen = updated.exclude_seen(), .threads = a.threads, .bootstrap_samples = 0};
      const auto add = [&](Curve& curve, std::pair<double, double> figures, double training) {
        curve.hr.push_back(figures.first);
        curve.mrr.push_back(figures.second);
        curve.seconds.push_back(training);
      };
      add(curves[0], hr_and_mrr(updated, split, how), seconds);
      add(curves[1], hr_and_mrr(first, split, how), p == a.first ? seconds : 0);
      add(curves[2], hr_and_mrr(KnownChain{&chain, &before.items}, split, how), 0);
      if (a.again) add(curves[3], hr_and_mrr(again, split, how), seconds_again);
      std::vector<double> hr, mrr;
      Json& row = rows.emplace_back();
      row["period"] = p;
      row["targets"] = split.test.size();
      for (const Curve& curve : curves) {
        hr.push_back(curve.hr.back());
        mrr.push_back(curve.mrr.back());
        row[curve.name]["hr"] = hr.back();
        row[curve.name]["mrr"] = mrr.back();
        row[curve.name]["seconds"] = curve.seconds.back();
      }
      print_row(std::to_string(p), split.test.size(), curves, hr, mrr);
    }
    append(periods[p], before);
  }
  if (rows.empty()) {
    std::cerr << "no period was measured\n";
    return options.stop.stop_requested() ? interrupted : failed;
  }
  std::vector<double> hr, mrr;
  for (const Curve& curve : curves) {
    hr.push_back(Curve::mean(curve.hr));
    mrr.push_back(Curve::mean(curve.mrr));
  }
  print_row("mean", all_targets, curves, hr, mrr);
  std::cout << "seconds of training a period:";
  for (const Curve& curve : curves)
    if (curve.name != "Markov" && curve.name != "no update")
      std::cout << ' ' << curve.name << ' ' << fixed(Curve::mean(curve.seconds), 1);
  std::cout << '\n';
  if (!a.metrics.empty()) {
    Json json;
    json["cutoff"] = a.cutoff;
    json["targets"] = all_targets;
    for (std::size_t m = 0; m < curves.size(); ++m) {
      json["mean"][curves[m].name]["hr"] = hr[m];
      json["mean"][curves[m].name]["mrr"] = mrr[m];
      json["mean"][curves[m].name]["seconds"] = Curve::mean(curves[m].seconds);
    }
    json["periods"] = std::move(rows);
    json["config"] = example::to_json(updated.config());
    write_file_atomically(a.metrics, [&](std::ostream& out) { out << json << '\n'; });
  }
  if (!a.report.empty())
    write_file_atomically(
        a.report, [&](std::ostream& out) { write_page(out, curves, a, Path(a.logs.front()).filename().string()); });
  return options.stop.stop_requested() ? interrupted : 0;
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line("Predicts each period of a log from what came before it, and then learns it.");
  Arguments arguments;
  add_options(line, arguments);
  const ConfigOptions<RecommenderConfig> changes(line);
  return line.run(argc, argv, [&] { return work(arguments, changes); });
}

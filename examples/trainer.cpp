#include "trainer.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <limits>
#include <lstmrec/baselines.hpp>
#include <lstmrec/data/fingerprint.hpp>
#include <lstmrec/io/atomic_file.hpp>
#include <lstmrec/io/available_memory.hpp>
#include <lstmrec/lstmrec.hpp>
#include <lstmrec/next_item/training_memory.hpp>
#include <lstmrec/train/checkpoint.hpp>
#include <numeric>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "command_line.hpp"
#include "config_options.hpp"
#include "console.hpp"
#include "data_facts.hpp"
#include "explanations.hpp"
#include "json.hpp"
#include "log_remarks.hpp"
#include "ranks_file.hpp"
#include "report.hpp"

namespace {

using namespace lstmrec;
using namespace example;
using Path = std::filesystem::path;

struct Arguments {
  Path data, test, validation, model, final_model, warm_start, evaluate, metrics, report, lists, ranks;
  SequenceOptions sequences;
  std::string split = "leave-one-out", targets = "every", preset = "default";
  std::size_t threads = 0, lists_length = std::numeric_limits<std::size_t>::max();
  CheckpointOptions checkpoint;
  bool drop_repeats = false, merge_repeats = false, linear_baselines = false, quiet = false;
};

void add_options(CommandLine& line, Arguments& a, const TrainerData& data) {
  line.take_last();  // of an option given twice
  const auto log = line.add_option("--data", a.data, data.help).required();
  if (data.add_options) data.add_options(line, log);
  line.add_option("--min-item-count", a.sequences.min_item_count, "Drop items with fewer events")
      .check(fits<std::size_t>);
  line.add_option("--min-user-count", a.sequences.min_user_count, "Drop users with fewer events")
      .check(fits<std::size_t>);
  line.add_option("--min-rating", a.sequences.min_rating, "Drop ratings below this one");
  line.add_flag("--drop-repeats", a.drop_repeats, "Keep only a user's first event of each item");
  line.add_flag("--merge-repeats", a.merge_repeats, "Drop an event of the item that the event before it has");
  line.add_option("--longest-pause", a.sequences.longest_pause,
                  "Where a user pauses longer, in seconds, a new visit begins, which is a sequence of its own");
  line.add_option_function<unsigned long>(
          "--shuffle-ties", [&](const unsigned long& seed) { a.sequences.shuffle_ties = seed; },
          "Order the events of a user that have equal times by a hash of this seed; without it as the file has them, "
          "which may be the order of the items' ids")
      .check(fits<std::uint64_t>);
  const auto split = line.add_option("--split", a.split, "What is predicted: leave-one-out, time or users")
                         .one_of({"leave-one-out", "time", "users"})
                         .capture_default_str();
  const auto test =
      line.add_option("--test", a.test, "Test on the events of this log, of users or visits that --data does not have")
          .excludes(split);
  line.add_option("--validation", a.validation,
                  "Choose epochs and weights on this log; without it on the last tenth of the training sequences")
      .needs(test);
  line.add_option("--targets", a.targets, "Of the sequences of --test: every event from those before it, or the last")
      .one_of({"every", "last"})
      .needs(test)
      .capture_default_str();
  const auto preset = line.add_option("--preset", a.preset, "quick, default or accurate").capture_default_str();
  line.add_option("--threads", a.threads, "0: as many as there are processors; changes no result").range(0, 1024);
  const auto model = line.add_option("--model", a.model, "Write the trained recommender to this file");
  const auto final_model = line.add_option(
      "--final-model", a.final_model,
      "In the end train once more, on all events, with the epochs and the weight of counts that validation has chosen, "
      "and write that recommender to this file: for use, as nothing is left to test it on");
  const auto warm_start =
      line.add_option(
              "--warm-start", a.warm_start,
              "Go on from this saved recommender, when the data (all of it, old events too) has new events, users "
              "or items; with its settings but for the options given, and 2 epochs. Figures say nothing if it has "
              "been trained on the test events, as a --final-model is")
          .excludes(preset);
  line.add_option("--evaluate", a.evaluate,
                  "Evaluate this saved recommender and train nothing; options of model and training are ignored")
      .excludes(model)
      .excludes(final_model)
      .excludes(warm_start);
  add_checkpoint_options(line, a.checkpoint);
  line.add_option("--metrics", a.metrics, "Write all figures to this file, as JSON");
  line.add_option("--report", a.report, "Write a page with figures, curves and recommendations to this file, as HTML");
  line.add_flag("--linear-baselines", a.linear_baselines,
                "Evaluate EASE and a decayed ridge too, on at most 10 000 items; half a minute on MovieLens 1M")
      .excludes(test);
  line.add_option("--lists", a.lists,
                  "Write the ranking of every test target to this file: user and items, tabs between");
  line.add_option("--lists-length", a.lists_length, "Items of such a ranking; without it all").check(fits<std::size_t>);
  line.add_option("--ranks", a.ranks, "Write the rank of every test target to this file, for compare_runs");
  line.add_flag("--quiet", a.quiet, "Print nothing but errors");
}

Split make_split(const std::string& name, Sequences sequences, std::uint64_t seed) {
  if (name == "time") return split_by_time(std::move(sequences));
  if (name == "users") return split_by_users(std::move(sequences), .1, .1, seed);
  return leave_one_out(std::move(sequences));
}

double peak_memory_mib() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
  return static_cast<double>(usage.ru_maxrss) / (1024 * 1024);  // bytes
#else
  return static_cast<double>(usage.ru_maxrss) / 1024;  // KiB
#endif
}

/// A recommender, and how it was trained if it was.
struct Outcome {
  Recommender recommender;
  std::optional<FitResult> training;  ///< Its recommender is moved from.
  double peak_memory_mib = 0;         ///< Of the process, when training had ended.

  bool stopped() const { return training && training->stopped; }
  /// The mean over epochs, validation left out.
  double events_per_second() const {
    double sum = 0;
    for (const auto& epoch : training->epochs) sum += epoch.events_per_second;
    return sum / static_cast<double>(std::max<std::size_t>(1, training->epochs.size()));
  }
};

/// `before`: what to begin with, if anything. `model`: where to save what has been learned if something goes wrong.
Outcome train(const Split& split, const RecommenderConfig& config, const std::optional<Recommender>& before,
              const Arguments& a, const CheckpointOptions& checkpoint, const Path& model) {
  if (!a.quiet) {
    const auto available = available_memory();
    std::cerr << "training takes about " << memory_text(training_memory(split, config, a.threads).total())
              << " of memory" << (available ? ", of " + memory_text(*available) + " available" : "") << '\n';
  }
  ProgressPrinter printer;
  Signals signals;
  const auto progress = [&](const TrainingProgress& p) {
    if (!a.quiet) printer(p);
    if (signals.poll()) {
      printer.clear_bar();
      std::cerr << "Ctrl-C: stopping here, with what has been learned; once more to quit at once\n";
    }
  };
  const FitOptions options{.threads = a.threads,
                           .progress = progress,
                           .stop = signals.stop(),
                           .terminate = signals.terminate(),
                           .checkpoint = checkpoint};
  FitResult result = save_if_interrupted<Recommender>(
      model, [&] { return before ? warm_start(*before, split, config, options) : fit(split, config, options); });
  Recommender recommender = std::move(result.recommender);
  if (signals.terminate().stop_requested()) {  // after the last batch and the last validation
    if (!model.empty()) save(recommender, model);
    TrainingTerminated::check(signals.terminate());
  }
  recommender.cache_input_projections();
  return {std::move(recommender), std::move(result), peak_memory_mib()};
}

/// The configuration of a training with all that its validation has chosen.
RecommenderConfig chosen_config(const Outcome& outcome) {
  RecommenderConfig chosen = outcome.recommender.config();
  if (outcome.training->best_epoch > 0)
    chosen.training.epochs = static_cast<std::int64_t>(outcome.training->best_epoch);
  return chosen;
}

/// The figures of the model on both parts, and those of the baselines on the test part.
struct Figures {
  Evaluation validation;
  std::vector<NamedEvaluation> test;                    ///< The model, then the baselines, the best of them last.
  std::vector<Comparison> differences;                  ///< The model's against each of these, itself included.
  std::vector<std::pair<std::string, double>> lambdas;  ///< Of the linear baselines, by name.
};

/// The solution whose λ is best on the validation part, and that λ.
template <class Equations>
std::pair<LinearScorer, double> best_solution(const Equations& equations, const Split& split, EvaluateOptions options) {
  options.cutoffs = {10};
  options.bootstrap_samples = 0;
  std::pair<LinearScorer, double> best;
  double best_ndcg = -1;
  for (const double lambda : {50., 100., 200., 300., 500., 1000.}) {
    LinearScorer scorer = equations.solve(lambda);
    const double ndcg = evaluate(scorer, split, split.validation, options).ndcg_at(10).value;
    if (ndcg <= best_ndcg) continue;
    best = {std::move(scorer), lambda};
    best_ndcg = ndcg;
  }
  return best;
}

/// The speed of counting for item-kNN and the Markov chains on one core, where items are rare; it is five times as high
/// where they are common.
constexpr double pairs_per_second = 2e7;

/// Baselines that would take longer than training did, and longer than a minute, are left out. Those of visits are
/// there where items may be recommended again.
Figures evaluate_all(const Outcome& outcome, const Split& split, const Arguments& a) {
  const Recommender& recommender = outcome.recommender;
  const EvaluateOptions options{.exclude_seen = recommender.exclude_seen(), .threads = a.threads};
  Figures figures;
  const auto add = [&](const char* name, const auto& scorer) {
    figures.test.push_back({name, evaluate(scorer, split, split.test, options)});
  };
  add("lstmrec", recommender);
  if (recommender.uses_markov() || recommender.uses_session_knn()) add("LSTM alone", recommender.network_alone());
  if (recommender.context().inputs().question_time) {
    EvaluateOptions not_told = options;
    not_told.question_time = false;
    figures.test.push_back({"time not known", evaluate(recommender, split, split.test, not_told)});
  }
  const std::size_t of_model = figures.test.size();
  const double longest = std::max(60., outcome.training ? outcome.training->seconds : 0.);
  const auto add_unless_long = [&](const char* name, std::uint64_t pairs, const auto& make) {
    const double seconds = static_cast<double>(pairs) / pairs_per_second;
    if (seconds > 10 && !a.quiet)
      std::cerr << name << (seconds > longest ? ": left out, as it would take about " : ": takes about ")
                << duration(seconds) << '\n';
    if (seconds <= longest) add(name, make());
  };
  const std::uint64_t events = std::accumulate(split.train_length.begin(), split.train_length.end(), std::uint64_t{0});
  MarkovOptions decayed;
  const std::uint64_t decayed_pairs = events * decayed.max_gap;
  if (8 * decayed_pairs > std::uint64_t{1} << 30) decayed.followers = 128;  // all of them might take more than a GiB

  add("popularity", Popularity(split));
  if (split.sequences.has_times) add("recent popularity", Popularity(recent_counts(split, 7)));
  if (!recommender.exclude_seen()) {
    add("repeats", Repeats(split));
    add_unless_long("sequential rules", decayed_pairs,
                    [&] { return MarkovChain(split, MarkovOptions::sequential_rules()); });
    const auto add_knn = [&](const char* name, const SessionKnnOptions& knn) {
      std::uint64_t looked_at = 0;  // events that are looked at for neighbours; six times as fast as pairs are counted
      for (const Target target : split.test)
        looked_at += knn.sample * std::min<std::size_t>(target.position, knn.window);
      add_unless_long(name, looked_at / 6, [&] { return SessionKnn(split, knn); });
    };
    add_knn("V-SKNN", SessionKnnOptions::vsknn());
    add_knn("STAN", SessionKnnOptions::stan());
    add_knn("VSTAN", SessionKnnOptions::vstan());
  }
  add_unless_long("Markov", events, [&] { return MarkovChain(split, MarkovOptions::first_order()); });
  add_unless_long("item-kNN", user_pairs(split.train_length), [&] { return ItemKnn(split); });
  const auto add_linear = [&](const char* name, const auto& equations) {
    const auto [scorer, lambda] = best_solution(equations, split, options);
    if (!a.quiet) std::cerr << name << ": best on validation with lambda " << lambda << '\n';
    figures.lambdas.emplace_back(name, lambda);
    add(name, scorer);
  };
  if (a.linear_baselines) add_linear("EASE", EaseEquations(split));
  add_unless_long("decayed Markov", decayed_pairs, [&] { return MarkovChain(split, decayed); });
  if (a.linear_baselines) add_linear("decayed ridge", DecayedRidgeEquations(split));
  const auto first_baseline = figures.test.begin() + static_cast<std::ptrdiff_t>(of_model);
  const auto best = std::max_element(first_baseline, figures.test.end(), [](const auto& one, const auto& other) {
    return one.evaluation.ndcg_at(10).value < other.evaluation.ndcg_at(10).value;
  });
  std::rotate(best, best + 1, figures.test.end());
  for (const auto& [name, evaluation] : figures.test)
    figures.differences.push_back(compare(figures.test.front().evaluation, evaluation, {.threads = a.threads}));
  return figures;
}

/// `decayed Markov` → `decayed_markov`
std::string key(std::string name) {
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c == ' ' || c == '-' ? '_' : c;
  return name;
}

Json to_json(const Evaluation& evaluation) {
  Json json, intervals;
  const auto add = [&](const std::string& name, const Estimate& e) {
    json[name] = e.value;
    intervals[name] = std::vector<Json>{e.low, e.high};
  };
  json["targets"] = evaluation.targets.size();
  json["users"] = evaluation.users;
  for (std::size_t c = 0; c < evaluation.cutoffs.size(); ++c) {
    const std::string at = "@" + std::to_string(evaluation.cutoffs[c]);
    add("hr" + at, evaluation.hr[c]);
    add("ndcg" + at, evaluation.ndcg[c]);
    add("mrr" + at, evaluation.cut_mrr[c]);
    json["coverage" + at] = evaluation.coverage[c];
    json["mean_popularity" + at] = evaluation.mean_popularity[c];
  }
  add("mrr", evaluation.mrr);
  json["intervals"] = std::move(intervals);
  return json;
}

Json metrics_json(const Split& split, const Outcome& outcome, const Figures& figures, const Arguments& a) {
  Json json;
  json["protocol"] = figures.test.front().evaluation.protocol;
  if (!figures.test.front().evaluation.caveat.empty()) json["caveat"] = figures.test.front().evaluation.caveat;
  for (std::size_t k = 0; k < figures.test.size(); ++k) {
    const auto& [name, evaluation] = figures.test[k];
    Json& entry = k == 0                                             ? json["test"]
                  : name == "LSTM alone" || name == "time not known" ? json[key(name)]
                                                                     : json["baselines"][key(name)];
    entry = to_json(evaluation);
    if (k == 0) continue;
    const auto& [ndcg, p] = figures.differences[k];
    entry["below_test"]["ndcg@10"] = ndcg.value;
    entry["below_test"]["interval"] = std::vector<Json>{ndcg.low, ndcg.high};
    entry["below_test"]["p"] = p;
  }
  for (const auto& [name, lambda] : figures.lambdas) json["baselines"][key(name)]["lambda"] = lambda;
  if (!figures.validation.targets.empty()) json["validation"] = to_json(figures.validation);
  if (outcome.training) {
    Json& train = json["train"];
    if (!a.warm_start.empty()) train["warm_start"] = a.warm_start.string();
    train["seconds"] = outcome.training->seconds;
    train["epochs"] = outcome.training->epochs.size();
    train["events_per_second"] = outcome.events_per_second();
    train["peak_memory_mib"] = outcome.peak_memory_mib;
    train["best_epoch"] = outcome.training->best_epoch;
    train["stopped"] = outcome.training->stopped;
    std::vector<Json> history;
    for (const auto& epoch : outcome.training->epochs) {
      Json& entry = history.emplace_back();
      entry["epoch"] = epoch.epoch;
      entry["loss"] = epoch.loss;
      if (!epoch.validation) continue;
      entry["hr@10"] = epoch.validation->hr10;
      entry["ndcg@10"] = epoch.validation->ndcg10;
      entry["mrr"] = epoch.validation->mrr;
    }
    train["history"] = std::move(history);
  }
  json["data"]["source"] = split.sequences.source;
  json["data"]["users"] = split.sequences.size();
  json["data"]["items"] = split.sequences.items.size();
  json["data"]["events"] = split.sequences.events.size();
  json["config"] = example::to_json(outcome.recommender.config());
  json["version"] = LSTMREC_VERSION;
  json["compiler"] = compiler();
  return json;
}

/// What the arguments exclude of a log.
std::vector<Fact> exclusions(const Arguments& a) {
  std::vector<Fact> facts;
  if (a.sequences.shuffle_ties) facts.emplace_back("order of equal times", "shuffled");
  if (a.sequences.min_item_count > 1) facts.emplace_back("least events an item", grouped(a.sequences.min_item_count));
  if (a.sequences.min_user_count > 1) facts.emplace_back("least events a user", grouped(a.sequences.min_user_count));
  if (a.sequences.min_rating > -std::numeric_limits<float>::infinity())
    facts.emplace_back("lowest rating", fixed(static_cast<double>(a.sequences.min_rating), 1));
  if (a.drop_repeats) facts.emplace_back("repeats", "dropped");
  if (a.merge_repeats) facts.emplace_back("immediate repeats", "dropped");
  return facts;
}

/// The folder that a log lies in.
std::string data_name(const Path& log) { return std::filesystem::absolute(log).parent_path().filename().string(); }

Report make_report(const Split& split, const std::vector<Fact>& facts, const Outcome& outcome, const Figures& figures,
                   const Arguments& a) {
  const Recommender& recommender = outcome.recommender;
  const Evaluation &model = figures.test.front().evaluation, &other = figures.test.back().evaluation;
  Report report;
  report.title = "lstmrec on " + data_name(split.sequences.source);
  report.subtitle = std::string("lstmrec ") + LSTMREC_VERSION + ", " + compiler() + "; " + split.sequences.source;
  report.notice = model.caveat;
  if (outcome.stopped())
    report.notice = "Training was stopped by Ctrl-C in epoch " + std::to_string(outcome.training->epochs.size()) +
                    " of " + std::to_string(recommender.config().training.epochs) + ".";
  report.figures = figures.test;
  report.difference = figures.differences.back();
  report.model_by_history = slices_by_history(model);
  report.other_by_history = slices_by_history(other);
  report.model_by_popularity = slices_by_popularity(model, split);
  report.other_by_popularity = slices_by_popularity(other, split);
  report.model_by_genre = slices_by_genre(model, split);
  report.other_by_genre = slices_by_genre(other, split);
  report.calibration = calibration(recommender, split, model, {.threads = a.threads});
  report.users = draw_users(recommender, split, model, 6, recommender.config().training.seed);
  report.data = facts;
  for (const Fact& fact : exclusions(a)) report.data.push_back(fact);
  if (outcome.training) {
    report.epochs = outcome.training->epochs;
    report.best_epoch = outcome.training->best_epoch;
    report.training = {{"time", duration(outcome.training->seconds)},
                       {"epochs", std::to_string(outcome.training->epochs.size())},
                       {"events a second", grouped(static_cast<std::size_t>(outcome.events_per_second()))},
                       {"peak memory", fixed(outcome.peak_memory_mib, 0) + " MiB"}};
    if (!a.warm_start.empty()) report.training.emplace_back("gone on from", a.warm_start.string());
  }
  report.training.emplace_back("parameters", grouped(static_cast<std::size_t>(parameter_count(recommender.network()))));
  RecommenderConfig::visit(recommender.config(), [&](const char* name, const auto& value, const char*) {
    std::ostringstream text;
    if constexpr (std::is_enum_v<std::remove_cvref_t<decltype(value)>>)
      text << names_of(value)[static_cast<std::size_t>(value)];
    else if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, std::optional<bool>>)
      text << std::boolalpha << value.value_or(true);
    else
      text << std::boolalpha << value;
    report.configuration.emplace_back(name, text.str());
  });
  return report;
}

/// The options by which events may be dropped, as they are given.
std::string dropping_options(const Arguments& a) {
  std::string options;
  const auto add = [&](bool is_given, const std::string& option) {
    if (is_given) options += (options.empty() ? "" : ", ") + option;
  };
  add(a.sequences.min_item_count > 1, "--min-item-count " + std::to_string(a.sequences.min_item_count));
  add(a.sequences.min_user_count > 1, "--min-user-count " + std::to_string(a.sequences.min_user_count));
  add(a.sequences.min_rating > -std::numeric_limits<float>::infinity(),
      "--min-rating " + fixed(static_cast<double>(a.sequences.min_rating), 1));
  add(a.drop_repeats, "--drop-repeats");
  add(a.merge_repeats, "--merge-repeats");
  return options;
}

/// The split that the arguments ask for.
Split read_split(const Arguments& a, const TrainerData& data, std::uint64_t seed) {
  SequenceOptions options = a.sequences;
  options.keep_repeats = !a.drop_repeats;
  options.keep_immediate_repeats = !a.merge_repeats;
  Interactions log = data.read(a.data, a.quiet);
  if (data.describe_items) data.describe_items(log, a.quiet);
  const auto say = [&](const std::string& text) {
    if (!a.quiet && !text.empty()) std::cerr << printable(text) << '\n';
  };
  for (const std::string& warning : log.warnings) say(warning);
  for (const std::string& remark : log_remarks(log)) say(remark);
  const std::size_t read_events = log.events.size(), read_items = log.items.size(), read_users = log.users.size();
  Sequences events = build_sequences(std::move(log), options);
  if (const std::size_t dropped = read_events - events.events.size(); dropped > 0)
    say("dropped by " + dropping_options(a) + ": " + grouped(dropped) + " of " + grouped(read_events) +
        " events, with " + grouped(read_items - events.items.size()) + " of " + grouped(read_items) + " items" +
        (events.users.size() <= read_users
             ? " and " + grouped(read_users - events.users.size()) + " of " + grouped(read_users) + " users"
             : ""));
  if (a.test.empty()) return make_split(a.split, std::move(events), seed);
  options.min_item_count = options.min_user_count = 1;
  const auto read = [&](const Path& path) {
    Sequences held_out = build_sequences(data.read(path, a.quiet), options);
    say(spelling_remark(events.items, held_out.items, held_out.source));
    return held_out;
  };
  const HeldOutTargets targets = a.targets == "last" ? HeldOutTargets::last : HeldOutTargets::every;
  std::optional<Sequences> validation;
  if (!a.validation.empty()) validation = read(a.validation);
  return held_out_log(std::move(events), read(a.test), targets, validation ? &*validation : nullptr);
}

int work(const Arguments& a, const TrainerData& data, const ConfigOptions<RecommenderConfig>& changes) {
  std::vector<OptionFile> inputs{{"--evaluate", a.evaluate}, {"--warm-start", a.warm_start}};
  for (const OptionFile& log : {OptionFile{"--data", a.data}, {"--test", a.test}, {"--validation", a.validation}})
    if (!log.path.empty())
      for (const Path& file : data.files(log.path)) inputs.push_back({log.option, file});
  check_outputs({{"--model", a.model},
                 {"--final-model", a.final_model},
                 {"--metrics", a.metrics},
                 {"--report", a.report},
                 {"--lists", a.lists},
                 {"--ranks", a.ranks}},
                inputs);
  const auto say = [&](const auto&... parts) {
    if (!a.quiet) ((std::cerr << ... << parts) << '\n');
  };
  if (const std::string note = slow_build_note(); !note.empty()) say(note);
  std::optional<Recommender> saved, before;
  if (!a.evaluate.empty()) saved = load_recommender(a.evaluate);
  if (!a.warm_start.empty()) before = load_recommender(a.warm_start);
  RecommenderConfig config = saved ? saved->config() : before ? continued_config(*before, 2) : preset(a.preset);
  changes.apply(config);
  config.check();

  Split split = read_split(a, data, config.training.seed);
  if (!saved && !before) {
    config = preset(a.preset, split);
    changes.apply(config);
    config.check();
  }
  std::optional<Split> whole;  // what was read, where the saved model does not number its items so
  if (saved && saved->item_ids() != split.sequences.items) {
    Split known = align_split(split, saved->item_ids(), saved->catalogue());
    if (const std::size_t unknown = split.sequences.events.size() - known.sequences.events.size(); unknown > 0)
      say(grouped(unknown), " events of items that the model doesn't know were left out; ",
          grouped(known.test.unknown.size() - split.test.unknown.size()),
          " of them had to be predicted, so they are misses");
    whole = std::exchange(split, std::move(known));
  }
  const std::vector<Fact> facts = data_facts(split);
  say(split.sequences.source, ": ", grouped(split.sequences.size()), " users, ", grouped(split.sequences.items.size()),
      " items, ", grouped(split.sequences.events.size()), " events");
  for (const auto& [name, text] : facts)
    if (name == "events a user" || name == "repeats" || name == "time") say(name, ": ", text);
  if (!saved && !before && mean_training_length(split) < short_length)
    say("short sequences, ", fixed(mean_training_length(split), 1), " events on average: preset ", a.preset,
        " is a network of ", config.hidden_size, " units");
  for (const auto& [name, text] : facts)
    if (name == "equal times") say(name, ": ", text, a.sequences.shuffle_ties ? " (shuffled)" : "");
  if (before) {
    const Vocabulary &ids = split.sequences.items, &known = before->item_ids();
    std::size_t common = 0;
    for (std::uint32_t item = 0; item < ids.size(); ++item) common += known.find(ids.id(item)).has_value();
    say("going on from ", a.warm_start.string(), ", which knows ", grouped(common), " of these items",
        known.size() > common ? "; " + grouped(known.size() - common) + " others are forgotten" : "");
  }
  const auto train_length = split.train_length;  // the validation part can be moved back
  const Targets validation_targets = split.validation;
  const auto move_validation = [&](bool into_training) {
    if (into_training) {
      split = with_validation_in_training(std::move(split));
    } else {
      split.train_length = train_length;
      split.validation = validation_targets;
    }
  };
  if (saved && !a.test.empty()) {  // a model that was saved with --test has learned the validation part too
    move_validation(true);
    if (trained_on(split).split != saved->trained_on().split) move_validation(false);
  }
  if (a.linear_baselines) check_linear_items(split.sequences.items.size());  // before training, not after

  const auto checkpoint_of = [&](const char* training) {
    CheckpointOptions options = a.checkpoint;
    if (options.folder.empty()) return options;
    options.folder /= training;
    CheckpointFolder(options, {});  // what is wrong with it is said before the first training
    return options;
  };
  const CheckpointOptions final_checkpoint = a.final_model.empty() ? CheckpointOptions() : checkpoint_of("final");
  const CheckpointOptions refit_checkpoint = a.test.empty() ? CheckpointOptions() : checkpoint_of("refit");
  Outcome outcome = saved ? Outcome{*std::move(saved), {}, 0} : train(split, config, before, a, a.checkpoint, a.model);
  if (outcome.training && !outcome.stopped() &&
      outcome.training->epochs.size() < static_cast<std::size_t>(config.training.epochs))
    say("no better validation in ", config.training.patience, " epochs; kept is epoch ", outcome.training->best_epoch);
  const Evaluation validation =
      split.validation.empty() ? Evaluation()
                               : evaluate(outcome.recommender, split, split.validation,
                                          {.exclude_seen = outcome.recommender.exclude_seen(), .threads = a.threads});
  bool refit_stopped = false;
  if (outcome.training && !outcome.stopped() && !a.test.empty()) {
    say("training once more, on the validation part too, with what it has chosen");
    if (!a.model.empty()) save(outcome.recommender, a.model);  // for the case that the second training does not end
    move_validation(true);
    Outcome again = train(split, chosen_config(outcome), before, a, refit_checkpoint, {});
    outcome.training->seconds += again.training->seconds;
    refit_stopped = again.stopped();
    if (refit_stopped)
      move_validation(false);
    else
      outcome.recommender = std::move(again.recommender);
  }
  if (!a.model.empty()) {
    save(outcome.recommender, a.model);
    say("model written to ", a.model.string());
  }
  if (const std::size_t features = outcome.recommender.features().size(); features > 0)
    say("item vectors are made of ", features, " features of items too");
  if (outcome.recommender.uses_markov())
    say("the Markov chain is used with weight ", outcome.recommender.markov_weight());
  if (outcome.recommender.uses_session_knn())
    say("session kNN is used with weight ", outcome.recommender.session_knn_weight());
  say("evaluating");
  Figures figures = evaluate_all(outcome, split, a);
  figures.validation = validation;
  const auto& ranks = figures.test.front().evaluation.ranks;
  if (const auto repeats = std::count(ranks.begin(), ranks.end(), metrics::not_ranked); repeats > 0)
    say(repeats, " of ", ranks.size(),
        " test targets are items that the user has had before; seen items are left out, ",
        "so these are misses (--exclude-seen 0 leaves them in)");
  if (!a.quiet) {
    const std::size_t columns = terminal_columns(STDOUT_FILENO);
    std::ostringstream text;
    write_table(text, figures.test, 10, columns);
    const auto& [ndcg, p] = figures.differences.back();
    text << "NDCG@10 less that of " << figures.test.back().name << ", the best baseline: " << ndcg << ", "
         << p_text(p, CompareOptions().bootstrap_samples) << " (paired bootstrap over users)\n";
    if (ndcg.value < 0) text << "The model is below " << figures.test.back().name << " on these data.\n";
    text << '\n';
    write_explanations(text, explanations(figures.test, 10));
    std::cout << (columns > 0 ? wrapped(text.str(), columns) : text.str());
  }
  if (!a.lists.empty()) {
    const RankedListOptions lists{a.lists_length};
    write_file_atomically(
        a.lists, [&](std::ostream& out) { write_ranked_lists(out, outcome.recommender, split, split.test, lists); });
    say("lists written to ", a.lists.string());
  }
  if (!a.ranks.empty()) {
    const auto write = [&](const Evaluation& evaluation, const Split& of) {
      write_file_atomically(a.ranks, [&](std::ostream& out) { write_ranks(out, evaluation, of); });
    };
    if (whole)  // with the targets that are unknown, so that it can be compared with models that know them
      write(evaluate(outcome.recommender, *whole, whole->test,
                     {.exclude_seen = outcome.recommender.exclude_seen(), .threads = a.threads}),
            *whole);
    else
      write(figures.test.front().evaluation, split);
    say("ranks written to ", a.ranks.string());
  }
  if (!a.metrics.empty()) {
    const Json json = metrics_json(split, outcome, figures, a);
    write_file_atomically(a.metrics, [&](std::ostream& out) { out << json << '\n'; });
    say("metrics written to ", a.metrics.string());
  }
  if (!a.report.empty()) {
    const Report report = make_report(split, facts, outcome, figures, a);
    write_file_atomically(a.report, [&](std::ostream& out) { write_report(out, report); });
    say("report written to ", a.report.string());
  }
  const auto stopped = [](const Outcome& training) {
    std::cerr << "training was stopped by Ctrl-C in epoch " << training.training->epochs.size() << " of "
              << training.recommender.config().training.epochs << "; what it had is written\n";
    return interrupted;
  };
  if (outcome.stopped()) {
    if (!a.final_model.empty()) std::cerr << "the final model is not made\n";
    return stopped(outcome);
  }
  if (refit_stopped) {
    std::cerr << "the second training was stopped by Ctrl-C; what the first had learned is written\n";
    return interrupted;
  }
  if (a.final_model.empty()) return 0;

  say("training once more, on all events");
  const Outcome final_outcome = train(train_on_all(std::move(split.sequences)), chosen_config(outcome), before, a,
                                      final_checkpoint, a.final_model);
  save(final_outcome.recommender, a.final_model);
  say("final model written to ", a.final_model.string());
  return final_outcome.stopped() ? stopped(final_outcome) : 0;
}

}  // namespace

int example::run_trainer(int argc, char** argv, const TrainerData& data) {
  CommandLine line(data.description);
  Arguments arguments;
  add_options(line, arguments, data);
  const ConfigOptions<RecommenderConfig> changes(line);
  return line.run(argc, argv, [&] { return work(arguments, data, changes); });
}

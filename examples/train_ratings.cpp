/// Trains the textbooks' rating model (user, item and time as three steps of an LSTM), beside two baselines:
///
///     train_ratings --data ml-100k --test-fold ml-100k/u1.test --user 1
///
/// Figures go to standard output, progress and errors to standard error. Exit codes as train_movielens.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <lstmrec/lstmrec.hpp>
#include <string>
#include <vector>

#include "config_options.hpp"
#include "console.hpp"
#include "json.hpp"

namespace {

using namespace lstmrec;
using namespace example;
using Path = std::filesystem::path;

struct Arguments {
  Path data, test_fold, model, metrics;
  std::string split = "random", user;
  std::size_t top = 10;
  bool quiet = false;
};

void add_options(CLI::App& app, Arguments& a) {
  app.add_option("--data", a.data, "A MovieLens release with ratings: its folder or its ratings file")->required();
  auto* split = app.add_option("--split", a.split, "Which ratings are predicted: random or time, a tenth each")
                    ->check(CLI::IsMember({"random", "time"}))
                    ->capture_default_str();
  app.add_option("--test-fold", a.test_fold, "Predict the ratings in this file, such as u1.test")->excludes(split);
  app.add_option("--model", a.model, "Write the trained model to this file");
  app.add_option("--metrics", a.metrics, "Write all figures to this file, as JSON");
  app.add_option("--user", a.user, "List the unrated items with the highest predictions for this user");
  app.add_option("--top", a.top, "How many items")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_flag("--quiet", a.quiet, "Print nothing but errors");
}

RatingSplit make_split(const Arguments& a, Sequences events, std::uint64_t seed) {
  if (!a.test_fold.empty()) return split_ratings_by_fold(std::move(events), read_movielens(a.test_fold), .1, seed);
  if (a.split == "time") return split_ratings_by_time(std::move(events));
  return split_ratings_random(std::move(events), .1, .1, seed);
}

struct Row {
  std::string name;
  RatingEvaluation figures;
};

/// The model's figures on the test part, then those of the global mean and of user + item bias.
std::vector<Row> evaluate_all(const TextbookRatingModel& model, const RatingSplit& split) {
  const auto test = events_of(split, Part::test);
  std::vector<Row> rows{{"textbook LSTM", evaluate_ratings(model.predict(test), test)}};
  const auto add_baseline = [&](const char* name, const RatingBias& bias) {
    std::vector<float> predicted;
    for (const Event& e : test) predicted.push_back(static_cast<float>(bias.predict(e.user, e.item)));
    rows.push_back({name, evaluate_ratings(predicted, test)});
  };
  add_baseline("mean", RatingBias(split, {.epochs = 0}));
  add_baseline("user + item bias", RatingBias(split));
  return rows;
}

void print_recommendations(const TextbookRatingModel& model, const Sequences& data, const Arguments& a) {
  const auto user = data.users.find(RawId::parse(a.user));
  if (!user) throw Error(data.source + ": there is no user " + a.user);
  std::vector<bool> rated(data.items.size());
  for (const Event& e : data[*user]) rated[e.item] = true;
  std::vector<Event> candidates;
  for (std::uint32_t item = 0; item < rated.size(); ++item)
    if (!rated[item]) candidates.push_back({.time = model.newest_time, .user = *user, .item = item});
  const auto predicted = model.predict(candidates);
  std::vector<ScoredItem> best(std::min(a.top, candidates.size()));
  std::cout << "Highest predictions for user " << a.user << " among unrated items:\n";
  for (const auto& [place, rating] : top_k(predicted, best)) {
    const std::uint32_t item = candidates[place].item;
    std::cout << "  " << fixed(static_cast<double>(rating), 2) << "  " << printable(data.catalogue[item].title) << " ("
              << data.items.id(item) << ")\n";
  }
}

int work(const Arguments& a, const ConfigOptions<TextbookRatingConfig>& changes) {
  check_outputs({a.model, a.metrics});
  TextbookRatingConfig config;
  changes.apply(config);
  config.check();
  const RatingSplit split = make_split(a, sequences(read_movielens(a.data)), config.seed);

  CtrlC ctrl_c;
  const auto begin = TrainingClock::now();
  const auto progress = [&](const RatingEpoch& e) {
    ctrl_c.poll();
    if (a.quiet) return;
    std::cerr << "epoch " << e.epoch << "/" << e.epochs << "  loss " << fixed(e.loss, 4);
    if (e.validation_rmse) std::cerr << "  validation RMSE " << fixed(*e.validation_rmse, 4);
    std::cerr << '\n';
  };
  const auto fit = fit_textbook_ratings(split, config, {.progress = progress, .stop = ctrl_c.token()});
  const double seconds = TrainingClock::seconds_since(begin);
  if (!a.model.empty()) save(fit.model, a.model);

  const auto rows = evaluate_all(fit.model, split);
  if (!a.quiet) {
    std::cout << split.protocol << "\n                      RMSE      MAE\n";
    for (const Row& row : rows)
      std::cout << std::left << std::setw(18) << row.name << "  " << fixed(row.figures.rmse.value, 4) << "   "
                << fixed(row.figures.mae.value, 4) << '\n';
  }
  if (!a.metrics.empty()) {
    Json json;
    json["protocol"] = split.protocol;
    json["test"]["rmse"] = rows[0].figures.rmse.value;
    json["test"]["mae"] = rows[0].figures.mae.value;
    json["baselines"]["mean"]["rmse"] = rows[1].figures.rmse.value;
    json["baselines"]["bias"]["rmse"] = rows[2].figures.rmse.value;
    json["train"]["seconds"] = seconds;
    json["train"]["epochs"] = fit.epochs.size();
    json["config"] = to_json(fit.model.config);
    json["version"] = LSTMREC_VERSION;
    write_file_atomically(a.metrics, [&](std::ostream& out) { out << json << '\n'; });
  }
  if (!a.user.empty()) print_recommendations(fit.model, split.sequences, a);
  if (!fit.stopped) return 0;
  std::cerr << "training was stopped by Ctrl-C; what it had is written\n";
  return interrupted;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains the textbooks' rating model, and evaluates it beside the mean and user + item bias.");
  Arguments arguments;
  add_options(app, arguments);
  const ConfigOptions<TextbookRatingConfig> changes(app);
  return run(app, argc, argv, [&] { return work(arguments, changes); });
}

/// Trains a model that predicts ratings, beside three baselines:
///
///     train_ratings --data ml-100k --test-fold ml-100k/u1.test --user 1
///
/// `--form history` (the default) reads the user's rated history, and mixes in ratings of similar items where that
/// helps on validation ratings; the LSTM alone then has a line of its own; `--form textbook` is the model of the
/// textbooks: user, item and time as three steps of an LSTM. Figures go to standard output, progress and errors to
/// standard error. Exit codes as train_movielens.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <lstmrec/ratings.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "command_line.hpp"
#include "config_options.hpp"
#include "console.hpp"
#include "json.hpp"
#include "textbook_ratings/fit.hpp"
#include "textbook_ratings/model_file.hpp"

namespace {

using namespace lstmrec;
using namespace example;
using namespace textbook;
using Path = std::filesystem::path;

struct Arguments {
  Path data, model, metrics;
  std::vector<Path> test_folds;
  std::string form = "history", split = "random", user;
  std::optional<std::int64_t> epochs, hidden_size;
  std::optional<double> learning_rate, neighbours_weight;
  std::uint64_t seed = 1;
  std::size_t top = 10, threads = 0;
  CheckpointOptions checkpoint;
  bool raw_inputs = false, quiet = false;
};

void add_options(CommandLine& line, Arguments& a) {
  line.add_option("--data", a.data, "A MovieLens release with ratings: its folder or its ratings file").required();
  line.add_option("--form", a.form, "history, or textbook").one_of({"history", "textbook"}).capture_default_str();
  const auto split =
      line.add_option("--split", a.split, "Which ratings are predicted, a tenth: random, or the latest (time)")
          .one_of({"random", "time"})
          .capture_default_str();
  line.add_option("--test-fold", a.test_folds,
                  "Predict the ratings in this file, such as u1.test; with several files "
                  "a model for each, and the mean of their figures")
      .excludes(split)
      .take_all();
  line.add_option("--epochs", a.epochs, "Passes over the data").check(fits<std::int64_t>);
  line.add_option("--hidden-size", a.hidden_size, "Units of the LSTM").check(fits<std::int64_t>);
  line.add_option("--learning-rate", a.learning_rate, "Of Adam, at its peak");
  line.add_option("--neighbours-weight", a.neighbours_weight,
                  "History form: what a rating of an item of similarity 1 counts beside the LSTM's prediction; 0: the "
                  "LSTM alone; -1 (the default): chosen on validation ratings");
  line.add_option("--seed", a.seed, "Of everything random").check(fits<std::uint64_t>).capture_default_str();
  line.add_option("--threads", a.threads, "0: as many as there are processors; changes no result").range(0, 1024);
  line.add_flag("--raw-inputs", a.raw_inputs, "Textbook form: indices and seconds as they are, to see what that does");
  line.add_option("--model", a.model, "Write the trained model to this file; not of several folds");
  add_checkpoint_options(line, a.checkpoint);
  line.add_option("--metrics", a.metrics, "Write all figures to this file, as JSON");
  line.add_option("--user", a.user,
                  "List the unrated items with the highest predictions for this user; not of several folds");
  line.add_option("--top", a.top, "How many items").capture_default_str().positive();
  line.add_flag("--quiet", a.quiet, "Print nothing but errors");
}

/// The differences between the two forms for this program.
struct HistoryForm {
  using Config = HistoryRatingConfig;
  using Model = HistoryRatingModel;
  static auto& training(Config& config) { return config.training; }
  static constexpr const char* name = "history LSTM";
  static constexpr const char* mixture = "LSTM + neighbours";
  static constexpr auto fit = [](const auto&... arguments) { return fit_history_ratings(arguments...); };
  static void set_raw(Config&) { throw Error("--raw-inputs goes with --form textbook"); }
  static void set_neighbours(Config& config, double weight) { config.neighbours_weight = weight; }
  static double neighbours_weight(const HistoryRatingModel& model) { return model.config.neighbours_weight; }
  static HistoryRatingModel network_of(HistoryRatingModel model) {
    model.config.neighbours_weight = 0;
    return model;
  }
};
struct TextbookForm {
  using Config = TextbookRatingConfig;
  using Model = TextbookRatingModel;
  static Config& training(Config& config) { return config; }
  static constexpr const char* name = "textbook LSTM";
  static constexpr auto fit = [](const auto&... arguments) { return fit_textbook_ratings(arguments...); };
  static constexpr const char* mixture = "";
  static void set_raw(Config& config) { config.scale_inputs = false; }
  static void set_neighbours(Config&, double) { throw Error("--neighbours-weight goes with --form history"); }
  static double neighbours_weight(const TextbookRatingModel&) { return 0; }
  static const TextbookRatingModel& network_of(const TextbookRatingModel& model) { return model; }
};

struct Figures {
  RatingEvaluation model, network, neighbours, mean, bias;  ///< network: without the neighbours, where it has any.
  double neighbours_weight;
};

template <class Form, class Model>
Figures evaluate_all(const Model& model, const RatingSplit& split, const std::vector<RatingQuery>& cases) {
  const auto targets = asked_events(cases);
  const auto baseline = [&](const RatingBias& bias) {
    std::vector<float> predicted;
    for (const Event& e : targets) predicted.push_back(static_cast<float>(bias.predict(e.user, e.item)));
    return evaluate_ratings(predicted, targets);
  };
  const RatingBias bias(split);
  // More neighbours and of more weight than beside an LSTM: best on validation ratings of MovieLens 100K.
  const FoldInBias visible(bias, RatingBiasOptions().user_regularisation);
  std::vector<float> similar;
  for (const NeighbourRating& rating : RatingNeighbours(split, bias, {.neighbours = 200}).ratings(cases, visible))
    similar.push_back(std::clamp(rating.blend(rating.baseline, 4), static_cast<float>(bias.lowest),
                                 static_cast<float>(bias.highest)));
  const auto own = evaluate_ratings(model.predict(cases), targets);
  const double weight = Form::neighbours_weight(model);
  return {own,
          weight > 0 ? evaluate_ratings(Form::network_of(model).predict(cases), targets) : own,
          evaluate_ratings(similar, targets),
          baseline(RatingBias(split, {.epochs = 0})),
          baseline(bias),
          weight};
}

/// Mean over folds of one figure.
template <class Get>
double mean_of(const std::vector<Figures>& folds, Get&& get) {
  double sum = 0;
  for (const Figures& fold : folds) sum += get(fold);
  return sum / static_cast<double>(folds.size());
}

void print_row(const char* name, double rmse, double mae) {
  std::cout << std::left << std::setw(18) << name << "  " << fixed(rmse, 4) << "   " << fixed(mae, 4) << '\n';
}

template <class Model>
void print_recommendations(const Model& model, std::uint32_t user, const Sequences& data, const Arguments& a) {
  std::cout << "Highest predictions for user " << a.user << " among unrated items:\n";
  for (const auto& [item, title, rating] : best_unrated(model, user, data[user], a.top))
    std::cout << "  " << fixed(static_cast<double>(rating), 2) << "  "
              << (title.empty() ? "item " + printable(item.text()) : printable(title)) << '\n';
}

template <class Form>
int work(const Arguments& a) {
  if (a.test_folds.size() > 1 && !(a.model.empty() && a.user.empty()))
    throw Error("--model and --user go with one --test-fold: each of several gives a model of its own");
  std::vector<OptionFile> inputs;
  for (const Path& file : movielens_files(a.data)) inputs.push_back({"--data", file});
  for (const Path& fold : a.test_folds)
    for (const Path& file : movielens_files(fold)) inputs.push_back({"--test-fold", file});
  check_outputs({{"--model", a.model}, {"--metrics", a.metrics}}, inputs);
  typename Form::Config config;
  Form::training(config).seed = a.seed;
  if (a.epochs) Form::training(config).epochs = *a.epochs;
  if (a.hidden_size) config.hidden_size = *a.hidden_size;
  if (a.learning_rate) Form::training(config).learning_rate = *a.learning_rate;
  if (a.raw_inputs) Form::set_raw(config);
  if (a.neighbours_weight) Form::set_neighbours(config, *a.neighbours_weight);
  config.check();
  if (const std::string note = slow_build_note(); !note.empty() && !a.quiet) std::cerr << note << '\n';

  bool refits = false;
  const auto progress = [&](const TrainingProgress& p) {
    if (a.quiet) return;
    if (p.refit && !refits) std::cerr << "training once more, with the validation ratings too\n";
    refits = p.refit;
    if (!p.epoch_ended) return;
    std::cerr << "epoch " << p.epoch << "/" << p.epochs << "  loss " << fixed(p.loss, 4);
    if (p.validation) std::cerr << "  validation RMSE " << fixed(p.validation->rmse, 4);
    std::cerr << '\n';
  };
  const Sequences events = build_sequences(read_movielens(a.data));
  const auto user = a.user.empty() ? std::nullopt : events.users.find(RawId(a.user));
  if (!a.user.empty() && !user) throw Error(events.source + ": there is no user " + a.user);
  const bool in_time = a.test_folds.empty() && a.split == "time";
  std::vector<Figures> folds;
  std::string protocol;
  double seconds = 0;
  std::size_t epochs = 0;
  bool stopped = false;
  for (std::size_t k = 0; k < std::max<std::size_t>(1, a.test_folds.size()) && !stopped; ++k) {
    const RatingSplit split = !a.test_folds.empty()
                                  ? split_ratings_by_fold(events, read_movielens(a.test_folds[k]), .05, a.seed)
                              : in_time ? split_ratings_by_time(events)
                                        : split_ratings_random(events, .05, .1, a.seed);
    std::optional<Signals> signals(std::in_place);
    FitOptions options{.threads = a.threads,
                       .progress = progress,
                       .stop = signals->stop(),
                       .terminate = signals->terminate(),
                       .checkpoint = a.checkpoint};
    if (!a.checkpoint.folder.empty() && a.test_folds.size() > 1)
      options.checkpoint.folder /= "fold-" + std::to_string(k + 1);
    const auto result =
        save_if_interrupted<typename Form::Model>(a.model, [&] { return Form::fit(split, config, options); });
    if (signals->terminate().stop_requested() && !a.model.empty()) save(result.model, a.model);
    TrainingTerminated::check(signals->terminate());
    signals.reset();
    protocol += (k == 0 ? "" : "; ") + split.protocol;
    if (result.refitted) protocol += ", those of the validation part learned from in the end";
    stopped = result.stopped;
    seconds += result.seconds;
    epochs += result.epochs.size();
    if (!a.model.empty()) save(result.model, a.model);
    const auto cases = in_time ? chronological_queries(split, Part::test) : rating_queries(split, Part::test);
    const RatingSplit learned = result.refitted ? with_validation_in_training(split) : split;
    folds.push_back(evaluate_all<Form>(result.model, learned, cases));  // the baselines learn from the same ratings
    if (!a.quiet && folds.back().neighbours_weight > 0)
      std::cerr << "neighbours are used with weight " << folds.back().neighbours_weight << '\n';
    if (!a.quiet && a.test_folds.size() > 1)
      std::cout << a.test_folds[k].filename().string() << ": RMSE " << fixed(folds.back().model.rmse.value, 4) << '\n';
    if (user) print_recommendations(result.model, *user, events, a);
  }

  if (!a.quiet) {
    std::cout << protocol << (in_time ? "; each rating predicted from all of its user's before it" : "")
              << "\n                      RMSE      MAE\n";
    const auto row = [&](const char* name, RatingEvaluation Figures::*which) {
      print_row(name, mean_of(folds, [&](const Figures& f) { return (f.*which).rmse.value; }),
                mean_of(folds, [&](const Figures& f) { return (f.*which).mae.value; }));
    };
    const bool mixed =
        std::any_of(folds.begin(), folds.end(), [](const Figures& f) { return f.neighbours_weight > 0; });
    if (mixed) row(Form::mixture, &Figures::model);
    row(Form::name, &Figures::network);
    row("neighbours", &Figures::neighbours);
    row("mean", &Figures::mean);
    row("user + item bias", &Figures::bias);
  }
  if (!a.metrics.empty()) {
    Json json;
    json["protocol"] = protocol;
    const auto put = [&](Json& json_row, RatingEvaluation Figures::*which) {
      json_row["rmse"] = mean_of(folds, [&](const Figures& f) { return (f.*which).rmse.value; });
      json_row["mae"] = mean_of(folds, [&](const Figures& f) { return (f.*which).mae.value; });
    };
    put(json["test"], &Figures::model);
    put(json["lstm_alone"], &Figures::network);
    put(json["baselines"]["neighbours"], &Figures::neighbours);
    put(json["baselines"]["mean"], &Figures::mean);
    put(json["baselines"]["bias"], &Figures::bias);
    std::vector<Json> weights;
    for (const Figures& fold : folds) weights.push_back(fold.neighbours_weight);
    json["neighbours_weights"] = std::move(weights);
    json["train"]["seconds"] = seconds;
    json["train"]["epochs"] = epochs;
    json["train"]["stopped"] = stopped;
    json["data"]["source"] = events.source;
    json["data"]["users"] = events.size();
    json["data"]["items"] = events.items.size();
    json["data"]["events"] = events.events.size();
    json["form"] = a.form;
    json["config"] = to_json(config);
    json["version"] = LSTMREC_VERSION;
    json["compiler"] = compiler();
    write_file_atomically(a.metrics, [&](std::ostream& out) { out << json << '\n'; });
  }
  if (!stopped) return 0;
  std::cerr << "training was stopped by Ctrl-C; what it had is written\n";
  return interrupted;
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line(
      "Trains a model that predicts ratings, and evaluates it beside neighbours, user + item bias and the "
      "mean.");
  line.take_last();
  Arguments arguments;
  add_options(line, arguments);
  return line.run(argc, argv, [&] {
    return arguments.form == "textbook" ? work<TextbookForm>(arguments) : work<HistoryForm>(arguments);
  });
}

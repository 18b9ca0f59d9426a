/// Evaluates saved recommenders and their average, which is better than each and costs as much as all:
///
///     average_models --data ml-1m --min-item-count 5 seed1.safetensors seed2.safetensors seed3.safetensors
///
/// Also an example of a scorer of one's own: anything with the two functions of AveragedRecommenders can be evaluated.
/// Exit codes: 0, 1 for what went wrong, 2 for a wrong command line.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <lstmrec/io/atomic_file.hpp>
#include <lstmrec/lstmrec.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "any_log.hpp"
#include "command_line.hpp"
#include "config_options.hpp"
#include "console.hpp"
#include "ranks_file.hpp"

namespace {

using namespace lstmrec;
using namespace example;
using Path = std::filesystem::path;

struct Arguments {
  std::vector<Path> models;
  Path data, ranks;
  LogOptions log;
  SequenceOptions sequences;
  std::size_t threads = 0;
};

/// Scores an item by the mean of its log-probabilities, score(j) − log Σᵢ exp score(i), over some recommenders with the
/// same items.
class AveragedRecommenders {
 public:
  explicit AveragedRecommenders(std::span<const Recommender> models) : models_(models) {}

  /// The inputs beside items that all of them read.
  const EventContext& context() const { return models_.front().context(); }

  Index items() const { return models_.front().items(); }

  /// That of one which has held nothing out, if there is one.
  const TrainedOn& trained_on() const {
    for (const Recommender& model : models_)
      if (model.trained_on().is_known() && model.trained_on().held_out == 0) return model.trained_on();
    return models_.front().trained_on();
  }

  void score(std::span<const History> histories, MatrixRef<float> scores) const {
    Matrix<float> own(scores.rows(), scores.cols());
    scores.setZero();
    for (const Recommender& model : models_) {
      model.score(histories, own);
      for (Index column = 0; column < own.cols(); ++column) {
        const float largest = own.col(column).maxCoeff();
        const float log_sum = largest + std::log((own.col(column).array() - largest).exp().sum());
        scores.col(column).array() += own.col(column).array() - log_sum;
      }
    }
  }

 private:
  std::span<const Recommender> models_;
};

std::vector<Recommender> load_all(const std::vector<Path>& paths) {
  std::vector<Recommender> models;
  for (const Path& path : paths) {
    Recommender& model = models.emplace_back(load_recommender(path));
    model.cache_input_projections();
    if (model.item_ids() != models.front().item_ids())
      throw Error(path.string() + ": expected the items of " + paths.front().string() + ", got others");
    if (model.exclude_seen() != models.front().exclude_seen())
      throw Error(path.string() + ": expected exclude_seen as in " + paths.front().string());
    if (model.context().inputs() != models.front().context().inputs() ||
        model.context().ticks_per_second() != models.front().context().ticks_per_second())
      throw Error(path.string() + ": expected a network that reads what " + paths.front().string() + " reads");
  }
  return models;
}

int work(const Arguments& a) {
  std::vector<OptionFile> inputs;
  for (const Path& model : a.models) inputs.push_back({"the model", model});
  for (const Path& file : files_of_log(a.data)) inputs.push_back({"--data", file});
  check_outputs({{"--ranks", a.ranks}}, inputs);
  const std::vector<Recommender> models = load_all(a.models);
  const Recommender& first = models.front();
  Sequences events = build_sequences(read_any_log(a.data, a.log, false), a.sequences);
  const Split split = leave_one_out(align_items(std::move(events), first.item_ids(), first.catalogue()).sequences);
  const EvaluateOptions options{.exclude_seen = first.exclude_seen(), .threads = a.threads};
  std::vector<NamedEvaluation> figures{{"average", evaluate(AveragedRecommenders(models), split, split.test, options)}};
  for (std::size_t k = 0; k < models.size(); ++k)
    figures.push_back({a.models[k].filename().string(), evaluate(models[k], split, split.test, options)});
  write_table(std::cout, figures, 10, terminal_columns(STDOUT_FILENO));
  if (!a.ranks.empty())
    write_file_atomically(a.ranks, [&](std::ostream& out) { write_ranks(out, figures.front().evaluation, split); });
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line("Evaluates saved recommenders and their average, on the last event of every user.");
  Arguments a;
  line.add_option("models", a.models, "Files that a trainer's --model has written").required();
  const auto data = line.add_option("--data", a.data, "The log they were trained on, or a MovieLens folder").required();
  add_log_options(line, a.log, data);
  line.add_option("--min-item-count", a.sequences.min_item_count, "Drop items with fewer events")
      .check(fits<std::size_t>);
  line.add_option("--ranks", a.ranks, "Write the average's rank of every test target to this file, for compare_runs");
  line.add_option("--threads", a.threads, "0: as many as there are processors; changes no result").range(0, 1024);
  return line.run(argc, argv, [&] { return work(a); });
}

// Measures how items without any event are ranked by what is known of them: takes all events of some items out of a
// log, trains on the rest, adds the items to the recommender, and ranks them beside baselines that read the same
// features.
//
//     cold_items --data sequences.txt --items items.csv --cold cold_test.txt --left-out cold_tuning.txt
//
// Without --users each user's last event is the target where it is of a cold item, and the events of warm items before
// it are the history. With --users every cold item of each of these users is relevant, and all of the user's warm
// events are the history, those after the cold ones too.

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <lstmrec/baselines.hpp>
#include <lstmrec/lstmrec.hpp>
#include <numeric>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "any_log.hpp"
#include "command_line.hpp"
#include "config_options.hpp"

namespace {

using namespace lstmrec;
using namespace example;
using Path = std::filesystem::path;

struct Arguments {
  Path data, cold, left_out, users;
  LogArguments log;
  std::string preset = "default";
  std::size_t threads = 0;
  std::size_t outputs = 1;
};

std::vector<RawId> read_ids(const Path& path) {
  std::vector<RawId> ids;
  if (path.empty()) return ids;
  std::ifstream file(path);
  if (!file) throw Error(path.string() + ": can't be read");
  for (std::string line; std::getline(file, line);)
    if (!line.empty()) ids.emplace_back(line);
  return ids;
}

/// A history of warm items and the cold items to be found, as numbers of the recommender with all items.
struct Query {
  std::vector<std::uint32_t> history;
  std::vector<std::uint32_t> relevant;
};

/// The log without its cold items, and what is asked of these.
struct ColdTask {
  Split split;
  std::vector<CatalogueItem> cold;
  std::vector<std::pair<std::vector<RawId>, std::vector<RawId>>> queries;  ///< Histories and relevant items.
};

ColdTask make_task(const Interactions& log, const Arguments& a) {
  std::unordered_set<std::string> cold, out, chosen;
  for (const RawId& id : read_ids(a.cold)) cold.insert(id.text());
  for (const RawId& id : read_ids(a.left_out)) out.insert(id.text());
  for (const RawId& id : read_ids(a.users)) chosen.insert(id.text());
  ColdTask task;
  const Sequences all = build_sequences(log);
  std::vector<char> is_cold(all.items.size()), is_out(all.items.size());
  for (std::uint32_t item = 0; item < all.items.size(); ++item) {
    is_cold[item] = cold.contains(all.items.id(item).text());
    is_out[item] = is_cold[item] || out.contains(all.items.id(item).text());
    if (is_cold[item]) task.cold.push_back({all.items.id(item), all.catalogue[item]});
  }
  Interactions warm{.has_times = all.has_times, .has_ratings = all.has_ratings};
  for (std::size_t user = 0; user < all.size(); ++user) {
    const RawId& id = all.users.id(static_cast<std::uint32_t>(user));
    const History events = all[user];
    std::vector<RawId> history, relevant;
    for (const Event& event : events) {
      if (!is_out[event.item]) {
        warm.observe(id, all.items.id(event.item), event.time, event.rating);
        history.push_back(all.items.id(event.item));
      } else if (is_cold[event.item] && !a.users.empty()) {
        relevant.push_back(all.items.id(event.item));
      }
    }
    if (a.users.empty() && is_cold[events.back().item]) relevant.push_back(all.items.id(events.back().item));
    if (!a.users.empty() && !chosen.contains(id.text())) continue;
    if (!history.empty() && !relevant.empty()) task.queries.emplace_back(std::move(history), std::move(relevant));
  }
  for (std::uint32_t item = 0; item < warm.items.size(); ++item)
    warm.catalogue[item] = all.catalogue[*all.items.find(warm.items.id(item))];
  task.split = leave_one_out(build_sequences(std::move(warm)));
  return task;
}

/// Means over queries.
struct Figures {
  double auc = 0, hr = 0, ndcg = 0, recall = 0;
};

/// Ranks some items by scores; equal ones by ascending number in lists, halved in the AUC.
void add_figures(const std::vector<std::uint32_t>& relevant, const std::vector<std::uint32_t>& candidates,
                 const std::vector<float>& scores, double weight, Figures& sum) {
  std::vector<std::uint32_t> order = candidates;
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return scores[a] > scores[b]; });
  const std::set<std::uint32_t> wanted(relevant.begin(), relevant.end());
  double dcg = 0, ideal = 0, hits = 0;
  for (std::size_t k = 0; k < 10 && k < order.size(); ++k)
    if (wanted.contains(order[k])) {
      dcg += 1 / std::log2(static_cast<double>(k) + 2);
      ++hits;
    }
  for (std::size_t k = 0; k < 10 && k < wanted.size(); ++k) ideal += 1 / std::log2(static_cast<double>(k) + 2);
  // Rank sums with the mean rank of equal scores.
  double ranks = 0;
  for (std::size_t begin = order.size(), end = order.size(); end > 0; end = begin) {
    while (begin > 0 && scores[order[begin - 1]] == scores[order[end - 1]]) --begin;
    const double rank = static_cast<double>(order.size() - end) + static_cast<double>(end - begin + 1) / 2;
    for (std::size_t k = begin; k < end; ++k)
      if (wanted.contains(order[k])) ranks += rank;
  }
  const auto positives = static_cast<double>(wanted.size()), negatives = static_cast<double>(order.size()) - positives;
  sum.auc += weight * (ranks - positives * (positives + 1) / 2) / (positives * std::max(1.0, negatives));
  sum.hr += weight * (hits > 0 ? 1 : 0);
  sum.ndcg += weight * dcg / ideal;
  sum.recall += weight * hits / positives;
}

int work(Arguments& a, const ConfigOptions<RecommenderConfig>& changes) {
  Interactions log = read_any_log(a.data, a.log.log, false);
  describe_items(log, a.log, false);
  const ColdTask task = make_task(log, a);
  RecommenderConfig config = preset(a.preset, task.split);
  config.item_features = -1;
  changes.apply(config);
  std::cerr << task.split.sequences.events.size() << " events of " << task.split.sequences.items.size()
            << " warm items; " << task.cold.size() << " cold items, " << task.queries.size() << " queries\n";
  const FitOptions options{.threads = a.threads, .progress = [](const TrainingProgress& p) {
                             if (p.epoch_ended)
                               std::cerr << "epoch " << p.epoch << " validation NDCG@10 " << p.validation->ndcg10
                                         << '\n';
                           }};
  Recommender recommender = fit(task.split, config, options).recommender;
  const auto warm_figures = [&](const char* when) {
    const Evaluation e =
        evaluate(recommender, task.split, task.split.test, {.threads = a.threads, .bootstrap_samples = 0});
    std::cout << "warm items among all, " << when << ": HR@10 " << e.hr_at(10).value << "  NDCG@10 "
              << e.ndcg_at(10).value << std::endl;
  };
  warm_figures("before");
  recommender.add_items(task.cold);
  warm_figures("with the cold items");

  const auto items = static_cast<std::size_t>(recommender.items());
  const auto number = [&](const RawId& id) { return *recommender.item_ids().find(id); };
  std::vector<std::uint32_t> cold, everything(items);
  std::iota(everything.begin(), everything.end(), 0u);
  for (const CatalogueItem& item : task.cold) cold.push_back(number(item.id));
  std::sort(cold.begin(), cold.end());
  std::vector<Query> queries;
  for (const auto& [history, relevant] : task.queries) {
    Query& query = queries.emplace_back();
    for (const RawId& id : history) query.history.push_back(number(id));
    for (const RawId& id : relevant) query.relevant.push_back(number(id));
  }

  const double weight = 1 / static_cast<double>(queries.size());
  const auto report = [&](const char* name, const auto& score) {
    Figures among_cold, among_all;
    std::vector<float> scores(items);
    for (const Query& query : queries) {
      score(query.history, scores);
      add_figures(query.relevant, cold, scores, weight, among_cold);
      std::vector<std::uint32_t> unseen;
      const std::set<std::uint32_t> seen(query.history.begin(), query.history.end());
      for (const std::uint32_t item : everything)
        if (!seen.contains(item)) unseen.push_back(item);
      add_figures(query.relevant, unseen, scores, weight, among_all);
    }
    std::cout << std::left << std::setw(28) << name << std::fixed << std::setprecision(4) << "AUC " << among_cold.auc
              << "  HR@10 " << among_cold.hr << "  NDCG@10 " << among_cold.ndcg << "  recall@10 " << among_cold.recall
              << "  among all items: HR@10 " << among_all.hr << "  NDCG@10 " << among_all.ndcg << std::endl;
  };

  // Chance, and baselines of the features.
  Random random(1);
  report("chance", [&](const auto&, std::vector<float>& scores) {
    for (float& each : scores) each = static_cast<float>(random.uniform());
  });
  const ItemFeatures& features = recommender.features();
  const FeatureRows rows = features.rows(recommender.catalogue());
  report("popular features of the user", [&](const auto& history, std::vector<float>& scores) {
    std::vector<float> counts(features.size());
    for (const std::uint32_t item : history)
      for (const std::uint32_t feature : rows[item].features) ++counts[feature];
    for (std::size_t item = 0; item < items; ++item) {
      scores[item] = 0;
      for (const std::uint32_t feature : rows[item].features) scores[item] += counts[feature];
    }
  });
  const auto norm = [&](std::size_t item) {
    double sum = 0;
    for (const float value : rows[item].values) sum += static_cast<double>(value) * static_cast<double>(value);
    return std::sqrt(sum);
  };
  report("content kNN", [&](const auto& history, std::vector<float>& scores) {
    std::vector<double> profile(features.size());
    double age = 1;
    for (std::size_t k = history.size(); k-- > 0 && k + 20 >= history.size(); age *= .8)
      for (std::size_t f = 0; f < rows[history[k]].size(); ++f)
        profile[rows[history[k]].features[f]] +=
            age * static_cast<double>(rows[history[k]].values[f]) / std::max(1e-9, norm(history[k]));
    for (std::size_t item = 0; item < items; ++item) {
      double sum = 0;
      for (std::size_t f = 0; f < rows[item].size(); ++f)
        sum += profile[rows[item].features[f]] * static_cast<double>(rows[item].values[f]);
      scores[item] = static_cast<float>(sum / std::max(1e-9, norm(item)));
    }
  });
  if (task.split.sequences.items.size() <= max_linear_items) {
    // EASE of the warm items; what a cold item takes of each is a ridge regression from its features.
    const Split whole = train_on_all(task.split.sequences);
    const auto warm = static_cast<Index>(whole.sequences.items.size());
    Matrix<float> c = Matrix<float>::Zero(static_cast<Index>(features.size()), warm);
    for (Index item = 0; item < warm; ++item)
      for (const std::uint32_t feature : rows[static_cast<std::size_t>(item)].features) c(feature, item) = 1;
    Matrix<float> gram = c * c.transpose();
    gram.diagonal().array() += 10.0f;
    const LinearScorer ease = EaseEquations<float>(whole, {1000, 1.0}).solve(500);
    const Matrix<float> map = gram.ldlt().solve(c * ease.weights);  // features × warm items
    report("EASE, mapped from features", [&](const auto& history, std::vector<float>& scores) {
      Vector<float> profile = Vector<float>::Zero(static_cast<Index>(features.size()));
      for (const std::uint32_t item : history) profile += map.col(item);
      for (std::size_t item = 0; item < items; ++item) {
        scores[item] = 0;
        for (const std::uint32_t feature : rows[item].features) scores[item] += profile(feature);
      }
    });
  }
  const auto report_network = [&](const char* name, const Recommender& of) {
    report(name, [&](const auto& history, std::vector<float>& scores) {
      std::vector<History> histories;
      const std::size_t count = std::min(a.outputs, history.size());
      for (std::size_t k = 0; k < count; ++k)
        histories.push_back(
            History(std::span<const std::uint32_t>(history).first(history.size() * (count - k) / count)));
      Matrix<float> all(of.items(), static_cast<Index>(histories.size()));
      of.score(histories, all);
      Vector<float>::Map(scores.data(), of.items()) = all.rowwise().mean();
    });
  };
  if (recommender.uses_markov() || recommender.uses_session_knn()) report_network("lstmrec", recommender);
  report_network("lstmrec, LSTM alone", recommender.network_alone());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line("Measures how items without any event are ranked by what is known of them.");
  Arguments a;
  const auto data = line.add_option("--data", a.data, "The log").required();
  add_log_options(line, a.log, data);
  line.add_option("--cold", a.cold, "The ids of cold items that are ranked, one a line").required();
  line.add_option("--left-out", a.left_out, "The ids of further items whose events are taken out");
  line.add_option("--users", a.users, "The ids of the users whose cold items are all relevant");
  line.add_option("--outputs", a.outputs, "Scores are means over so many places of the history, the last among them");
  line.add_option("--preset", a.preset, "quick, default or accurate");
  line.add_option("--threads", a.threads, "0: as many as there are processors").range(0, 1024);
  const ConfigOptions<RecommenderConfig> changes(line);
  return line.run(argc, argv, [&] { return work(a, changes); });
}

#include <algorithm>
#include <cstddef>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/next_item/fit.hpp>
#include <lstmrec/next_item/markov_weight.hpp>
#include <lstmrec/next_item/resolved_config.hpp>
#include <span>
#include <stop_token>
#include <tuple>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "trained_recommender.hpp"

using namespace lstmrec;

namespace {

/// The sample's recommender with a chain beside it, which weighs nothing yet.
Recommender with_chain(MarkovChain chain) {
  auto parts = parts_of(sample_recommender());
  parts.markov = std::move(chain);
  return Recommender(std::move(parts));
}

double chosen_weight(const Recommender& recommender, std::span<const Target> targets, std::size_t threads = 0) {
  return choose_markov_weight(recommender.with_markov_weight(0), recommender.markov(), sample_split(), targets,
                              recommender.exclude_seen(), threads)
      .weight;
}

double ndcg_with(const Recommender& recommender, double weight) {
  return evaluate(recommender.with_markov_weight(weight), sample_split(), sample_split().validation,
                  {.cutoffs = {10}, .bootstrap_samples = 0})
      .ndcg_at(10)
      .value;
}

}  // namespace

TEST_CASE("choose_markov_weight: no weight that it tries does better over the same targets") {
  const Recommender recommender = with_chain(MarkovChain(sample_split()));
  const double chosen = chosen_weight(recommender, sample_split().validation, 2);
  REQUIRE(chosen > 0);  // after one epoch the network knows little
  CHECK(chosen_weight(recommender, sample_split().validation, 1) == chosen);
  const double best = ndcg_with(recommender, chosen);
  for (const double weight : {0.0, 0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0})
    CHECK(ndcg_with(recommender, weight) <= best + 1e-9);
}

TEST_CASE("choose_markov_weight: none where the chain says nothing") {
  MarkovChain chain(sample_split());
  for (float& value : chain.transitions.values) value = 0;  // leaves popularity
  const Recommender recommender = with_chain(chain);
  CHECK(chosen_weight(recommender, sample_split().validation) == 0);
  CHECK(chosen_weight(recommender, {}) == 0);
}

TEST_CASE("fit: weighs a Markov chain on validation, takes a given weight as it is, and keeps no chain without use") {
  RecommenderConfig config{.embedding_size = 8, .hidden_size = 8, .training = {.epochs = 1}};
  const Recommender chosen = fit(sample_split(), config).recommender;
  REQUIRE(chosen.uses_markov());
  CHECK(chosen.markov().transitions.rows() == sample_split().sequences.items.size());
  CHECK(chosen_weight(chosen, sample_split().validation) == chosen.markov_weight());
  config.markov_weight = 0.3;
  CHECK(fit(sample_split(), config).recommender.config().markov_weight == 0.3);
  config.markov_weight = 0;
  const Recommender without = fit(sample_split(), config).recommender;
  CHECK(!without.uses_markov());
  CHECK(without.markov().transitions.rows() == 0);
}

TEST_CASE("fit: weighs a chain with similar items too where histories are short, and keeps the better one") {
  // Baskets in any order: whoever has one of a group takes the others, so that similarity knows what order does not.
  Random random(5);
  std::vector<std::tuple<int, int, long>> rows;
  for (int user = 0; user < 300; ++user) {
    const int group = static_cast<int>(random.below(100));
    std::vector<int> items{0, 1, 2, 3};
    random.shuffle(items);
    for (int k = 0; k < 4; ++k) rows.emplace_back(user, 4 * group + items[static_cast<std::size_t>(k)], k);
  }
  const Split split = leave_one_out(build_sequences(make_interactions(rows)));
  RecommenderConfig config{.embedding_size = 16, .hidden_size = 8, .session_knn_weight = 0, .training = {.epochs = 1}};
  const Recommender chosen = fit(split, config).recommender;
  REQUIRE(chosen.config().item_knn_weight == 0.2);
  CHECK(chosen.markov().options.item_knn_weight == 0.2);
  config.item_knn_weight = 0;
  const Recommender without = fit(split, config).recommender;
  CHECK(without.config().item_knn_weight == 0);
  CHECK(without.markov().options.item_knn_weight == 0);
  const auto ndcg = [&](const Recommender& recommender) {
    return evaluate(recommender, split, split.validation).ndcg_at(10).value;
  };
  CHECK(ndcg(chosen) > ndcg(without));

  // Trained once more with what has been chosen, the chain is of the same kind.
  const Recommender again = fit(with_validation_in_training(split), chosen.config()).recommender;
  CHECK(again.markov().options.item_knn_weight == 0.2);
  CHECK(resolved({}, sample_split()).item_knn_weight == 0);  // long histories
  CHECK(resolved({}, split).item_knn_weight == -1);
  CHECK(resolved({.markov_weight = 1}, split).item_knn_weight == 0);
}

TEST_CASE("fit: weighs a Markov chain after a stop too") {
  std::stop_source stop;
  stop.request_stop();
  const auto result = fit(sample_split(), {.embedding_size = 8, .hidden_size = 8, .training = {.epochs = 20}},
                          {.threads = 1, .progress = {}, .stop = stop.get_token()});
  CHECK(result.stopped);
  REQUIRE(result.recommender.uses_markov());  // after one batch the network knows nothing
  CHECK(chosen_weight(result.recommender, sample_split().validation) == result.recommender.markov_weight());
}

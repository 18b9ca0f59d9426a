#include <algorithm>
#include <lstmrec/train/counts_weight.hpp>
#include <stop_token>
#include <vector>

#include "../serve/trained_recommender.hpp"
#include "catch.hpp"

using namespace lstmrec;

namespace {

double ndcg_with(Recommender recommender, double weight) {
  recommender.config.counts_weight = weight;
  return evaluate(recommender, sample_split(), sample_split().validation, {.cutoffs = {10}, .bootstrap_samples = 0})
      .ndcg_at(10)
      .value;
}

}  // namespace

TEST_CASE("choose_counts_weight: no weight that it tries does better over the same targets") {
  Recommender recommender = sample_recommender();
  recommender.counts = MarkovCounts(sample_split());
  const double chosen = choose_counts_weight(recommender, sample_split(), sample_split().validation, 2);
  REQUIRE(chosen > 0);  // after one epoch the network knows little
  CHECK(choose_counts_weight(recommender, sample_split(), sample_split().validation, 1) == chosen);
  const double best = ndcg_with(recommender, chosen);
  for (const double weight : {0.0, 0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0})
    CHECK(ndcg_with(recommender, weight) <= best + 1e-9);
}

TEST_CASE("choose_counts_weight: none where counts say nothing") {
  Recommender recommender = sample_recommender();
  recommender.counts = MarkovCounts(sample_split());
  for (float& value : recommender.counts.transitions.values) value = 0;  // leaves popularity
  CHECK(choose_counts_weight(recommender, sample_split(), sample_split().validation) == 0);
  CHECK(choose_counts_weight(recommender, sample_split(), {}) == 0);
}

TEST_CASE("fit: weighs counts on validation, takes a given weight as it is, and keeps no counts without use") {
  RecommenderConfig config{.embedding_size = 8, .hidden_size = 8, .epochs = 1};
  const Recommender chosen = fit(sample_split(), config).recommender;
  REQUIRE(chosen.uses_counts());
  CHECK(chosen.counts.transitions.rows() == sample_split().sequences.items.size());
  Recommender alone = chosen;
  alone.config.counts_weight = 0;
  CHECK(choose_counts_weight(alone, sample_split(), sample_split().validation) == chosen.config.counts_weight);
  config.counts_weight = 0.3;
  CHECK(fit(sample_split(), config).recommender.config.counts_weight == 0.3);
  config.counts_weight = 0;
  const Recommender without = fit(sample_split(), config).recommender;
  CHECK(!without.uses_counts());
  CHECK(without.counts.transitions.rows() == 0);
}

TEST_CASE("fit: weighs counts after a stop too") {
  std::stop_source stop;
  stop.request_stop();
  const auto result = fit(sample_split(), {.embedding_size = 8, .hidden_size = 8, .epochs = 20},
                          {.threads = 1, .progress = {}, .stop = stop.get_token()});
  CHECK(result.stopped);
  REQUIRE(result.recommender.uses_counts());  // after one batch the network knows nothing
  Recommender alone = result.recommender;
  alone.config.counts_weight = 0;
  CHECK(choose_counts_weight(alone, sample_split(), sample_split().validation) ==
        result.recommender.config.counts_weight);
}

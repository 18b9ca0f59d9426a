// A block of one's own, that of examples/own_block.cpp, goes through all of the library: fit, save, load, sessions,
// warm_start, evaluate.
#include "own_block.hpp"

#include <cstddef>
#include <cstdint>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/next_item/batch_ranker.hpp>
#include <lstmrec/next_item/fit.hpp>
#include <lstmrec/next_item/model_file.hpp>
#include <lstmrec/next_item/session.hpp>
#include <lstmrec/own_network.hpp>
#include <type_traits>
#include <vector>

#include "../data/temporary_folder.hpp"
#include "../data/thrown.hpp"
#include "catch.hpp"
#include "eval/small_split.hpp"
#include "network_checks.hpp"
#include "nn/support.hpp"

using namespace lstmrec;
using own_block::DecayingSum;

namespace {

using OwnNetwork = NextItemNetwork<float, DecayingSum<float>>;
using OwnRecommender = BasicRecommender<OwnNetwork>;
static_assert(NetworkBlock<DecayingSum<float>> && !ProjectsInputs<DecayingSum<float>>);

/// Users who walk round a circle of 11 items.
Split circle(std::uint32_t users) {
  std::vector<std::vector<std::uint32_t>> events(users);
  for (std::uint32_t user = 0; user < users; ++user)
    for (std::uint32_t k = 0; k < 6 + user % 7; ++k) events[user].push_back((5 * user + k) % 11);
  return split_of(events, 11);
}

RecommenderConfig own_block_config() {
  return {.embedding_size = 12,
          .hidden_size = 8,
          .blocks = 2,
          .dropout = 0.1,
          .markov_weight = 0.5,
          .exclude_seen = false,
          .target_horizon = 1,
          .window = 5,
          .training = {.epochs = 15, .batch_size = 8, .learning_rate = 0.01, .ema_decay = 0.9}};
}

Matrix<float> scores_of(const OwnRecommender& recommender, const std::vector<History>& histories) {
  Matrix<float> scores(recommender.items(), static_cast<Index>(histories.size()));
  recommender.score(histories, scores);
  return scores;
}

}  // namespace

TEST_CASE("Own block: gradients, and steps that compute what forward computes") {
  RecommenderConfig config = own_block_config();
  config.embedding_size = 3;
  config.hidden_size = 4;
  config.blocks = 3;
  NextItemNetwork<double, DecayingSum<double>> network(network_items, config);
  randomise(network, 1);
  check_network_gradients(network, SoftmaxCrossEntropy{}, true);
  check_step_against_forward(network, 1e-12);
}

TEST_CASE("Own block: fit learns, evaluate, sessions and lists agree, and a saved model is the same once loaded") {
  const Split split = circle(60);
  const auto result = fit<OwnNetwork>(split, own_block_config());
  static_assert(std::is_same_v<decltype(result), const BasicFitResult<OwnNetwork>>);
  OwnRecommender recommender = result.recommender;
  CHECK(result.epochs.back().loss < 0.5 * result.epochs.front().loss);
  const EvaluateOptions options{.cutoffs = {1}, .threads = 1, .bootstrap_samples = 0};
  CHECK(evaluate(recommender, split, split.test, options).hr_at(1).value > 0.9);

  const std::vector<History> histories = {split.history(split.test[3]), {}, split.history(split.test[9])};
  const Matrix<float> scores = scores_of(recommender, histories);
  recommender.cache_input_projections();  // there are none to keep
  CHECK(recommender.input_projections().size() == 0);
  for (const std::size_t k : {0, 2}) {
    BasicSession session(recommender), at_once(recommender);
    std::vector<RawId> ids;
    for (const std::uint32_t item : histories[k].items) ids.push_back(recommender.item_ids().id(item));
    for (const RawId& id : ids) session.observe(id);
    at_once.observe_all(ids);
    const auto column = scores.col(static_cast<Index>(k));
    CHECK(distance(Vector<float>::Map(session.scores().data(), 11), column) < 1e-4);
    CHECK(distance(Vector<float>::Map(at_once.scores().data(), 11), column) < 1e-4);
    BasicSession restored(recommender);
    restored.restore(session.save());
    session.observe(ids[0]);
    restored.observe(ids[0]);
    CHECK(distance(Vector<float>::Map(session.scores().data(), 11), Vector<float>::Map(restored.scores().data(), 11)) ==
          0);
  }
  const auto lists = BasicBatchRanker(recommender).top_n(histories, 3, Candidates(recommender));
  for (std::size_t k = 0; k < lists.size(); ++k) {
    Index best = 0;
    scores.col(static_cast<Index>(k)).maxCoeff(&best);
    REQUIRE(lists[k].size() == 3);
    CHECK(lists[k][0].item == best);
  }

  const TemporaryFolder folder;
  save(recommender, folder.path() / "model");
  const auto loaded = load_recommender<OwnNetwork>(folder.path() / "model");
  CHECK(same_bits(loaded.network(), recommender.network()));
  CHECK(scores_of(loaded, histories) == scores);
  CHECK(contains(thrown<ModelFileError>([&] { load_recommender(folder.path() / "model"); }), "is missing"));
}

TEST_CASE("Own block: warm_start goes on from its weights, and sampled negatives train it too") {
  RecommenderConfig config = own_block_config();
  config.training.epochs = 5;
  config.sampled_negatives = GENERATE(0, 5);
  const auto before = fit<OwnNetwork>(circle(40), config);
  const Split more = circle(60);
  config.training.epochs = 1;
  const auto warm = warm_start(before.recommender, more, 1), cold = fit<OwnNetwork>(more, config);
  CHECK(warm.epochs[0].loss < 0.8 * cold.epochs[0].loss);
  const auto unchanged = warm_start(before.recommender, more, 0).recommender;
  CHECK(same_bits(unchanged.network(), before.recommender.network()));
}

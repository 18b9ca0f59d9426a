// Every kind of cell in every kind of block, with attention and without, as the configuration chooses them.
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/next_item/fit.hpp>
#include <lstmrec/next_item/model_file.hpp>
#include <lstmrec/next_item/session.hpp>
#include <string>
#include <vector>

#include "../data/temporary_folder.hpp"
#include "catch.hpp"
#include "eval/small_split.hpp"
#include "network_checks.hpp"
#include "nn/support.hpp"
#include "random_recommender.hpp"

using namespace lstmrec;

namespace {

constexpr std::array cells = {CellKind::lstm, CellKind::gru, CellKind::slstm};
constexpr std::array block_kinds = {BlockKind::residual, BlockKind::plain};
constexpr std::int64_t attention_windows[] = {0, 3};

/// Calls check(config) for a configuration of every cell in every block.
template <class Check>
void for_each_cell_and_block(const RecommenderConfig& config, Check&& check) {
  for (const CellKind cell : cells)
    for (const BlockKind block : block_kinds)
      for (const std::int64_t window : attention_windows) {
        RecommenderConfig chosen = config;
        chosen.cell = cell;
        chosen.block = block;
        chosen.attention_window = window;
        INFO(names_of(cell)[static_cast<std::size_t>(cell)] << ", " << names_of(block)[static_cast<std::size_t>(block)]
                                                            << ", attention window " << window);
        check(chosen);
      }
}

const RecommenderConfig three_blocks = {.embedding_size = 4, .hidden_size = 3, .blocks = 3, .feed_forward_factor = 1};

/// The scores after each of some histories (rows: items), each history scored alone or all at once.
Matrix<float> scores_of(const Recommender& recommender, const std::vector<History>& histories, bool alone) {
  Matrix<float> scores(recommender.items(), static_cast<Index>(histories.size()));
  if (!alone) recommender.score(histories, scores);
  for (std::size_t k = 0; alone && k < histories.size(); ++k)
    recommender.score(std::span(histories).subspan(k, 1), scores.middleCols(static_cast<Index>(k), 1));
  return scores;
}

/// The same by sessions that observe event by event, or histories at once.
Matrix<float> session_scores(const Recommender& recommender, const std::vector<History>& histories, bool at_once) {
  Matrix<float> scores(recommender.items(), static_cast<Index>(histories.size()));
  for (std::size_t k = 0; k < histories.size(); ++k) {
    Session session(recommender);
    std::vector<RawId> ids;
    for (const std::uint32_t item : histories[k].items) ids.push_back(recommender.item_ids().id(item));
    if (at_once) session.observe_all(ids);
    for (std::size_t event = 0; !at_once && event < ids.size(); ++event) session.observe(ids[event]);
    scores.col(static_cast<Index>(k)) = Vector<float>::Map(session.scores().data(), scores.rows());
  }
  return scores;
}

/// Users who walk round a circle of 11 items.
Split circle() {
  std::vector<std::vector<std::uint32_t>> users(40);
  for (std::uint32_t user = 0; user < users.size(); ++user)
    for (std::uint32_t k = 0; k < 6 + user % 7; ++k) users[user].push_back((5 * user + k) % 11);
  return split_of(users, 11);
}

}  // namespace

TEST_CASE("Cells and blocks: gradients with dropout, three blocks, ragged sequences, excluded items") {
  for_each_cell_and_block(three_blocks, [](const RecommenderConfig& config) {
    NextItemNetwork<double> network(network_items, config);
    randomise(network, 2);
    check_network_gradients(network, SoftmaxCrossEntropy{}, true);
  });
}

TEST_CASE("Cells and blocks: steps of one and of many sequences compute what forward computes") {
  for_each_cell_and_block(three_blocks, [](const RecommenderConfig& config) {
    NextItemNetwork<double> network(network_items, config);
    randomise(network, 2);
    check_step_against_forward(network, 1e-12);
    NextItemNetwork<float> single(network_items, config);
    copy_parameters(single, network);
    check_step_against_forward(single, 2e-5);
  });
}

TEST_CASE("Cells and blocks: a plain block has no norms and no feed-forward part") {
  RecommenderConfig config = three_blocks;
  config.block = BlockKind::plain;
  const NextItemNetwork<float> network(network_items, config);
  CHECK(network.input.norm.size() == 0);
  CHECK(parameter_count(network.blocks[0]) == parameter_count(network.blocks[0].recurrent));
  config.block = BlockKind::residual;
  CHECK(parameter_count(NextItemNetwork<float>(network_items, config)) > parameter_count(network));
}

TEST_CASE("Cells and blocks: one history or many, event by event or at once, with input projections or without") {
  std::vector<std::uint32_t> events;
  Random random(3);
  for (int k = 0; k < 60; ++k) events.push_back(static_cast<std::uint32_t>(random.below(50)));
  std::vector<History> histories;
  for (const std::size_t length : {7, 1, 60, 7, 20}) histories.push_back(History(events).first(length));
  for (const std::int64_t blocks : {1, 2})
    for_each_cell_and_block(
        {.embedding_size = 6, .hidden_size = 9, .blocks = blocks, .feed_forward_factor = 1, .markov_weight = 0},
        [&](const RecommenderConfig& config) {
          Recommender recommender(random_parts(50, config));
          const Matrix<float> expected = scores_of(recommender, histories, false);
          REQUIRE(distance(expected.col(1), expected.col(2)) > 1e-2);
          for (const bool cached : {false, true}) {
            if (cached) recommender.cache_input_projections();
            for (const bool other : {false, true}) {
              CHECK(distance(scores_of(recommender, histories, other), expected) < 1e-4);
              CHECK(distance(session_scores(recommender, histories, other), expected) < 1e-4);
            }
          }
          CHECK(recommender.input_projections().rows() == recommender.network().blocks[0].projection_size());
        });
}

TEST_CASE("Cells and blocks: fit, save, load and warm_start") {
  const TemporaryFolder folder;
  const Split split = circle();
  const std::vector<History> histories = {split.history(split.test[0]), {}, split.history(split.test[9])};
  for_each_cell_and_block(
      {.embedding_size = 6,
       .hidden_size = 8,
       .blocks = 2,
       .feed_forward_factor = 1,
       .dropout = 0.1,
       .markov_weight = 0.5,
       .exclude_seen = false,
       .target_horizon = 1,
       .window = 5,
       .training = {.epochs = 4, .batch_size = 8, .learning_rate = 0.01, .ema_decay = 0.9}},
      [&](const RecommenderConfig& config) {
        const auto result = fit(split, config, {.threads = 1});
        REQUIRE(result.epochs.size() == 4);
        for (const EpochRecord& record : result.epochs) CHECK(std::isfinite(record.loss));
        CHECK(result.epochs.back().loss < result.epochs.front().loss);
        CHECK(same_bits(result.recommender.network(), fit(split, config, {.threads = 2}).recommender.network()));

        save(result.recommender, folder.path() / "model");
        const Recommender loaded = load_recommender(folder.path() / "model");
        CHECK(scores_of(loaded, histories, false) == scores_of(result.recommender, histories, false));
        CHECK(session_scores(loaded, histories, false) == session_scores(result.recommender, histories, false));

        const auto warm = warm_start(loaded, split, 1);
        CHECK(warm.epochs.front().loss < result.epochs.front().loss);
        CHECK(warm.recommender.config().cell == config.cell);
        CHECK(warm.recommender.config().block == config.block);
        CHECK(warm.recommender.config().attention_window == config.attention_window);
      });
}

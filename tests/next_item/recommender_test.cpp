// The parts of a recommender agree with each other, whatever is changed of it.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/eval/scorer.hpp>
#include <lstmrec/next_item/recommender.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "../data/thrown.hpp"
#include "catch.hpp"
#include "nn/support.hpp"
#include "random_recommender.hpp"

using namespace lstmrec;

namespace {

using Parts = RecommenderParts<NextItemNetwork<float>>;

const RecommenderConfig config = {.embedding_size = 3,
                                  .hidden_size = 4,
                                  .blocks = 2,
                                  .feed_forward_factor = 1,
                                  .tied_vectors = false,
                                  .markov_weight = 0};

/// A chain of so many items; each is followed by the next.
MarkovChain chain_of(std::uint32_t items) {
  MarkovChain chain;
  for (std::uint32_t item = 0; item < items; ++item) {
    chain.transitions.push((item + 1) % items, 2);
    chain.transitions.end_row();
    chain.totals.push_back(2);
  }
  chain.popularity = Popularity(std::vector<std::uint32_t>(items, 3));
  return chain;
}

/// The message with which the constructor refuses some parts after a change; "" where it takes them.
template <class Change>
std::string refusal_of(Change&& change) {
  Parts parts = random_parts(7, config);
  change(parts);
  return thrown<std::invalid_argument>([&] { Recommender recommender(std::move(parts)); });
}

Matrix<float> scores_of(const Recommender& recommender) {
  const std::vector<std::uint32_t> items = {1, 4, 2, 2};
  const std::vector<History> histories = {History(items), History(items).first(1), {}};
  Matrix<float> scores(recommender.items(), 3);
  recommender.score(histories, scores);
  return scores;
}

}  // namespace

TEST_CASE("Recommender: parts that do not belong together are refused, by the rule that they break") {
  CHECK(refusal_of([](Parts&) {}) == "");
  CHECK(contains(refusal_of([](Parts& p) { p = {}; }), "the network knows no items"));
  CHECK(contains(refusal_of([](Parts& p) { p.item_ids.add(7); }), "one id an item"));
  CHECK(contains(refusal_of([](Parts& p) { p.item_ids = {}; }), "one id an item"));
  CHECK(contains(refusal_of([](Parts& p) { p.catalogue.pop_back(); }), "one catalogue entry an item"));
  CHECK(contains(refusal_of([](Parts& p) { p.catalogue.emplace_back(); }), "one catalogue entry an item"));
  CHECK(contains(refusal_of([](Parts& p) { p.item_counts.pop_back(); }), "one count an item"));
  CHECK(contains(refusal_of([](Parts& p) { p.markov = chain_of(6); }), "a Markov chain of the same items"));
  CHECK(contains(refusal_of([](Parts& p) { p.config.markov_weight = 0.5; }), "a Markov weight above 0 needs a chain"));
  CHECK(refusal_of([](Parts& p) {
          p.config.markov_weight = 0.5;
          p.markov = chain_of(7);
        }) == "");
  CHECK(refusal_of([](Parts& p) { p.markov = chain_of(7); }) == "");
  const auto refusal_of_chain = [](auto&& change) {
    return refusal_of([&](Parts& p) {
      p.markov = chain_of(7);
      change(p.markov);
    });
  };
  const std::string chain = "a recommender's parts must belong together: the Markov chain's ";
  CHECK(refusal_of_chain([](MarkovChain& m) { m.totals.pop_back(); }) == chain + "totals: expected 7, found 6");
  CHECK(refusal_of_chain([](MarkovChain& m) { m.totals[2] = -1; }) ==
        chain + "totals: expected finite numbers, none below 0");
  CHECK(refusal_of_chain([](MarkovChain& m) { m.transitions.offsets.pop_back(); }) ==
        chain + "offsets: expected 7 rows, found 6");
  CHECK(refusal_of_chain([](MarkovChain& m) { m.transitions.offsets[3] = 99; }) ==
        chain + "offsets: expected to rise from 0 to " + std::to_string(chain_of(7).transitions.items.size()));
  CHECK_THROWS_AS(refusal_of_chain([](MarkovChain& m) { m.options.window = 0; }), ConfigError);
  CHECK(contains(refusal_of([](Parts& p) {  // an item added by hand, of which the chain's rows know nothing
                   p = random_parts(8, config);
                   p.markov = chain_of(7);
                   p.markov.totals.push_back(0);
                   p.markov.popularity = Popularity(p.item_counts);
                 }),
                 "offsets: expected 8 rows, found 7"));
  CHECK(refusal_of([](Parts& p) { p.config.markov_weight = -1; }) == "");
  CHECK(contains(refusal_of([](Parts& p) { p.config.blocks = 1; }), "as many blocks as the configuration says"));
  CHECK(contains(refusal_of([](Parts& p) { p.config.blocks = 3; }), "as many blocks as the configuration says"));
}

TEST_CASE("Recommender: a network of other sizes than the configuration's is refused") {
  const auto refuses = [](auto change) {
    const std::string message = refusal_of([&](Parts& parts) { change(parts.config); });
    CHECK(contains(message, "a recommender's parts must belong together: "));
    CHECK(contains(message, "a network of the sizes that the configuration says"));
  };
  refuses([](RecommenderConfig& c) { c.embedding_size = 2; });
  refuses([](RecommenderConfig& c) { c.embedding_size = 4; });
  refuses([](RecommenderConfig& c) { c.hidden_size = 3; });
  refuses([](RecommenderConfig& c) { c.hidden_size = 5; });
  refuses([](RecommenderConfig& c) { c.feed_forward_factor = 0; });
  refuses([](RecommenderConfig& c) { c.feed_forward_factor = 2; });
  refuses([](RecommenderConfig& c) { c.tied_vectors = true; });
  refuses([](RecommenderConfig& c) { c.cell = CellKind::gru; });
  refuses([](RecommenderConfig& c) { c.block = BlockKind::plain; });
  // The same holds for a network whose parts do not fit each other.
  const auto refuses_network = [](auto change) {
    CHECK(contains(refusal_of([&](Parts& parts) { change(parts.network); }), "a network of the sizes"));
  };
  refuses_network([](NextItemNetwork<float>& n) { n.input.item_vectors.table.setZero(3, 8); });
  refuses_network([](NextItemNetwork<float>& n) { n.own_output_vectors.table.setZero(3, 6); });
  refuses_network([](NextItemNetwork<float>& n) { n.blocks[1].recurrent_norm.gain.setZero(3); });
  CHECK(refusal_of([](Parts& p) { p.network.head.bias.setZero(8); }) != "");
}

TEST_CASE("Recommender: an LSTM's weights under an sLSTM's configuration are refused, though of the same shapes") {
  CHECK(refusal_of([](Parts& p) { p.config.cell = CellKind::slstm; }) != "");
}

TEST_CASE("Recommender: a bad configuration is refused whatever the network") {
  Parts parts = random_parts(7, config);
  parts.config.dropout = 1;
  CHECK_THROWS_AS(Recommender(parts), ConfigError);
}

TEST_CASE("Recommender: set_network takes weights of the same shapes, drops cached projections and has new ones") {
  const Parts first = random_parts(7, config, 1), second = random_parts(7, config, 2);
  Recommender recommender(first);
  const Recommender other(second);
  recommender.cache_input_projections();
  REQUIRE(recommender.input_projections().size() > 0);
  const auto fingerprint = recommender.fingerprint();
  recommender.set_network(second.network);
  CHECK(recommender.input_projections().size() == 0);
  CHECK(same_bits(recommender.network(), second.network));
  CHECK(recommender.fingerprint() != fingerprint);
  CHECK(recommender.fingerprint() == other.fingerprint());
  CHECK(scores_of(recommender) == scores_of(other));
  recommender.cache_input_projections();
  CHECK(distance(scores_of(recommender), scores_of(other)) < 1e-5);
}

TEST_CASE("Recommender: set_network refuses other shapes, and nothing has changed") {
  Recommender recommender(random_parts(7, config));
  recommender.cache_input_projections();
  const auto before = scores_of(recommender);
  const auto fingerprint = recommender.fingerprint();
  const auto refuses = [&](Index items, auto change) {
    RecommenderConfig changed = config;
    change(changed);
    CHECK_THROWS_AS(recommender.set_network(NextItemNetwork<float>(items, changed)), std::invalid_argument);
  };
  refuses(8, [](RecommenderConfig&) {});
  refuses(7, [](RecommenderConfig& c) { c.hidden_size = 5; });
  refuses(7, [](RecommenderConfig& c) { c.blocks = 1; });
  refuses(7, [](RecommenderConfig& c) { c.cell = CellKind::gru; });
  refuses(7, [](RecommenderConfig& c) { c.block = BlockKind::plain; });
  refuses(7, [](RecommenderConfig& c) { c.tied_vectors = true; });
  CHECK_THROWS_AS(recommender.set_network({}), std::invalid_argument);
  CHECK(recommender.input_projections().size() > 0);
  CHECK(recommender.fingerprint() == fingerprint);
  CHECK(scores_of(recommender) == before);
}

TEST_CASE("Recommender: a Markov weight above 0 needs a chain, and none is below 0") {
  Recommender alone(random_parts(7, config));
  CHECK_THROWS_AS(alone.set_markov_weight(0.5), std::invalid_argument);
  CHECK_THROWS_AS(alone.with_markov_weight(1), std::invalid_argument);
  CHECK_NOTHROW(alone.set_markov_weight(0));
  CHECK(!alone.uses_markov());

  Parts parts = random_parts(7, config);
  parts.markov = chain_of(7);
  Recommender recommender(std::move(parts));
  CHECK(!recommender.uses_markov());
  CHECK(recommender.markov_weight() == 0);
  CHECK(recommender.fingerprint() == alone.fingerprint());
  CHECK(scores_of(recommender) == scores_of(alone));
  const Recommender weighed = recommender.with_markov_weight(0.5);
  CHECK(weighed.uses_markov());
  CHECK(weighed.markov_weight() == 0.5);
  CHECK(weighed.config().markov_weight == 0.5);
  CHECK(weighed.fingerprint() != recommender.fingerprint());
  CHECK(recommender.markov_weight() == 0);  // it is a copy that has changed
  CHECK(distance(scores_of(weighed).leftCols(2), scores_of(alone).leftCols(2)) > 0.1);
  CHECK(scores_of(weighed).col(2) == scores_of(alone).col(2));
  CHECK(scores_of(weighed.with_markov_weight(0)) == scores_of(alone));
  for (const double bad : {-1.0, -0.1, std::nan("")}) {
    CHECK_THROWS_AS(recommender.set_markov_weight(bad), std::invalid_argument);
    CHECK(recommender.markov_weight() == 0);
  }
}

TEST_CASE("Recommender: one that knows nothing, and a scorer that says how it was made") {
  const Recommender empty;
  CHECK(empty.items() == 0);
  RecommenderConfig repeating = config;
  repeating.exclude_seen = false;
  const Recommender excluding(random_parts(7, config)), including(random_parts(7, repeating));
  CHECK(ScorerRef(excluding).exclude_seen());
  CHECK(!ScorerRef(including).exclude_seen());
  CHECK(ScorerRef(excluding).item_ids() == &excluding.item_ids());
  CHECK(ScorerRef(excluding).is_tiled());
}

TEST_CASE("Recommender: the fingerprint tells the parts of a network, its items' biases and the chain apart") {
  const Parts parts = random_parts(7, config);
  const Recommender recommender(parts);
  CHECK(Recommender(parts).fingerprint() == recommender.fingerprint());
  std::vector<std::uint64_t> others;
  const auto with = [&](auto change) {
    Parts changed = parts;
    change(changed.network);
    others.push_back(Recommender(std::move(changed)).fingerprint());
  };
  with([](NextItemNetwork<float>& n) { n.head.bias(6) += 1; });
  with([](NextItemNetwork<float>& n) { n.blocks[1].recurrent.layer.cell.bias *= 2; });
  with([](NextItemNetwork<float>& n) { n.input.item_vectors.table *= 2; });
  with([](NextItemNetwork<float>& n) { n.own_output_vectors.table *= 2; });
  with([](NextItemNetwork<float>& n) { n.output_projection.weight *= 2; });
  for (std::size_t k = 0; k < others.size(); ++k) {
    CHECK(others[k] != recommender.fingerprint());
    for (std::size_t earlier = 0; earlier < k; ++earlier) CHECK(others[k] != others[earlier]);
  }
}

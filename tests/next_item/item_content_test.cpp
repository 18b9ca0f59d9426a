#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/data/item_features.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/next_item/fit.hpp>
#include <lstmrec/next_item/model_file.hpp>
#include <lstmrec/next_item/network.hpp>
#include <lstmrec/next_item/sampled_catalogue.hpp>
#include <lstmrec/next_item/session.hpp>
#include <lstmrec/next_item/update.hpp>
#include <lstmrec/nn/gradient_check.hpp>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "../data/temporary_folder.hpp"
#include "../data/thrown.hpp"
#include "catch.hpp"
#include "network_checks.hpp"

using namespace lstmrec;

namespace {

constexpr Index features = 4;

/// Some features of the items that the networks of network_checks.hpp have.
FeatureRows some_rows() {
  FeatureRows rows;
  for (std::uint32_t item = 0; item < network_items; ++item) {
    for (std::uint32_t feature = item % 3; feature < features && item != 5; feature += 2)
      rows.push(feature, 0.5f + 0.25f * static_cast<float>(item));
    rows.end_row();
  }
  return rows;
}

constexpr int colours = 4, items_of_colour = 10;

/// The title and the category of an item, whose colour is item / items_of_colour.
ItemInfo info_of(int item) {
  const std::string colour = std::to_string(item / items_of_colour);
  return {"Thing " + std::to_string(item) + " of " + colour, {"colour " + colour}};
}

/// Visits of five items each of one colour; nothing but the colour says which come together. Items whose number in
/// their colour is at least `known` don't occur.
Interactions visits(int count, int known, std::uint64_t seed = 1) {
  Random random(seed);
  Interactions log{.has_times = true};
  for (int visit = 0; visit < count; ++visit) {
    const int colour = visit % colours;
    for (int k = 0; k < 5; ++k) {
      const int item = colour * items_of_colour + static_cast<int>(random.below(static_cast<std::uint64_t>(known)));
      log.observe("visit " + std::to_string(seed) + '-' + std::to_string(visit), item, 100 * visit + k);
    }
  }
  for (std::uint32_t item = 0; item < log.items.size(); ++item)
    log.catalogue[item] = info_of(static_cast<int>(log.items.id(item).integer()));
  return log;
}

Split all_of(Interactions log) { return train_on_all(build_sequences(std::move(log))); }

RecommenderConfig content_config(std::int64_t sampled_negatives = 0) {
  return {.embedding_size = 16,
          .hidden_size = 16,
          .dropout = 0,
          .item_features = -1,
          .markov_weight = 0.5,
          .session_knn_weight = 0.2,
          .exclude_seen = false,
          .sampled_negatives = sampled_negatives,
          .training = {.epochs = 8, .learning_rate = 0.02, .ema_decay = 0.9}};
}

const Recommender& trained() {
  static const Recommender recommender = fit(all_of(visits(200, 8)), content_config()).recommender;
  return recommender;
}

/// The items that nobody has had: two of each colour.
std::vector<CatalogueItem> new_items() {
  std::vector<CatalogueItem> rows;
  for (int colour = 0; colour < colours; ++colour)
    for (int number = 8; number < items_of_colour; ++number) {
      const int item = colour * items_of_colour + number;
      rows.push_back({item, info_of(item)});
    }
  return rows;
}

/// How many of the new items of a colour are before all new items of other colours, after a visit of that colour.
int new_items_in_place(const Recommender& recommender) {
  int in_place = 0;
  std::vector<RawId> ids;
  for (const CatalogueItem& row : new_items()) ids.push_back(row.id);
  const Candidates only_new(recommender, {.allow = ids});
  for (int colour = 0; colour < colours; ++colour) {
    Session session(recommender);
    for (const int number : {1, 4, 2}) session.observe(colour * items_of_colour + number);
    for (const auto& [id, title, score] : session.top_n(2, only_new))
      in_place += static_cast<int>(id.integer()) / items_of_colour == colour;
  }
  return in_place;
}

}  // namespace

TEST_CASE("content: gradients of item vectors, feature vectors and biases, with three blocks and ragged sequences") {
  const FeatureRows rows = some_rows();
  for (const bool tied : {true, false}) {
    NextItemNetwork<double> network(network_items, {.embedding_size = 4,
                                                    .hidden_size = 4,
                                                    .blocks = 3,
                                                    .feed_forward_factor = 2,
                                                    .tied_vectors = tied,
                                                    .item_features = features});
    randomise(network, 1);
    const SequenceBatch batch = some_batch(true);
    NextItemNetwork<double>::Cache cache;
    ThreadPool one(1);
    const auto pass = [&](NextItemNetwork<double>& gradients) {
      auto with_content = network;
      with_content.add_content(rows, {}, one);
      return with_content.forward_backward(batch, SoftmaxCrossEntropy{}, cache, gradients);
    };
    auto gradients = zeros_like(network), unused = gradients;
    pass(gradients);
    gradients.add_content_gradient(rows, {}, one);
    CHECK(gradients.input.item_vectors.content.norm() > 0.01);
    CHECK(gradients.own_output_vectors.content.norm() * (tied ? 0 : 1) >= (tied ? 0 : 0.01));
    CHECK(gradients.head.content.norm() > 0.01);
    const auto difference = check_gradients(network, gradients, [&] { return pass(unused); });
    INFO(difference.name << "(" << difference.row << ", " << difference.column << "): " << difference.analytic << ", "
                         << difference.numeric);
    CHECK(difference.relative < gradient_tolerance);
  }
}

TEST_CASE("content: gradients of feature vectors and biases where negatives are sampled") {
  using Network = NextItemNetwork<double>;
  const FeatureRows rows = some_rows();
  const RecommenderConfig config{.embedding_size = 4,
                                 .hidden_size = 4,
                                 .blocks = 3,
                                 .feed_forward_factor = 2,
                                 .tied_vectors = false,
                                 .item_features = features};
  Network network(network_items, config);
  randomise(network, 1);
  const std::vector<std::uint32_t> counts(static_cast<std::size_t>(network_items), 3);
  SampledCatalogue<Network> catalogue(Network(1, config), counts, 4);
  SequenceBatch batch = some_batch(true);
  catalogue.draw(1);
  catalogue.relabel(batch);
  ThreadPool one(1);
  Network::Cache cache;
  const auto pass = [&](Network& gradients) {
    catalogue.gather(network, one);
    Network with_content = catalogue.network();
    with_content.add_content(rows, catalogue.columns(), one);
    const SampledItems items = catalogue.items();
    return with_content.forward_backward(batch, SoftmaxCrossEntropy{}, cache, gradients, &items);
  };
  catalogue.gather(network, one);
  Network gradients = zeros_like(catalogue.network()), unused = gradients;
  pass(gradients);
  gradients.add_content_gradient(rows, catalogue.columns(), one);
  const auto loss = [&] { return pass(unused); };
  const auto check = [&](const char* name, auto& parameter, const auto& gradient) {
    CAPTURE(name);
    CHECK(gradient.norm() > 0.01);
    CHECK(check_gradient(name, parameter, gradient, loss).relative < gradient_tolerance);
  };
  check("input", network.input.item_vectors.content, gradients.input.item_vectors.content);
  check("output", network.own_output_vectors.content, gradients.own_output_vectors.content);
  check("bias", network.head.content, gradients.head.content);
}

TEST_CASE("content: a model's item vectors have it, whatever is trained on") {
  for (const std::int64_t negatives : {0, 16}) {
    RecommenderConfig config = content_config(negatives);
    config.training.epochs = 1;
    const Split split = all_of(visits(40, 8));
    const auto result = fit(split, config);
    const Recommender& recommender = result.recommender;
    CHECK(recommender.features().names() ==
          std::vector<std::string>{"category colour 0", "category colour 1", "category colour 2", "category colour 3",
                                   "word 0", "word 1", "word 2", "word 3", "word of", "word thing"});
    CHECK(recommender.config().item_features == 10);
    // The items' own parts are what is left when the content is taken out again.
    NextItemNetwork<float> own = recommender.network();
    ThreadPool one(1);
    own.add_content(recommender.features().rows(recommender.catalogue()), {}, one, -1);
    CHECK(own.input.item_vectors.table.norm() > 0);
    CHECK(distance(own.input.item_vectors.table.cast<double>(),
                   recommender.network().input.item_vectors.table.cast<double>()) > 0.01);
    // The same bits with any number of threads.
    for (const std::size_t threads : {1u, 3u}) {
      const auto again = fit(split, config, {.threads = threads});
      CHECK(again.recommender.network().input.item_vectors.table == recommender.network().input.item_vectors.table);
      CHECK(again.recommender.network().head.content == recommender.network().head.content);
    }
  }
}

TEST_CASE("content: without features of items a training is what it was") {
  Interactions bare = visits(40, 8);
  for (ItemInfo& info : bare.catalogue) info = {};
  RecommenderConfig config = content_config();
  config.training.epochs = 1;
  const auto with = fit(all_of(bare), config).recommender;
  CHECK(with.config().item_features == 0);
  config.item_features = 0;
  const auto without = fit(all_of(visits(40, 8)), config).recommender;
  CHECK(with.network().input.item_vectors.table == without.network().input.item_vectors.table);
  CHECK(without.features().size() == 0);
}

TEST_CASE("content: items without any event are recommended to whom they suit") {
  Recommender recommender = trained();
  const Index before = recommender.items();
  recommender.add_items(new_items());
  CHECK(recommender.items() == before + 8);
  CHECK(recommender.catalogue()[*recommender.item_ids().find(39)].title == "Thing 39 of 3");
  CHECK(new_items_in_place(recommender) == 8);
  // Those that were known have the scores that they had, but for the rounding of taking content out and back in.
  Session old_session(trained()), new_session(recommender);
  for (Session* session : {&old_session, &new_session})
    for (const int item : {11, 14}) session->observe(item);
  const auto old_scores = old_session.scores(), new_scores = new_session.scores();
  for (std::size_t item = 0; item < old_scores.size(); ++item)
    CHECK(new_scores[item] == Approx(old_scores[item]).margin(1e-4));

  // A model that was trained without features knows what the vectors of alike items have in common.
  RecommenderConfig config = content_config();
  config.item_features = 0;
  Recommender plain = fit(all_of(visits(200, 8)), config).recommender;
  plain.add_items(new_items());
  CHECK(new_items_in_place(plain) == 8);
  // Of items of which nothing is known nobody knows whom they suit.
  Recommender blind = trained();
  blind.add_items({{RawId(38)}, {RawId(39)}});
  const auto& vectors = blind.network().output_vectors();
  CHECK(vectors.col(blind.items() - 1) == vectors.col(blind.items() - 2));
}

TEST_CASE("content: new items take the part of the lists that is asked for, or that they are of all items") {
  const auto share_of_places = [](double share) {
    Recommender recommender = trained();
    recommender.add_items(new_items(), share);
    recommender.set_session_knn_weight(0);
    double places = 0, all = 0;
    for (std::uint32_t item = 0; item < trained().items(); ++item) {
      Session session(recommender);
      session.observe(recommender.item_ids().id(item));
      for (const auto& entry : session.top_n(10, Candidates(recommender, {.exclude_seen = true}))) {
        const double weight = recommender.item_counts()[item];
        places += weight * static_cast<double>(entry.item.integer() % items_of_colour >= 8);
        all += weight;
      }
    }
    return places / all;
  };
  CHECK(share_of_places(0) == 0);
  CHECK(share_of_places(-1) == Approx(8.0 / 40).margin(0.07));
  CHECK(share_of_places(0.4) == Approx(0.4).margin(0.15));
  CHECK(share_of_places(0.1) == Approx(0.1).margin(0.05));
  Recommender recommender = trained();
  CHECK_THROWS_AS(recommender.add_items(new_items(), 1.5), std::invalid_argument);
  CHECK(recommender.items() == trained().items());
}

TEST_CASE("content: users' states go on when items are added, and a saved model says so") {
  Ranker ranker(trained());
  UserState user;
  ranker.observe_all(user, std::vector<int>{11, 14, 12});
  const TemporaryFolder folder;
  Recommender larger = trained();
  larger.add_items(new_items());
  save(larger, folder.path() / "model");
  const Recommender loaded = load_recommender(folder.path() / "model");
  CHECK(loaded.features().names() == larger.features().names());
  CHECK(loaded.fingerprint() == trained().fingerprint());
  Ranker other(loaded);
  other.observe(user, 18);  // a new item of the same colour
  CHECK(user.events == 4);
  CHECK(other.top_n(user, 3).size() == 3);
  CHECK_THROWS_AS(ranker.top_n(user, 3), std::invalid_argument);  // the older one does not know that item
  // Other weights are of another recommender.
  Recommender other_weights = larger;
  other_weights.set_markov_weight(0.25);
  CHECK(other_weights.fingerprint() != larger.fingerprint());
}

TEST_CASE("content: a row of a known item replaces what was known of it, and its vector follows") {
  Recommender recommender = trained();
  recommender.add_items({{RawId(3), info_of(33)}});
  CHECK(recommender.items() == trained().items());
  CHECK(recommender.catalogue()[*recommender.item_ids().find(3)].title == "Thing 33 of 3");
  const auto item = static_cast<Index>(*recommender.item_ids().find(3));
  const auto& before = trained().network().input.item_vectors;
  const FeatureRows rows = trained().features().rows(std::vector<ItemInfo>{info_of(3), info_of(33)});
  Matrix<float> old_content(16, 1), new_content(16, 1);
  before.content_vector(rows[0], old_content);
  before.content_vector(rows[1], new_content);
  CHECK(distance(recommender.network().input.item_vectors.table.col(item),
                 before.table.col(item) - old_content + new_content) < 1e-5);
  CHECK_THROWS_AS(Recommender().add_items(new_items()), std::invalid_argument);
}

TEST_CASE("content: an update learns items that were added, and goes on from the vectors of features") {
  Recommender recommender = trained();
  recommender.add_items(new_items());
  const auto after = update(recommender, all_of(visits(80, 10, 2)), 2).recommender;
  CHECK(after.items() == recommender.items());
  CHECK(after.features().names() == recommender.features().names());
  CHECK(new_items_in_place(after) == 8);
  CHECK(after.item_counts()[*after.item_ids().find(39)] > 0);
  // No epoch changes nothing but the averages' rounding.
  const auto same = warm_start(trained(), all_of(visits(200, 8)), 0).recommender;
  CHECK(distance(same.network().input.item_vectors.table.cast<double>(),
                 trained().network().input.item_vectors.table.cast<double>()) < 1e-4);
  // A log without the table of its items takes nothing away.
  Interactions bare = visits(200, 8);
  for (ItemInfo& info : bare.catalogue) info = {};
  const auto undescribed = warm_start(trained(), all_of(std::move(bare)), 0).recommender;
  CHECK(undescribed.features().names() == trained().features().names());
  CHECK(undescribed.catalogue()[0].title == trained().catalogue()[0].title);
  CHECK(distance(undescribed.network().input.item_vectors.table.cast<double>(),
                 trained().network().input.item_vectors.table.cast<double>()) < 1e-4);
  // A feature that is new is learned beside the others.
  Interactions more = visits(80, 10, 2);
  for (ItemInfo& info : more.catalogue) info.genres.push_back("in stock");
  const auto grown = update(recommender, all_of(std::move(more)), 1).recommender;
  REQUIRE(grown.features().size() == recommender.features().size() + 1);
  CHECK(grown.features().names().back() == "category in stock");
  RecommenderConfig without = recommender.config();
  without.item_features = 0;
  CHECK_THROWS_AS(update(recommender, all_of(visits(80, 10, 2)), without), ConfigError);
}

TEST_CASE("content: what is withdrawn is in no list, is saved, survives an update, and can come back") {
  Recommender recommender = trained();
  const auto listed = [](const Recommender& of, int item) {
    Session session(of);
    session.observe(11);
    bool found = false;
    for (const auto& entry : session.top_n(1000)) found = found || entry.item == RawId(item);
    return found;
  };
  CHECK(listed(recommender, 12));
  CHECK(recommender.withdraw_items({12, 13, 999}) == std::vector<RawId>{999});
  CHECK_FALSE(listed(recommender, 12));
  CHECK(recommender.fingerprint() == trained().fingerprint());
  Session session(recommender);
  session.observe(12);  // somebody still has it
  CHECK(session.top_n(5, Candidates(recommender, {.allow = {{12, 14}}})).size() == 1);
  const TemporaryFolder folder;
  save(recommender, folder.path() / "model");
  CHECK(load_recommender(folder.path() / "model").withdrawn() == recommender.withdrawn());
  CHECK_FALSE(listed(update(recommender, all_of(visits(40, 8, 3)), 0).recommender, 12));
  recommender.restore_items({12});
  CHECK(listed(recommender, 12));
  CHECK_FALSE(listed(recommender, 13));
}

TEST_CASE("content: what is withdrawn stays so where a training is interrupted") {
  Recommender recommender = trained();
  recommender.withdraw_items({12});
  try {
    const FitOptions options{.progress = [](const TrainingProgress&) { throw std::runtime_error("enough"); }};
    warm_start(recommender, all_of(visits(200, 8)), 1, options);
    FAIL("the callback throws");
  } catch (const TrainingInterrupted<Recommender>& interruption) {
    CHECK(interruption.model().withdrawn().size() == 1);
  }
}

TEST_CASE("content: sessions rank as the evaluation does, with items that were added") {
  Recommender recommender = trained();
  recommender.add_items(new_items());
  Split split = all_of(visits(40, 10, 4));
  for (std::uint32_t user = 0; user < split.sequences.size(); ++user) {
    split.train_length[user] = 0;
    split.test.push_back({user, 4});
  }
  const Evaluation evaluation = evaluate(recommender, split, split.test, {.exclude_seen = false});
  for (std::size_t k = 0; k < split.test.size(); ++k) {
    Session session(recommender);
    for (const auto& event : split.history(split.test[k])) session.observe(split.sequences.items.id(event.item));
    const RawId target = split.sequences.items.id(split.event(split.test[k]).item);
    const auto scores = session.scores();
    const float own = scores[*recommender.item_ids().find(target)];
    const auto higher = std::count_if(scores.begin(), scores.end(), [&](float score) { return score >= own; });
    CHECK(static_cast<std::int64_t>(evaluation.ranks[k]) == higher);
  }
}

TEST_CASE("content: a model file whose features do not fit is refused") {
  const TemporaryFolder folder;
  using Parts = Recommender::Parts;
  Parts parts{.config = trained().config(),
              .network = trained().network(),
              .item_ids = trained().item_ids(),
              .catalogue = trained().catalogue(),
              .item_counts = trained().item_counts(),
              .markov = trained().markov(),
              .session_knn = trained().session_knn()};
  CHECK_THROWS_AS(Recommender(parts), std::invalid_argument);
  parts.features = trained().features();
  CHECK_NOTHROW(Recommender(parts));
  parts.withdrawn = {3, 3};
  CHECK_THROWS_AS(Recommender(parts), std::invalid_argument);
  parts.withdrawn = {static_cast<std::uint32_t>(trained().items())};
  CHECK_THROWS_AS(Recommender(parts), std::invalid_argument);
}

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/baselines/session_knn.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/next_item/batch_ranker.hpp>
#include <lstmrec/next_item/fit.hpp>
#include <lstmrec/next_item/model_file.hpp>
#include <lstmrec/next_item/session.hpp>
#include <lstmrec/next_item/session_knn_weight.hpp>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "../data/temporary_folder.hpp"
#include "../data/thrown.hpp"
#include "catch.hpp"
#include "data/logs.hpp"
#include "io/tensor_file.hpp"
#include "random_recommender.hpp"
#include "trained_recommender.hpp"

using namespace lstmrec;

namespace {

constexpr double share = 0.35;

/// The sample's recommender with session kNN beside the network, and with a Markov chain where asked for.
Recommender with_sessions(bool with_markov = false) {
  auto parts = parts_of(with_markov ? sample_recommender_with_markov() : sample_recommender());
  parts.session_knn = SessionKnn(sample_split());
  parts.config.session_knn_weight = share;
  return Recommender(std::move(parts));
}

/// Visits in which each item but the last is followed by one of two, so that neighbours say much.
Split visits() {
  Random random(3);
  std::vector<std::tuple<int, int, long>> rows;
  for (int visit = 0; visit < 400; ++visit) {
    int item = static_cast<int>(random.below(200));
    for (int k = 0; k < 5; ++k) {
      rows.emplace_back(visit, item, 1000L * visit + k);
      item = k == 2 ? item : (item * 7 + static_cast<int>(random.below(2))) % 200;
    }
  }
  return split_by_users(build_sequences(make_interactions(rows)), .2, .2);
}

}  // namespace

TEST_CASE("Session kNN beside a network: the probabilities of both are mixed") {
  const bool with_markov = GENERATE(false, true);
  const Recommender both = with_sessions(with_markov);
  const Recommender& without = with_markov ? sample_recommender_with_markov() : sample_recommender();
  const Split& split = sample_split();
  std::vector<History> histories{History()};
  for (std::size_t k = 0; k < 70; ++k) histories.push_back(split.history(split.test[k]));
  const auto columns = static_cast<Index>(histories.size());
  Matrix<float> mixed(both.items(), columns), network(both.items(), columns), neighbours(both.items(), columns);
  both.score(histories, mixed);
  without.score(histories, network);
  both.session_knn().score(histories, neighbours);
  CHECK(mixed.col(0) == network.col(0));  // without events, popularity speaks alone
  std::size_t changed = 0;
  for (Index column = 1; column < columns; ++column) {
    const Eigen::VectorXd z = network.col(column).cast<double>();
    const Eigen::VectorXd s = neighbours.col(column).cast<double>();
    const double most = z.maxCoeff(), sum = (z.array() - most).exp().sum();
    // Of more than 256 items the best are mixed, after the sum.
    std::vector<double> sorted(s.begin(), s.end());
    std::sort(sorted.rbegin(), sorted.rend());
    const double least = sorted.size() > 256 ? sorted[255] : 0;
    for (Index item = 0; item < both.items(); ++item) {
      const double p = (1 - share) * std::exp(z(item) - most) / sum;
      if (least > 0 && std::abs(s(item) / least - 1) < 1e-5) continue;  // one of several at the border
      const double q = s(item) > least ? share * s(item) / s.sum() : 0;
      const double expected = std::log((p + q) / (1 - share)) + most + std::log(sum);
      REQUIRE(static_cast<double>(mixed(item, column)) == Approx(expected).margin(1e-3));
      changed += mixed(item, column) != network(item, column);
    }
  }
  CHECK(changed > 1000);
  CHECK(both.network_alone().fingerprint() != both.fingerprint());
  Matrix<float> alone(both.items(), columns), plain(both.items(), columns);
  both.network_alone().score(histories, alone);
  sample_recommender().score(histories, plain);
  CHECK(alone == plain);
}

TEST_CASE("Session kNN beside a network: neighbours that are so old that they weigh nothing change nothing") {
  auto parts = parts_of(with_sessions());
  for (double& age : parts.session_knn.ages) age = 1e12;
  const Recommender old(std::move(parts));
  const History history = sample_split().sequences[4];
  Matrix<float> mixed(old.items(), 1), network(old.items(), 1);
  old.score({&history, 1}, mixed);
  sample_recommender().score({&history, 1}, network);
  CHECK(mixed == network);
}

TEST_CASE("Session kNN beside a network: items so frequent that their rarity is below 0 are not mixed") {
  std::vector<std::tuple<int, int, long>> rows;
  for (int visit = 0; visit < 20; ++visit)
    for (int k = 0; k < 6; ++k) rows.emplace_back(visit, k < 5 ? 0 : 1 + visit % 5, 10 * visit + k);
  const Split split = train_on_all(build_sequences(make_interactions(rows)));
  for (const double rarity : {.7, 5., 1e6}) {
    auto parts = random_parts(6, {.embedding_size = 4, .hidden_size = 4, .markov_weight = 0, .session_knn_weight = .3});
    parts.item_counts = training_counts(split);
    parts.session_knn = SessionKnn(split, {.rarity = rarity});
    const Recommender recommender(std::move(parts));
    const std::vector<std::uint32_t> items{0, 1};
    const History history(items);
    Matrix<float> scores(6, 1);
    recommender.score({&history, 1}, scores);
    CHECK(scores.allFinite());
  }
}

TEST_CASE("Session kNN beside a network: a session says what evaluations say, event by event and from its bytes") {
  const Recommender recommender = with_sessions(GENERATE(false, true));
  const Split& split = sample_split();
  const BatchRanker batch(recommender);
  for (std::size_t k = 0; k < 30; ++k) {
    const History history = split.history(split.test[k]);
    Session session(recommender);
    for (const Event event : history) session.observe(recommender.item_ids().id(event.item));
    Matrix<float> expected(recommender.items(), 1);
    recommender.score({&history, 1}, expected);
    const auto scores = session.scores();
    for (Index item = 0; item < recommender.items(); ++item)
      REQUIRE(scores[static_cast<std::size_t>(item)] == Approx(expected(item, 0)).margin(1e-4));
    Session restored(recommender);
    restored.restore(session.save());
    const auto list = session.top_n(10), again = restored.top_n(10);
    REQUIRE(list.size() == 10);
    const auto together = batch.top_n(std::span(&history, 1), 10, Candidates(recommender)).front();
    for (std::size_t place = 0; place < 10; ++place) {
      REQUIRE(list[place].item == again[place].item);
      REQUIRE(list[place].score == again[place].score);
      REQUIRE(list[place].score == Approx(together[place].score).margin(1e-4));
    }
  }
}

TEST_CASE("Session kNN beside a network: saved and loaded it is the same, and what does not fit is named") {
  const TemporaryFolder folder;
  const Recommender saved = with_sessions();
  save(saved, folder.path() / "model");
  const Recommender loaded = load_recommender(folder.path() / "model");
  CHECK(loaded.session_knn_weight() == share);
  CHECK(loaded.fingerprint() == saved.fingerprint());
  const History history = sample_split().sequences[4];
  Matrix<float> before(saved.items(), 1), after(saved.items(), 1);
  saved.score({&history, 1}, before);
  loaded.score({&history, 1}, after);
  CHECK(before == after);
  save(saved.network_alone(), folder.path() / "alone");
  CHECK_FALSE(read_tensor_file(folder.path() / "alone").tensors.contains("sessions.items"));

  const auto message_after = [&](auto&& change) {
    TensorFile file = read_tensor_file(folder.path() / "model");
    change(file);
    write_tensor_file(folder.path() / "changed", file);
    return thrown<ModelFileError>([&] { load_recommender(folder.path() / "changed"); });
  };
  using F = TensorFile&;
  CHECK(contains(message_after([](F f) { f.tensors.erase("sessions.items"); }), "sessions.items is missing"));
  CHECK(
      contains(message_after([](F f) { f.metadata.erase("sessions.window"); }), "sessions.window: expected a number"));
  CHECK(contains(message_after([](F f) { f.metadata["sessions.sample"] = "18446744073709551615"; }),
                 "sample must be in [1, 1000000]"));
  const auto with_first = [&](const char* name, std::uint32_t number) {
    return message_after([&](F f) {
      auto numbers = f.get<std::uint32_t>(name);
      numbers[0] = number;
      f.put(name, {numbers.size()}, std::span<const std::uint32_t>(numbers));
    });
  };
  CHECK(contains(with_first("sessions.items", 4000000000), "sessions.items: expected items of the training part"));
  CHECK(contains(with_first("sessions.places", 0), "sessions.places: expected to fall"));
  CHECK(contains(message_after([](F f) {
                   auto ages = f.get<double>("sessions.ages");
                   ages[1] = std::nan("");
                   f.put("sessions.ages", {ages.size()}, std::span<const double>(ages));
                 }),
                 "sessions.ages: expected finite numbers"));
}

TEST_CASE("Session kNN beside a network: fit chooses its share on validation, or takes it as it is given") {
  const Split split = visits();
  RecommenderConfig config{.embedding_size = 4, .hidden_size = 4, .markov_weight = 0, .training = {.epochs = 1}};
  const Recommender chosen = fit(split, config).recommender;
  REQUIRE(chosen.uses_session_knn());  // after one epoch the network knows little
  const auto ndcg_with = [&](double weight) {
    Recommender other = chosen;
    other.set_session_knn_weight(weight);
    return evaluate(other, split, split.validation,
                    {.cutoffs = {10}, .exclude_seen = chosen.exclude_seen(), .bootstrap_samples = 0})
        .ndcg_at(10)
        .value;
  };
  for (const double weight : {0., .1, .2, .35, .5, .65})
    CHECK(ndcg_with(weight) <= ndcg_with(chosen.session_knn_weight()) + 1e-9);
  config.session_knn_weight = 0.3;
  CHECK(fit(split, config).recommender.session_knn_weight() == 0.3);
  config.session_knn_weight = 0;
  CHECK(fit(split, config).recommender.session_knn().sequences() == 0);
  config.session_knn_weight = 1;
  CHECK_THROWS_AS(fit(split, config), ConfigError);
}

TEST_CASE(
    "Session kNN beside a network: a share that gains less than 1%, or little of a few targets, is not worth its "
    "time") {
  const auto chosen_of = [](const std::map<double, double>& ndcg) {
    return choose_session_knn_weight([&](double weight) { return std::vector<double>(100, ndcg.at(weight)); });
  };
  CHECK(chosen_of({{0, .3}, {.1, .301}, {.2, .302}, {.35, .3025}, {.5, .2}, {.65, .1}}) == 0);
  CHECK(chosen_of({{0, .3}, {.1, .301}, {.2, .305}, {.35, .306}, {.5, .2}, {.65, .1}}) == .35);

  // Of n targets a third gains 1 and a quarter loses 1: a twelfth on average, with a standard error of .76 / √n.
  const auto chosen_among = [](std::size_t targets) {
    return choose_session_knn_weight([&](double weight) {
      std::vector<double> ndcg(targets, 0.5);
      for (std::size_t k = 0; k < targets && weight == 0.2; ++k) ndcg[k] += k % 12 < 4 ? 1 : k % 12 < 7 ? -1 : 0;
      return ndcg;
    });
  };
  CHECK(chosen_among(60) == 0);
  CHECK(chosen_among(120) == 0.2);
}

TEST_CASE("Session kNN beside a network: what does not belong together is refused") {
  auto parts = parts_of(sample_recommender());
  parts.config.session_knn_weight = 0.5;
  CHECK_THROWS_AS(Recommender(parts_of(sample_recommender())).set_session_knn_weight(0.5), std::invalid_argument);
  CHECK_THROWS_AS(Recommender(std::move(parts)), std::invalid_argument);
  Recommender recommender = with_sessions();
  CHECK_THROWS_AS(recommender.set_session_knn_weight(1), std::invalid_argument);
  CHECK_NOTHROW(recommender.set_session_knn_weight(0));
  CHECK_FALSE(recommender.uses_session_knn());
}

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <lstmrec/baselines/session_knn.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/data/split.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "catch.hpp"
#include "golden/golden.hpp"

using namespace lstmrec;

namespace {

using Rows = std::vector<std::tuple<int, int, int>>;  // visit, item, time

Split all_training(const Rows& rows) { return train_on_all(build_sequences(make_interactions(rows))); }

std::vector<float> scores_after(const SessionKnn& knn, const std::vector<std::uint32_t>& items,
                                const std::vector<std::int64_t>& times = {}) {
  const History history(items, times, {}, 0);
  std::vector<float> scores(static_cast<std::size_t>(knn.items()), -1);
  knn.score({&history, 1}, MatrixRef<float>(scores.data(), knn.items(), 1, knn.items()));
  return scores;
}

}  // namespace

TEST_CASE("Session kNN: V-SKNN, STAN and VSTAN give the scores of the authors' code") {
  const Golden golden("session_knn.txt");
  Rows rows;
  const auto& events = golden["events"];
  for (Index k = 0; k < events.cols(); ++k)
    rows.emplace_back(static_cast<int>(events(0, k)), static_cast<int>(events(1, k)), static_cast<int>(events(2, k)));
  const Split split = all_training(rows);
  const auto known = golden.list<std::int64_t>("items");
  const auto check = [&](const std::string& name, SessionKnnOptions options) {
    options.neighbours = 20;
    options.sample = 60;
    const SessionKnn knn(split, options);
    double largest = 0;
    std::size_t positive = 0;
    for (int number = 0; number < 100; ++number) {
      const std::string of = "_" + std::to_string(number);
      std::vector<std::uint32_t> items;
      for (const auto item : golden.list<std::int64_t>("history" + of))
        items.push_back(split.sequences.items.index(RawId(item)));
      const std::vector<std::int64_t> times(items.size(), static_cast<std::int64_t>(golden.number("time" + of)));
      std::vector<float> scores = scores_after(knn, items, times);
      if (options.is_vsknn) {
        const float most = *std::max_element(scores.begin(), scores.end());
        for (float& score : scores) score /= most;
      }
      const auto expected = golden.list<double>(name + of);
      const double scale = *std::max_element(expected.begin(), expected.end());
      for (std::size_t k = 0; k < known.size(); ++k) {
        const double found = scores[split.sequences.items.index(RawId(known[k]))];
        largest = std::max(largest, std::abs(found - expected[k]) / scale);
        positive += found > 0;
      }
    }
    INFO(name);
    CHECK(largest < 1e-6);
    CHECK(positive > 1000);
  };
  check("vsknn", SessionKnnOptions::vsknn());
  check("stan", {.position = 1.02, .days = 5, .distance = 2.05});
  check("vstan", {.position = 1.02, .days = 5, .distance = 2.05, .recency = 1.02, .rarity = 5});
  check("stan_tuned", SessionKnnOptions::stan());
}

TEST_CASE("Session kNN by hand") {
  // Visits of the items 0 to 4 that end at 10, 20 and 30 days.
  constexpr int day = 86400;
  const Split split = all_training({{1, 0, 10 * day},
                                    {1, 1, 10 * day},
                                    {2, 1, 20 * day},
                                    {2, 2, 20 * day},
                                    {2, 3, 20 * day},
                                    {3, 4, 30 * day},
                                    {3, 4, 30 * day}});
  SessionKnnOptions options{.neighbours = 10, .sample = 10, .position = 1, .days = 10, .distance = 1};
  const SessionKnn knn(split, options);
  CHECK(knn.sequences() == 3);
  CHECK(knn.places == std::vector<std::uint32_t>{2, 3, 2, 1, 2, 1});  // the last place of each item, the newest first
  const auto scores = scores_after(knn, {0, 1}, {40 * day, 40 * day});
  // w = e^-1 of item 0, 1 of item 1.
  const double e = std::exp(-1.0), norm = std::sqrt(1 + e * e);
  const double first = (1 + e) / (norm * std::sqrt(2.0)) * std::exp(-3.0),
               second = 1 / (norm * std::sqrt(3.0)) * std::exp(-2.0);
  CHECK(scores[0] == Approx(first * e));
  CHECK(scores[1] == Approx(first + second));
  CHECK(scores[2] == Approx(second * e));
  CHECK(scores[3] == Approx(second * e * e));
  CHECK(scores[4] == 0);

  // Without times in the history it ends with the log, which changes all scores by one factor.
  const auto untimed = scores_after(knn, {0, 1});
  for (std::size_t item = 0; item < 5; ++item) CHECK(untimed[item] == Approx(scores[item] * std::exp(1.0)));

  // One neighbour: the older visit has both items, and is more similar all the same.
  options.neighbours = 1;
  options.days = 0;
  CHECK(scores_after(SessionKnn(split, options), {0, 1})[2] == 0);
  // One candidate: the newer visit.
  options.sample = 1;
  CHECK(scores_after(SessionKnn(split, options), {0, 1})[0] == 0);
  CHECK(scores_after(SessionKnn(split, options), {0, 1})[2] > 0);
  // One event: item 0 is forgotten.
  options = {.neighbours = 10, .sample = 10, .position = 1, .days = 0, .distance = 0, .window = 1};
  const auto last = scores_after(SessionKnn(split, options), {0, 1});
  CHECK(last[0] == Approx(1 / std::sqrt(2.0)));
  CHECK(last[1] == Approx(1 / std::sqrt(2.0) + 1 / std::sqrt(3.0)));

  CHECK(scores_after(knn, {}) == std::vector<float>(5, 0.f));
  CHECK(scores_after(SessionKnn(split, {.rarity = 1}), {4})[4] == Approx(1 + std::log(3.0 / 2)));
  // Of so few entries, the newest visits.
  CHECK(SessionKnn(split, {}, 4).sequences() == 2);
  CHECK(SessionKnn(split, {.rarity = 1}, 4).training_sequences == 3);  // of which idf is made
  // A batch in which nobody has a neighbour still has a column a history.
  const History none;
  CHECK(knn.outputs({&none, 1}).rows() == 2);
}

TEST_CASE("Session kNN learns a robot's last items alone") {
  Rows rows;
  for (int k = 0; k < 4000; ++k) rows.emplace_back(1, k, k);
  const SessionKnn knn(all_training(rows));
  CHECK(knn.sequence_items.size() == default_user_items);
  CHECK(knn.places.front() == 4000);
  CHECK_NOTHROW(knn.check());
}

TEST_CASE("Session kNN: options outside their ranges are refused") {
  const Split split = all_training({{1, 0, 1}, {1, 1, 2}});
  for (const SessionKnnOptions& options : {SessionKnnOptions{.neighbours = 0},
                                           {.sample = 0},
                                           {.window = 0},
                                           {.position = -1},
                                           {.days = std::nan("")},
                                           {.days = 1, .is_vsknn = true}})
    CHECK_THROWS_AS(SessionKnn(split, options), ConfigError);
}

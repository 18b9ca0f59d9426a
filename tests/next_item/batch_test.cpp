#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/next_item/batch_builder.hpp>
#include <lstmrec/next_item/resolved_config.hpp>
#include <tuple>
#include <vector>

#include "catch.hpp"
#include "data/logs.hpp"
#include "eval/small_split.hpp"

using namespace lstmrec;

namespace {

/// All inputs of a split's only user as one batch, each with a weight of 1.
SequenceBatch batch_of(const std::vector<std::uint32_t>& items, const LabelOptions& labels) {
  auto events = items;
  events.insert(events.end(), {0, 0});  // left out for validation and test
  const Split split = split_of({events}, 9);
  std::vector<Subsequence> parts{{0, 0, static_cast<std::uint32_t>(items.size() - 1)}};
  SequenceBatch batch;
  BatchBuilder(split, labels).fill(parts, 1, 1, batch);
  for (auto& excluded : batch.excluded) excluded = {};  // would outlive the items
  return batch;
}

}  // namespace

TEST_CASE("windows cover every input of every user once, whatever the seed") {
  const Split split = leave_one_out(build_sequences(make_interactions(random_log(3, 2000, 40, 60))));
  std::vector<std::vector<Subsequence>> cuts;
  for (const std::uint64_t seed : {1, 2}) {
    std::vector<std::vector<int>> covered;
    for (const auto length : split.train_length) covered.emplace_back(length < 2 ? 0 : length - 1);
    cuts.push_back(cut_subsequences(split, 7, seed));
    for (const Subsequence& window : cuts.back()) {
      CHECK((window.size() >= 1 && window.size() <= 7));
      for (std::uint32_t k = window.begin; k < window.end; ++k) ++covered[window.user].at(k);
    }
    for (const auto& user : covered) CHECK(std::all_of(user.begin(), user.end(), [](int n) { return n == 1; }));
  }
  CHECK_FALSE(
      std::equal(cuts[0].begin(), cuts[0].end(), cuts[1].begin(), cuts[1].end(),
                 [](const Subsequence& a, const Subsequence& b) { return a.user == b.user && a.begin == b.begin; }));
}

TEST_CASE("an input predicts the events that follow it, with decaying weights") {
  const SequenceBatch batch = batch_of({1, 2, 3, 4}, {.horizon = 2, .decay = 0.5, .exclude_seen = true});
  CHECK(batch.inputs == std::vector<std::uint32_t>{1, 2, 3});
  CHECK(batch.labels == std::vector<std::uint32_t>{2, 3, 3, 4, 4, 0});
  const std::vector<float> weights{2 / 3.f, 1 / 3.f, 2 / 3.f, 1 / 3.f, 1, 0};
  for (std::size_t k = 0; k < weights.size(); ++k) CHECK(batch.weights[k] == Approx(weights[k]));
}

TEST_CASE("a target that stands far behind repeats has all the weight") {
  std::vector<std::uint32_t> items(160, 1);
  items.back() = 2;
  const SequenceBatch batch = batch_of(items, {.horizon = 200, .decay = 0.001, .exclude_seen = true});
  CHECK(batch.weights[158] == 1);
  CHECK(batch.labels[158] == 2);
}

TEST_CASE("an item that the user has had up to an input is no target of it where seen items are left out") {
  const std::vector<std::uint32_t> items{1, 2, 1, 3, 3, 2, 1};
  const SequenceBatch left_out = batch_of(items, {.horizon = 3, .decay = 1, .exclude_seen = true});
  // By input 1 2 1 3 3 2: of 2 1 3 all but 1; of 1 3 3 both 3; of 3 3 2 both 3; then nothing.
  const std::vector<float> weights{.5f, 0, .5f, 0, .5f, .5f, .5f, .5f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  for (std::size_t k = 0; k < weights.size(); ++k) CHECK(left_out.weights[k] == weights[k]);
  CHECK(left_out.labels == std::vector<std::uint32_t>{2, 0, 3, 0, 3, 3, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});

  const Split split = split_of({{1, 2, 1, 3, 3, 2, 1, 0, 0}}, 9);
  CHECK(BatchBuilder(split, {.horizon = 3, .decay = 1, .exclude_seen = true}).predictions({0, 0, 6}) == 3);
  CHECK(BatchBuilder(split, {.horizon = 1, .decay = 1, .exclude_seen = true}).predictions({0, 1, 6}) == 1);
  CHECK(BatchBuilder(split, {.horizon = 1, .decay = 1, .exclude_seen = false}).predictions({0, 0, 6}) == 6);

  const SequenceBatch left_in = batch_of(items, {.horizon = 1, .decay = 1, .exclude_seen = false});
  CHECK(left_in.labels == std::vector<std::uint32_t>(items.begin() + 1, items.end()));
  CHECK(left_in.weights == std::vector<float>(6, 1.f));
  CHECK(left_in.excluded.empty());
}

TEST_CASE("what is left out of an input's loss: every item up to it, once") {
  // The second user has repeats, so that the first one's lists are made too.
  for (const std::vector<std::uint32_t>& second :
       {std::vector<std::uint32_t>{4, 5, 6, 7, 8, 0, 1}, std::vector<std::uint32_t>{4, 5, 4, 6, 5, 4, 4}}) {
    const Split split = split_of({{1, 2, 3, 4, 5, 6, 7}, second}, 9);
    std::vector<Subsequence> parts{{1, 0, 2}, {0, 1, 4}, {1, 2, 4}};
    SequenceBatch batch;
    BatchBuilder(split, {.horizon = 1}).fill(parts, 1, 1, batch);
    std::size_t column = 0;
    for (Index step = 0; step < batch.steps.steps(); ++step)
      for (Index row = 0; row < batch.steps.alive(step); ++row, ++column) {
        const Subsequence& part = parts[static_cast<std::size_t>(row)];
        const auto history = split.train(part.user).items.first(part.begin + static_cast<std::size_t>(step) + 1);
        std::vector<std::uint32_t> expected;
        for (const std::uint32_t item : history)
          if (std::count(expected.begin(), expected.end(), item) == 0) expected.push_back(item);
        const auto found = batch.excluded[column];
        CHECK(std::vector<std::uint32_t>(found.begin(), found.end()) == expected);
      }
    CHECK(column == 7);
  }
}

TEST_CASE("a batch carries the times and ratings of its inputs where the data has them") {
  const Split split = leave_one_out(build_sequences(make_interactions(random_log(3, 500, 10, 20))));
  auto parts = cut_subsequences(split, 7, 1);
  SequenceBatch batch;
  BatchBuilder(split, {.horizon = 2}).fill(parts, 1, 1, batch);
  CHECK(batch.labels_per_column == 2);
  REQUIRE(batch.times.size() == batch.inputs.size());
  REQUIRE(batch.ratings.size() == batch.inputs.size());
  std::size_t column = 0;
  for (Index step = 0; step < batch.steps.steps(); ++step)
    for (Index row = 0; row < batch.steps.alive(step); ++row, ++column) {
      const Subsequence& part = parts[static_cast<std::size_t>(row)];
      const Event expected = split.train(part.user)[part.begin + static_cast<std::size_t>(step)];
      const Event found = batch.events()[column];
      CHECK((found.item == expected.item && found.time == expected.time && found.rating == expected.rating));
    }
  CHECK(column == batch.inputs.size());

  const SequenceBatch without = batch_of({1, 2, 3}, {});
  CHECK(without.times.empty());
  CHECK(without.ratings.empty());
}

TEST_CASE("Batches: labels count what their events count, and those of none are no labels") {
  Split split = train_on_all(build_sequences(
      make_interactions(std::vector<std::pair<int, int>>{{1, 0}, {1, 1}, {1, 2}, {1, 3}, {1, 4}, {2, 0}, {2, 1}})));
  split.sequences.events.weights = {1, 0, 3, 1, 0, 1, 0};
  const BatchBuilder builder(split, {.horizon = 2, .decay = .5, .exclude_seen = false});
  Subsequence parts[] = {{0, 0, 4}, {1, 0, 1}};
  CHECK(builder.predictions(parts[0]) == 3);  // after the fourth event there is an event that counts nothing
  CHECK(builder.predictions(parts[1]) == 0);
  SequenceBatch batch;
  builder.fill(std::span(parts, 1), 1, 1, batch);
  // Columns: events 0, 1, 2, 3; labels (1, 2), (2, 3), (3, 4), (4).
  CHECK(batch.weights == std::vector<float>{0, 3, 3 * 2 / 3.f, 1 / 3.f, 1, 0, 0, 0});
}

TEST_CASE("Repeats are left out unless more than one event in a hundred is one") {
  const auto log_of = [](int repeats) {
    std::vector<std::tuple<int, int, int, float>> rows;
    for (int k = 0; k < 200; ++k) rows.emplace_back(k / 50, k < repeats ? 0 : k, k, 1.0f);
    rows.emplace_back(9, 0, 0, 1.0f);
    return train_on_all(build_sequences(make_interactions(rows)));
  };
  REQUIRE(repeat_share(log_of(1)) == 0);
  REQUIRE(repeat_share(log_of(4)) == Approx(3 / 201.));
  REQUIRE(resolved({}, log_of(1)).exclude_seen == true);
  REQUIRE(resolved({}, log_of(3)).exclude_seen == true);
  REQUIRE(resolved({}, log_of(4)).exclude_seen == false);
  REQUIRE(resolved({.exclude_seen = true}, log_of(4)).exclude_seen == true);
  REQUIRE(resolved({.exclude_seen = false}, log_of(1)).exclude_seen == false);
}

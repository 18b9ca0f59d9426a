#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/baselines/markov.hpp>
#include <lstmrec/baselines/session_knn.hpp>
#include <lstmrec/data/align.hpp>
#include <lstmrec/eval/compare.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/next_item/fit.hpp>
#include <lstmrec/next_item/model_file.hpp>
#include <lstmrec/next_item/replay_memory.hpp>
#include <lstmrec/next_item/session.hpp>
#include <lstmrec/next_item/training_memory.hpp>
#include <lstmrec/next_item/update.hpp>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "../data/temporary_folder.hpp"
#include "../data/thrown.hpp"
#include "catch.hpp"
#include "io/tensor_file.hpp"

using namespace lstmrec;

namespace {

using Row = std::tuple<std::string, int, long>;

/// Visits that walk from item to item of one region, `item + 1` after `item`, in the order of time.
std::vector<Row> walks(const std::string& name, int visits, int first_item, int items, long begin) {
  Random random(mix_seed(first_item, visits));
  std::vector<Row> rows;
  for (int visit = 0; visit < visits; ++visit) {
    int item = static_cast<int>(random.below(static_cast<std::uint64_t>(items)));
    for (int k = 0; k < 5; ++k, item = (item + 1) % items)
      rows.emplace_back(name + std::to_string(visit), first_item + item, begin + 100 * visit + k);
  }
  return rows;
}

Split all_of(const std::vector<Row>& rows) { return train_on_all(build_sequences(make_interactions(rows))); }

/// The split with each event but a visit's first to be predicted.
Split tested_on(const std::vector<Row>& rows) {
  Split split = all_of(rows);
  for (std::uint32_t user = 0; user < split.sequences.size(); ++user) {
    split.train_length[user] = 0;
    for (std::uint32_t k = 1; k < split.sequences[user].size(); ++k) split.test.push_back({user, k});
  }
  return split;
}

RecommenderConfig update_config(std::int64_t memory) {
  return {.embedding_size = 16,
          .hidden_size = 16,
          .dropout = 0,
          .markov_weight = 0.5,
          .session_knn_weight = 0.25,
          .exclude_seen = false,
          .memory_sequences = memory,
          .training = {.epochs = 6, .learning_rate = 0.02, .ema_decay = 0.9}};
}

const std::vector<Row>& old_log() {
  static const auto rows = walks("old", 80, 0, 20, 1000);
  return rows;
}
/// Items 20 … 39, of which 30 … 39 are new and the others are met for the second time.
const std::vector<Row>& new_log() {
  static const auto rows = walks("new", 60, 10, 30, 100000);
  return rows;
}

const Recommender& old_recommender() {
  static const Recommender recommender = fit(all_of(old_log()), update_config(50)).recommender;
  return recommender;
}

std::vector<Row> both_logs() {
  auto rows = old_log();
  rows.insert(rows.end(), new_log().begin(), new_log().end());
  return rows;
}

}  // namespace

TEST_CASE("update: counts, chain and sessions are those of both logs together") {
  const Recommender after = update(old_recommender(), all_of(new_log()), 1).recommender;
  const Split both = all_of(both_logs());
  REQUIRE(after.item_ids() == both.sequences.items);  // the old items first
  CHECK(after.items() == 40);
  CHECK(after.catalogue().size() == 40);
  CHECK(after.item_counts() == training_counts(both));
  const MarkovChain chain(both, {.followers = followers_of(after.config(), 40)});
  CHECK(after.markov().transitions.offsets == chain.transitions.offsets);
  CHECK(after.markov().transitions.items == chain.transitions.items);
  for (std::size_t k = 0; k < chain.transitions.values.size(); ++k)
    CHECK(after.markov().transitions.values[k] == Approx(chain.transitions.values[k]));
  for (std::size_t item = 0; item < chain.totals.size(); ++item)
    CHECK(after.markov().totals[item] == Approx(chain.totals[item]));
  CHECK(after.markov().popularity.shares == chain.popularity.shares);
  const SessionKnn knn(both);
  CHECK(after.session_knn().offsets == knn.offsets);
  CHECK(after.session_knn().sequence_items == knn.sequence_items);
  CHECK(after.session_knn().places == knn.places);
  CHECK(after.session_knn().ages == knn.ages);
  CHECK(after.session_knn().log_end == knn.log_end);
  CHECK(after.session_knn().counts == knn.counts);
  CHECK(after.session_knn().training_sequences == knn.training_sequences);
  CHECK(after.memory().size() == 0);  // session kNN has the sequences
  CHECK(after.markov_weight() == 0.5);
  CHECK(after.session_knn_weight() == 0.25);
  CHECK(after.trained_on().events == 700);
  CHECK(after.trained_on().last_time == both.sequences.events.times.back());
}

TEST_CASE("update: a chain with few followers keeps the sums of all") {
  const Split first = all_of(old_log()), second = all_of(walks("new", 60, 0, 20, 100000));
  const MarkovOptions few{.followers = 2};
  const auto counts = [&] {
    auto sum = training_counts(first);
    const auto more = training_counts(second);
    for (std::size_t item = 0; item < sum.size(); ++item)
      sum[item] += more[second.sequences.items.index(first.sequences.items.id(static_cast<std::uint32_t>(item)))];
    return sum;
  }();
  // The items of `second` in the order of `first`.
  const Split aligned = align_split(second, first.sequences.items, first.sequences.catalogue);
  const MarkovChain chain = merged(MarkovChain(first, few), MarkovChain(aligned, few), counts);
  const MarkovChain all_of_first(first), all_of_second(aligned);
  for (std::size_t item = 0; item < counts.size(); ++item) {
    CHECK(chain.transitions[item].size() <= 2);
    CHECK(chain.totals[item] == Approx(all_of_first.totals[item] + all_of_second.totals[item]));
  }
  chain.check();
}

TEST_CASE("update: sessions without times are in the order of the logs, and no more than fit are kept") {
  std::vector<std::pair<std::string, int>> first{{"a", 1}, {"a", 2}, {"b", 2}, {"b", 3}},
      second{{"c", 3}, {"c", 1}, {"d", 2}, {"d", 1}};
  const Split one = train_on_all(build_sequences(make_interactions(first)));
  const Split two = align_split(train_on_all(build_sequences(make_interactions(second))), one.sequences.items,
                                one.sequences.catalogue);
  const SessionKnn knn = merged(SessionKnn(one), SessionKnn(two), {2, 4, 2}, 7);
  CHECK(knn.sequence_items == std::vector<std::uint32_t>{0, 1, 0, 2, 2, 1});  // d, c, b; a would be two too many
  CHECK(knn.training_sequences == 4);
  knn.check();
}

TEST_CASE("update: without an epoch the network is that of before, and new items have vectors of their own") {
  const Recommender &before = old_recommender(), after = update(before, all_of(new_log()), 0).recommender;
  const auto from = parameter_views(before.network()), to = parameter_views(after.network());
  REQUIRE(from.size() == to.size());
  for (std::size_t k = 0; k < from.size(); ++k) {
    if (is_by_item(from[k].kind)) CHECK(to[k].size() == 2 * from[k].size());
    CHECK(std::equal(from[k].data, from[k].data + from[k].size(), to[k].data));
  }
}

TEST_CASE("update: learns the new log, and forgets less with a memory") {
  const Split fresh = tested_on(walks("test", 40, 10, 30, 900000)), old = tested_on(walks("again", 40, 0, 20, 900000));
  const auto without = [&] {
    auto config = update_config(0);
    config.markov_weight = config.session_knn_weight = 0;
    return fit(all_of(old_log()), config).recommender;
  }();
  const auto with = [&] {
    auto config = update_config(100);
    config.markov_weight = config.session_knn_weight = 0;
    return fit(all_of(old_log()), config).recommender;
  }();
  const Split today = all_of(walks("new", 60, 20, 20, 100000));  // other items alone
  const auto ndcg = [](const Recommender& recommender, const Split& split) {
    return evaluate(recommender, split, split.test, {.exclude_seen = false}).ndcg_at(10).value;
  };
  const double before = ndcg(without, old);
  CHECK(before > 0.8);
  const Recommender forgetful = update(without, today, 12).recommender, mindful = update(with, today, 12).recommender;
  CHECK(ndcg(forgetful, fresh) > ndcg(without, fresh));
  CHECK(ndcg(mindful, old) > ndcg(forgetful, old));
  CHECK(ndcg(mindful, old) > 0.95 * before);
}

TEST_CASE("update: the same from a saved model, and for any number of threads") {
  const bool has_sessions = GENERATE(true, false);
  RecommenderConfig config = update_config(50);
  if (!has_sessions) config.session_knn_weight = 0;
  const Recommender before = fit(all_of(old_log()), config).recommender;
  CHECK(before.memory().size() == (has_sessions ? 0 : 50));
  const TemporaryFolder folder;
  save(before, folder.path() / "old");
  const Recommender loaded = load_recommender(folder.path() / "old");
  CHECK(loaded.memory().keys == before.memory().keys);
  CHECK(loaded.memory().items == before.memory().items);
  CHECK(loaded.memory().offsets == before.memory().offsets);
  const Recommender after = update(before, all_of(new_log()), 2, {.threads = 1}).recommender;
  CHECK(after.memory().size() == before.memory().size());
  save(after, folder.path() / "one");
  save(update(loaded, all_of(new_log()), 2, {.threads = 3}).recommender, folder.path() / "three");
  CHECK(read_tensor_file(folder.path() / "one") == read_tensor_file(folder.path() / "three"));
}

TEST_CASE("update: users of two logs are two sequences, and titles are those of the new log") {
  const std::vector<Row> again{{"old1", 3, 200000}, {"old1", 4, 200001}, {"old1", 77, 200002}};
  Split split = all_of(again);
  split.sequences.catalogue[0].title = "Three";
  const Recommender after = update(old_recommender(), split, 1).recommender;
  CHECK(after.items() == 21);
  CHECK(after.catalogue()[after.item_ids().index(3)].title == "Three");
  CHECK(after.session_knn().sequences() == 81);
  Session session(after);
  for (const int id : {3, 4, 77}) session.observe(id);
  CHECK(session.top_n(5).size() == 5);
}

TEST_CASE("update: what a recommender cannot be updated with is refused") {
  CHECK_THROWS_AS(update(Recommender(), all_of(new_log())), std::invalid_argument);
  RecommenderConfig larger = old_recommender().config();
  larger.hidden_size = 32;
  CHECK_THROWS_AS(update(old_recommender(), all_of(new_log()), larger), ConfigError);
  const std::vector<Row> alone{{"a", 1, 1}, {"b", 2, 1}};
  auto forgetful = old_recommender().config();
  forgetful.memory_sequences = 0;
  forgetful.session_knn_weight = 0;
  const Recommender without = fit(all_of(old_log()), forgetful).recommender;
  CHECK_THROWS_AS(update(without, all_of(alone)), DataError);
}

TEST_CASE("Replay memory: every sequence of both logs is as likely to be kept") {
  const Split first = all_of(walks("a", 600, 0, 20, 0)), second = all_of(walks("b", 400, 0, 20, 0));
  double of_second = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const ReplayMemory one = remembered({}, first, 100, 1 << 20, mix_seed(seed, 1));
    REQUIRE(one.size() == 100);
    const ReplayMemory both = remembered(one, second, 100, 1 << 20, mix_seed(seed, 2));
    REQUIRE(both.size() == 100);
    both.check(20);
    for (const std::uint64_t key : both.keys) of_second += !std::binary_search(one.keys.begin(), one.keys.end(), key);
  }
  CHECK(of_second / 20 == Approx(40).margin(4));  // 40 of 100, with a standard deviation of 4.6 / √20
}

TEST_CASE("Replay memory: of session kNN, whose sequences know the last place of each item") {
  const std::vector<std::pair<int, int>> rows{{1, 5}, {1, 5}, {1, 7}, {1, 8}, {1, 7}, {1, 9}, {2, 9}, {2, 5}};
  const SessionKnn knn(train_on_all(build_sequences(make_interactions(rows))));
  const ReplayMemory memory = memory_of(knn);
  memory.check(4);
  // Items 5, 7, 8, 9 are 0, 1, 2, 3; the later sequence comes first, and of the first 7 only its place is known.
  CHECK(memory.items == std::vector<std::uint32_t>{3, 0, 0, 0, 2, 2, 1, 3});
  CHECK(memory.offsets == std::vector<std::size_t>{0, 2, 8});

  // Two items in turn: no long run of the first.
  std::vector<std::pair<int, int>> turns;
  for (int k = 0; k < 100; ++k) turns.emplace_back(1, k % 2);
  CHECK(memory_of(SessionKnn(train_on_all(build_sequences(make_interactions(turns))))).items ==
        std::vector<std::uint32_t>{0, 0, 1});
}

TEST_CASE("Replay memory: long sequences are cut, those of one event are left out, and the events are limited") {
  std::vector<std::pair<int, int>> rows{{1, 5}};
  for (int k = 0; k < 1500; ++k) rows.emplace_back(2, k);
  for (int user = 3; user < 10; ++user)
    for (int k = 0; k < 100; ++k) rows.emplace_back(user, k);
  const Split split = train_on_all(build_sequences(make_interactions(rows)));
  const ReplayMemory memory = remembered({}, split, 100, 1 << 20, 1);
  CHECK(memory.size() == 8);
  CHECK(memory.items.size() == 1700);
  const ReplayMemory few = remembered({}, split, 100, 300, 1);
  CHECK(few.items.size() <= 300);
  CHECK(remembered({}, split, 0, 300, 1).size() == 0);
  ReplayMemory damaged = memory;
  damaged.items[3] = 5000;
  CHECK(thrown<std::invalid_argument>([&] { damaged.check(1500); }) ==
        "items: expected numbers below 1500, found 5000");
  damaged = memory;
  damaged.offsets.back() = 7;
  CHECK_THROWS_AS(damaged.check(1500), std::invalid_argument);
  damaged = memory;
  std::swap(damaged.keys.front(), damaged.keys.back());
  CHECK_THROWS_AS(damaged.check(1500), std::invalid_argument);
}

TEST_CASE("evaluate: yesterday's and today's model on today's data, whose items yesterday's does not know") {
  const Split today = tested_on(walks("test", 40, 10, 30, 900000));
  const Recommender after = update(old_recommender(), all_of(new_log()), 2).recommender;
  const Evaluation newer = evaluate(after, today, today.test, {.exclude_seen = false});
  const Evaluation older = evaluate(old_recommender(), today, today.test, {.exclude_seen = false});
  CHECK(newer.items == 40);
  CHECK(older.items == 20);
  REQUIRE(older.ranks.size() == today.test.size());
  std::size_t unknown = 0;
  for (std::size_t k = 0; k < older.ranks.size(); ++k) {
    const auto id = today.sequences.items.id(today.event(today.test[k]).item);
    if (old_recommender().item_ids().find(id)) continue;
    ++unknown;
    CHECK(older.ranks[k] == metrics::not_ranked);
  }
  CHECK(unknown > 20);
  CHECK(older.protocol.find(std::to_string(unknown) + " targets unknown to the model are misses") != std::string::npos);
  CHECK(compare(newer, older).ndcg.value == Approx(newer.ndcg_at(10).value - older.ndcg_at(10).value));

  // The ranks are those of a session that is told what the model knows.
  const Target target = today.test.back();
  const History history = today.history(target);
  Session session(after);
  for (const std::uint32_t item : history.items) session.observe(today.sequences.items.id(item));
  const auto list = session.top_n(40);
  std::uint32_t rank = 1;
  for (const auto& place : list) {
    if (place.item == today.sequences.items.id(today.event(target).item)) break;
    ++rank;
  }
  CHECK(newer.ranks.back() == rank);
}

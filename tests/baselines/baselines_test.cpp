#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/baselines/item_knn.hpp>
#include <lstmrec/baselines/linear.hpp>
#include <lstmrec/baselines/markov.hpp>
#include <lstmrec/baselines/markov_tensors.hpp>
#include <lstmrec/baselines/popularity.hpp>
#include <lstmrec/baselines/recent_items.hpp>
#include <lstmrec/baselines/repeats.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/io/tensor_reader.hpp>
#include <lstmrec/io/tensor_writer.hpp>
#include <map>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "baselines/scores_of.hpp"
#include "catch.hpp"
#include "data/temporary_folder.hpp"
#include "eval/small_split.hpp"

using namespace lstmrec;

namespace {

// Training parts: 0 1 2 | 0 1 | 3 0 2 (the last two events of each are held out).
Split three_users() { return split_of({{0, 1, 2, 3, 4}, {0, 1, 4, 3}, {3, 0, 2, 1, 4}}, 5); }

}  // namespace

TEST_CASE("popularity counts the training part alone") {
  const Split split = three_users();
  CHECK(training_counts(split) == std::vector<std::uint32_t>{3, 2, 2, 1, 0});
  check_near(scores_of(Popularity(split), {}), {3 / 8., 2 / 8., 2 / 8., 1 / 8., 0});
}

TEST_CASE("recent popularity counts the last days of the training part alone") {
  constexpr long day = 86400;
  const std::vector<std::tuple<int, int, long>> rows{{1, 0, 0},        {1, 1, 8 * day}, {2, 1, 9 * day},
                                                     {2, 2, 10 * day}, {3, 0, 3 * day}, {4, 2, 20 * day}};
  Split split = train_on_all(build_sequences(make_interactions(rows)));
  CHECK(recent_counts(split, 1) == std::vector<std::uint32_t>{0, 0, 1});
  split.train_length[3] = 0;  // so that the training part ends on the tenth day
  CHECK(recent_counts(split, 1) == std::vector<std::uint32_t>{0, 1, 1});
  CHECK(recent_counts(split, 7) == std::vector<std::uint32_t>{1, 2, 1});
  CHECK(recent_counts(three_users(), 1) == training_counts(three_users()));  // which have no times
}

TEST_CASE("repeats are a history's items, the last first, and then the popular ones") {
  const Repeats repeats(three_users());
  check_near(scores_of(repeats, {2, 4, 2, 1}), {3 / 8., 2 + 1., 2 + 1 / 2., 1 / 8., 2 + 1 / 3.});
  check_near(scores_of(repeats, {}), {3 / 8., 2 / 8., 2 / 8., 1 / 8., 0});
}

TEST_CASE("sequential rules are what follows the last item, the nearer the more") {
  // 0→1: 1 + 1, 0→2: 1/2 + 1; nothing is said of other items but in how popular they are.
  const auto scores = scores_of(MarkovChain(three_users(), MarkovOptions::sequential_rules()), {3, 0});
  CHECK(scores[1] == Approx(2 / 3.5).margin(1e-5));
  CHECK(scores[2] == Approx(1.5 / 3.5).margin(1e-5));
  CHECK(scores[3] < 1e-5);
}

TEST_CASE("a first-order chain by hand") {
  const MarkovChain chain(three_users(), MarkovOptions::first_order());
  // Transitions 0→1 twice, 0→2 once, 1→2 once, 3→0 once.
  CHECK(chain.transitions[0].items.size() == 2);
  CHECK(chain.totals == std::vector<float>{3, 1, 0, 1, 0});
  const double w = chain.options.popularity_weight;
  check_near(scores_of(chain, {3, 1, 0}), {w * 3 / 8, 2 / 4. + w * 2 / 8, 1 / 4. + w * 2 / 8, w * 1 / 8, 0});
  check_near(scores_of(chain, {0, 2}), {w * 3 / 8, w * 2 / 8, w * 2 / 8, w / 8, 0});
  check_near(scores_of(chain, {}), {3 / 8., 2 / 8., 2 / 8., 1 / 8., 0});
}

TEST_CASE("a decayed chain by hand") {
  const MarkovChain chain(three_users(), {.popularity_weight = 0.01});
  // m(0→·): 1: 1 + 1, 2: 1/2 + 1. m(1→2) = 1. m(3→0) = 1, m(3→2) = 1/2.
  CHECK(chain.totals == std::vector<float>{3.5, 1, 0, 1.5, 0});
  const double w = 0.01 * (1 + .8 + .64);
  check_near(scores_of(chain, {0, 1, 3}), {1 / 6.5 + w * 3 / 8, .64 * 2 / 8.5 + w * 2 / 8,
                                           .5 / 6.5 + .8 / 6 + .64 * 1.5 / 8.5 + w * 2 / 8, w / 8, 0});
}

TEST_CASE("a chain forgets what is older than its window and farther than its gap") {
  const Split split = split_of({{0, 1, 2, 3, 4, 4, 4}}, 5);  // trained on 0 1 2 3 4
  const MarkovChain chain(split, {.max_gap = 2, .smoothing = 0, .window = 2, .popularity_weight = 0});
  CHECK(chain.totals == std::vector<float>{1.5, 1.5, 1.5, 1, 0});
  check_near(scores_of(chain, {0, 0, 1, 3}), {0, 0, .8 / 1.5, .8 * .5 / 1.5, 1});
  check_near(scores_of(chain, {4}), {0, 0, 0, 0, 0});  // no transitions and no smoothing: no 0 / 0
}

TEST_CASE("the decayed chain equals its definition on random sequences with repeats") {
  const Split split = random_split();
  const MarkovChain chain(split);
  std::map<std::pair<std::uint32_t, std::uint32_t>, double> m;
  std::map<std::uint32_t, double> total, count;
  double events = 0;
  for (std::size_t user = 0; user < split.sequences.size(); ++user) {
    const History train = split.train(user);
    for (std::size_t i = 0; i < train.size(); ++i) {
      ++events, ++count[train[i].item];
      for (std::size_t j = i + 1; j < train.size() && j - i <= 10; ++j) {
        m[{train[i].item, train[j].item}] += 1 / static_cast<double>(j - i);
        total[train[i].item] += 1 / static_cast<double>(j - i);
      }
    }
  }
  for (const Target target : split.test) {
    const History history = split.history(target);
    std::vector<double> expected(split.sequences.items.size());
    for (std::uint32_t item = 0; item < expected.size(); ++item)
      for (std::size_t age = 0; age < 20 && age < history.size(); ++age) {
        const auto from = history[history.size() - 1 - age].item;
        expected[item] += std::pow(.8, age) * (m[{from, item}] / (total[from] + 5) + 1e-6 * count[item] / events);
      }
    check_near(scores_of(chain, history), expected);
  }
}

TEST_CASE("a chain keeps the followers of the highest sums, of equal ones those of the lower index") {
  const Split split = random_split();
  std::size_t ties = 0;
  for (const MarkovOptions& all : {MarkovOptions{}, MarkovOptions::first_order()}) {
    const MarkovChain whole(split, all);
    for (const std::size_t followers : {1u, 5u, 17u, 1000u}) {
      MarkovOptions options = all;
      options.followers = followers;
      const MarkovChain chain(split, options);
      CHECK(chain.totals == whole.totals);  // of all followers, so that what is kept has its probability
      SparseRows expected;
      for (std::size_t item = 0; item < whole.totals.size(); ++item) {
        const SparseRows::Row row = whole.transitions[item];
        std::vector<std::size_t> order(row.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return row.values[a] > row.values[b]; });
        const std::size_t kept = std::min(followers, row.size());
        ties += kept < row.size() && row.values[order[kept - 1]] == row.values[order[kept]];
        order.resize(kept);
        std::sort(order.begin(), order.end());
        for (const std::size_t k : order) expected.push(row.items[k], row.values[k]);
        expected.end_row();
      }
      CHECK(chain.transitions.offsets == expected.offsets);
      CHECK(chain.transitions.items == expected.items);
      CHECK(chain.transitions.values == expected.values);
      const std::size_t bytes = 8 * expected.items.size() + 16 * chain.totals.size();
      CHECK(bytes <= MarkovChain::bytes(chain.totals.size(), split.sequences.events.size(), followers));
    }
  }
  CHECK(ties > 10);
  CHECK(MarkovChain::bytes(10'000'000, 1'000'000'000, 64) == 10'000'000ull * (8 * 64 + 16));
  CHECK(MarkovChain::bytes(10, 1000, 64) == 10 * (8 * 10 + 16));
  CHECK(MarkovChain::bytes(10, 5, 64) == 8 * 50 + 16 * 10);
}

TEST_CASE("a chain that is counted in blocks of items is the one that is counted at once") {
  const Split split = random_split();
  for (const std::size_t followers : {0u, 5u}) {
    const MarkovChain whole(split, {.followers = followers});
    for (const std::size_t block_events : {1u, 100u, 700u}) {  // one item a block, a few, nearly half
      const MarkovChain chain(split, {.followers = followers}, block_events);
      CHECK(chain.transitions.offsets == whole.transitions.offsets);
      CHECK(chain.transitions.items == whole.transitions.items);
      CHECK(chain.transitions.values == whole.transitions.values);
      CHECK(chain.totals == whole.totals);
    }
  }
}

TEST_CASE("a chain's limit of followers is in its file, and a file without one has all of them") {
  const Split split = random_split();
  const TemporaryFolder folder;
  for (const std::size_t followers : {0u, 5u}) {
    const MarkovChain chain(split, {.followers = followers});
    TensorWriter file;
    put_counts(file, chain);
    file.write(folder.path() / "counts");
    file.metadata.erase("counts.followers");
    file.write(folder.path() / "old");
    for (const char* name : {"counts", "old"}) {
      TensorReader reader(folder.path() / name);
      const MarkovChain read = get_counts(reader, training_counts(split));
      CHECK(read.options.followers == (std::string(name) == "old" ? 0 : followers));
      CHECK(read.options.decay == chain.options.decay);
      CHECK(read.transitions.offsets == chain.transitions.offsets);
      CHECK(read.transitions.items == chain.transitions.items);
      CHECK(read.transitions.values == chain.transitions.values);
      CHECK(read.totals == chain.totals);
    }
  }
}

TEST_CASE("recent items are a user's last different ones, and everything of a user with few") {
  const std::vector<std::uint32_t> items{4, 1, 3, 1, 0, 3, 3}, others{3, 0};
  const History history(items);
  std::vector<std::uint32_t> found{9};
  const auto last = [&](std::size_t limit) {
    RecentItems recent(5, limit);
    recent.collect(History(others), found);
    CHECK(found == std::vector<std::uint32_t>{0, 3});
    recent.collect(history, found);
    return found;
  };
  CHECK(last(2) == std::vector<std::uint32_t>{0, 3});
  CHECK(last(3) == std::vector<std::uint32_t>{0, 1, 3});
  CHECK(last(4) == std::vector<std::uint32_t>{0, 1, 3, 4});
  CHECK(last(5) == std::vector<std::uint32_t>{0, 1, 3, 4});
}

TEST_CASE("pairs of users are counted up to the limit, beyond 32 bits") {
  CHECK(user_pairs({}) == 0);
  const std::vector<std::uint32_t> lengths{0, 1, 2, 3, 4000000000u};
  CHECK(user_pairs(lengths, 2) == 1 + 4 + 4 + 4);
  CHECK(user_pairs(lengths) == 1 + 4 + 9 + 2500ull * 2500);
  CHECK(user_pairs(lengths, ~std::size_t{0}) == 14 + 16'000'000'000'000'000'000ull);
}

TEST_CASE("item neighbours and EASE learn a robot's last items alone") {
  // User 1 is the robot: of items 0 … 5, with a limit of three, 3, 5 and 4 are the last different ones.
  const Split split = split_of({{0, 1, 2, 0, 0}, {0, 1, 2, 3, 4, 5, 5, 4, 3, 0, 0}, {3, 4, 0, 0}}, 6);
  const Split cut = split_of({{0, 1, 2, 0, 0}, {3, 4, 5, 0, 0}, {3, 4, 0, 0}}, 6);
  const ItemKnn knn(split, {.user_items = 3}), of_cut(cut), whole(split), with_limit(split, {.user_items = 6});
  CHECK(knn.similarities.items == of_cut.similarities.items);
  CHECK(knn.similarities.values == of_cut.similarities.values);
  CHECK(knn.similarities.items != whole.similarities.items);
  CHECK(with_limit.similarities.items == whole.similarities.items);
  CHECK(with_limit.similarities.values == whole.similarities.values);
  CHECK(EaseEquations(split, {50, .9}, 3).gram == EaseEquations(cut).gram);
  CHECK(EaseEquations(split, {50, .9}, 3).gram != EaseEquations(split).gram);
  CHECK(EaseEquations(split, {50, .9}, 6).gram == EaseEquations(split).gram);
}

TEST_CASE("item neighbours by hand") {
  // Training parts: {0, 1, 2}, {0, 1}, {0, 2, 2}, {3}.
  const Split split = split_of({{0, 1, 2, 3, 3}, {0, 1, 3, 3}, {0, 2, 2, 3, 3}, {3, 0, 0}}, 4);
  const ItemKnn knn(split, {.neighbours = 1, .shrinkage = 2});
  const double s01 = 2 / (std::sqrt(3 * 2) + 2), s12 = 1 / (2 + 2.);
  CHECK(s01 > s12);
  check_near(scores_of(knn, {0}), {0, s01, 0, 0});  // 1 and 2 are equally near: the lower index stays
  check_near(scores_of(knn, {2, 1}), {s01 + .8 * s01, 0, 0, 0});
  check_near(scores_of(knn, {3}), {0, 0, 0, 0});
  check_near(scores_of(knn, {}), {0, 0, 0, 0});
  check_near(scores_of(ItemKnn(split, {.shrinkage = 2, .window = 1}), {0, 1}), {s01, 0, s12, 0});
}

TEST_CASE("item neighbours equal their definition on random sequences") {
  const Split split = random_split();
  const std::size_t items = split.sequences.items.size();
  const ItemKnn knn(split, {.neighbours = 7});
  std::vector<std::set<std::uint32_t>> users(items);
  for (std::uint32_t user = 0; user < split.sequences.size(); ++user)
    for (const Event& event : split.train(user)) users[event.item].insert(user);
  for (std::uint32_t item = 0; item < items; ++item) {
    std::vector<std::pair<float, int>> similar;
    for (std::uint32_t other = 0; other < items; ++other) {
      if (other == item) continue;
      std::vector<std::uint32_t> both;
      std::set_intersection(users[item].begin(), users[item].end(), users[other].begin(), users[other].end(),
                            std::back_inserter(both));
      const double root = std::sqrt(static_cast<double>(users[item].size() * users[other].size()));
      similar.emplace_back(static_cast<float>(static_cast<double>(both.size()) / (root + 20)),
                           -static_cast<int>(other));
    }
    std::sort(similar.rbegin(), similar.rend());
    std::vector<double> expected(items);
    for (std::size_t k = 0; k < 7; ++k) expected[static_cast<std::size_t>(-similar[k].second)] = similar[k].first;
    check_near(scores_of(knn, {item}), expected);
  }
}

TEST_CASE("permuting the events after a target changes no score of a baseline") {
  const Split split = random_split();
  Split permuted = split;
  for (const Target target : split.validation) {
    // The validation event is the target: what comes after it, and whether it is itself, must not matter.
    auto& items = permuted.sequences.events.items;
    const std::size_t place = permuted.sequences.offsets[target.user] + target.position;
    std::swap(items[place], items[place + 1]);
  }
  const auto check_same = [&](const auto& one, const auto& other) {
    for (const Target target : split.validation)
      REQUIRE(scores_of(one, split.history(target)) == scores_of(other, permuted.history(target)));
  };
  check_same(Popularity(split), Popularity(permuted));
  check_same(MarkovChain(split, MarkovOptions::first_order()), MarkovChain(permuted, MarkovOptions::first_order()));
  check_same(MarkovChain(split), MarkovChain(permuted));
  check_same(ItemKnn(split), ItemKnn(permuted));
  check_same(EaseEquations(split).solve(10), EaseEquations(permuted).solve(10));
  check_same(DecayedRidgeEquations(split).solve(10), DecayedRidgeEquations(permuted).solve(10));

  // And a training event does matter, so that the test could fail.
  Split changed = split;
  for (std::uint32_t& item : changed.sequences.events.items) item = 0;
  const Target first = split.validation.front();
  CHECK(scores_of(MarkovChain(split), split.history(first)) != scores_of(MarkovChain(changed), split.history(first)));
}

TEST_CASE("Markov chain with similar items: P has the similarity added, and the best of the sum are kept") {
  const Split split = split_of({{0, 1, 2, 3, 4}, {2, 1, 0, 4, 3}, {3, 2, 5, 6, 1}, {5, 4, 6, 0, 2}}, 8);
  const MarkovChain plain(split), mixed(split, {.item_knn_weight = 0.3});
  const ItemKnn similar(split);
  CHECK(mixed.totals == plain.totals);
  const auto probability = [](const MarkovChain& chain, std::size_t item, std::uint32_t next) {
    std::vector<float> scores(8);
    const std::vector<std::uint32_t> history{static_cast<std::uint32_t>(item)};
    chain.score(History(history), scores);
    return scores[next];
  };
  for (std::size_t item = 0; item < 8; ++item)
    for (std::uint32_t next = 0; next < 8; ++next) {
      float s = 0;
      const auto row = similar.similarities[item];
      for (std::size_t k = 0; k < row.size(); ++k) s += row.items[k] == next ? row.values[k] : 0;
      CHECK(probability(mixed, item, next) == Approx(probability(plain, item, next) + 0.3f * s).margin(1e-7));
    }
  const MarkovChain few(split, {.followers = 2, .item_knn_weight = 0.3});
  for (std::size_t item = 0; item < 8; ++item) {
    std::vector<float> all(mixed.transitions[item].values.begin(), mixed.transitions[item].values.end());
    std::sort(all.rbegin(), all.rend());
    const auto kept = few.transitions[item];
    REQUIRE(kept.size() == std::min<std::size_t>(2, all.size()));
    for (const float value : kept.values) CHECK(value >= all[kept.size() - 1]);
  }
  CHECK_THROWS_AS(MarkovChain(split, {.item_knn_weight = -1}), ConfigError);
}

TEST_CASE("baselines refuse options out of range") {
  const Split split = three_users();
  CHECK_THROWS_AS(MarkovChain(split, {.max_gap = 0}), ConfigError);
  CHECK_THROWS_AS(MarkovChain(split, {.smoothing = -1}), ConfigError);
  CHECK_THROWS_AS(MarkovChain(split, {.window = 0}), ConfigError);
  CHECK_THROWS_AS(MarkovChain(split, {.decay = 1.5}), ConfigError);
  CHECK_THROWS_AS(MarkovChain(split, {.popularity_weight = std::nan("")}), ConfigError);
  CHECK_THROWS_AS(ItemKnn(split, {.neighbours = 0}), ConfigError);
  CHECK_THROWS_AS(ItemKnn(split, {.shrinkage = -1}), ConfigError);
  CHECK_THROWS_AS(ItemKnn(split, {.shrinkage = std::numeric_limits<double>::infinity()}), ConfigError);
  CHECK_THROWS_AS(ItemKnn(split, {.user_items = 0}), ConfigError);
  CHECK_THROWS_AS(EaseEquations(split, {50, .9}, 0), ConfigError);
  CHECK_THROWS_AS(ItemKnn(split, {.window = 0}), ConfigError);
  CHECK_THROWS_AS(ItemKnn(split, {.decay = 0}), ConfigError);
}

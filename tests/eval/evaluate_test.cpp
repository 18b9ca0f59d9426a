#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/baselines/item_knn.hpp>
#include <lstmrec/baselines/markov.hpp>
#include <lstmrec/baselines/popularity.hpp>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/fingerprint.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/eval/compare.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/eval/metrics.hpp>
#include <lstmrec/eval/ranking.hpp>
#include <lstmrec/eval/scorer.hpp>
#include <lstmrec/eval/table.hpp>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"
#include "data/logs.hpp"
#include "data/thrown.hpp"
#include "eval/scorers.hpp"
#include "eval/small_split.hpp"

using namespace lstmrec;

static_assert(Scorer<Popularity> && Scorer<MarkovChain> && Scorer<ItemKnn> && !Scorer<Split>);

namespace {

Split random_split(std::uint64_t seed = 3) {
  return leave_one_out(build_sequences(make_interactions(random_log(seed, 3000, 90, 60))));
}

/// The part of the test targets whose item the user has had before.
double repeated_targets(const Split& split) {
  std::size_t count = 0;
  for (const Target target : split.test) {
    const History history = split.history(target);
    count +=
        std::any_of(history.begin(), history.end(), [&](const auto& e) { return e.item == split.event(target).item; });
  }
  return static_cast<double>(count) / static_cast<double>(split.test.size());
}

bool equal(const Estimate& a, const Estimate& b) { return a.value == b.value && a.low == b.low && a.high == b.high; }

bool equal(const Evaluation& a, const Evaluation& b) {
  const auto same = [](const Estimate& x, const Estimate& y) { return equal(x, y); };
  return std::equal(a.hr.begin(), a.hr.end(), b.hr.begin(), b.hr.end(), same) &&
         std::equal(a.ndcg.begin(), a.ndcg.end(), b.ndcg.begin(), b.ndcg.end(), same) && equal(a.mrr, b.mrr) &&
         a.coverage == b.coverage && a.mean_popularity == b.mean_popularity && a.ranks == b.ranks;
}

}  // namespace

TEST_CASE("an evaluation by hand") {
  // Training parts: 0 1 2 | 1 | 0; validation 3, 2, 1; test 4, 0, 0.
  const Split split = split_of({{0, 1, 2, 3, 4}, {1, 2, 0}, {0, 1, 0}}, 5);
  const auto by_index = scorer_of(5, [](History, std::uint32_t item) { return -static_cast<float>(item); });
  const auto result = evaluate(by_index, split, split.test, {.cutoffs = {1, 2}});
  // User 0 has seen all but 4. User 1 is left with 0, 3, 4. User 2 repeats item 0, which is left out as seen.
  CHECK(result.ranks == std::vector<std::uint32_t>{1, 1, metrics::not_ranked});
  CHECK(contains(result.protocol, "seen items left out (repeats among the targets, which are misses: 1)"));
  CHECK(result.users == 3);
  CHECK(result.items == 5);

  const auto backwards = scorer_of(5, [](History, std::uint32_t item) { return static_cast<float>(item); });
  const auto worse = evaluate(backwards, split, split.test, {.cutoffs = {1, 3, 4}});
  // Candidates: 4 | 4 3 0 | 4 3 2.
  CHECK(worse.ranks == std::vector<std::uint32_t>{1, 3, metrics::not_ranked});
  CHECK(worse.hr_at(1).value == Approx(1 / 3.));
  CHECK(worse.hr_at(3).value == Approx(2 / 3.));
  CHECK(worse.ndcg_at(3).value == Approx((1 + 0.5) / 3));
  CHECK(worse.ndcg_at(4).value == Approx((1 + 0.5) / 3));
  CHECK(worse.mrr.value == Approx((1 + 1 / 3.) / 3));
  CHECK(worse.mrr_at(1).value == Approx(1 / 3.));
  CHECK(worse.mrr_at(3).value == Approx((1 + 1 / 3.) / 3));
  CHECK(worse.coverage == std::vector<double>{1 / 5., 4 / 5., 4 / 5.});
  // Training counts 2 2 1 0 0. First places: three times item 4; the first three or four: 4 | 4 3 0 | 4 3 2.
  CHECK(worse.mean_popularity[0] == 0);
  CHECK(worse.mean_popularity[1] == Approx((2 + 1) / 7.));
  CHECK(worse.mean_popularity[2] == Approx((2 + 1) / 7.));
  CHECK_THROWS_AS(worse.hr_at(2), std::out_of_range);

  const auto unfiltered = evaluate(backwards, split, split.test, {.exclude_seen = false});
  CHECK(unfiltered.ranks == std::vector<std::uint32_t>{1, 5, 5});
  CHECK(unfiltered.protocol != worse.protocol);
}

TEST_CASE("targets of unknown items are misses in every figure") {
  Split split = split_of({{0, 1, 2, 3, 4}, {1, 2, 0}, {0, 1, 0}}, 5);
  split.test.unknown = {0, 0, 7};
  const auto backwards = scorer_of(5, [](History, std::uint32_t item) { return static_cast<float>(item); });
  const auto result = evaluate(backwards, split, split.test, {.cutoffs = {3}});
  CHECK(result.hr_at(3).value == Approx(2 / 6.));
  CHECK(result.ndcg_at(3).value == Approx((1 + 0.5) / 6));
  CHECK(result.mrr.value == Approx((1 + 1 / 3.) / 6));
  CHECK(result.mrr_at(3).value == Approx((1 + 1 / 3.) / 6));
  CHECK(result.users == 4);
  CHECK(result.unknown == split.test.unknown);
  CHECK(contains(result.protocol, "(3 targets unknown to training are misses)"));
  const auto by_index = scorer_of(5, [](History, std::uint32_t item) { return -static_cast<float>(item); });
  const auto better = evaluate(by_index, split, split.test, {.cutoffs = {3}});
  CHECK(compare(better, result, {.cutoff = 3}).ndcg.value == Approx(0.5 / 6));
  const std::vector<Target> known(split.test.begin(), split.test.end());
  CHECK_THROWS_AS(compare(better, evaluate(backwards, split, known, {.cutoffs = {3}})), std::invalid_argument);
}

TEST_CASE("a constant scorer is last, as ties count against it") {
  const Split split = random_split();
  const std::size_t items = split.sequences.items.size();
  const auto result = evaluate(constant(items), split, split.test);
  double mrr = 0;
  for (std::size_t k = 0; k < split.test.size(); ++k) {
    std::set<std::uint32_t> seen;
    for (const Event& event : split.history(split.test[k])) seen.insert(event.item);
    if (seen.contains(split.event(split.test[k]).item)) {
      CHECK(result.ranks[k] == metrics::not_ranked);
    } else {
      CHECK(result.ranks[k] == items - seen.size());
      mrr += 1 / static_cast<double>(result.ranks[k]);
    }
  }
  CHECK(result.mrr.value == Approx(mrr / static_cast<double>(split.test.size())));
  const auto unfiltered = evaluate(constant(items), split, split.test, {.exclude_seen = false});
  CHECK(unfiltered.hr_at(20).value == 0);
  CHECK(unfiltered.mrr.value == Approx(1 / static_cast<double>(items)));
}

TEST_CASE("an oracle is always right, but for repeats where seen items are left out") {
  const Split split = random_split();
  const auto scorer = oracle(split.sequences.items.size());
  const auto filtered = evaluate(scorer, split, split.test, {.cutoffs = {1, 10}});
  for (const Estimate& figure : {filtered.hr_at(1), filtered.ndcg_at(10), filtered.mrr})
    CHECK(figure.value == Approx(1 - repeated_targets(split)));
  const auto result = evaluate(scorer, split, split.test, {.cutoffs = {1, 10}, .exclude_seen = false});
  CHECK(std::all_of(result.ranks.begin(), result.ranks.end(), [](auto rank) { return rank == 1; }));
  for (const Estimate& figure : {result.hr_at(1), result.hr_at(10), result.ndcg_at(1), result.ndcg_at(10), result.mrr})
    CHECK((figure.value == 1 && figure.low == 1 && figure.high == 1));
}

TEST_CASE("repeating the history is right only for repeats, and only where seen items are left in") {
  const Split split = random_split();
  const std::size_t items = split.sequences.items.size();
  const auto all = evaluate(repeats_history(items), split, split.test, {.cutoffs = {items - 1}, .exclude_seen = false});
  REQUIRE(repeated_targets(split) > 0);
  REQUIRE(repeated_targets(split) < 1);
  CHECK(all.hr_at(items - 1).value == Approx(repeated_targets(split)));  // who hasn't had it, ranks it last
  const auto filtered = evaluate(repeats_history(items), split, split.test, {.cutoffs = {items}});
  CHECK(filtered.hr_at(items).value == Approx(1 - repeated_targets(split)));
}

TEST_CASE("repeating the history is never right where nothing repeats") {
  const Split split =
      leave_one_out(build_sequences(make_interactions(random_log(3, 900, 30, 300)), {.keep_repeats = false}));
  const auto result = evaluate(repeats_history(split.sequences.items.size()), split, split.test, {.cutoffs = {1, 10}});
  for (const Estimate& figure : {result.hr_at(1), result.hr_at(10), result.ndcg_at(1), result.ndcg_at(10)})
    CHECK((figure.value == 0 && figure.low == 0 && figure.high == 0));
}

TEST_CASE("an evaluation depends on neither threads nor batches") {
  const Split split = split_by_time(build_sequences(make_interactions(random_log(4, 5000, 90, 60, 900))), .1, .3);
  const MarkovChain scorer(split);
  const auto one = evaluate(scorer, split, split.test, {.threads = 1});
  CHECK(equal(one, evaluate(scorer, split, split.test, {.threads = 2})));
  CHECK(equal(one, evaluate(scorer, split, split.test, {.threads = 3, .batch = 1})));
  CHECK(equal(one, evaluate(scorer, split, split.test, {.threads = 2, .batch = 7})));
  CHECK(equal(one, evaluate(scorer, split, split.test, {.threads = 1, .batch = 100000})));
  CHECK_FALSE(equal(one, evaluate(scorer, split, split.test, {.threads = 1, .seed = 2})));
}

TEST_CASE("targets may come in any order") {
  const Split split = split_by_time(build_sequences(make_interactions(random_log(4, 2000, 40, 60, 900))), .1, .3);
  const auto scorer = arbitrary(split.sequences.items.size());
  auto targets = split.test;
  std::reverse(targets.begin(), targets.end());
  const auto forwards = evaluate(scorer, split, split.test), backwards = evaluate(scorer, split, targets);
  CHECK(std::equal(forwards.ranks.begin(), forwards.ranks.end(), backwards.ranks.rbegin(), backwards.ranks.rend()));
  CHECK(forwards.users == backwards.users);
  CHECK(forwards.ndcg_at(10).value == Approx(backwards.ndcg_at(10).value));
  CHECK(forwards.ndcg_at(10).low == Approx(backwards.ndcg_at(10).low));
}

TEST_CASE("permuting the events from a target on changes no rank but the target's own") {
  const Split split = random_split();
  Split permuted = split;
  for (const Target target : split.validation)
    permuted.sequences.events.items[permuted.sequences.offsets[target.user] + target.position + 1] = 0;
  const auto check_same = [&](const auto& one, const auto& other) {
    CHECK(evaluate(one, split, split.validation).ranks == evaluate(other, permuted, permuted.validation).ranks);
  };
  check_same(Popularity(split), Popularity(permuted));
  check_same(MarkovChain(split), MarkovChain(permuted));
  check_same(ItemKnn(split), ItemKnn(permuted));
}

TEST_CASE("an evaluation says what is wrong") {
  const Split split = random_split();
  const std::size_t items = split.sequences.items.size();
  const auto scorer = constant(items);
  CHECK(contains(thrown<std::invalid_argument>([&] { evaluate(constant(7), split, split.test); }),
                 "the scorer knows 7 items, the data has " + std::to_string(items)));
  CHECK_THROWS_AS(evaluate(scorer, split, Targets{}), DataError);
  CHECK_THROWS_AS(evaluate(scorer, split, split.test, {.cutoffs = {}}), ConfigError);
  CHECK_THROWS_AS(evaluate(scorer, split, split.test, {.cutoffs = {10, 0}}), ConfigError);
  CHECK_THROWS_AS(evaluate(scorer, split, split.test, {.batch = 0}), ConfigError);
  const std::vector<Target> no_user{{100000, 0}}, no_event{{0, 100000}};
  CHECK_THROWS_AS(evaluate(scorer, split, no_user), std::invalid_argument);
  CHECK_THROWS_AS(evaluate(scorer, split, no_event), std::invalid_argument);

  const auto broken = scorer_of(items, [](History history, std::uint32_t item) {
    return item == 5 && history.size() > 30 ? std::numeric_limits<float>::quiet_NaN() : 0.0f;
  });
  for (const std::size_t threads : {std::size_t{1}, std::size_t{2}})
    CHECK(contains(thrown<Error>([&] { evaluate(broken, split, split.test, {.threads = threads}); }),
                   "the score of item 5 (dense index) is not a number"));
}

TEST_CASE("figures of targets that the model may have learned say that they are no test") {
  struct Trained : Popularity {
    TrainedOn known;
    Trained(const Split& split, const TrainedOn& what) : Popularity(split), known(what) {}
    const TrainedOn& trained_on() const { return known; }
  };
  const auto log = [](std::int64_t last) {
    std::vector<LogRow> rows;
    for (int user = 0; user < 3; ++user)
      for (int time = 1; time <= 4; ++time) rows.emplace_back(user, (user + time) % 5, time == 4 ? last : time, 1.f);
    return build_sequences(make_interactions(rows));
  };
  const Split split = leave_one_out(log(4));
  const auto caveat_of = [](const TrainedOn& known, const Split& tested) {
    const Evaluation result = evaluate(Trained(tested, known), tested, tested.test);
    CHECK(result.protocol.starts_with(result.caveat.empty() ? tested.protocol : result.caveat));
    return result.caveat;
  };
  const TrainedOn held_out = trained_on(split), all = trained_on(train_on_all(split.sequences));
  CHECK(held_out.events == 6);
  CHECK(held_out.held_out == 6);
  CHECK(held_out.last_time == 2);
  CHECK(all.held_out == 0);
  CHECK(all.last_time == 4);
  CHECK(caveat_of({}, split) == "");
  CHECK(caveat_of(held_out, split) == "");
  CHECK(caveat_of(all, split) ==
        "no test: the model was trained on all 12 events of its log and held nothing out; 3 of these 3 targets are not "
        "later than the last of them");
  CHECK(caveat_of(all, leave_one_out(log(5))) == "");  // the last events are new
  Split other = split;
  other.train_length[0] = 4;
  CHECK(caveat_of(trained_on(other), split) ==
        "perhaps no test: the model was trained on 8 events of another split; 3 of these 3 targets are not later than "
        "the last of them");
  CHECK(caveat_of(trained_on(split_of({{0, 1, 2}, {1, 2, 0}}, 3)), split_of({{0, 1, 2}, {1, 0, 2}}, 3)) ==
        "perhaps no test: the model was trained on 2 events of another split; 2 of these 2 targets may be among them");
}

TEST_CASE("cutoffs past the last item hold all candidates") {
  const Split split = split_of({{0, 1, 2, 3, 4}, {1, 2, 0}, {0, 1, 0}}, 5);
  const auto result = evaluate(constant(5), split, split.test, {.cutoffs = {100}});
  CHECK(result.hr_at(100).value == Approx(2 / 3.));  // the third target is a repeat
  CHECK(result.coverage[0] == Approx(4 / 5.));       // nobody is offered item 1
}

TEST_CASE("tables show value, interval and protocol") {
  const Split split = random_split();
  const auto result = evaluate(MarkovChain(split), split, split.test);
  std::ostringstream one, several, value;
  one << result;
  CHECK(contains(one.str(), split.protocol));
  CHECK(contains(one.str(), std::to_string(result.targets.size()) + " targets of"));
  value << result.hr_at(10);
  CHECK(contains(value.str(), " ["));
  CHECK(contains(one.str(), value.str()));

  const auto plain = evaluate(Popularity(split), split, split.test, {.bootstrap_samples = 0});
  const std::vector<NamedEvaluation> rows{{"markov", result}, {"popularity", plain}};
  write_table(several, rows, 10);
  CHECK(contains(several.str(), value.str()));
  std::istringstream lines(several.str());
  std::string line;
  std::vector<std::size_t> lengths;
  while (std::getline(lines, line)) lengths.push_back(line.size());
  CHECK(lengths.size() == 4);
  CHECK((lengths[1] == lengths[2] && lengths[2] == lengths[3]));
  CHECK_THROWS_AS(write_table(several, rows, 11), std::out_of_range);
}

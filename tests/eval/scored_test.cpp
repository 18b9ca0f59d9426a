#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/core/top_k.hpp>
#include <lstmrec/data/event_columns.hpp>
#include <lstmrec/data/raw_id.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/data/vocabulary.hpp>
#include <lstmrec/eval/calibration.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/eval/prefix_groups.hpp>
#include <lstmrec/eval/ranked_lists.hpp>
#include <lstmrec/eval/ranking.hpp>
#include <lstmrec/eval/scored.hpp>
#include <lstmrec/eval/scorer.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "data/thrown.hpp"
#include "eval/scorers.hpp"
#include "eval/small_split.hpp"

using namespace lstmrec;

namespace {

/// A score without sense, the same for the same user, history length and item, and with many ties.
float made_up_score(const History& history, std::uint32_t item) {
  return static_cast<float>(Random(mix_seed(history.user, history.size(), item)).below(50));
}

/// A tiled scorer by made_up_score, which looks only at its outputs and not at the histories again: so that a history
/// whose output goes astray is found out.
struct Tiled {
  Index count;

  Index items() const { return count; }
  Matrix<float> outputs(std::span<const History> histories) const {
    Matrix<float> result(2, static_cast<Index>(histories.size()));
    for (std::size_t k = 0; k < histories.size(); ++k) {
      result(0, static_cast<Index>(k)) = static_cast<float>(histories[k].user);
      result(1, static_cast<Index>(k)) = static_cast<float>(histories[k].size());
    }
    return result;
  }
  void score_tile(std::span<const History> histories, const Matrix<float>& outputs, Index first,
                  MatrixRef<float> scores) const {
    if (outputs.cols() != static_cast<Index>(histories.size()) || first % tile_multiple != 0 ||
        scores.cols() != outputs.cols() || first + scores.rows() > count)
      throw std::logic_error("a tile that a scorer need not know");
    for (Index k = 0; k < scores.cols(); ++k) {
      const std::vector<std::uint32_t> events(static_cast<std::size_t>(outputs(1, k)));
      History history(events);
      history.user = static_cast<std::uint32_t>(outputs(0, k));
      for (Index row = 0; row < scores.rows(); ++row)
        scores(row, k) = made_up_score(history, static_cast<std::uint32_t>(first + row));
    }
  }
  void score(std::span<const History> histories, MatrixRef<float> scores) const {
    score_tile(histories, outputs(histories), 0, scores);
  }
};
static_assert(TiledScorer<Tiled>);

auto not_tiled(std::size_t items) { return scorer_of(items, made_up_score); }

/// 150 users with histories of many lengths, so that there are several batches, the last of them not full. Half of the
/// events are of 40 items, so that there are repeats.
Split many_users(std::uint32_t items) {
  Random random(2);
  std::vector<std::vector<std::uint32_t>> users(150);
  for (auto& user : users)
    for (std::uint64_t left = 3 + random.below(20); left > 0; --left)
      user.push_back(static_cast<std::uint32_t>(random.below(random.below(2) == 0 ? std::min(items, 40u) : items)));
  return split_of(users, items);
}

/// Whose scorer tells how it was made.
struct MadeFor : Tiled {
  bool leaves_out_seen;
  bool exclude_seen() const { return leaves_out_seen; }
};

struct WithIds : Tiled {
  const Vocabulary* ids;
  const Vocabulary& item_ids() const { return *ids; }
};

/// What the visitors have met, of all threads.
struct Met {
  std::mutex mutex;
  std::vector<std::vector<float>> scores;  ///< By query.
  std::vector<std::size_t> begun, ended;   ///< By query.
  std::vector<std::size_t> tiles;          ///< By query.
  std::size_t visitors = 0;
  std::set<std::string> faults;
};

class MeetingVisitor : public ScoreVisitor {
 public:
  MeetingVisitor(Met& met, const Split& split, bool exclude_seen)
      : met_(&met), split_(&split), exclude_seen_(exclude_seen) {
    const std::scoped_lock lock(met_->mutex);
    ++met_->visitors;
  }

  void begin(const ScoredQuery& query) override {
    const std::scoped_lock lock(met_->mutex);
    expect(!query_, "a query begins before the one before it has ended");
    query_ = query;
    next_ = 0;
    ++met_->begun[query.number];
    const Target target = split_->test[query.number];
    expect(query.history.items.data() == split_->history(target).items.data() &&
               query.history.size() == split_->history(target).size(),
           "the history is another one");
    expect(query.target == split_->event(target).item, "the target is another one");
    expect(query.target_score == made_up_score(query.history, query.target), "the target's score is another one");
    std::vector<std::uint32_t> seen;
    if (exclude_seen_) distinct_items(query.history, seen);
    expect(std::equal(seen.begin(), seen.end(), query.seen.begin(), query.seen.end()), "others are seen");
  }
  void add(std::uint32_t first, std::span<const float> scores) override {
    const std::scoped_lock lock(met_->mutex);
    expect(query_.has_value(), "scores without a query");
    expect(first == next_, "tiles do not follow each other");
    next_ = first + scores.size();
    auto& all = met_->scores[query_->number];
    all.insert(all.end(), scores.begin(), scores.end());
    ++met_->tiles[query_->number];
  }
  void end() override {
    const std::scoped_lock lock(met_->mutex);
    expect(query_.has_value(), "an end without a query");
    ++met_->ended[query_->number];
    query_.reset();
  }

 private:
  void expect(bool holds, const char* what) {
    if (!holds) met_->faults.insert(what);  // the assertions of a test are for one thread
  }

  Met* met_;
  const Split* split_;
  bool exclude_seen_;
  std::optional<ScoredQuery> query_;
  std::size_t next_ = 0;
};

void check_scored(const ScorerRef& scorer, const Split& split, std::size_t threads, const ScoringOptions& options,
                  std::size_t expected_tiles) {
  CAPTURE(threads, options.batch, options.exclude_seen, expected_tiles);
  const std::size_t queries = split.test.size(), items = split.sequences.items.size();
  Met met;
  met.scores.resize(queries);
  for (auto* counts : {&met.begun, &met.ended, &met.tiles}) counts->resize(queries);
  ThreadPool pool(threads);
  for_each_scored(scorer, queries_of(split, split.test), options, pool,
                  [&] { return std::make_unique<MeetingVisitor>(met, split, options.exclude_seen); });
  CHECK(met.faults == std::set<std::string>{});
  CHECK(met.begun == std::vector<std::size_t>(queries, 1));
  CHECK(met.ended == std::vector<std::size_t>(queries, 1));
  CHECK(met.tiles == std::vector<std::size_t>(queries, expected_tiles));
  CHECK(met.visitors <= threads * options.batch);
  for (std::size_t k = 0; k < queries; ++k) {
    REQUIRE(met.scores[k].size() == items);
    const History history = split.history(split.test[k]);
    for (std::uint32_t item = 0; item < items; ++item)
      if (met.scores[k][item] != made_up_score(history, item)) FAIL("query " << k << ", item " << item);
  }
}

}  // namespace

TEST_CASE("every query meets the scores of all items once, in tiles that ascend, for any number of threads") {
  // One tile, one that is just full, two, and three of which the last is cut.
  for (const auto& [items, tiles] : {std::pair(50u, 1u), {1024u, 1u}, {1025u, 2u}, {2500u, 3u}}) {
    const Split split = many_users(items);
    const Tiled tiled{static_cast<Index>(items)};
    for (const std::size_t threads : {1u, 3u}) {
      for (const std::size_t batch : {64u, 7u, 1000u}) {
        check_scored(tiled, split, threads, {.exclude_seen = true, .batch = batch}, tiles);
        check_scored(not_tiled(items), split, threads, {.exclude_seen = true, .batch = batch}, 1);
      }
      check_scored(tiled, split, threads, {.exclude_seen = false}, tiles);
      check_scored(not_tiled(items), split, threads, {.exclude_seen = false}, 1);
    }
  }
}

TEST_CASE("histories that begin at one row are one group: the longest group first, in it the shorter first") {
  const std::vector<std::uint32_t> a{1, 2, 3, 4}, b{1, 2, 3, 4}, c{5, 6};
  const std::vector<std::int64_t> times{1, 2, 3, 4};
  const History with_times(a, times, {}, 0);
  const std::vector<History> histories{History(c).first(1), History(b).first(3), with_times,
                                       History(a).first(4), History(b).first(3), History(c),
                                       History(a).first(0)};
  const PrefixGroups groups = prefix_groups(histories.size(), [&](std::size_t k) { return histories[k]; });
  const auto group = [&](std::size_t g) { return std::vector<std::size_t>(groups[g].begin(), groups[g].end()); };
  using Numbers = std::vector<std::size_t>;
  REQUIRE(groups.size() == 4);
  CHECK(group(0) == Numbers{2});  // of equal length with the next, and met before it
  CHECK(group(1) == Numbers{6, 3});
  CHECK(group(2) == Numbers{1, 4});
  CHECK(group(3) == Numbers{0, 5});
  CHECK(prefix_groups(0, [](std::size_t) { return History(); }).size() == 0);
}

TEST_CASE("a user of thousands of targets: one call for all outputs, and seen items as if counted anew") {
  /// Counts the calls for outputs of a user's histories.
  struct Counting : Tiled {
    std::atomic<int>* calls;
    std::atomic<bool>* in_order;
    Matrix<float> outputs(std::span<const History> histories) const {
      for (std::size_t k = 0; k < histories.size(); ++k) {
        *calls += k == 0 || histories[k].user != histories[k - 1].user;
        if (k > 0 && histories[k].user == histories[k - 1].user && histories[k].size() < histories[k - 1].size())
          *in_order = false;
      }
      return Tiled::outputs(histories);
    }
  };
  Random random(3);
  std::vector<std::vector<std::uint32_t>> users(6);
  for (std::size_t user = 0; user < users.size(); ++user)
    for (std::size_t k = 0; k < (user == 0 ? 3000 : 20 * user); ++k)
      users[user].push_back(static_cast<std::uint32_t>(random.below(50)));
  Split split = split_of(users, 50);
  split.test.clear();
  for (std::uint32_t user = 0; user < users.size(); ++user)
    for (std::uint32_t position = 0; position < users[user].size(); ++position)
      if (position % 7 != 5) split.test.push_back({user, position});
  split.test.push_back({1, 3});  // twice, and in no order
  split.test.push_back({0, 1});
  for (const std::size_t threads : {1u, 3u})
    for (const std::size_t batch : {64u, 5u}) {
      std::atomic<int> calls = 0;
      std::atomic<bool> in_order = true;
      check_scored(Counting{{50}, &calls, &in_order}, split, threads, {.exclude_seen = true, .batch = batch}, 1);
      CHECK(calls == 6);
      CHECK(in_order);
    }
  check_scored(not_tiled(50), split, 3, {.exclude_seen = true}, 1);
}

TEST_CASE("a history of nothing has seen nothing, whatever was scored before it") {
  const std::vector<std::uint32_t> items{0, 1};
  const ScoringQueries queries{2, [&](std::size_t k) { return k == 0 ? History(items) : History(); }, {}};
  ThreadPool one(1);
  const auto lists = top_lists(Tiled{100}, queries, 100, {.batch = 1}, one);
  CHECK(lists[0].size() == 98);
  CHECK(lists[1].size() == 100);
}

TEST_CASE("parts of the work: whole groups, few enough for a network and many enough for the threads") {
  const auto parts = [](const std::vector<std::size_t>& sizes, std::size_t batch, std::size_t threads) {
    PrefixGroups groups;
    for (const std::size_t size : sizes) groups.offsets.push_back(groups.offsets.back() + size);
    groups.order.resize(groups.offsets.back());
    return detail::scoring_parts(groups, batch, threads);
  };
  using Places = std::vector<std::size_t>;
  CHECK(parts({}, 64, 2) == Places{0});
  CHECK(parts({5}, 1, 2) == Places{0, 5});
  CHECK(parts(std::vector<std::size_t>(150, 1), 64, 1) == Places{0, 64, 128, 150});
  CHECK(parts({9, 1, 1, 1, 1}, 2, 1) == Places{0, 9, 11, 13});
  // 6400 queries: with one thread a part may have 800 of them, with 100 threads only 64.
  CHECK(parts(std::vector<std::size_t>(128, 50), 64, 1).size() == 1 + 8);
  CHECK(parts(std::vector<std::size_t>(128, 50), 64, 100).size() == 1 + 128);
}

TEST_CASE("without queries nothing is scored, and queries need no target") {
  const Split split = many_users(50);
  const Tiled scorer{50};
  for (const std::size_t threads : {1u, 3u}) {
    ThreadPool pool(threads);
    for_each_scored(scorer, {0, [](std::size_t) { return History(); }}, {}, pool,
                    [&]() -> std::unique_ptr<ScoreVisitor> { throw std::logic_error("no visitor is needed"); });
    struct Counter : ScoreVisitor {
      std::atomic<int>* ends;
      void begin(const ScoredQuery&) override {}
      void add(std::uint32_t, std::span<const float>) override {}
      void end() override { ++*ends; }
    };
    std::atomic<int> ends = 0;
    for_each_scored(scorer, {150, [&](std::size_t k) { return split.history(split.test[k]); }}, {}, pool, [&] {
      auto visitor = std::make_unique<Counter>();
      visitor->ends = &ends;
      return visitor;
    });
    CHECK(ends == 150);
  }
}

TEST_CASE("what a visitor throws reaches the caller, on one thread and on several") {
  const Split split = many_users(50);
  struct Throwing : ScoreVisitor {
    void begin(const ScoredQuery& query) override {
      if (query.number == 77) throw DataError("query 77");
    }
    void add(std::uint32_t, std::span<const float>) override {}
    void end() override {}
  };
  for (const std::size_t threads : {1u, 3u}) {
    ThreadPool pool(threads);
    CHECK(thrown<DataError>([&] {
            for_each_scored(Tiled{50}, queries_of(split, split.test), {}, pool,
                            [] { return std::make_unique<Throwing>(); });
          }) == "query 77");
  }
}

TEST_CASE("top lists are what sorting all scores gives, without what is seen or not allowed") {
  for (const std::uint32_t items : {50u, 2500u}) {
    const Split split = many_users(items);
    const ItemFilter even = [](std::uint32_t item) { return item % 2 == 0; };
    const auto check = [&](const ScorerRef& scorer, std::size_t n, bool exclude_seen, std::size_t threads,
                           const ItemFilter& allows) {
      CAPTURE(items, n, exclude_seen, threads);
      ThreadPool pool(threads);
      const auto lists =
          top_lists(scorer, queries_of(split, split.test), n, {.exclude_seen = exclude_seen}, pool, allows);
      REQUIRE(lists.size() == split.test.size());
      for (std::size_t k = 0; k < lists.size(); ++k) {
        const History history = split.history(split.test[k]);
        std::vector<std::uint32_t> seen;
        if (exclude_seen) distinct_items(history, seen);
        std::vector<ScoredItem> expected;
        for (std::uint32_t item = 0; item < items; ++item)
          if (!std::binary_search(seen.begin(), seen.end(), item) && (!allows || allows(item)))
            expected.push_back({item, made_up_score(history, item)});
        std::sort(expected.begin(), expected.end(), ranks_before);
        expected.resize(std::min(expected.size(), n));
        if (lists[k] != expected) FAIL("query " << k);
      }
    };
    const Tiled tiled{static_cast<Index>(items)};
    for (const std::size_t threads : {1u, 3u}) {
      check(tiled, 10, true, threads, {});
      check(tiled, 10, false, threads, even);
      check(tiled, 10000, true, threads, even);  // more than there are
      check(tiled, 0, true, threads, {});
      check(not_tiled(items), 10, true, threads, even);
    }
  }
}

TEST_CASE("a scorer is evaluated alike whether it is tiled or not") {
  const Split split = many_users(2500);
  const Tiled tiled{2500};
  for (const bool exclude_seen : {true, false}) {
    const EvaluateOptions options{.exclude_seen = exclude_seen, .threads = 2, .bootstrap_samples = 0};
    const Evaluation one = evaluate(tiled, split, split.test, options);
    const Evaluation other = evaluate(not_tiled(2500), split, split.test, options);
    CHECK(one.ranks == other.ranks);
    CHECK(one.coverage == other.coverage);
    CHECK(one.mean_popularity == other.mean_popularity);
    CHECK(one.mrr.value == other.mrr.value);
    CHECK(one.protocol == other.protocol);
    for (std::size_t k = 0; k < split.test.size(); k += 10) {
      const History history = split.history(split.test[k]);
      std::vector<float> scores(2500);
      for (std::uint32_t item = 0; item < scores.size(); ++item) scores[item] = made_up_score(history, item);
      std::vector<std::uint32_t> seen;
      if (exclude_seen) distinct_items(history, seen);
      CHECK(one.ranks[k] == rank_of(scores, split.event(split.test[k]).item, seen));
    }
    const Calibration first = calibration(tiled, split, one, {.exclude_seen = exclude_seen});
    const Calibration second = calibration(not_tiled(2500), split, other, {.exclude_seen = exclude_seen});
    CHECK(first.error == Approx(second.error));
  }
}

TEST_CASE("seen items are left out unless the scorer was made to leave them in, or the options say something else") {
  const Split split = many_users(50);
  const EvaluateOptions unset{.bootstrap_samples = 0}, out{.exclude_seen = true, .bootstrap_samples = 0},
      in{.exclude_seen = false, .bootstrap_samples = 0};
  const Tiled says_nothing{50};
  const MadeFor leaves_out{{50}, true}, leaves_in{{50}, false};
  const auto ranks_out = evaluate(says_nothing, split, split.test, out).ranks;
  const auto ranks_in = evaluate(says_nothing, split, split.test, in).ranks;
  REQUIRE(ranks_in != ranks_out);

  CHECK(ScorerRef(says_nothing).exclude_seen());
  CHECK(ScorerRef(leaves_out).exclude_seen());
  CHECK_FALSE(ScorerRef(leaves_in).exclude_seen());
  CHECK(evaluate(says_nothing, split, split.test, unset).ranks == ranks_out);
  CHECK(evaluate(leaves_out, split, split.test, unset).ranks == ranks_out);
  const Evaluation evaluation = evaluate(leaves_in, split, split.test, unset);
  CHECK(evaluation.ranks == ranks_in);
  CHECK(contains(evaluation.protocol, "seen items left in"));
  CHECK(evaluate(leaves_in, split, split.test, out).ranks == ranks_out);
  CHECK(contains(evaluate(leaves_in, split, split.test, out).protocol, "seen items left out"));
  CHECK(evaluate(leaves_out, split, split.test, in).ranks == ranks_in);

  // So do the lists and the calibration.
  const auto lists = [&](const ScorerRef& scorer, std::optional<bool> exclude_seen) {
    std::ostringstream text;
    write_ranked_lists(text, scorer, split, split.test, {.exclude_seen = exclude_seen});
    return text.str();
  };
  CHECK(lists(leaves_in, {}) == lists(says_nothing, false));
  CHECK(lists(leaves_out, {}) == lists(says_nothing, true));
  CHECK(lists(leaves_in, true) == lists(says_nothing, true));
  const auto error = [&](const ScorerRef& scorer, std::optional<bool> exclude_seen) {
    return calibration(scorer, split, evaluation, {.exclude_seen = exclude_seen}).error;
  };
  CHECK(error(says_nothing, true) != error(says_nothing, false));
  CHECK(error(leaves_in, {}) == error(says_nothing, false));
  CHECK(error(leaves_out, {}) == error(says_nothing, true));
}

TEST_CASE("a scorer whose items have other indices than those of the data is refused, but by evaluate") {
  const Split split = many_users(50);
  Vocabulary others;
  for (std::uint32_t item = 50; item > 0; --item) others.add(RawId(item - 1));
  const WithIds fits{{50}, &split.sequences.items}, turned{{50}, &others};
  CHECK(evaluate(fits, split, split.test).ranks == evaluate(Tiled{50}, split, split.test).ranks);
  const std::string complaint = "the scorer's items have other indices than those of the data: see align_items";
  std::ostringstream text;
  CHECK(thrown<std::invalid_argument>([&] { write_ranked_lists(text, turned, split, split.test); }) == complaint);
  CHECK(thrown<std::invalid_argument>([&] { calibration(turned, split, evaluate(fits, split, split.test)); }) ==
        complaint);
}

TEST_CASE("a batch of no histories is refused, and one of more than there are is all of them") {
  ThreadPool pool(1);
  const std::vector<std::uint32_t> items{0, 1};
  const ScoringQueries queries{3, [&](std::size_t) { return History(items); }, {}};
  const Tiled scorer{100};
  CHECK_THROWS_AS(top_lists(scorer, queries, 2, {.batch = 0}, pool), ConfigError);
  const auto lists = top_lists(scorer, queries, 2, {.batch = std::numeric_limits<std::size_t>::max()}, pool);
  REQUIRE(lists.size() == 3);
  for (const auto& list : lists) CHECK(list.size() == 2);
}

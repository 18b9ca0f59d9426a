#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <lstmrec/data/event_columns.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/eval/ranking.hpp>
#include <lstmrec/next_item/batch_ranker.hpp>
#include <lstmrec/next_item/session.hpp>
#include <memory>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "../data/thrown.hpp"
#include "catch.hpp"
#include "random_recommender.hpp"
#include "trained_recommender.hpp"

using namespace lstmrec;

namespace {

void observe_all(Session& session, const Recommender& recommender, History history) {
  for (const Event event : history) session.observe(recommender.item_ids().id(event.item));
}

std::vector<RawId> ids(std::span<const Recommendation> list) {
  std::vector<RawId> result;
  for (const auto& recommendation : list) result.push_back(recommendation.item);
  return result;
}

std::vector<float> copy(std::span<const float> scores) { return {scores.begin(), scores.end()}; }

}  // namespace

// A session takes its products one column at a time and the evaluator takes many columns together, so their scores
// agree to rounding only: the evaluator's rank has to lie between those of the target a little higher and a little
// lower.
TEST_CASE("Session: 200 users replayed event by event get the evaluator's ranks") {
  const Split& split = sample_split();
  const bool with_markov = GENERATE(false, true);
  const Recommender& recommender = with_markov ? sample_recommender_with_markov() : sample_recommender();
  const auto evaluation = evaluate(recommender, split, std::span(split.test).first(200), {.bootstrap_samples = 0});
  std::size_t equal = 0;
  for (std::size_t k = 0; k < 200; ++k) {
    Session session(recommender);
    observe_all(session, recommender, split.history(split.test[k]));
    auto scores = copy(session.scores());
    std::vector<std::uint32_t> seen;
    distinct_items(split.history(split.test[k]), seen);
    const std::uint32_t target = split.event(split.test[k]).item;
    const float score = scores[target];
    equal += rank_of(scores, target, seen) == evaluation.ranks[k];
    scores[target] = score + 1e-4f;
    const auto best = rank_of(scores, target, seen);
    scores[target] = score - 1e-4f;
    const auto worst = rank_of(scores, target, seen);
    REQUIRE(best <= evaluation.ranks[k]);
    REQUIRE(worst >= evaluation.ranks[k]);
  }
  CHECK(equal >= 195);
}

TEST_CASE("Recommender: what comes after a target changes no score, nor do the other histories of a batch") {
  const Recommender& recommender = sample_recommender();
  const auto all = sample_split().sequences[3].items;
  std::vector<std::uint32_t> events(all.begin(), all.end());
  const auto score = [&](std::vector<History> histories) {
    Matrix<float> scores(recommender.items(), static_cast<Index>(histories.size()));
    recommender.score(histories, scores);
    return Vector<float>(scores.col(0));
  };
  const auto before = score({History(events).first(10)});
  std::reverse(events.begin() + 10, events.end());
  CHECK(score({History(events).first(10)}) == before);
  const auto in_company = score({History(events).first(10), History(events).first(20), {}, History(events).first(1)});
  CHECK((in_company - before).cwiseAbs().maxCoeff() < 1e-4f);
  CHECK((score({History(events).first(11)}) - before).cwiseAbs().maxCoeff() > 1e-3f);
}

TEST_CASE("Recommender: a Markov chain adds its weight times the logarithm of the decayed Markov score") {
  const Recommender &network = sample_recommender(), &both = sample_recommender_with_markov();
  const MarkovChain chain(sample_split());
  const std::vector<History> histories = {
      sample_split().sequences[5].first(30), {}, sample_split().sequences[2].first(1)};
  Matrix<float> scores(network.items(), 3), with_markov = scores, chain_scores = scores;
  network.score(histories, scores);
  both.score(histories, with_markov);
  chain.score(histories, chain_scores);
  for (const Index column : {0, 2})
    for (Index item = 0; item < network.items(); ++item)
      REQUIRE(static_cast<double>(with_markov(item, column)) ==
              Approx(static_cast<double>(scores(item, column)) +
                     0.75 * std::log(static_cast<double>(chain_scores(item, column))))
                  .epsilon(1e-4));
  CHECK(with_markov.col(1) == scores.col(1));  // without events, popularity speaks alone
}

TEST_CASE("Session: with the input projections cached, the same scores to rounding") {
  Recommender plain = sample_recommender();
  if (GENERATE(false, true)) {  // without projections and with one block too
    auto parts = parts_of(plain);
    parts.config.blocks = 1;
    parts.config.embedding_size = parts.config.hidden_size = 12;
    parts.network = NextItemNetwork<float>(plain.items(), parts.config);
    Random random(1);
    parts.network.initialise(random);
    plain = Recommender(std::move(parts));
  }
  Recommender prepared = plain;
  prepared.cache_input_projections();
  CHECK(prepared.input_projections().rows() == 4 * plain.network().hidden_size());
  CHECK(prepared.input_projections().cols() == plain.items());
  std::vector<History> histories;
  for (std::size_t user = 0; user < 9; ++user) histories.push_back(sample_split().sequences[user].first(3 * user));
  Matrix<float> scores(plain.items(), 9), other_scores(plain.items(), 9);
  plain.score(histories, scores);
  prepared.score(histories, other_scores);
  CHECK((scores - other_scores).cwiseAbs().maxCoeff() < 1e-4f);
  CHECK((scores.col(5) - scores.col(6)).cwiseAbs().maxCoeff() > 1e-3f);
  Session session(plain), other(prepared);
  for (const Event event : sample_split().sequences[4].first(30)) {
    session.observe(plain.item_ids().id(event.item));
    other.observe(plain.item_ids().id(event.item));
    const auto a = session.scores(), b = other.scores();
    for (std::size_t item = 0; item < a.size(); ++item) REQUIRE(std::abs(a[item] - b[item]) < 1e-4f);
  }
}

TEST_CASE("Session: a whole history at once gives what its events give one by one, and all or nothing") {
  Recommender recommender = GENERATE(false, true) ? sample_recommender_with_markov() : sample_recommender();
  if (GENERATE(false, true)) recommender.cache_input_projections();
  const History history = sample_split().sequences[4].first(30);
  std::vector<RawId> all;
  for (const Event event : history) all.push_back(recommender.item_ids().id(event.item));
  Session single(recommender), whole(recommender);
  observe_all(single, recommender, history);
  whole.observe_all(std::span(all).first(11));
  whole.observe_all(std::span(all).subspan(11));
  whole.observe_all(std::vector<RawId>());
  CHECK(whole.events() == 30);
  const auto a = copy(single.scores()), b = copy(whole.scores());
  for (std::size_t item = 0; item < a.size(); ++item) REQUIRE(std::abs(a[item] - b[item]) < 1e-4f);
  for (const auto& [item, title, score] : whole.top_n(10)) CHECK(std::count(all.begin(), all.end(), item) == 0);

  const auto before = whole.save();
  CHECK_THROWS_AS(whole.observe_all(std::vector<RawId>{all[0], RawId("no such item"), all[1]}), UnknownId);
  CHECK(whole.save() == before);
  Session integers(recommender);
  CHECK_THROWS_AS(integers.observe_all(std::vector<int>{-12345}), UnknownId);
  CHECK(integers.events() == 0);
}

TEST_CASE("Session: top_n is the head of a full sort, without what the user has had") {
  const Recommender& recommender = sample_recommender();
  Session session(recommender);
  observe_all(session, recommender, sample_split().sequences[7].first(12));
  CHECK(session.events() == 12);
  std::vector<ScoredItem> all;
  const auto scores = copy(session.scores());
  std::set<std::uint32_t> seen;
  for (const Event event : sample_split().sequences[7].first(12)) seen.insert(event.item);
  for (std::uint32_t item = 0; item < scores.size(); ++item)
    if (!seen.contains(item)) all.push_back({item, scores[item]});
  std::sort(all.begin(), all.end(), ranks_before);
  const auto list = session.top_n(25);
  REQUIRE(list.size() == 25);
  for (std::size_t k = 0; k < list.size(); ++k) {
    CHECK(list[k].item == recommender.item_ids().id(all[k].item));
    CHECK(list[k].title == recommender.catalogue()[all[k].item].title);
    CHECK(!list[k].title.empty());
    CHECK(list[k].score == all[k].score);
  }
  CHECK(session.top_n(100000).size() == all.size());
  CHECK(session.top_n(0).empty());
}

TEST_CASE("Session: before the first event the most popular items are recommended") {
  const Recommender& recommender = sample_recommender();
  Session session(recommender);
  const auto first = recommender.item_ids().index(session.top_n(1)[0].item);
  CHECK(recommender.item_counts()[first] ==
        *std::max_element(recommender.item_counts().begin(), recommender.item_counts().end()));
}

TEST_CASE("Session: unknown ids are refused and change nothing") {
  const Recommender& recommender = sample_recommender();
  Session session(recommender);
  session.observe(recommender.item_ids().id(4));
  const auto before = copy(session.scores());
  CHECK_THROWS_AS(session.observe(123456789), UnknownId);
  CHECK_THROWS_AS(session.observe("no such film"), UnknownId);
  CHECK(!session.observe_if_known(123456789));
  CHECK(session.events() == 1);
  CHECK(copy(session.scores()) == before);
  CHECK(session.observe_if_known(recommender.item_ids().id(5)));
  CHECK(session.events() == 2);
  CHECK(copy(session.scores()) != before);
}

TEST_CASE("Session: allow and block lists, and items that were seen") {
  const Recommender& recommender = sample_recommender();
  Session session(recommender);
  session.observe(recommender.item_ids().id(0));
  const std::vector<RawId> some = {recommender.item_ids().id(0), recommender.item_ids().id(1),
                                   recommender.item_ids().id(2)};
  const auto sorted = [](std::vector<RawId> list) {
    std::sort(list.begin(), list.end());
    return list;
  };
  const Candidates allowed(recommender, {.allow = some});
  CHECK(sorted(ids(session.top_n(9, allowed))) == sorted({some[1], some[2]}));
  const Candidates repeated(recommender, {.exclude_seen = false, .allow = some, .block = {some[1]}});
  CHECK(sorted(ids(session.top_n(9, repeated))) == sorted({some[0], some[2]}));
  const auto best = session.top_n(1)[0].item;
  const Candidates blocked(recommender, {.block = {best}});
  CHECK(session.top_n(1, blocked)[0].item != best);
  const Candidates nothing(recommender, {.allow = std::vector<RawId>()});
  CHECK(session.top_n(9, nothing).empty());
  // What the model does not know is left out, and can be asked for; nothing else becomes allowed by it.
  const Candidates half_known(recommender, {.allow = {{"unknown", some[1]}}, .block = {"unknown too"}});
  CHECK(ids(session.top_n(9, half_known)) == std::vector<RawId>{some[1]});
  CHECK(half_known.unknown() == std::vector<RawId>{"unknown", "unknown too"});
  CHECK(session.top_n(9, Candidates(recommender, {.allow = {{"unknown"}}})).empty());
  CHECK(allowed.unknown().empty());
  const Recommender smaller(random_parts(recommender.items() - 1, {.embedding_size = 2, .hidden_size = 2}));
  CHECK_THROWS_AS(session.top_n(9, Candidates(smaller)), std::invalid_argument);
  auto parts = parts_of(recommender);  // as many items, numbered otherwise
  Vocabulary reversed;
  for (auto item = static_cast<std::uint32_t>(parts.item_ids.size()); item-- > 0;)
    reversed.add(parts.item_ids.id(item));
  parts.item_ids = reversed;
  const Recommender other(std::move(parts));
  CHECK_THROWS_AS(session.top_n(9, Candidates(other, {.block = {best}})), std::invalid_argument);
  CHECK_THROWS_AS(session.top_n(9, Candidates(other)), std::invalid_argument);
  const Recommender twin(parts_of(recommender));
  CHECK(session.top_n(1, Candidates(twin, {.block = {best}}))[0].item != best);
}

TEST_CASE("Session: an id is its text, whether it comes as a text or as an integer") {
  const Recommender& recommender = sample_recommender();
  const RawId id = recommender.item_ids().id(5);
  REQUIRE(id.is_integer());
  Session by_text(recommender), by_integer(recommender);
  by_text.observe(id.text());
  by_integer.observe(id.integer());
  REQUIRE(by_text.observe_if_known(recommender.item_ids().id(7).text()));
  by_integer.observe(recommender.item_ids().id(7));
  CHECK(ids(by_text.top_n(9)) == ids(by_integer.top_n(9)));
  CHECK_FALSE(by_text.observe_if_known("0" + id.text()));
  CHECK_THROWS_WITH(by_text.observe("0" + id.text()), "unknown id \"0" + id.text() + "\"");
  const Candidates only(recommender, {.exclude_seen = false, .allow = {{RawId(id.text())}}});
  CHECK(ids(by_text.top_n(9, only)) == std::vector<RawId>{id});
}

TEST_CASE("Session: saved and restored, it goes on with the same bits") {
  const bool with_markov = GENERATE(false, true);
  const Recommender& recommender = with_markov ? sample_recommender_with_markov() : sample_recommender();
  const History history = sample_split().sequences[11];
  Session session(recommender);
  observe_all(session, recommender, history.first(25));  // more than the chain looks back
  const auto bytes = session.save();
  Session restored(recommender);
  restored.observe(recommender.item_ids().id(9));
  restored.restore(bytes);
  CHECK(restored.events() == 25);
  observe_all(session, recommender, history.subspan(25, 4));
  observe_all(restored, recommender, history.subspan(25, 4));
  CHECK(copy(session.scores()) == copy(restored.scores()));
  CHECK(ids(session.top_n(20)) == ids(restored.top_n(20)));
  CHECK(session.save() == restored.save());
}

TEST_CASE("Session: saved without input projections and restored with them, it goes on to rounding") {
  const Recommender& plain = sample_recommender_with_markov();
  Recommender prepared = plain;
  prepared.cache_input_projections();
  const History history = sample_split().sequences[4].first(30);
  Session saved(plain), restored(prepared);
  observe_all(saved, plain, history.first(20));
  restored.restore(saved.save());
  observe_all(saved, plain, history.subspan(20));
  observe_all(restored, prepared, history.subspan(20));
  CHECK(restored.events() == 30);
  const auto a = copy(saved.scores()), b = copy(restored.scores());
  for (std::size_t item = 0; item < a.size(); ++item) REQUIRE(std::abs(a[item] - b[item]) < 1e-4f);
}

TEST_CASE("Session: damaged bytes and other recommenders' sessions are refused, and nothing has changed") {
  const Recommender& recommender = sample_recommender();
  Session session(recommender);
  session.observe(recommender.item_ids().id(3));
  auto bytes = session.save();
  const auto before = bytes;
  for (std::size_t length = 0; length < bytes.size(); length += 37)
    CHECK_THROWS_AS(session.restore(std::span(bytes).first(length)), Error);
  bytes.push_back(std::byte{0});
  CHECK_THROWS_AS(session.restore(bytes), Error);
  bytes = before;
  const std::uint32_t far = 1u << 30;
  std::memcpy(bytes.data() + bytes.size() - sizeof far, &far, sizeof far);  // the only seen item
  CHECK_THROWS_AS(session.restore(bytes), Error);
  NextItemNetwork<float> changed = recommender.network();
  changed.head.bias(0) += 1;
  Recommender other = recommender;
  other.set_network(changed);
  Session stranger(other);
  CHECK_THROWS_AS(stranger.restore(before), Error);
  Session with_markov(sample_recommender_with_markov());
  CHECK_THROWS_AS(with_markov.restore(before), Error);
  CHECK(session.save() == before);
}

TEST_CASE("Session: one of a recommender that differs only in its weights is refused") {
  RecommenderConfig config = sample_recommender().config();
  config.training.epochs = 0;  // leaves the items' biases at 0
  const Recommender first = fit(sample_split(), config).recommender;
  config.training.seed = 2;
  const Recommender second = fit(sample_split(), config).recommender;
  NextItemNetwork<float> changed = first.network();
  changed.blocks[1].recurrent.layer.cell.recurrent_weight *= 2;
  Recommender third = first;
  third.set_network(changed);
  const auto bytes = Session(first).save();
  Session same(first), other_seed(second), other_block(third);
  same.restore(bytes);
  CHECK_THROWS_AS(other_seed.restore(bytes), Error);
  CHECK_THROWS_AS(other_block.restore(bytes), Error);
}

TEST_CASE("Session: a copy goes its own way") {
  const Recommender& recommender = sample_recommender();
  Session session(recommender);
  observe_all(session, recommender, sample_split().sequences[7].first(5));
  const auto before = copy(session.scores());
  Session other = session;
  session.observe(recommender.item_ids().id(3));
  CHECK(copy(session.scores()) != before);
  CHECK((copy(other.scores()) == before));
  CHECK(other.events() == 5);
}

TEST_CASE("Session: keeps a shared recommender alive") {
  auto shared = std::make_shared<const Recommender>(sample_recommender());
  const std::weak_ptr<const Recommender> watched = shared;
  {
    Session session(std::move(shared)), other(sample_recommender());
    CHECK(watched.use_count() == 1);
    observe_all(session, sample_recommender(), sample_split().sequences[7].first(5));
    observe_all(other, sample_recommender(), sample_split().sequences[7].first(5));
    CHECK(copy(session.scores()) == copy(other.scores()));
  }
  CHECK(watched.expired());
}

TEST_CASE("Session: cannot be made from a recommender that is about to go, or that knows no items") {
  CHECK(std::is_constructible_v<Session, const Recommender&>);
  CHECK(!std::is_constructible_v<Session, Recommender&&>);
  CHECK(!std::is_constructible_v<Session, const Recommender&&>);
  const Recommender empty;
  const std::string expected = "a recommender that knows no items can't rank any";
  CHECK(thrown<std::invalid_argument>([&] { Session session(empty); }) == expected);
  CHECK(thrown<std::invalid_argument>([] { Session session(std::shared_ptr<const Recommender>{}); }) == expected);
  CHECK(thrown<std::invalid_argument>([&] { BatchRanker ranker(empty); }) == expected);
  Recommender nothing;
  nothing.cache_input_projections();
  CHECK(nothing.input_projections().size() == 0);
}

// A catalogue larger than a tile is evaluated tile by tile, to the same bits as all at once.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/baselines/markov.hpp>
#include <lstmrec/baselines/popularity.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/eval/ranked_lists.hpp>
#include <lstmrec/eval/scored.hpp>
#include <lstmrec/next_item/markov_weight.hpp>
#include <lstmrec/next_item/ranker.hpp>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "eval/small_split.hpp"
#include "random_recommender.hpp"

using namespace lstmrec;

namespace {

constexpr std::uint32_t many_items = 2500;  // two tiles and a part of one, which is no whole number of tile_multiple

/// Hides that a scorer is tiled.
template <TiledScorer S>
struct WholeCatalogue {
  const S& scorer;
  Index items() const { return scorer.items(); }
  void score(std::span<const History> histories, MatrixRef<float> scores) const { scorer.score(histories, scores); }
};

/// Users of different lengths whose items follow each other in part; some come back to an item.
const Split& split() {
  static const Split result = [] {
    Random random(1);
    std::vector<std::vector<std::uint32_t>> users(150);
    for (auto& events : users) {
      const std::size_t length = 3 + random.below(40);
      while (events.size() < length) {
        const auto item = static_cast<std::uint32_t>(random.below(many_items) * random.below(many_items) / many_items);
        events.push_back(item);
        if (random.below(3) == 0) events.push_back((7 * item + 1) % many_items);
        if (random.below(9) == 0) events.push_back(events[random.below(events.size())]);
      }
    }
    return split_of(users, many_items);
  }();
  return result;
}

Recommender recommender_of(double markov_weight) {
  auto parts = random_parts(many_items, {.embedding_size = 12, .hidden_size = 16, .markov_weight = markov_weight});
  parts.item_counts = training_counts(split());
  if (markov_weight > 0) parts.markov = MarkovChain(split());
  return Recommender(std::move(parts));
}

std::string ranked_lists(const ScorerRef& scorer, bool exclude_seen) {
  std::ostringstream text;
  write_ranked_lists(text, scorer, split(), std::span(split().test).first(20),
                     {.length = 1100, .exclude_seen = exclude_seen});
  return text.str();
}

template <TiledScorer S>
void check_tiled_as_whole(const S& tiled) {
  const WholeCatalogue<S> whole{tiled};
  static_assert(!TiledScorer<WholeCatalogue<S>>);
  REQUIRE(ScorerRef(tiled).is_tiled());
  REQUIRE(!ScorerRef(whole).is_tiled());
  for (const bool exclude_seen : {true, false}) {
    EvaluateOptions options{.cutoffs = {1, 10, 1500}, .exclude_seen = exclude_seen, .threads = 1};
    const auto expected = evaluate(whole, split(), split().test, options);
    for (const auto& [threads, batch] : {std::pair{1, 64}, {2, 7}, {2, 1}}) {
      options.threads = static_cast<std::size_t>(threads);
      options.batch = static_cast<std::size_t>(batch);
      const auto found = evaluate(tiled, split(), split().test, options);
      CHECK(found.ranks == expected.ranks);
      CHECK(found.coverage == expected.coverage);
      CHECK(found.mean_popularity == expected.mean_popularity);
      CHECK(found.mrr.value == expected.mrr.value);
      CHECK(found.mrr.low == expected.mrr.low);
      CHECK(found.ndcg_at(10).value == expected.ndcg_at(10).value);
      CHECK(found.protocol == expected.protocol);
    }
    CHECK(ranked_lists(tiled, exclude_seen) == ranked_lists(whole, exclude_seen));

    ThreadPool one(1), two(2);
    const auto queries = queries_of(split(), split().test);
    const auto lists = top_lists(whole, queries, 1100, {exclude_seen}, one);
    CHECK((top_lists(tiled, queries, 1100, {exclude_seen, 7}, two) == lists));
    const auto odd = [](std::uint32_t item) { return item % 2 == 1; };
    const auto odd_lists = top_lists(tiled, queries, 30, {exclude_seen}, two, odd);
    CHECK((odd_lists == top_lists(whole, queries, 30, {exclude_seen}, one, odd)));
    CHECK((odd_lists != top_lists(tiled, queries, 30, {exclude_seen}, two)));
  }
}

/// Whether the scores of a tile of one history have the bits that they have among all scores of all histories.
template <TiledScorer S>
void check_bits_of_tiles(const S& scorer) {
  std::vector<History> histories;
  for (std::size_t k = 0; k < 9; ++k) histories.push_back(split().history(split().test[k]));
  histories.push_back({});
  Matrix<float> all(many_items, static_cast<Index>(histories.size()));
  const Matrix<float> outputs = scorer.outputs(histories);
  scorer.score_tile(histories, outputs, 0, all);
  for (const Index first : {0, 64, 1024, 2048, 2432, 2496})
    for (const Index most : {Index{1}, tile_multiple, Index{1024}}) {
      const Index rows = std::min(most, many_items - first);
      for (std::size_t k = 0; k < histories.size(); ++k) {
        const auto column = static_cast<Index>(k);
        Matrix<float> tile(rows, 1), own = outputs;
        if (outputs.size() > 0) own = outputs.col(column).eval();
        scorer.score_tile(std::span(histories).subspan(k, 1), own, first, tile);
        CAPTURE(first, rows, k);
        REQUIRE(tile == all.block(first, column, rows, 1));
      }
    }
}

}  // namespace

TEST_CASE("Tiled evaluation: a network alone and beside a Markov chain") {
  Recommender recommender = recommender_of(GENERATE(0.0, 0.75));
  if (GENERATE(false, true)) recommender.cache_input_projections();
  check_tiled_as_whole(recommender);
  check_bits_of_tiles(recommender);
}

TEST_CASE("Tiled evaluation: popularity, with its many ties, and a Markov chain alone") {
  check_tiled_as_whole(Popularity(split()));
  check_tiled_as_whole(MarkovChain(split()));
  check_bits_of_tiles(MarkovChain(split(), MarkovOptions::first_order()));
}

TEST_CASE("Tiled evaluation: a network without trained histories too, where items' counts speak") {
  Split cold = split();
  cold.train_length.assign(cold.sequences.size(), 0);
  for (Target& target : cold.test) target.position = 0;
  const Recommender recommender = recommender_of(0.75);
  const WholeCatalogue<Recommender> whole{recommender};
  const auto a = evaluate(recommender, cold, cold.test, {.bootstrap_samples = 0});
  const auto b = evaluate(whole, cold, cold.test, {.bootstrap_samples = 0});
  CHECK(a.ranks == b.ranks);
  CHECK(a.coverage == b.coverage);
}

TEST_CASE("Tiled evaluation: the weight of a Markov chain is the same over tiles as over all items") {
  const Recommender recommender = recommender_of(0.75);
  const Recommender alone = recommender.with_markov_weight(0);
  const WholeCatalogue<Recommender> whole{alone};
  const double weight = choose_markov_weight(alone, recommender.markov(), split(), split().test, true, 2).weight;
  CHECK(weight > 0);
  CHECK(choose_markov_weight(whole, recommender.markov(), split(), split().test, true, 1).weight == weight);
}

TEST_CASE("Tiled lists: a ranker's lists of a large catalogue are those of all scores, to the bit") {
  constexpr std::uint32_t many = 9000;  // two tiles of a ranker and a part of one, which is no whole number of blocks
  auto parts = random_parts(many, {.embedding_size = 5, .hidden_size = 8, .markov_weight = GENERATE(0.0, 0.75)});
  if (parts.config.markov_weight > 0) {
    std::vector<std::vector<std::uint32_t>> users(30);
    Random random(1);
    for (auto& events : users)
      for (std::size_t k = 0; k < 30; ++k) events.push_back(static_cast<std::uint32_t>(random.below(many)));
    parts.markov = MarkovChain(split_of(users, many));
  }
  const Recommender recommender(std::move(parts));
  Ranker ranker(recommender), all(recommender);
  std::vector<RawId> every_third, but_two, edges{0, 63, 64, 4095, 4096, 8191, 8192, 8999};
  for (std::uint32_t item = 0; item < many; ++item) {
    if (item % 3 == 0) every_third.push_back(item);
    if (item != 4097 && item != 8999) but_two.push_back(item);
  }
  const std::vector<CandidateFilter> filters = {{},
                                                {.exclude_seen = false},
                                                {.allow = edges},
                                                {.exclude_seen = false, .allow = edges},
                                                {.allow = every_third},
                                                {.block = edges},
                                                {.block = but_two},
                                                {.allow = std::vector<RawId>()},
                                                {.allow = edges, .block = {4095, 8999}}};
  UserState user;
  for (const int event : {-1, 4095, 63, 8999, 100}) {
    if (event >= 0) ranker.observe(user, event);
    all.scores(user);
    for (const CandidateFilter& filter : filters)
      for (const std::size_t n : {0u, 1u, 7u, 6000u}) {
        const Candidates candidates(recommender, filter);
        const auto list = ranker.top_n(user, n, candidates), expected = all.list(user, n, candidates);
        CAPTURE(event, &filter - filters.data(), n);
        REQUIRE(list.size() == expected.size());
        for (std::size_t k = 0; k < list.size(); ++k)
          if (list[k].item != expected[k].item || list[k].score != expected[k].score) FAIL("place " << k);
      }
  }
  CHECK(ranker.last_scores().empty());  // which is what a list need not hold
  CHECK(all.last_scores().size() == many);
}

TEST_CASE("Candidates: the next that is allowed") {
  const Recommender recommender(random_parts(200, {.embedding_size = 2, .hidden_size = 2}));
  const Candidates all(recommender), some(recommender, {.allow = {{3, 64, 199}}, .block = {64}});
  for (const Index item : {0, 5, 199, 200, 300}) CHECK(all.next_allowed(item) == std::min<Index>(item, 200));
  CHECK(some.next_allowed(0) == 3);
  CHECK(some.next_allowed(3) == 3);
  CHECK(some.next_allowed(4) == 199);
  CHECK(some.next_allowed(200) == 200);
  CHECK(Candidates(recommender, {.block = {199}}).next_allowed(199) == 200);
}

// The baselines on real data, against figures measured once with another implementation.

#include <cstddef>
#include <filesystem>
#include <lstmrec/baselines/item_knn.hpp>
#include <lstmrec/baselines/linear.hpp>
#include <lstmrec/baselines/markov.hpp>
#include <lstmrec/baselines/popularity.hpp>
#include <lstmrec/baselines/session_knn.hpp>
#include <lstmrec/data/delimited_log.hpp>
#include <lstmrec/data/movielens.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <string>
#include <utility>

#include "catch.hpp"
#include "real_data.hpp"

using namespace lstmrec;

namespace {

template <class S>
void check_figures(const std::string& name, const S& scorer, const Split& split, double hr, double ndcg) {
  INFO(name);
  const auto result = evaluate(scorer, split, split.test, {.cutoffs = {10}, .bootstrap_samples = 0});
  CHECK(result.hr_at(10).value == Approx(hr).margin(0.002));
  CHECK(result.ndcg_at(10).value == Approx(ndcg).margin(0.002));
}

Split load(const std::filesystem::path& path, std::size_t min_item_count = 1) {
  return leave_one_out(build_sequences(read_movielens(path), {.min_item_count = min_item_count}));
}

}  // namespace

TEST_CASE("the baselines' figures on MovieLens 1M") {
  const auto path = real_data("ml-1m/sequences.txt");
  if (!path) return;
  const Split split = load(*path, 5);
  CHECK(split.sequences.items.size() == 3416);
  check_figures("popularity", Popularity(split), split, .039, .019);
  check_figures("first-order chain", MarkovChain(split, MarkovOptions::first_order()), split, .192, .112);
  check_figures("decayed chain", MarkovChain(split), split, .258, .150);
  check_figures("item neighbours", ItemKnn(split), split, .142, .079);
  check_figures("EASE", EaseEquations(split).solve(500), split, .214, .119);
  check_figures("decayed ridge", DecayedRidgeEquations(split).solve(300), split, .267, .157);
}

TEST_CASE("the baselines' figures on MovieLens 100K") {
  const auto path = real_data("ml-100k");
  if (!path) return;
  const Split split = load(*path);
  check_figures("popularity", Popularity(split), split, .084, .043);
  check_figures("first-order chain", MarkovChain(split, MarkovOptions::first_order()), split, .144, .077);
  check_figures("decayed chain", MarkovChain(split), split, .206, .114);
  check_figures("decayed ridge", DecayedRidgeEquations(split).solve(300), split, .203, .110);
}

TEST_CASE("the baselines' figures on the small MovieLens of 2018") {
  const auto path = real_data("ml-latest-small");
  if (!path) return;
  const Split split = load(*path);
  check_figures("popularity", Popularity(split), split, .038, .018);
  check_figures("first-order chain", MarkovChain(split, MarkovOptions::first_order()), split, .074, .047);
  check_figures("decayed chain", MarkovChain(split), split, .126, .069);
}

TEST_CASE("session kNN's figures on the clicks of RSC15, as the authors' code gives them") {
  const auto folder = real_data("rsc15-64");
  if (!folder) return;
  Split split = with_validation_in_training(held_out_log(build_sequences(read_log(*folder / "rsc15_train_full.txt")),
                                                         build_sequences(read_log(*folder / "rsc15_test.txt"))));
  REQUIRE(split.test.size() == 5596);
  const auto check = [&](const SessionKnnOptions& options, double hr, double mrr) {
    const auto figures = evaluate(SessionKnn(split, options), split, split.test,
                                  {.cutoffs = {20}, .exclude_seen = false, .bootstrap_samples = 0});
    CHECK(figures.hr_at(20).value == Approx(hr).margin(0.001));
    CHECK(figures.mrr_at(20).value == Approx(mrr).margin(0.001));
  };
  check(SessionKnnOptions::stan(), .650, .319);
  SessionKnnOptions vsknn = SessionKnnOptions::vsknn();
  vsknn.sample = 500;
  check(vsknn, .629, .306);
}

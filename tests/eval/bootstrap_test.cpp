#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/eval/bootstrap.hpp>
#include <lstmrec/eval/compare.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <stdexcept>
#include <vector>

#include "catch.hpp"
#include "data/logs.hpp"
#include "eval/scorers.hpp"

using namespace lstmrec;

namespace {

/// `copies` targets of each of `users` users, half of the users with figure 1 and half with 0.
Estimate half(std::uint32_t users, int copies) {
  UserSums sums(1);
  for (std::uint32_t user = 0; user < users; ++user)
    for (int copy = 0; copy < copies; ++copy) sums.add(user, std::array{static_cast<double>(user % 2)});
  ThreadPool pool(1);
  return sums.estimates(4000, 1, pool)[0];
}

}  // namespace

TEST_CASE("percentiles are interpolated") {
  const std::vector<double> values{1, 2, 3, 5};
  CHECK(UserSums::percentile(values, 0) == 1);
  CHECK(UserSums::percentile(values, 0.5) == Approx(2.5));
  CHECK(UserSums::percentile(values, 0.9) == Approx(3 + 0.7 * 2));
  CHECK(UserSums::percentile(values, 1) == 5);
}

TEST_CASE("the interval of a share is as wide as theory says") {
  const Estimate share = half(400, 1);
  CHECK(share.value == 0.5);
  CHECK(share.high - share.low == Approx(2 * 1.96 * std::sqrt(0.25 / 400)).epsilon(0.06));
  CHECK(share.high + share.low == Approx(1).epsilon(0.02));
}

TEST_CASE("copies of a user's target make no interval narrower") {
  const Estimate once = half(100, 1), often = half(100, 25);
  CHECK(often.low == once.low);
  CHECK(often.high == once.high);
}

TEST_CASE("means weigh every target alike") {
  UserSums sums(2);
  sums.add(7, std::array{1.0, 10.0});
  sums.add(7, std::array{2.0, 20.0});
  sums.add(3, std::array{6.0, 60.0});
  CHECK(sums.users() == 2);
  CHECK(sums.means()[0] == Approx(3));
  CHECK(sums.means()[1] == Approx(30));
  ThreadPool pool(1);
  CHECK(sums.estimates(0, 1, pool)[1].low == sums.means()[1]);
}

TEST_CASE("p is small exactly where users agree on the sign") {
  UserSums sums(3);
  for (std::uint32_t user = 0; user < 100; ++user)
    sums.add(user, std::array{-1.0 - user % 3, user % 2 == 0 ? 1.0 : -1.0, 0.0});
  ThreadPool pool(1);
  CHECK(sums.sign_p_value(0, 999, 1, pool) == 2 / 1000.);
  CHECK(sums.sign_p_value(1, 999, 1, pool) > 0.8);
  CHECK(sums.sign_p_value(2, 999, 1, pool) == 1);
}

TEST_CASE("p of a few users is no smaller than chance alone lets them agree") {
  ThreadPool pool(1);
  UserSums sums(1);
  for (std::uint32_t user = 0; user < 12; ++user) {
    sums.add(user, std::array{1.0 + user});
    CHECK(sums.sign_p_value(0, 999, 1, pool) == std::max(std::pow(0.5, user), 2 / 1000.));
  }
}

TEST_CASE("a paired comparison finds a difference that single intervals hide") {
  const Split split = leave_one_out(build_sequences(make_interactions(random_log(9, 6000, 300, 60))));
  const std::size_t items = split.sequences.items.size();
  // The second is the first, but for one user in five that the first gets right.
  const auto helped = scorer_of(items, [&](History history, std::uint32_t item) {
    const std::uint32_t target = history.items.data()[history.size()];
    if (history.user % 5 == 0 && item == target) return 2.0f;
    return arbitrary(items).function(history, item);
  });
  const auto better = evaluate(helped, split, split.test), worse = evaluate(arbitrary(items), split, split.test);
  const Comparison comparison = compare(better, worse);
  CHECK(comparison.ndcg.value == Approx(better.ndcg_at(10).value - worse.ndcg_at(10).value));
  CHECK(comparison.ndcg.low > 0);
  CHECK(comparison.p == Approx(2 / 1001.));
  const Comparison turned = compare(worse, better, {.threads = 1});
  CHECK(turned.ndcg.value == Approx(-comparison.ndcg.value));
  CHECK(turned.ndcg.high == Approx(-comparison.ndcg.low));
  CHECK(turned.p == comparison.p);
  CHECK(comparison.ndcg.high - comparison.ndcg.low < better.ndcg_at(10).high - worse.ndcg_at(10).low);

  const Comparison none = compare(better, better);
  CHECK(none.ndcg.value == 0);
  CHECK(none.p == 1);
}

TEST_CASE("only evaluations of the same targets are compared") {
  const Split split = leave_one_out(build_sequences(make_interactions(random_log(9, 1000, 30, 60))));
  const auto scorer = constant(split.sequences.items.size());
  const auto test = evaluate(scorer, split, split.test), validation = evaluate(scorer, split, split.validation);
  CHECK_THROWS_AS(compare(test, validation), std::invalid_argument);
  CHECK_THROWS_AS(compare(test, test, {.bootstrap_samples = 0}), ConfigError);
  CHECK_THROWS_AS(compare(test, test, {.cutoff = 0}), ConfigError);
  CHECK_THROWS_AS(compare(Evaluation{}, Evaluation{}), DataError);  // else it would be no difference, and p = .002
}

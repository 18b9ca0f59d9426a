#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <lstmrec/baselines/item_knn.hpp>
#include <lstmrec/baselines/markov.hpp>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/movielens.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/eval/ranked_lists.hpp>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"
#include "data/logs.hpp"
#include "data/temporary_folder.hpp"
#include "eval/scorers.hpp"
#include "eval/small_split.hpp"
#include "real_data.hpp"

using namespace lstmrec;

namespace {

template <class S>
std::string lists(const S& scorer, const Split& split, const RankedListOptions& options = {}) {
  std::ostringstream out;
  write_ranked_lists(out, scorer, split, split.test, options);
  return out.str();
}

bool has_python() { return std::system("python3 --version > /dev/null 2>&1") == 0; }

/// Runs the script beside this file on the log, the scorer's lists and the figures of the evaluation plus `error`.
template <class S>
int recompute(const TemporaryFolder& folder, const std::filesystem::path& log, const S& scorer, const Split& split,
              const std::string& more, double error = 0) {
  const auto file = folder.write("lists.tsv", lists(scorer, split));
  const auto result = evaluate(scorer, split, split.test, {.bootstrap_samples = 0});
  std::ostringstream command;
  command << std::setprecision(10) << "python3 '"
          << (std::filesystem::path(LSTMREC_SOURCE_DIR) / "tests/eval/recompute_metrics.py").string() << "' '"
          << log.string() << "' '" << file.string() << "' " << more << " mrr=" << result.mrr.value + error;
  for (std::size_t c = 0; c < result.cutoffs.size(); ++c)
    command << " hr@" << result.cutoffs[c] << "=" << result.hr[c].value << " ndcg@" << result.cutoffs[c] << "="
            << result.ndcg[c].value;
  return std::system(command.str().c_str());
}

}  // namespace

TEST_CASE("ranked lists place the target behind its ties") {
  const Split split = split_of({{0, 1, 2, 3, 4}, {1, 2, 0}, {0, 1, 0}}, 5);
  // User 2 had item 0 before: it is in no list.
  CHECK(lists(constant(5), split) == "0\t4\n1\t3\t4\t0\n2\t2\t3\t4\n");
  CHECK(lists(constant(5), split, {.length = 2}) == "0\t4\n1\t3\t4\n2\t2\t3\n");
  CHECK(lists(oracle(5), split, {.length = 1}) == "0\t4\n1\t0\n2\t2\n");
  CHECK(lists(oracle(5), split, {.exclude_seen = false}) == "0\t4\t0\t1\t2\t3\n1\t0\t1\t2\t3\t4\n2\t0\t1\t2\t3\t4\n");
}

TEST_CASE("a target's place in its ranked list is its rank") {
  const Split split = leave_one_out(build_sequences(make_interactions(random_log(8, 2000, 60, 50))));
  const ItemKnn scorer(split, {.neighbours = 3});
  for (const bool exclude_seen : {true, false}) {
    const auto ranks =
        evaluate(scorer, split, split.test, {.exclude_seen = exclude_seen, .bootstrap_samples = 0}).ranks;
    std::istringstream text(lists(scorer, split, {.exclude_seen = exclude_seen}));
    std::string line, id;
    for (std::size_t k = 0; k < split.test.size(); ++k) {
      REQUIRE(std::getline(text, line));
      std::istringstream fields(line);
      REQUIRE(fields >> id);
      CHECK(id == split.sequences.users.id(split.test[k].user).text());
      const auto wanted = split.sequences.items.id(split.event(split.test[k]).item).text();
      std::uint32_t rank = 1;
      while (fields >> id && id != wanted) ++rank;
      CHECK((fields ? rank : metrics::not_ranked) == ranks[k]);
    }
  }
}

namespace {

/// A scorer of 30 items whose lists say how long the history is, and which counts how often it is asked for outputs.
struct LastOfLength {
  int* calls;

  Index items() const { return 30; }
  Matrix<float> outputs(std::span<const History> histories) const {
    ++*calls;
    Matrix<float> lengths(1, static_cast<Index>(histories.size()));
    for (std::size_t k = 0; k < histories.size(); ++k)
      lengths(0, static_cast<Index>(k)) = static_cast<float>(histories[k].size());
    return lengths;
  }
  void score_tile(std::span<const History>, const Matrix<float>& outputs, Index first, MatrixRef<float> scores) const {
    for (Index column = 0; column < scores.cols(); ++column)
      for (Index row = 0; row < scores.rows(); ++row)
        scores(row, column) = first + row == static_cast<Index>(outputs(0, column)) % 30 ? 1.0f : 0.0f;
  }
  void score(std::span<const History> histories, MatrixRef<float> scores) const {
    score_tile(histories, outputs(histories), 0, scores);
  }
};

}  // namespace

TEST_CASE("ranked lists of a user's many targets stand in the targets' order and take one call for outputs") {
  std::vector<std::vector<std::uint32_t>> users(70, {0, 1, 2, 3});
  for (std::uint32_t k = 0; k < 200; ++k) users[40].push_back(k % 30);
  Split split = split_of(users, 30);
  split.test.clear();
  for (std::uint32_t user = 0; user < 70; ++user)
    for (std::uint32_t position = 1; position < users[user].size(); position += user == 40 ? 1 : 3)
      split.test.push_back({user, position});
  int calls = 0;
  const LastOfLength scorer{&calls};
  const auto check_lines = [&] {
    std::istringstream text(lists(scorer, split, {.length = 1, .exclude_seen = false}));
    std::uint32_t user = 0, item = 0;
    for (const Target target : split.test) {
      REQUIRE(text >> user >> item);
      CAPTURE(user, item, target.position);
      REQUIRE(user == target.user);
      if (item != split.event(target).item) REQUIRE(item == target.position % 30);
    }
    CHECK(!(text >> user));
  };
  check_lines();
  CHECK(calls == 3);  // 40 users, the one of 203 targets, 29 users
  std::reverse(split.test.begin(), split.test.end());
  check_lines();
}

TEST_CASE("ranked lists say when they can't be written") {
  const Split split = split_of({{0, 1, 2, 3, 4}}, 5);
  std::ofstream closed;
  CHECK_THROWS_AS(write_ranked_lists(closed, constant(5), split, split.test), Error);
  CHECK_THROWS_AS(lists(constant(4), split), std::invalid_argument);
}

TEST_CASE("an independent script recomputes the metrics from the raw file and the ranked lists") {
  if (!has_python()) return skip_test("needs python3");
  const TemporaryFolder folder;
  std::ostringstream text;
  for (const auto& [user, item, time, rating] : random_log(6, 4000, 80, 70))
    text << user << '\t' << item + 100 << '\t' << static_cast<int>(rating + 0.5f) << '\t' << time << '\n';
  const auto log = folder.write("u.data", text.str());
  const Split split = leave_one_out(build_sequences(read_movielens(log), {.min_item_count = 55}));
  CHECK(recompute(folder, log, MarkovChain(split), split, "--min-item-count 55") == 0);
  CHECK(recompute(folder, log, constant(split.sequences.items.size()), split, "--min-item-count 55") == 0);
  CHECK(recompute(folder, log, MarkovChain(split), split, "--min-item-count 55", 2e-6) != 0);
  CHECK(recompute(folder, log, MarkovChain(split), split, "") != 0);
}

TEST_CASE("the script agrees on MovieLens 100K") {
  const auto path = real_data("ml-100k/u.data");
  if (!path) return;
  if (!has_python()) return skip_test("needs python3");
  const TemporaryFolder folder;
  const Split split = leave_one_out(build_sequences(read_movielens(*path)));
  CHECK(recompute(folder, *path, MarkovChain(split), split, "") == 0);
  CHECK(recompute(folder, *path, ItemKnn(split), split, "") == 0);
}

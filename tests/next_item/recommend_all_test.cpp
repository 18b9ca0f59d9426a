#include <algorithm>
#include <fstream>
#include <locale>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/next_item/recommend_all.hpp>
#include <lstmrec/next_item/session.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "trained_recommender.hpp"

using namespace lstmrec;

TEST_CASE("Lists for all users are those of their sessions, for any number of threads") {
  const Recommender& recommender = sample_recommender();
  const Sequences& sequences = sample_split().sequences;
  std::ostringstream one, two;
  write_recommendations(recommender, sequences, 3, Candidates(recommender), one, 1);
  write_recommendations(recommender, sequences, 3, Candidates(recommender), two, 2);
  CHECK(one.str() == two.str());

  std::istringstream lines(one.str());
  std::string line;
  std::getline(lines, line);
  CHECK(line == "user,rank,item,score,title");
  std::size_t same = 0;
  for (std::uint32_t user = 0; user < sequences.size(); ++user) {
    Session session(recommender);
    for (const Event event : sequences[user]) session.observe(sequences.items.id(event.item));
    const auto list = session.top_n(3);
    for (std::size_t rank = 1; rank <= 3; ++rank) {
      REQUIRE(std::getline(lines, line));
      const std::string begin = sequences.users.id(user).text() + "," + std::to_string(rank) + ",";
      REQUIRE(line.compare(0, begin.size(), begin) == 0);
      const std::string item = list[rank - 1].item.text() + ",";
      same += line.compare(begin.size(), item.size(), item) == 0;
    }
  }
  CHECK(!std::getline(lines, line));
  CHECK(same >= 3 * sequences.size() * 99 / 100);  // rounding may swap two items whose scores are almost equal
}

TEST_CASE("Lists for all users: titles are quoted where CSV asks for it, and blocked items are left out") {
  auto parts = parts_of(sample_recommender());
  for (auto& info : parts.catalogue) info.title = "One, \"two\"";
  const Recommender recommender(std::move(parts));
  std::ostringstream csv;
  const Candidates candidates(recommender, {.exclude_seen = false, .allow = {{recommender.item_ids().id(2)}}});
  // A program may have set any locale.
  struct Comma : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };
  csv.imbue(std::locale(csv.getloc(), new Comma));
  CHECK(write_recommendations(recommender, sample_split().sequences, 5, candidates, csv) == 0);
  CHECK(csv.str().find(",1," + recommender.item_ids().id(2).text() + ",") != std::string::npos);
  CHECK(csv.str().find(",\"One, \"\"two\"\"\"\n") != std::string::npos);
  CHECK(csv.str().find(",2,") == std::string::npos);  // no second rank
  std::istringstream lines(csv.str());
  std::string line;
  while (std::getline(lines, line)) CHECK(std::count(line.begin(), line.end(), ',') == (line[0] == 'u' ? 4 : 5));

  std::ostringstream empty;
  const Candidates nothing(recommender, {.allow = {{"unknown"}}});
  CHECK(write_recommendations(recommender, sample_split().sequences, 5, nothing, empty) ==
        sample_split().sequences.size());
}

TEST_CASE("Lists for all users: sequences with other items are refused, and with the same in another order") {
  Sequences other = build_sequences(make_interactions(std::vector<std::tuple<int, int, int, float>>{{1, 2, 3, 4.0f}}));
  std::ostringstream csv;
  CHECK_THROWS_AS(write_recommendations(sample_recommender(), other, 3, Candidates(sample_recommender()), csv),
                  std::invalid_argument);

  Split split = sample_split();
  Vocabulary reversed;
  for (std::uint32_t item = 0; item < split.sequences.items.size(); ++item)
    reversed.add(split.sequences.items.id(static_cast<std::uint32_t>(split.sequences.items.size()) - 1 - item));
  split.sequences.items = reversed;
  CHECK_THROWS_AS(
      write_recommendations(sample_recommender(), split.sequences, 3, Candidates(sample_recommender()), csv),
      std::invalid_argument);
  CHECK(csv.str().empty());
}

TEST_CASE("Lists for all users say when they can't be written") {
  std::ofstream closed;
  CHECK_THROWS_AS(write_recommendations(sample_recommender(), sample_split().sequences, 3,
                                        Candidates(sample_recommender()), closed),
                  Error);
}

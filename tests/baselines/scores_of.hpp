#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/data/split.hpp>
#include <vector>

#include "catch.hpp"
#include "data/logs.hpp"

template <class S>
std::vector<double> scores_of(const S& scorer, lstmrec::History history) {
  const std::vector<lstmrec::History> histories{history, history};
  lstmrec::Matrix<float> scores = lstmrec::Matrix<float>::Constant(scorer.items(), 2, std::nanf(""));
  scorer.score(histories, scores);
  REQUIRE(scores.col(0) == scores.col(1));
  return {scores.col(0).begin(), scores.col(0).end()};
}

/// After a history of these items.
template <class S>
std::vector<double> scores_of(const S& scorer, std::initializer_list<std::uint32_t> items) {
  const std::vector<std::uint32_t> list(items);
  return scores_of(scorer, lstmrec::History(list));
}

inline void check_near(const std::vector<double>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t item = 0; item < found.size(); ++item) {
    INFO("item " << item);
    CHECK(found[item] == Approx(expected[item]).epsilon(1e-5).margin(1e-9));
  }
}

/// Of sequences with repeats.
inline lstmrec::Split random_split() {
  using namespace lstmrec;
  return leave_one_out(build_sequences(make_interactions(random_log(5, 2000, 60, 40))));
}

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <lstmrec/baselines/item_scores.hpp>
#include <lstmrec/baselines/session_knn.hpp>
#include <lstmrec/core/lanes.hpp>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/data/event.hpp>
#include <span>

// Session kNN beside a network: the probabilities of both are mixed,
//
//     P(j) = (1 − w) e^z(j) / Z + w s(j) / S,     Z = Σ e^z(i),  S = Σ s(i)
//
// with the network's scores z and those of session kNN s. A score may be any increasing function of P, so log(P Z /
// (1 − w)) is taken:
//
//     score(j) = log(e^z(j) + e^m(j)),     m(j) = log(w / (1 − w) · s(j) / S) + log Z
//
// It is z(j) of all items but those that the neighbours have. Logarithms of s added to z, as those of a Markov chain
// are, gained less (RSC15).

namespace lstmrec::detail {

/// log Σ e^z of numbers that come a tile at a time.
class LogSumExp {
 public:
  void add(std::span<const float> scores) {
    if (scores.empty()) return;
    const float most = *std::max_element(scores.begin(), scores.end());
    if (static_cast<double>(most) > most_) {
      sum_ *= std::exp(most_ - static_cast<double>(most));
      most_ = static_cast<double>(most);
    }
    const float shift = static_cast<float>(most_);
    const float* const z = scores.data();
    sum_ += static_cast<double>(
        sum_of_lanes<float>(static_cast<Index>(scores.size()), [=](auto at) { return exp(at[z] - at.all(shift)); }));
  }
  double value() const { return most_ + std::log(sum_); }

 private:
  double most_ = -std::numeric_limits<double>::infinity(), sum_ = 0;
};

/// Of a query's neighbours, so many of the items with the highest scores are mixed.
inline constexpr std::size_t mixed_items = 256;

/// Writes the items and their m to a column of 2 × mixed_items numbers (write_scores). `log_sum`: log Z.
inline void write_mixed_items(const SessionKnn& knn, double weight, const History& history, double log_sum,
                              SessionKnn::Scratch& scratch, MatrixRef<float> column) {
  knn.scores_after(History(history.items), scratch);  // times would change all scores by one factor
  auto& scores = scratch.scores;
  // Neighbours may be so old that they weigh nothing, and rarity may make scores negative.
  std::erase_if(scores, [](const ItemScore& one) { return !(one.score > 0 && std::isfinite(one.score)); });
  double sum = 0;
  for (const ItemScore& one : scores) sum += one.score;
  keep_highest(mixed_items, scores);
  const double factor = std::log(weight / (1 - weight)) - std::log(sum) + log_sum;
  for (ItemScore& one : scores) one.score = factor + std::log(one.score);
  write_scores(scores, column);
}

/// z(j) := log(e^z(j) + e^m(j)), of the items from `first` on.
template <class Column>
void mix_items(const Column& column, Index first, MatrixRef<float> scores) {
  for_each_score(column, first, scores.rows(), [&](Index row, float m) {
    float& z = scores(row, 0);
    z = std::max(z, m) + std::log1p(std::exp(-std::abs(z - m)));
  });
}

}  // namespace lstmrec::detail

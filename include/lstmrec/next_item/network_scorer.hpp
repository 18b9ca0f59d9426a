#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/baselines/markov.hpp>
#include <lstmrec/core/argsort.hpp>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/products.hpp>
#include <lstmrec/data/event.hpp>
#include <span>
#include <vector>

namespace lstmrec {

/// Scores items by a network, and by a Markov chain beside it where there is one. A TiledScorer that borrows all its
/// parts: a Recommender makes one of itself, and training one of the weights that it validates.
///
///     score(j) = network's score(j) + w · log(decayed Markov score(j)),   w = markov_weight
///
/// After a history without events the score is log(1 + events of the item in training).
template <class Network>
struct NetworkScorer {
  const Network* network = nullptr;
  const Matrix<float>* input_projections = nullptr;     ///< Null, or network->input_projections().
  const PackedMatrix<float>* packed_vectors = nullptr;  ///< Null, or the output vectors, items × embedding size.
  std::span<const std::uint32_t> item_counts;
  const MarkovChain* markov = nullptr;  ///< Not read where the weight is 0.
  double markov_weight = 0;

  Index items() const { return network->items(); }

  /// The network's output after each history: embedding size × histories; of one without events it means nothing. All
  /// advance together, each from its first event, by the steps of a Session.
  Matrix<float> outputs(std::span<const History> histories) const {
    // Longest first; a user's histories beside each other.
    const auto order = argsort_by(histories.size(), [&](std::size_t i) { return ~histories[i].size(); });
    auto state = network->initial_state(static_cast<Index>(histories.size()));
    Rows rows;
    std::size_t alive = order.size();
    for (std::size_t step = 0; alive > 0; ++step) {
      while (alive > 0 && histories[order[alive - 1]].size() <= step) --alive;
      if (alive == 0) break;
      rows.clear();
      for (std::size_t i = 0; i < alive; ++i) rows.add(histories[order[i]], step);
      advance(rows.history(), state);
    }
    rows.clear();
    for (std::size_t i = 0; i < order.size() && !histories[order[i]].empty(); ++i)
      rows.add(histories[order[i]], histories[order[i]].size() - 1);
    if (input_projections != nullptr) network->embed_last(rows.history(), state);
    network->compute_output(state);
    Matrix<float> output(state.output.rows(), state.output.cols());
    for (std::size_t i = 0; i < order.size(); ++i)
      linalg::copy(ConstMatrixRef<float>(state.output).col(static_cast<Index>(i)),
                   MatrixRef<float>(output).col(static_cast<Index>(order[i])));
    return output;
  }

  void score_tile(std::span<const History> histories, const Matrix<float>& outputs, Index first,
                  MatrixRef<float> scores) const {
    network->head.score_tile(network->output_vectors(), packed_vectors, first, outputs, scores);
    Vector<float> scratch(markov_weight > 0 ? scores.rows() : 0);
    for (std::size_t i = 0; i < histories.size(); ++i) {
      auto own = scores.col(static_cast<Index>(i));
      if (histories[i].empty())
        score_without_history(first, own);
      else if (markov_weight > 0)
        add_markov_scores(histories[i], first, scratch, own);
    }
  }

  void score(std::span<const History> histories, MatrixRef<float> scores) const {
    score_tile(histories, outputs(histories), 0, scores);
  }

  /// scores := scores + w · log(decayed Markov score), for the items from `first` on. `scratch`: at least
  /// scores.size() numbers. Allocates nothing. Cost: the chain's entries of the history's last items, and a logarithm
  /// an item.
  void add_markov_scores(const History& history, Index first, Vector<float>& scratch, MatrixRef<float> scores) const {
    markov->log_scores(history, first, scores.size(), scratch);
    linalg::add_scaled(static_cast<float>(markov_weight), ConstMatrixRef<float>(scratch).topRows(scores.rows()),
                       scores);
  }

  /// scores := log(1 + count) of the items from `first` on: the most popular first.
  void score_without_history(Index first, MatrixRef<float> scores) const {
    for (Index k = 0; k < scores.rows(); ++k)
      scores(k, 0) = std::log1p(static_cast<float>(item_counts[static_cast<std::size_t>(first + k)]));
  }

 private:
  /// The events of one step of many histories.
  struct Rows {
    std::vector<std::uint32_t> items;
    std::vector<std::int64_t> times;
    std::vector<float> ratings;

    void clear() {
      items.clear();
      times.clear();
      ratings.clear();
    }
    void add(const History& history, std::size_t row) {
      items.push_back(history.items[row]);
      if constexpr (!Network::has_input_projections) {  // an input that may look at more than items
        times.push_back(history[row].time);
        ratings.push_back(history[row].rating);
      }
    }
    History history() const { return {items, times, ratings, 0}; }
  };

  void advance(const History& events, typename Network::State& state) const {
    if constexpr (Network::has_input_projections) {
      if (input_projections != nullptr) return network->step(events, *input_projections, state);
    }
    network->step(events, state);
  }
};

}  // namespace lstmrec

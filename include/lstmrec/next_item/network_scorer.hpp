#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/baselines/markov.hpp>
#include <lstmrec/baselines/session_knn.hpp>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/products.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/event_context.hpp>
#include <lstmrec/eval/prefix_groups.hpp>
#include <lstmrec/next_item/session_knn_mixture.hpp>
#include <span>
#include <stdexcept>
#include <vector>

namespace lstmrec {

/// Scores items by a network, and by a Markov chain beside it where there is one. A TiledScorer that borrows all its
/// parts: a Recommender makes one of itself, and training one of the weights that it validates.
///
///     score(j) = network's score(j) + w · log(decayed Markov score(j)),   w = markov_weight
///
/// and session kNN, whose probabilities are mixed with those of these scores (session_knn_mixture.hpp).
/// After a history without events the score is log(1 + events of the item in training).
template <class Network>
struct NetworkScorer {
  const Network* network = nullptr;
  const Matrix<float>* input_projections = nullptr;     ///< Null, or network->input_projections().
  const PackedMatrix<float>* packed_vectors = nullptr;  ///< Null, or the output vectors, items × embedding size.
  const EventContext* context = nullptr;  ///< Null, or what the network reads of events beside their items.
  std::span<const std::uint32_t> item_counts;
  const MarkovChain* markov = nullptr;  ///< Not read where the weight is 0.
  double markov_weight = 0;
  const SessionKnn* session_knn = nullptr;  ///< Not read where the weight is 0.
  double session_knn_weight = 0;
  std::uint64_t numbering = 0;  ///< Vocabulary::fingerprint of the items; 0: not known, and not checked.

  Index items() const { return network->items(); }

  /// The network's output after each history: embedding size × histories; of one without events it means nothing. All
  /// advance together, each from its first event, by the steps of a Session. Histories that are prefixes of one another
  /// (PrefixGroups) share their steps: any number of targets of one user cost one pass along the user's events. Throws
  /// std::invalid_argument on items of another numbering.
  Matrix<float> outputs(std::span<const History> histories) const {
    const auto groups = prefix_groups(histories.size(), [&](std::size_t k) { return histories[k]; });
    for (std::size_t group = 0; group < groups.size(); ++group) check_items(histories[groups[group].back()]);
    auto state = network->initial_state(static_cast<Index>(groups.size()));
    auto output = linalg::filled<Matrix<float>>(network->embedding_size(), static_cast<Index>(histories.size()));
    EndedHistories ended(*this, histories, output);
    std::vector<std::size_t> next;  // by group: the place in its order of the shortest history that goes on
    for (std::size_t group = 0; group < groups.size(); ++group) {
      next.push_back(groups.offsets[group]);
      while (next[group] < groups.offsets[group + 1] && histories[groups.order[next[group]]].empty()) ++next[group];
    }
    Rows rows{context};
    std::size_t alive = groups.size();
    for (std::size_t step = 0; alive > 0; ++step) {
      while (alive > 0 && next[alive - 1] == groups.offsets[alive]) --alive;  // the longest groups come first
      if (alive == 0) break;
      rows.clear();
      for (std::size_t group = 0; group < alive; ++group) rows.add(histories[groups[group].back()], step);
      advance(rows.history(), state);
      for (std::size_t group = 0; group < alive; ++group)
        for (; next[group] < groups.offsets[group + 1]; ++next[group]) {
          const std::size_t number = groups.order[next[group]];
          if (histories[number].size() > step + 1) break;
          ended.add(number, state, static_cast<Index>(group));
        }
    }
    ended.compute_outputs();
    return session_knn_weight > 0 ? with_mixed_items(histories, output) : output;
  }

  void score_tile(std::span<const History> histories, const Matrix<float>& outputs, Index first,
                  MatrixRef<float> scores) const {
    const ConstMatrixRef<float> all(outputs);
    score_tile_without_neighbours(histories, all.topRows(network->embedding_size()), first, scores);
    if (session_knn_weight == 0) return;
    for (std::size_t i = 0; i < histories.size(); ++i)
      if (const auto k = static_cast<Index>(i); !histories[i].empty())
        detail::mix_items(all.col(k).tail(all.rows() - network->embedding_size()), first, scores.col(k));
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
  void score_tile_without_neighbours(std::span<const History> histories, ConstMatrixRef<float> outputs, Index first,
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

  /// The outputs, and below them the items that session kNN changes. All items are scored for it, a tile at a time.
  Matrix<float> with_mixed_items(std::span<const History> histories, const Matrix<float>& output) const {
    constexpr std::size_t together = 64;
    constexpr Index tile = 1024;  // a multiple of tile_multiple
    Matrix<float> result(output.rows() + 2 * static_cast<Index>(detail::mixed_items), output.cols());
    result.topRows(output.rows()) = output;
    Matrix<float> scores(std::min(tile, items()), static_cast<Index>(std::min(together, histories.size())));
    SessionKnn::Scratch scratch(*session_knn);
    for (std::size_t begin = 0; begin < histories.size(); begin += together) {
      const auto own = histories.subspan(begin, std::min(together, histories.size() - begin));
      const auto columns = static_cast<Index>(own.size());
      std::vector<detail::LogSumExp> sums(own.size());
      for (Index first = 0; first < items(); first += tile) {
        const Index rows = std::min(tile, items() - first);
        const auto some = MatrixRef<float>(scores).topRows(rows).leftCols(columns);
        score_tile_without_neighbours(own, ConstMatrixRef<float>(output).middleCols(static_cast<Index>(begin), columns),
                                      first, some);
        for (Index k = 0; k < columns; ++k)
          sums[static_cast<std::size_t>(k)].add({some.col(k).data(), static_cast<std::size_t>(rows)});
      }
      for (std::size_t k = 0; k < own.size(); ++k)
        detail::write_mixed_items(
            *session_knn, session_knn_weight, own[k], sums[k].value(), scratch,
            MatrixRef<float>(result).bottomRows(result.rows() - output.rows()).col(static_cast<Index>(begin + k)));
    }
    return result;
  }

  void check_items(const History& history) const {
    if (numbering != 0 && history.numbering != 0 && history.numbering != numbering)
      throw std::invalid_argument(
          "the histories' items are numbered otherwise than the recommender's: see align_items");
    for (const std::uint32_t item : history.items)
      if (static_cast<Index>(item) >= items())
        detail::fail<std::invalid_argument>({"a history has item ", item, ", and the recommender ", items(), " items"});
  }

  /// The events of one step of many histories.
  struct Rows {
    const EventContext* context;
    std::vector<std::uint32_t> items = {};
    std::vector<std::int64_t> times = {};
    std::vector<float> ratings = {};
    std::vector<std::uint32_t> codes = {};

    void clear() {
      items.clear();
      times.clear();
      ratings.clear();
      codes.clear();
    }
    void add(const History& history, std::size_t row) {
      items.push_back(history.items[row]);
      if constexpr (!Network::has_input_projections) {  // an input that may look at more than items
        times.push_back(history[row].time);
        ratings.push_back(history[row].rating);
      }
      if (context == nullptr || context->codes_of_event() == 0) return;
      codes.resize(codes.size() + context->codes_of_event());
      context->write(history, row, &codes[codes.size() - context->codes_of_event()]);
    }
    History history() const {
      History events(items, times, ratings, 0);
      events.context = codes;
      return events;
    }
  };

  /// Histories that have ended, with copies of their states: so many that their outputs are computed together.
  class EndedHistories {
   public:
    EndedHistories(const NetworkScorer& scorer, std::span<const History> histories, Matrix<float>& output)
        : scorer_(&scorer), histories_(histories), output_(&output) {}

    /// `column`: of the state.
    void add(std::size_t number, const typename Network::State& state, Index column) {
      if (numbers_.size() == together) compute_outputs();
      numbers_.push_back(number);
      Network::visit_state(state, [&](const auto& matrix) {
        const float* const own = matrix.data() + column * matrix.rows();
        values_.insert(values_.end(), own, own + matrix.rows());
      });
    }

    void compute_outputs() {
      if (numbers_.empty()) return;
      const auto count = static_cast<Index>(numbers_.size());
      auto state = scorer_->network->initial_state(count);
      const float* next = values_.data();
      for (Index column = 0; column < count; ++column)
        Network::visit_state(state, [&](auto& matrix) {
          std::copy_n(next, matrix.rows(), matrix.data() + column * matrix.rows());
          next += matrix.rows();
        });
      if (scorer_->input_projections != nullptr) {
        Rows last{nullptr};
        for (const std::size_t number : numbers_) last.add(histories_[number], histories_[number].size() - 1);
        scorer_->network->embed_last(last.history(), state);
      }
      if (!state.questions.empty() && scorer_->context != nullptr)
        for (std::size_t k = 0; k < numbers_.size(); ++k) {
          const History& history = histories_[numbers_[k]];
          scorer_->context->write_question(history.asked_at, EventContext::time_of(history, history.size() - 1),
                                           &state.questions[k * EventContext::codes_of_question]);
        }
      scorer_->network->compute_output(state);
      for (Index column = 0; column < count; ++column)
        linalg::copy(ConstMatrixRef<float>(state.output).col(column),
                     MatrixRef<float>(*output_).col(static_cast<Index>(numbers_[static_cast<std::size_t>(column)])));
      numbers_.clear();
      values_.clear();
    }

   private:
    static constexpr std::size_t together = 64;

    const NetworkScorer* scorer_;
    std::span<const History> histories_;
    Matrix<float>* output_;
    std::vector<std::size_t> numbers_;
    std::vector<float> values_;  ///< By history: the numbers of its state.
  };

  void advance(const History& events, typename Network::State& state) const {
    if constexpr (Network::has_input_projections) {
      if (input_projections != nullptr) return network->step(events, *input_projections, state);
    }
    network->step(events, state);
  }
};

}  // namespace lstmrec

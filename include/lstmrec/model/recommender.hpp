#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/order.hpp>
#include <lstmrec/counts/markov.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/vocabulary.hpp>
#include <lstmrec/model/next_item_network.hpp>
#include <lstmrec/model/recommender_config.hpp>
#include <span>
#include <vector>

namespace lstmrec {

/// A trained next-item network together with its vocabulary: what is saved, loaded, evaluated and served.
///
///     score(j) = network's score(j) + w · log(decayed Markov score(j)),   w = config.counts_weight
///
/// Transition counts know pairs of items that are too rare for the network to learn; where there are many events of
/// each item, w is 0 and there are no counts.
///
/// Const functions may be called by any number of threads at once.
struct Recommender {
  RecommenderConfig config;
  NextItemNetwork<float> network;
  Vocabulary item_ids;                     ///< Raw id ↔ the network's index.
  std::vector<ItemInfo> catalogue;         ///< By index: titles and genres where the data had them.
  std::vector<std::uint32_t> item_counts;  ///< By index: events in training, what is recommended for no history.
  MarkovCounts counts;                     ///< Empty unless uses_counts().
  Matrix<float> item_products;             ///< Empty, or network.item_products(): see prepare_sessions().

  Index items() const { return network.items(); }
  /// Makes the events of sessions and evaluations cheaper by what the first layer computes of an item alone, for 16
  /// hidden × items bytes (14 MB at 256 units and 3416 items). To be called after training or loading, before sessions
  /// begin, and again after any change of the network; not saved.
  void prepare_sessions() { item_products = network.item_products(); }

  bool uses_counts() const { return config.counts_weight > 0 && counts.items() > 0; }

  /// The network's output after each history: embedding size × histories; of one without events it means nothing. The
  /// histories' item indices are this recommender's: those of the sequences it was trained on, or of sequences brought
  /// to its vocabulary. All advance together, each from its first event, by the steps of a Session.
  Matrix<float> outputs(std::span<const History> histories) const {
    // Longest first; a user's histories beside each other.
    const auto order = order_by(histories.size(), [&](std::size_t i) { return ~histories[i].size(); });
    auto state = network.initial_state<Eigen::Dynamic>(static_cast<Index>(histories.size()));
    std::vector<std::uint32_t> items;
    std::size_t alive = order.size();
    for (std::size_t step = 0; alive > 0; ++step) {
      while (alive > 0 && histories[order[alive - 1]].size() <= step) --alive;
      items.clear();
      for (std::size_t i = 0; i < alive; ++i) items.push_back(histories[order[i]][step].item);
      if (alive == 0) break;
      if (item_products.size() > 0)
        network.step(items, item_products, state);
      else
        network.step(std::span<const std::uint32_t>(items), state);
    }
    items.clear();
    for (std::size_t i = 0; i < order.size() && !histories[order[i]].empty(); ++i)
      items.push_back(histories[order[i]].back().item);
    network.read_out(items, state);
    Matrix<float> output(state.output.rows(), state.output.cols());
    for (std::size_t i = 0; i < order.size(); ++i)
      output.col(static_cast<Index>(order[i])) = state.output.col(static_cast<Index>(i));
    return output;
  }

  /// Scores all items for what may follow each history (Scorer; histories as for `outputs`). scores: items × histories.
  void score(std::span<const History> histories, MatrixRef<float> scores) const {
    network.score(outputs(histories), scores);
    Vector<float> scratch(network.items());
    for (std::size_t i = 0; i < histories.size(); ++i) {
      auto own = scores.col(static_cast<Index>(i));
      if (histories[i].empty())
        score_without_history(own);
      else if (uses_counts())
        add_counts(histories[i], config.counts_weight, scratch, own);
    }
  }

  /// scores (items) := scores + weight · log(decayed Markov score). Only the last counts.options.window events matter.
  /// scratch: items. Allocates nothing. Cost: the counts' entries of these events, and a logarithm an item.
  template <class Scores>
  void add_counts(History history, double weight, Vector<float>& scratch, Scores&& scores) const {
    counts.score(history, {scratch.data(), static_cast<std::size_t>(scratch.size())});
    constexpr float smallest = 1e-20f;  // of items that are nowhere in the counts
    scores.array() += static_cast<float>(weight) * scratch.array().max(smallest).log();
  }

  /// scores (items) := log(1 + count): the most popular first.
  template <class Scores>
  void score_without_history(Scores&& scores) const {
    for (Index item = 0; item < items(); ++item)
      scores(item) = std::log1p(static_cast<float>(item_counts[static_cast<std::size_t>(item)]));
  }
};

}  // namespace lstmrec

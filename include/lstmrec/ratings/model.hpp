#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/vocabulary.hpp>
#include <lstmrec/ratings/batch.hpp>
#include <lstmrec/ratings/config.hpp>
#include <lstmrec/ratings/levels.hpp>
#include <lstmrec/ratings/neighbours.hpp>
#include <lstmrec/ratings/network.hpp>
#include <lstmrec/ratings/queries.hpp>
#include <span>
#include <stdexcept>
#include <vector>

namespace lstmrec {

/// Predicts ratings from a user's rated history: network, baseline, rating levels, neighbours and vocabularies in one
/// object.
///
///     r̂(u, i) = (network's r̂ + w · Σ s (μ + b_i + b_u + z)) / (1 + w · Σ s),   w = config.neighbours_weight
///
/// over the user's visible ratings of neighbours of the item: see RatingNeighbours. They hold, of each pair of items,
/// what the network has to say in a few numbers an item. Where they don't help, w is 0 and there are none.
///
///     const auto result = fit_history_ratings(split);
///     const auto cases = rating_queries(split, Part::test);
///     evaluate_ratings(result.model.predict(cases), asked_events(cases)).rmse.value;
///
/// Const functions may be called by any number of threads at once.
struct HistoryRatingModel {
  HistoryRatingConfig config;
  HistoryRatingNetwork<float> network;
  FoldInBias bias;
  RatingLevels levels;              ///< Of all ratings of the log.
  Vocabulary users, items;          ///< Raw id ↔ index.
  std::vector<ItemInfo> catalogue;  ///< By item index.
  RatingNeighbours neighbours;      ///< Empty unless uses_neighbours().

  bool uses_neighbours() const { return config.neighbours_weight > 0 && neighbours.similarities.rows() > 0; }

  /// One prediction a target, in the order of asked_events. Not clipped to the range of the ratings, so that a ranking
  /// keeps its order. Users may be unknown_user, and then count by what is visible of them.
  /// Throws std::out_of_range where an index is not the model's, and DataError where a visible rating is not one of its
  /// levels.
  std::vector<float> score(std::span<const RatingQuery> queries) const {
    std::vector<float> scores = network_scores(network, queries);
    if (uses_neighbours()) {
      const auto ratings = neighbours.ratings(queries, bias);
      for (std::size_t k = 0; k < scores.size(); ++k)
        scores[k] = ratings[k].blend(static_cast<double>(scores[k]), config.neighbours_weight);
    }
    return scores;
  }

  /// A score in the range of the training ratings.
  float clipped(float score) const {
    return std::clamp(score, static_cast<float>(bias.lowest), static_cast<float>(bias.highest));
  }

  /// `score`, clipped to the range of the training ratings.
  std::vector<float> predict(std::span<const RatingQuery> queries) const {
    auto ratings = score(queries);
    for (float& rating : ratings) rating = clipped(rating);
    return ratings;
  }

  /// `predict` with other weights of the network and without neighbours: for validation while these are trained.
  std::vector<float> predict_with(const HistoryRatingNetwork<float>& weights,
                                  std::span<const RatingQuery> queries) const {
    auto ratings = network_scores(weights, queries);
    for (float& rating : ratings) rating = clipped(rating);
    return ratings;
  }

 private:
  std::vector<float> network_scores(const HistoryRatingNetwork<float>& weights,
                                    std::span<const RatingQuery> queries) const {
    for (const RatingQuery& query : queries) check(query);
    constexpr std::size_t most_histories = 64, most_queries = 4096;  // bounds the memory
    std::vector<float> scores;
    RatingBatch batch;
    HistoryRatingNetwork<float>::Cache cache;
    for (std::size_t begin = 0, end = 0; begin < queries.size(); begin = end) {
      for (std::size_t histories = 0; histories < most_histories && end < begin + most_queries; ++histories)
        end += queries_of_one_history(queries.subspan(end));
      batch.fill(queries.subspan(begin, end - begin), bias, levels);
      weights.forward(batch, cache);
      const auto predictions = cache.predictions.view();
      scores.insert(scores.end(), predictions.data(), predictions.data() + predictions.size());
    }
    return scores;
  }

  void check(const RatingQuery& one) const {
    const auto range = [](std::uint32_t index, std::size_t size, const char* what) {
      if (index >= size) detail::fail<std::out_of_range>({what, " index must be below ", size, ", got ", index});
    };
    if (one.user != unknown_user) range(one.user, users.size(), "a user's");
    for (const Event& event : one.visible) range(event.item, items.size(), "an item's");
    for (const Event& event : one.asked) range(event.item, items.size(), "an item's");
  }
};

}  // namespace lstmrec

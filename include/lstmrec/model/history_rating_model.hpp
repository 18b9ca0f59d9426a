#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/counts/rating_neighbours.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/features.hpp>
#include <lstmrec/data/rating_cases.hpp>
#include <lstmrec/data/vocabulary.hpp>
#include <lstmrec/model/history_rating_network.hpp>
#include <lstmrec/model/rating_batch.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace lstmrec {

/// Everything that decides what a HistoryRatingModel learns. The defaults are for MovieLens 100K.
struct HistoryRatingConfig {
  std::int64_t vector_size = 32;    ///< Numbers in the vector of an item, a user, a rating level.
  std::int64_t hidden_size = 32;    ///< Units of the LSTM.
  double dropout = 0.3;             ///< Of the rated items' vectors and of the LSTM's output.
  double user_regularisation = 15;  ///< λ of VisibleBias.
  double least_visible = 0.5;       ///< Each epoch shows a part of a user's ratings, drawn from here to 1.
  /// w, what a neighbour of similarity 1 counts beside the network's 1; 0: no neighbours. −1: chosen on the validation
  /// ratings when the network is trained, 0 without any.
  double neighbours_weight = -1;
  std::int64_t epochs = 48;
  std::int64_t batch_size = 16;  ///< Users a step.
  double learning_rate = 4e-3;   ///< Adam's, at its peak: after the warm-up, before the cosine.
  double warmup = 0.05;          ///< Part of all steps over which the learning rate rises from 0.
  double weight_decay = 1;       ///< Decoupled (AdamW), of weights only.
  double clip_norm = 1;          ///< Largest norm of all gradients together.
  double average_decay = 0.99;   ///< Of the weights' moving average, which is what is kept; 0: no average.
  std::int64_t patience = 0;     ///< Epochs without a better validation after which training stops; 0: never.
  bool refit = true;             ///< Train once more, on the validation ratings too: see fit_history_ratings.
  std::int64_t shards = 2;       ///< Parts of a batch worked on at once; the result depends on it.
  std::uint64_t seed = 1;

  /// Calls visitor(name, field) for every field, in this order.
  template <class Config, class Visitor>
  static void visit(Config& config, Visitor&& visitor) {
    visitor("vector_size", config.vector_size);
    visitor("hidden_size", config.hidden_size);
    visitor("dropout", config.dropout);
    visitor("user_regularisation", config.user_regularisation);
    visitor("least_visible", config.least_visible);
    visitor("neighbours_weight", config.neighbours_weight);
    visitor("epochs", config.epochs);
    visitor("batch_size", config.batch_size);
    visitor("learning_rate", config.learning_rate);
    visitor("warmup", config.warmup);
    visitor("weight_decay", config.weight_decay);
    visitor("clip_norm", config.clip_norm);
    visitor("average_decay", config.average_decay);
    visitor("patience", config.patience);
    visitor("refit", config.refit);
    visitor("shards", config.shards);
    visitor("seed", config.seed);
  }

  /// Throws std::invalid_argument that names the rule which a field breaks.
  void check() const {
    const auto rule = [](bool holds, const char* text, auto value) {
      if (!holds) throw std::invalid_argument(text + (", got " + std::to_string(value)));
    };
    constexpr std::int64_t most = std::int64_t{1} << 16;  // so that no product of two sizes overflows
    rule(vector_size >= 1 && vector_size <= most, "vector_size must be in [1, 65536]", vector_size);
    rule(hidden_size >= 1 && hidden_size <= most, "hidden_size must be in [1, 65536]", hidden_size);
    rule(dropout >= 0 && dropout < 1, "dropout must be in [0, 1)", dropout);
    rule(user_regularisation > 0 && user_regularisation < 1e9, "user_regularisation must be in (0, 1e9)",
         user_regularisation);
    rule(least_visible >= 0 && least_visible < 1, "least_visible must be in [0, 1)", least_visible);
    rule(neighbours_weight == -1 || (neighbours_weight >= 0 && neighbours_weight < 1e6),
         "neighbours_weight must be -1 or in [0, 1e6)", neighbours_weight);
    rule(epochs >= 0, "epochs must not be negative", epochs);
    rule(batch_size >= 1, "batch_size must be at least 1", batch_size);
    rule(learning_rate > 0 && learning_rate < 1e6, "learning_rate must be in (0, 1e6)", learning_rate);
    rule(warmup >= 0 && warmup <= 1, "warmup must be in [0, 1]", warmup);
    rule(weight_decay >= 0 && weight_decay < 1e6, "weight_decay must be in [0, 1e6)", weight_decay);
    rule(clip_norm > 0, "clip_norm must be positive", clip_norm);
    rule(average_decay >= 0 && average_decay < 1, "average_decay must be in [0, 1)", average_decay);
    rule(patience >= 0, "patience must not be negative", patience);
    rule(shards >= 1 && shards <= 1024, "shards must be in [1, 1024]", shards);
  }
};

/// Predicts ratings from a user's rated history: network, baseline, rating levels, neighbours and vocabularies in one
/// object.
///
///     r̂(u, i) = (network's r̂ + w · Σ s (μ + b_i + b_u + z)) / (1 + w · Σ s),   w = config.neighbours_weight
///
/// over the user's visible ratings of neighbours of the item: see RatingNeighbours. They hold, of each pair of items,
/// what the network has to say in a few numbers an item. Where they don't help, w is 0 and there are none.
///
///     const auto result = fit_history_ratings(split);
///     const auto cases = rating_cases(split, Part::test);
///     evaluate_ratings(result.model.predict(cases), targets_of(cases)).rmse.value;
///
/// Const functions may be called by any number of threads at once.
struct HistoryRatingModel {
  HistoryRatingConfig config;
  HistoryRatingNetwork<float> network;
  VisibleBias bias;
  RatingLevels levels;              ///< Of all ratings of the log.
  Vocabulary users, items;          ///< Raw id ↔ index.
  std::vector<ItemInfo> catalogue;  ///< By item index.
  RatingNeighbours neighbours;      ///< Empty unless uses_neighbours().

  bool uses_neighbours() const { return config.neighbours_weight > 0 && neighbours.similarities.rows() > 0; }

  /// One prediction a target, in the order of targets_of. Not clipped to the range of the ratings, so that a ranking
  /// keeps its order. Users may be unknown_user, and then count by what is visible of them.
  /// Throws std::out_of_range where an index is not the model's or a visible rating is not one of its levels.
  std::vector<float> score(std::span<const RatingCase> cases) const {
    for (const RatingCase& one : cases) check(one);
    constexpr std::size_t at_once = 64;  // bounds the memory
    std::vector<float> scores;
    RatingBatch batch;
    HistoryRatingNetwork<float>::Cache cache;
    for (std::size_t begin = 0; begin < cases.size(); begin += at_once) {
      batch.fill(cases.subspan(begin, std::min(at_once, cases.size() - begin)), bias, levels);
      network.forward(batch, cache);
      const auto predictions = cache.predictions.view();
      scores.insert(scores.end(), predictions.data(), predictions.data() + predictions.size());
    }
    if (uses_neighbours()) {
      const auto ratings = neighbours.ratings(cases, bias);
      for (std::size_t k = 0; k < scores.size(); ++k)
        scores[k] = ratings[k].beside(static_cast<double>(scores[k]), config.neighbours_weight);
    }
    return scores;
  }

  /// A score in the range of the training ratings.
  float clipped(float score) const {
    return std::clamp(score, static_cast<float>(bias.lowest), static_cast<float>(bias.highest));
  }

  /// `score`, clipped to the range of the training ratings.
  std::vector<float> predict(std::span<const RatingCase> cases) const {
    auto ratings = score(cases);
    for (float& rating : ratings) rating = clipped(rating);
    return ratings;
  }

 private:
  void check(const RatingCase& one) const {
    const auto range = [](std::uint32_t index, std::size_t size, const char* what) {
      if (index >= size)
        throw std::out_of_range(std::string(what) + " index must be below " + std::to_string(size) + ", got " +
                                std::to_string(index));
    };
    if (one.user != unknown_user) range(one.user, users.size(), "a user's");
    for (const Event& event : one.visible) range(event.item, items.size(), "an item's");
    for (const Event& event : one.targets) range(event.item, items.size(), "an item's");
  }
};

}  // namespace lstmrec

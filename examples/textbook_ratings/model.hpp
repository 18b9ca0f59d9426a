#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/vocabulary.hpp>
#include <lstmrec/ratings/queries.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "textbook_ratings/network.hpp"

namespace textbook {

using namespace lstmrec;

/// Everything that decides what a TextbookRatingModel learns. The defaults are Keras'.
struct TextbookRatingConfig {
  std::int64_t hidden_size = 64;
  bool scale_inputs = true;  ///< To mean 0 and deviation 1; if not, indices and seconds go in as they are.
  std::int64_t epochs = 10;
  std::int64_t batch_size = 32;  ///< Ratings a step.
  double learning_rate = 1e-3;
  double epsilon = 1e-7;
  bool paper_epsilon = false;  ///< ε where Adam's paper has it (EpsilonPlace::corrected), not where Keras has it.
  std::uint64_t seed = 1;

  /// Calls visitor(name, field) for every field, in this order.
  template <class Config, class Visitor>
  static void visit(Config& config, Visitor&& visitor) {
    visitor("hidden_size", config.hidden_size, "");
    visitor("scale_inputs", config.scale_inputs, "");
    visitor("epochs", config.epochs, "");
    visitor("batch_size", config.batch_size, "");
    visitor("learning_rate", config.learning_rate, "");
    visitor("epsilon", config.epsilon, "");
    visitor("paper_epsilon", config.paper_epsilon, "");
    visitor("seed", config.seed, "");
  }

  /// Throws ConfigError that names the rule which a field breaks.
  void check() const {
    require(hidden_size >= 1 && hidden_size <= (1 << 16), "hidden_size must be in [1, 65536]", hidden_size);
    require(epochs >= 0, "epochs must not be negative", epochs);
    require(batch_size >= 1, "batch_size must be at least 1", batch_size);
    require(learning_rate > 0 && learning_rate < 1e6, "learning_rate must be positive", learning_rate);
    require(epsilon > 0 && epsilon < 1, "epsilon must be in (0, 1)", epsilon);
  }
};

/// Makes user index, item index and time of a size that a network can read: (x − mean) / deviation of the training
/// events. Part of the model. With mean 0 and deviation 1 nothing is changed: a time of 9·10⁸ seconds then drives every
/// gate to 0 or 1, whatever the user and the item.
struct RatingInputScaling {
  std::array<double, 3> mean = {0, 0, 0}, deviation = {1, 1, 1};

  float scaled(std::size_t input, double value) const {
    return static_cast<float>((value - mean[input]) / deviation[input]);
  }
};

/// The textbook's rating model: each rating is predicted from three numbers alone, the user's and the item's index (in
/// the order in which they first appear, as label encoding has it) and the time. What it can learn is little, since
/// neighbouring indices mean nothing; HistoryRatingModel does the same task well.
///
/// Const functions may be called by any number of threads at once.
struct TextbookRatingModel {
  TextbookRatingConfig config;
  TextbookRatingNetwork<float> network;
  RatingInputScaling scaling;
  double lowest = 0, highest = 0;   ///< Of the training ratings.
  Vocabulary users, items;          ///< Raw id ↔ index.
  std::vector<ItemInfo> catalogue;  ///< By item index.

  /// Fills `inputs` (events × 3) with the numbers that the network reads of some events.
  void fill_inputs(std::span<const Event> events, Matrix<float>& inputs) const {
    inputs.resize(static_cast<Index>(events.size()), TextbookRatingNetwork<float>::steps);
    for (std::size_t k = 0; k < events.size(); ++k) {
      const auto row = static_cast<Index>(k);
      inputs(row, 0) = scaling.scaled(0, events[k].user);
      inputs(row, 1) = scaling.scaled(1, events[k].item);
      inputs(row, 2) = scaling.scaled(2, static_cast<double>(events[k].time));
    }
  }

  /// One prediction a target, in the order of asked_events; reads the targets' user, item and time and nothing else.
  /// Not clipped to the range of the ratings. Throws std::out_of_range where an index is not the model's: it can say
  /// nothing about users whom it has not seen.
  std::vector<float> score(std::span<const RatingQuery> queries) const { return score_with(network, queries); }

  /// `score` with other weights of the network: for validation while these are trained.
  std::vector<float> score_with(const TextbookRatingNetwork<float>& weights,
                                std::span<const RatingQuery> queries) const {
    std::vector<float> scores;
    Matrix<float> inputs;
    TextbookRatingNetwork<float>::Cache cache;
    constexpr std::size_t at_once = 256;  // bounds the memory
    for (const RatingQuery& one : queries) {
      if (one.user >= users.size())
        throw std::out_of_range("a user's index must be below " + std::to_string(users.size()) + ", got " +
                                std::to_string(one.user));
      for (const Event& target : one.asked)
        if (target.item >= items.size())
          throw std::out_of_range("an item's index must be below " + std::to_string(items.size()) + ", got " +
                                  std::to_string(target.item));
      const std::span targets(one.asked);
      for (std::size_t begin = 0; begin < targets.size(); begin += at_once) {
        fill_inputs(targets.subspan(begin, std::min(at_once, targets.size() - begin)), inputs);
        weights.forward(inputs, cache);
        const auto predictions = cache.predictions.view();
        scores.insert(scores.end(), predictions.data(), predictions.data() + predictions.size());
      }
    }
    return scores;
  }

  /// A score in the range of the training ratings.
  float clipped(float score) const {
    return std::clamp(score, static_cast<float>(lowest), static_cast<float>(highest));
  }

  /// `score`, clipped to the range of the training ratings.
  std::vector<float> predict(std::span<const RatingQuery> queries) const { return predict_with(network, queries); }
  std::vector<float> predict_with(const TextbookRatingNetwork<float>& weights,
                                  std::span<const RatingQuery> queries) const {
    auto ratings = score_with(weights, queries);
    for (float& rating : ratings) rating = clipped(rating);
    return ratings;
  }
};

}  // namespace textbook

#pragma once

#include <array>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/train/training_config.hpp>

namespace lstmrec {

/// Training settings that suit a HistoryRatingNetwork on MovieLens 100K.
struct RatingTrainingDefaults {
  static constexpr std::int64_t epochs = 48, batch_size = 16, patience = 0;
  static constexpr double learning_rate = 4e-3, weight_decay = 1, ema_decay = 0.99;
  static constexpr const char* batch_size_text = "Users a step";
};

/// Everything that decides what a HistoryRatingModel learns. The defaults are for MovieLens 100K.
///
/// Each field is explained where `visit` names it: those are also the words of a program's --help.
struct HistoryRatingConfig {
  std::int64_t vector_size = 32;
  std::int64_t hidden_size = 32;
  double dropout = 0.3;
  double user_regularisation = 15;
  double min_visible_fraction = 0.5;
  double neighbours_weight = -1;
  bool refit = true;
  BasicTrainingConfig<RatingTrainingDefaults> training = {};

  /// Calls visitor(name, field, explanation) for every field, those of `training` included, in this order.
  template <class Config, class Visitor>
  static void visit(Config& config, Visitor&& visitor) {
    visitor("vector_size", config.vector_size, "Numbers in the vector of an item, a user, a rating level");
    visitor("hidden_size", config.hidden_size, "Units of the LSTM");
    visitor("dropout", config.dropout, "Part of the numbers dropped of rated items' vectors and of the LSTM's output");
    visitor("user_regularisation", config.user_regularisation,
            "With so many ratings a user keeps half of the raw bias");
    visitor("min_visible_fraction", config.min_visible_fraction,
            "Each epoch shows a part of a user's ratings, drawn from here to 1, and predicts the rest");
    visitor("neighbours_weight", config.neighbours_weight,
            "What a rating of an item of similarity 1 counts beside the network's prediction, which counts 1; 0: the "
            "network alone; -1: chosen on validation ratings, 0 without any");
    visitor("refit", config.refit, "Train once more, on the validation ratings too");
    BasicTrainingConfig<RatingTrainingDefaults>::visit(config.training, visitor);
  }

  /// Names that fields had in earlier versions: see RecommenderConfig.
  static constexpr std::array old_names = {OldFieldName{"least_visible", "min_visible_fraction"},
                                           OldFieldName{"average_decay", "ema_decay"}};

  /// Throws ConfigError that names the rule which a field breaks.
  void check() const {
    constexpr std::int64_t most = std::int64_t{1} << 16;  // so that no product of two sizes overflows
    require(vector_size >= 1 && vector_size <= most, "vector_size must be in [1, 65536]", vector_size);
    require(hidden_size >= 1 && hidden_size <= most, "hidden_size must be in [1, 65536]", hidden_size);
    require(dropout >= 0 && dropout < 1, "dropout must be in [0, 1)", dropout);
    require(user_regularisation > 0 && user_regularisation < 1e9, "user_regularisation must be in (0, 1e9)",
            user_regularisation);
    require(min_visible_fraction >= 0 && min_visible_fraction < 1, "min_visible_fraction must be in [0, 1)",
            min_visible_fraction);
    require(neighbours_weight == -1 || (neighbours_weight >= 0 && neighbours_weight < 1e6),
            "neighbours_weight must be -1 or in [0, 1e6)", neighbours_weight);
    training.check();
  }
};

}  // namespace lstmrec

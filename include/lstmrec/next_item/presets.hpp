#pragma once

#include <cstddef>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/next_item/config.hpp>
#include <string_view>

namespace lstmrec {

/// A named configuration: `quick`, `default` or `accurate`, for long histories. What each reaches, and in what time, is
/// in the README. Throws ConfigError that lists the names.
inline RecommenderConfig preset(std::string_view name) {
  if (name == "quick")
    return {.embedding_size = 64,
            .hidden_size = 64,
            .dropout = 0.1,
            .training = {.epochs = 10, .learning_rate = 3e-3, .ema_decay = 0.99}};
  if (name == "default") return {};
  if (name == "accurate") return {.blocks = 2, .training = {.epochs = 16}};
  detail::fail<ConfigError>({"preset must be quick, default or accurate, got \"", name, "\""});
}

/// The events of a training sequence, on average over those that have any.
inline double mean_training_length(const Split& split) {
  std::size_t events = 0, sequences = 0;
  for (const std::size_t length : split.train_length) {
    events += length;
    sequences += length > 0;
  }
  return sequences == 0 ? 0 : static_cast<double>(events) / static_cast<double>(sequences);
}

/// Training sequences with fewer events on average are short, as visits and reviews are.
inline constexpr double short_length = 20;

/// The configuration of that name for the data: short sequences are learned as well by a network of 64 units as by a
/// larger one, in a tenth of the time, with some weight decay, and with features of items where the catalogue has any
/// (benchmarks/README.md). Throws ConfigError that lists the names.
///
///     const auto recommender = fit(split, preset("default", split)).recommender;
inline RecommenderConfig preset(std::string_view name, const Split& split) {
  RecommenderConfig config = preset(name);
  if (name == "quick" || mean_training_length(split) >= short_length) return config;
  const std::int64_t epochs = config.training.epochs;
  config = {.embedding_size = 64, .hidden_size = 64, .item_features = -1, .training = {.weight_decay = 0.3}};
  config.training.epochs = epochs;
  return config;
}

}  // namespace lstmrec

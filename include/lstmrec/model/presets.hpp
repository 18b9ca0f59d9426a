#pragma once

#include <lstmrec/model/recommender_config.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

namespace lstmrec {

/// A named configuration: `quick`, `default` or `accurate`. What each reaches, and in what time, is in the README.
/// Throws std::invalid_argument that lists the names.
inline RecommenderConfig preset(std::string_view name) {
  if (name == "quick")
    return {.embedding_size = 64,
            .hidden_size = 64,
            .dropout = 0.1,
            .epochs = 10,
            .learning_rate = 3e-3,
            .average_decay = 0.99};
  if (name == "default") return {};
  if (name == "accurate") return {.layers = 2, .epochs = 16};
  throw std::invalid_argument("preset must be quick, default or accurate, got \"" + std::string(name) + "\"");
}

}  // namespace lstmrec

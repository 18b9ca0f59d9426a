#pragma once

#include <lstmrec/core/error.hpp>
#include <lstmrec/next_item/config.hpp>
#include <string_view>

namespace lstmrec {

/// A named configuration: `quick`, `default` or `accurate`. What each reaches, and in what time, is in the README.
/// Throws ConfigError that lists the names.
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

}  // namespace lstmrec

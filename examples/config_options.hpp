#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <concepts>
#include <functional>
#include <lstmrec/lstmrec.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "console.hpp"
#include "json.hpp"

namespace example {

/// What the fields of a configuration mean, for --help.
inline std::string_view description_of(std::string_view field) {
  struct Description {
    std::string_view field, text;
  };
  static constexpr Description descriptions[] = {
      {"embedding_size", "Numbers in an item's vector"},
      {"hidden_size", "Units of each LSTM"},
      {"layers", "Residual recurrent blocks"},
      {"feed_forward_factor", "Width of a block's feed-forward part, in hidden sizes; 0: none"},
      {"dropout", "Part of the numbers that is dropped in training"},
      {"tied_vectors", "An item's output vector is its input vector"},
      {"counts_weight",
       "Of the log of the decayed Markov score beside the network's; 0: none; -1: chosen on validation"},
      {"recommend_seen", "Predict and list items that the user has had"},
      {"target_count", "How many of the events after it an event predicts"},
      {"target_decay", "Weight of an event to that of the one before it, among these"},
      {"negatives", "Items drawn at each step, to be compared with the targets; 0: all items; -1: by their number"},
      {"window", "Longer histories are cut into windows of so many events in training"},
      {"epochs", "Passes over the data"},
      {"batch_size", "Windows a step; 0: by the amount of data"},
      {"learning_rate", "Of Adam, at its peak"},
      {"warmup", "Part of all steps over which the learning rate rises"},
      {"weight_decay", "Decoupled, of weights only"},
      {"clip_norm", "Largest norm of all gradients together"},
      {"average_decay", "Of the moving average of the weights; 0: none"},
      {"patience", "Epochs without a better validation before stopping; 0: never stop early"},
      {"validation_users", "Validate each epoch on at most so many targets; 0: on all"},
      {"shards", "Parts of a batch worked on at once; the result depends on it"},
      {"seed", "Of everything random"},
  };
  const auto found = std::find_if(std::begin(descriptions), std::end(descriptions),
                                  [&](const Description& d) { return d.field == field; });
  return found == std::end(descriptions) ? std::string_view() : found->text;
}

/// Command-line options for every field of a configuration, `--hidden-size 64`, kept until a preset is known.
template <class Config>
class ConfigOptions {
 public:
  explicit ConfigOptions(CLI::App& app) {
    const Config defaults;
    Config::visit(defaults, [&](const char* name, const auto& value) {
      using Value = std::remove_cvref_t<decltype(value)>;
      std::string option = std::string("--") + name;
      std::replace(option.begin(), option.end(), '_', '-');
      auto* added = app.add_option_function<Value>(
          option, [this, name](const Value& given) { changes_.push_back(change(name, given)); },
          std::string(description_of(name)));
      added->group("Model and training, instead of the preset's");
      if constexpr (std::integral<Value> && !std::same_as<Value, bool>) added->check(fits<Value>);
    });
  }

  void apply(Config& config) const {
    for (const auto& apply_change : changes_) apply_change(config);
  }

 private:
  template <class Value>
  static std::function<void(Config&)> change(std::string_view name, Value value) {
    return [name, value](Config& config) {
      Config::visit(config, [&](std::string_view field_name, auto& field) {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(field)>, Value>)
          if (field_name == name) field = value;
      });
    };
  }

  std::vector<std::function<void(Config&)>> changes_;
};

template <class Config>
Json to_json(const Config& config) {
  Json json;
  Config::visit(config, [&](const char* name, const auto& value) { json[name] = value; });
  return json;
}

}  // namespace example

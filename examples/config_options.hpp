#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <functional>
#include <lstmrec/lstmrec.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "command_line.hpp"
#include "console.hpp"
#include "json.hpp"

namespace example {

/// Command-line options for every field of a configuration, `--hidden-size 64`, kept until a preset is known.
template <class Config>
class ConfigOptions {
 public:
  explicit ConfigOptions(CommandLine& line) {
    const Config defaults;
    Config::visit(defaults, [&](const char* name, const auto& value, const char* explanation) {
      using Field = std::remove_cvref_t<decltype(value)>;
      using Value = std::conditional_t<std::is_same_v<Field, std::optional<bool>>, bool, Field>;
      const auto add = [&](std::string_view option, const std::string& text, bool negated) {
        // Old names work and are not listed.
        const std::string group = option == name ? "Model and training, instead of the preset's" : "";
        if constexpr (std::is_enum_v<Value>) {
          const auto names = names_of(value);
          line.add_option_function<std::string>(
                  dashed(option),
                  [this, name, names](const std::string& given) {
                    const auto place = std::find(names.begin(), names.end(), given) - names.begin();
                    changes_.push_back(change(name, static_cast<Value>(place)));
                  },
                  text)
              .one_of(std::vector<std::string>(names.begin(), names.end()))
              .group(group);
        } else {
          const auto added = line.add_option_function<Value>(
              dashed(option),
              [this, name, negated](const Value& given) {
                static_cast<void>(negated);  // of numbers
                if constexpr (std::same_as<Value, bool>)
                  changes_.push_back(change(name, given != negated));
                else
                  changes_.push_back(change(name, given));
              },
              text);
          if constexpr (std::integral<Value> && !std::same_as<Value, bool>) added.check(fits<Value>);
          added.group(group);
        }
      };
      add(name, explanation, false);
      for (const auto& old : Config::old_names)
        if (old.name == name) add(old.old_name, explanation, old.negated);
    });
  }

  void apply(Config& config) const {
    for (const auto& apply_change : changes_) apply_change(config);
  }

 private:
  static std::string dashed(std::string_view name) {
    std::string option = "--" + std::string(name);
    std::replace(option.begin(), option.end(), '_', '-');
    return option;
  }

  template <class Value>
  static std::function<void(Config&)> change(std::string_view name, Value value) {
    return [name, value](Config& config) {
      Config::visit(config, [&](std::string_view field_name, auto& field, const char*) {
        using Field = std::remove_cvref_t<decltype(field)>;
        if constexpr (std::is_same_v<Field, Value> || std::is_same_v<Field, std::optional<Value>>)
          if (field_name == name) field = value;
      });
    };
  }

  std::vector<std::function<void(Config&)>> changes_;
};

/// All fields, and those that were renamed under their old names too, for programs that read these.
template <class Config>
Json to_json(const Config& config) {
  Json json;
  Config::visit(config, [&](const std::string& name, const auto& value, const char*) {
    using Field = std::remove_cvref_t<decltype(value)>;
    if constexpr (std::is_enum_v<Field>)
      json[name] = std::string(names_of(value)[static_cast<std::size_t>(value)]);
    else if constexpr (std::is_same_v<Field, std::optional<bool>>)
      json[name] = value.value_or(true);
    else
      json[name] = value;
    if constexpr (requires { Config::old_names; })
      for (const auto& old : Config::old_names)
        if (old.name == name) {
          if constexpr (std::is_same_v<Field, std::optional<bool>>)
            json[std::string(old.old_name)] = value.value_or(true) != old.negated;
          else if constexpr (!std::is_enum_v<Field>)
            json[std::string(old.old_name)] = value;
        }
  });
  return json;
}

}  // namespace example

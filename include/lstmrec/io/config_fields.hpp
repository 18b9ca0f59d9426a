#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/io/safetensors.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>

namespace lstmrec {

namespace detail {

template <class T>
std::string to_text(T value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_enum_v<T>) {
    return names_of(value)[static_cast<std::size_t>(value)];
  } else {
    char buffer[32];
    return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);  // shortest that reads back
  }
}

template <class T>
bool from_text(const std::string& text, T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    value = text == "true";
    return value || text == "false";
  } else if constexpr (std::is_enum_v<T>) {
    const auto names = names_of(value);
    const auto found = std::find(names.begin(), names.end(), text);
    if (found == names.end()) return false;
    value = static_cast<T>(found - names.begin());
    return true;
  } else {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failure == std::errc{} && end == text.data() + text.size();
  }
}

}  // namespace detail

/// Adds a configuration's fields to a file's metadata as `config.<field>`.
template <class Config>
void put_config(TensorFile& file, const Config& config) {
  Config::visit(config, [&](const std::string& name, const auto& field, const char*) {
    file.metadata["config." + name] = detail::to_text(field);
  });
}

/// Reads it back, under the fields' old names too. A field that is missing keeps the value that it stands for: a file
/// of an earlier version knew no other. Throws ModelFileError where a field is malformed or against the rules.
template <class Config>
Config get_config(const TensorFile& file) {
  Config config;
  Config::visit(config, [&](const std::string& name, auto& field, const char*) {
    const auto read = [&](const std::string& key) {
      const auto found = file.metadata.find("config." + key);
      if (found == file.metadata.end()) return false;
      if (!detail::from_text(found->second, field))
        throw ModelFileError(file.path + ": config." + key + ": expected a value, found \"" + found->second + "\"");
      return true;
    };
    if (read(name)) return;
    if constexpr (requires { Config::old_names; })
      for (const auto& old : Config::old_names)
        if (old.name == name && read(std::string(old.old_name))) {
          if constexpr (std::is_same_v<std::remove_cvref_t<decltype(field)>, bool>) field = field != old.negated;
          return;
        }
  });
  try {
    config.check();
  } catch (const ConfigError& error) {
    throw ModelFileError(file.path + ": " + error.what());
  }
  return config;
}

/// Throws ModelFileError unless the file's metadata names one of these kinds of model and formats.
inline void expect_format(const TensorFile& file, std::span<const char* const> expected) {
  const auto found = file.metadata.find("format");
  for (const char* const format : expected)
    if (found != file.metadata.end() && found->second == format) return;
  throw ModelFileError(file.path + ": expected a file of the format \"" + expected.back() + "\"" +
                       (expected.size() > 1 ? " or an earlier one" : "") + ", found " +
                       (found == file.metadata.end() ? "none" : "\"" + found->second + "\""));
}

}  // namespace lstmrec

#pragma once

#include <charconv>
#include <cstddef>
#include <lstmrec/core/error.hpp>
#include <lstmrec/io/old_field_name.hpp>
#include <lstmrec/io/parse_number.hpp>
#include <lstmrec/io/tensor_reader.hpp>
#include <lstmrec/io/tensor_writer.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace lstmrec {

namespace detail {

inline std::string to_text(bool value) { return value ? "true" : "false"; }
inline std::string to_text(double value) {
  char buffer[32];
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);  // shortest that reads back
}
inline std::string to_text(std::optional<bool> value) { return value ? to_text(*value) : "unset"; }
template <class T>
std::string to_text(T value) {
  if constexpr (std::is_enum_v<T>)
    return names_of(value)[static_cast<std::size_t>(value)];
  else
    return std::to_string(value);
}

inline bool from_text(const std::string& text, bool& value) {
  value = text == "true";
  return value || text == "false";
}
inline bool from_text(const std::string& text, std::optional<bool>& value) {
  value.reset();
  return text == "unset" || from_text(text, value.emplace());
}
template <class T>
bool from_text(const std::string& text, T& value) {
  if constexpr (std::is_enum_v<T>) {
    const auto names = names_of(value);
    for (std::size_t k = 0; k < names.size(); ++k) {
      if (text != names[k]) continue;
      value = static_cast<T>(k);
      return true;
    }
    return false;
  } else if constexpr (std::is_floating_point_v<T>) {
    return parse_number(text, value);
  } else {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failure == std::errc{} && end == text.data() + text.size();
  }
}

/// A text of the metadata as a message shows it.
inline std::string found_text(const std::string* text) { return text == nullptr ? "none" : '"' + *text + '"'; }

/// Reads a number of the metadata. Throws ModelFileError where there is none.
template <class Number>
void get_number(const TensorReader& file, const std::string& key, Number& number) {
  const std::string* text = file.text(key);
  if (text == nullptr || !from_text(*text, number))
    fail<ModelFileError>({file.path(), ": ", key, ": expected a number, found ", found_text(text)});
}

/// Finds a field in a file's metadata, under its name or under one that an earlier version gave it.
struct FieldText {
  std::string key;
  const std::string* text = nullptr;  ///< Null where the file says nothing.
  bool negated = false;
};

inline FieldText find_field(const TensorReader& file, std::string_view name, std::span<const OldFieldName> old_names) {
  std::string key = message({"config.", name});
  if (const std::string* text = file.text(key)) return {key, text, false};
  for (const OldFieldName& old : old_names) {
    if (old.name != name) continue;
    key = message({"config.", old.old_name});
    if (const std::string* text = file.text(key)) return {key, text, old.negated};
  }
  return {};
}

template <class T>
void get_field(const TensorReader& file, const FieldText& found, T& field) {
  if (found.text == nullptr) return;
  if (!from_text(*found.text, field))
    fail<ModelFileError>({file.path(), ": ", found.key, ": expected a value, found ", found_text(found.text)});
  if constexpr (std::is_same_v<T, bool>) field = field != found.negated;
  if constexpr (std::is_same_v<T, std::optional<bool>>)
    if (field) field = *field != found.negated;
}

}  // namespace detail

/// Adds a configuration's fields to a file's metadata as `config.<field>`.
template <class Config>
void put_config(TensorWriter& file, const Config& config) {
  Config::visit(config, [&](const char* name, const auto& field, const char*) {
    file.metadata[detail::message({"config.", name})] = detail::to_text(field);
  });
}

/// Reads it back, under the fields' old names too. A field that is missing keeps its default, which is what the version
/// that wrote the file did: whoever changes a default, or adds a field whose default is not what was done before, has
/// to tell versions apart here. Throws ModelFileError where a field is malformed or against the rules.
template <class Config>
Config get_config(const TensorReader& file) {
  std::span<const OldFieldName> old_names;
  if constexpr (requires { Config::old_names; }) old_names = Config::old_names;
  Config config;
  Config::visit(config, [&](const char* name, auto& field, const char*) {
    detail::get_field(file, detail::find_field(file, name, old_names), field);
  });
  try {
    config.check();
  } catch (const ConfigError& error) {
    detail::fail<ModelFileError>({file.path(), ": ", error.what()});
  }
  return config;
}

/// Throws ModelFileError unless the file's metadata names one of these kinds of model and formats.
inline void expect_format(const TensorReader& file, std::span<const char* const> expected) {
  const std::string* found = file.text("format");
  std::string known;
  for (const char* const format : expected) {
    if (found != nullptr && *found == format) return;
    known += detail::message({known.empty() ? "" : " or ", "\"", format, "\""});
  }
  detail::fail<ModelFileError>({file.path(), ": expected a file of the format ", known,
                                ", which this version reads, found ", detail::found_text(found)});
}

}  // namespace lstmrec

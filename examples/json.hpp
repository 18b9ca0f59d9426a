#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace example {

/// A JSON value to be written: null, a boolean, a number, a text, a list or an object whose keys keep their order.
///
///     Json json;
///     json["test"]["hr@10"] = 0.25;
///     std::cout << json << '\n';
class Json {
 public:
  Json() = default;
  Json(bool value) : value_(value) {}
  template <std::integral Integer>
  Json(Integer value) : value_(std::to_string(value)) {}
  template <std::floating_point Float>
  Json(Float value) {
    if (!std::isfinite(value)) return;  // JSON has no infinity: null
    char text[32];
    value_ = std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
  }
  Json(std::string_view text) : value_(quoted(text)) {}
  Json(const std::string& text) : Json(std::string_view(text)) {}
  Json(const char* text) : Json(std::string_view(text)) {}
  Json(std::vector<Json> list) : value_(std::move(list)) {}

  /// The member of that name, a new one at the end where there is none; makes an object of anything else.
  Json& operator[](std::string_view key) {
    if (!std::holds_alternative<Members>(value_)) value_ = Members();
    auto& members = std::get<Members>(value_);
    for (auto& [name, member] : members)
      if (name == key) return member;
    return members.emplace_back(std::string(key), Json()).second;
  }

  friend std::ostream& operator<<(std::ostream& out, const Json& json) {
    json.write(out, 0);
    return out;
  }

 private:
  using Members = std::vector<std::pair<std::string, Json>>;

  static std::string quoted(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') {
        result += {'\\', c};
      } else if (static_cast<unsigned char>(c) < 0x20) {
        constexpr char digits[] = "0123456789abcdef";
        result += {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
      } else {
        result += c;
      }
    }
    return result + '"';
  }

  /// Objects take a line a member, lists one line.
  void write(std::ostream& out, std::size_t depth) const {
    if (const auto* members = std::get_if<Members>(&value_)) {
      out << '{';
      for (const auto& member : *members) {
        out << (&member == &members->front() ? "\n" : ",\n") << std::string(2 * depth + 2, ' ') << quoted(member.first)
            << ": ";
        member.second.write(out, depth + 1);
      }
      out << '\n' << std::string(2 * depth, ' ') << '}';
    } else if (const auto* list = std::get_if<std::vector<Json>>(&value_)) {
      out << '[';
      for (const auto& element : *list) {
        if (&element != &list->front()) out << ", ";
        element.write(out, depth + 1);
      }
      out << ']';
    } else if (const auto* boolean = std::get_if<bool>(&value_)) {
      out << (*boolean ? "true" : "false");
    } else if (const auto* text = std::get_if<std::string>(&value_)) {
      out << *text;
    } else {
      out << "null";
    }
  }

  std::variant<std::monostate, bool, std::string, std::vector<Json>, Members> value_;  ///< Text: as it is written.
};

}  // namespace example

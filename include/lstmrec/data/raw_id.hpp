#pragma once

#include <charconv>
#include <compare>
#include <concepts>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

namespace lstmrec {

/// The id that a user or an item has in the outside world: its text. A text that is how a 64-bit integer is written (no
/// plus sign, blank or leading zero) is kept as that integer, so 7 and "7" are one id, and "007" is another. Integers
/// order before other texts.
class RawId {
 public:
  RawId() = default;

  /// Throws DataError where an unsigned value is past 2⁶³ − 1.
  template <std::integral Integer>
  RawId(Integer id) : integer_(static_cast<std::int64_t>(id)) {
    if (!std::in_range<std::int64_t>(id)) {
      detail::fail<DataError>({"an id must be at most 9223372036854775807, got ", id});
    }
  }
  RawId(std::string id) {
    const auto integer = parse_integer(id);
    is_string_ = !integer;
    if (integer)
      integer_ = *integer;
    else
      string_ = std::move(id);
  }
  RawId(std::string_view id) : RawId(std::string(id)) {}
  RawId(const char* id) : RawId(std::string(id)) {}

  /// The integer that an id of this text is, if any.
  static std::optional<std::int64_t> parse_integer(std::string_view text) {
    const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
    if (digits.empty() || (digits[0] == '0' && text.size() > 1)) return {};  // 007, -0
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || end != text.data() + text.size()) return {};
    return number;
  }

  bool is_integer() const { return !is_string_; }
  /// Throws std::bad_variant_access.
  std::int64_t integer() const { return is_string_ ? throw std::bad_variant_access() : integer_; }
  /// Throws std::bad_variant_access.
  const std::string& string() const& { return is_string_ ? string_ : throw std::bad_variant_access(); }
  std::string string() && { return is_string_ ? std::move(string_) : throw std::bad_variant_access(); }
  std::string text() const { return is_integer() ? std::to_string(integer()) : string(); }

  friend bool operator==(const RawId&, const RawId&) = default;
  friend std::strong_ordering operator<=>(const RawId& a, const RawId& b) {
    if (a.is_string_ != b.is_string_) return a.is_string_ <=> b.is_string_;
    return a.is_string_ ? a.string_.compare(b.string_) <=> 0 : a.integer_ <=> b.integer_;
  }
  friend std::ostream& operator<<(std::ostream& out, const RawId& id) { return out << id.text(); }

 private:
  // Not a variant, which every program that names an id would take longer to compile.
  bool is_string_ = false;
  std::int64_t integer_ = 0;
  std::string string_;
};

}  // namespace lstmrec

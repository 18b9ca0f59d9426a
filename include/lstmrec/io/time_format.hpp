#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <lstmrec/io/parse_number.hpp>
#include <optional>
#include <span>
#include <string_view>

namespace lstmrec {

/// How the times of a log are written.
enum class TimeFormat {
  seconds,             ///< 978300760: since 1970, an integer.
  milliseconds,        ///< 978300760123
  microseconds,        ///< 978300760123456
  nanoseconds,         ///< 978300760123456789
  fractional_seconds,  ///< 978300760.123, or 9.7830076e8; digits behind the sixth are cut.
  iso8601              ///< 2000-12-31, 2000-12-31T22:12:40.123Z, 2000-12-31 22:12:40+02:00; without a zone UTC.
};

/// Parts of a second in which times of a format are kept.
inline std::int64_t ticks_per_second(TimeFormat format) {
  switch (format) {
    case TimeFormat::seconds:
      return 1;
    case TimeFormat::milliseconds:
      return 1000;
    case TimeFormat::nanoseconds:
      return 1'000'000'000;
    default:
      return 1'000'000;
  }
}

/// The unit in which integer times lie before the year 5138, as their largest absolute value does: so times of early
/// 1970, or that count from another day, may be taken for seconds.
inline TimeFormat unit_of_times(double largest) {
  return largest < 1e11   ? TimeFormat::seconds
         : largest < 1e14 ? TimeFormat::milliseconds
         : largest < 1e17 ? TimeFormat::microseconds
                          : TimeFormat::nanoseconds;
}

inline const char* name_of(TimeFormat format) {
  constexpr const char* names[] = {"seconds",     "milliseconds",       "microseconds",
                                   "nanoseconds", "fractional seconds", "ISO 8601"};
  return names[static_cast<std::size_t>(format)];
}

namespace detail {

/// Takes digits from the front of a text, as many as stated, as a number; nothing where there are fewer.
inline std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  int value = 0;
  if (text.size() < count) return {};
  for (std::size_t k = 0; k < count; ++k) {
    if (text[k] < '0' || text[k] > '9') return {};
    value = 10 * value + (text[k] - '0');
  }
  text.remove_prefix(count);
  return value;
}

inline bool take_character(std::string_view& text, char character) {
  if (!text.starts_with(character)) return false;
  text.remove_prefix(1);
  return true;
}

/// Takes ".123456" as microseconds, if it is there; further digits are cut. Nothing where no digit is behind the point.
inline std::optional<std::int64_t> take_fraction(std::string_view& text) {
  if (!take_character(text, '.')) return 0;
  std::int64_t micros = 0;
  std::size_t digits = 0;
  for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), ++digits)
    if (digits < 6) micros = 10 * micros + (text[0] - '0');
  if (digits == 0) return {};
  for (; digits < 6; ++digits) micros *= 10;
  return micros;
}

/// Days since 1970-01-01 of a date of the Gregorian calendar; nothing where there is no such date.
/// Hinnant, "chrono-compatible low-level date algorithms", days_from_civil.
inline std::optional<std::int64_t> days_of(int year, int month, int day) {
  constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > days[month - 1] + (is_leap && month == 2)) return {};
  const std::int64_t y = month <= 2 ? year - 1 : year;  // years begin in March
  const std::int64_t era = y / 400, of_era = y % 400;
  const std::int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/// Microseconds since 1970.
inline std::optional<std::int64_t> parse_iso8601(std::string_view text) {
  const auto year = take_digits(text, 4);
  if (!year || !take_character(text, '-')) return {};
  const auto month = take_digits(text, 2);
  if (!month || !take_character(text, '-')) return {};
  const auto day = take_digits(text, 2);
  if (!day) return {};
  const auto days = days_of(*year, *month, *day);
  if (!days) return {};
  std::int64_t seconds = *days * 86400, micros = 0;
  if (take_character(text, 'T') || take_character(text, ' ')) {
    const auto hour = take_digits(text, 2);
    if (!hour || !take_character(text, ':')) return {};
    const auto minute = take_digits(text, 2);
    if (!minute || *hour > 24 || *minute > 59) return {};
    seconds += *hour * 3600 + *minute * 60;
    if (take_character(text, ':')) {
      const auto second = take_digits(text, 2);
      if (!second || *second > 60) return {};  // 60: a leap second
      const auto fraction = take_fraction(text);
      if (!fraction) return {};
      seconds += *second;
      micros = *fraction;
    }
    if (take_character(text, 'Z') || text == " UTC") {
      if (text == " UTC") text = {};
    } else if (!text.empty()) {
      const int sign = take_character(text, '+') ? 1 : take_character(text, '-') ? -1 : 0;
      const auto hours = take_digits(text, 2);
      if (sign == 0 || !hours) return {};
      take_character(text, ':');
      const auto minutes = text.empty() ? 0 : take_digits(text, 2);
      if (!minutes) return {};
      seconds -= sign * (*hours * 3600 + *minutes * 60);
    }
  }
  if (!text.empty()) return {};
  return seconds * 1'000'000 + micros;
}

/// Microseconds since 1970.
inline std::optional<std::int64_t> parse_fractional_seconds(std::string_view text) {
  std::string_view rest = text;
  const bool is_negative = take_character(rest, '-');
  std::int64_t seconds = 0;
  const auto [end, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), seconds);
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / 1'000'000 - 1;
  if (failure != std::errc{} || seconds < 0 || seconds > most) return {};
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  const auto fraction = take_fraction(rest);
  if (!fraction) return {};
  if (rest.empty()) return (is_negative ? -1 : 1) * (seconds * 1'000'000 + *fraction);
  double value = 0;  // with an exponent
  if (!parse_number(text, value) || !(std::abs(value) < static_cast<double>(most))) return {};
  return std::llround(value * 1e6);
}

}  // namespace detail

/// The time that a text says, in the format's ticks since 1970; nothing where the text is not of the format.
inline std::optional<std::int64_t> parse_time(std::string_view text, TimeFormat format) {
  if (format == TimeFormat::iso8601) return detail::parse_iso8601(text);
  if (format == TimeFormat::fractional_seconds) return detail::parse_fractional_seconds(text);
  std::int64_t ticks = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), ticks);
  if (failure != std::errc{} || end != text.data() + text.size()) return {};
  return ticks;
}

/// The format of some times, nothing where they are not of one. Of integers the unit is that of unit_of_times.
inline std::optional<TimeFormat> detect_time_format(std::span<const std::string_view> texts) {
  if (texts.empty()) return {};
  for (const TimeFormat format : {TimeFormat::seconds, TimeFormat::fractional_seconds, TimeFormat::iso8601}) {
    double largest = 0;
    const auto fits = [&](std::string_view text) {
      const auto ticks = parse_time(text, format);
      if (ticks) largest = std::max(largest, std::abs(static_cast<double>(*ticks)));
      return ticks.has_value();
    };
    if (!std::all_of(texts.begin(), texts.end(), fits)) continue;
    return format == TimeFormat::seconds ? unit_of_times(largest) : format;
  }
  return {};
}

}  // namespace lstmrec

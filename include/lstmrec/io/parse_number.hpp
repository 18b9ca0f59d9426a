#pragma once

#include <charconv>
#include <string_view>
#include <system_error>
#include <version>

#ifndef __cpp_lib_to_chars
#include <limits>
#include <locale>
#include <sstream>
#include <string>
#endif

namespace lstmrec::detail {

/// Sets `value` to the number that a text is, as a whole and in any locale; false where it is none. "inf" and "nan" are
/// numbers.
template <class Float>
bool parse_number(std::string_view text, Float& value) {
#ifdef __cpp_lib_to_chars
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc{} && end == text.data() + text.size();
#else  // libc++ before 20 reads no floating numbers
  if (text == "inf" || text == "-inf" || text == "nan") {
    value = text == "nan" ? std::numeric_limits<Float>::quiet_NaN() : std::numeric_limits<Float>::infinity();
    if (text[0] == '-') value = -value;
    return true;
  }
  if (text.empty() || text.find_first_not_of("0123456789+-.eE") != std::string_view::npos || text[0] == '+')
    return false;
  std::istringstream stream{std::string(text)};
  stream.imbue(std::locale::classic());
  return (stream >> value) && stream.peek() == std::istringstream::traits_type::eof();
#endif
}

}  // namespace lstmrec::detail

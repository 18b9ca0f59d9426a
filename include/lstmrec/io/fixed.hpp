#pragma once

#include <charconv>
#include <string>

namespace lstmrec::detail {

/// A number with so many digits behind the point, whatever the locale.
inline std::string fixed(double value, int digits) {
  char text[400];  // the largest double has 309 digits before the point
  return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, digits).ptr};
}

}  // namespace lstmrec::detail

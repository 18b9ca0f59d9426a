#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>

namespace lstmrec::detail {

/// The step of 1, 2, 5, 10, 20, … that a number is in, as `200 to 500`; 0 is one of its own.
inline std::string step_of(double number) {
  if (number == 0) return "0";
  // The scientific form d.ddde±xx gives the first digit and the power exactly, where a logarithm would be rounded.
  char written[40];
  char* const end =
      std::to_chars(written, written + sizeof written, std::abs(number), std::chars_format::scientific).ptr;
  const char* const mark = std::find(written, end, 'e');
  int power = 0;
  std::from_chars(mark + (mark[1] == '+' ? 2 : 1), end, power);
  const auto text = [&](int digit, int exponent) {
    const std::string sign = number < 0 ? "-" : "", shown = std::to_string(digit);
    return sign + (exponent >= 0 ? shown + std::string(static_cast<std::size_t>(exponent), '0')
                                 : "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + shown);
  };
  if (written[0] < '2') return text(1, power) + " to " + text(2, power);
  if (written[0] < '5') return text(2, power) + " to " + text(5, power);
  return text(5, power) + " to " + text(1, power + 1);
}

}  // namespace lstmrec::detail

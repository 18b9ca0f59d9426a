#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <ostream>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "../examples/report_chart.hpp"

namespace benchmark {

/// A line over sizes, which rise; all numbers are positive. `style`: its class in the page's style sheet.
struct Curve {
  std::string name, style;
  std::vector<double> x, y;
};

/// The slope of the straight line through log y over log x, by least squares: 1 where y grows as x does.
inline double slope(const Curve& curve) {
  const auto n = static_cast<double>(curve.x.size());
  double x = 0, y = 0, xx = 0, xy = 0;
  for (std::size_t k = 0; k < curve.x.size(); ++k) {
    const double a = std::log(curve.x[k]), b = std::log(curve.y[k]);
    x += a, y += b, xx += a * a, xy += a * b;
  }
  return (n * xy - x * y) / (n * xx - x * x);
}

/// A number in three digits with a letter for its power of ten: `10k`, `1.3m`.
inline std::string scaled(double value) {
  constexpr std::string_view letters[] = {"n", "µ", "m", "", "k", "M", "G"};
  if (value >= 1 && value < 9999.5 && value == std::round(value)) return std::to_string(std::lround(value));
  int group = 3;
  for (; value >= 999.5 && group < 6; ++group) value /= 1000;
  for (; value < 0.9995 && value > 0 && group > 0; --group) value *= 1000;
  std::ostringstream text;
  text.precision(3);
  text << value << letters[static_cast<std::size_t>(group)];
  return text.str();
}

/// Writes curves on logarithmic axes, each with its slope in the legend. `unit`: of y; has no power of ten.
inline void write_growth_chart(std::ostream& out, const std::string& title, std::string_view x_label,
                               std::string_view unit, std::span<const Curve> curves) {
  using namespace example::chart;
  double x_low = curves[0].x[0], x_high = x_low, y_low = curves[0].y[0], y_high = y_low;
  for (const Curve& curve : curves)
    for (std::size_t k = 0; k < curve.x.size(); ++k) {
      x_low = std::min(x_low, curve.x[k]), x_high = std::max(x_high, curve.x[k]);
      y_low = std::min(y_low, curve.y[k]), y_high = std::max(y_high, curve.y[k]);
    }
  // Lines at powers of ten, or where there are few of them also at 2 and 5 times those.
  std::vector<double> lines;
  const auto decades = [&](double low, double high) { return std::log10(high / low); };
  for (double power = std::pow(10, std::floor(std::log10(y_low))); power < 10 * y_high; power *= 10)
    for (const double factor : {1.0, 2.0, 5.0})
      if (factor == 1 || decades(y_low, y_high) < 2) lines.push_back(factor * power);
  while (lines.size() > 1 && lines[1] <= y_low) lines.erase(lines.begin());
  while (lines.size() > 1 && lines[lines.size() - 2] >= y_high) lines.pop_back();
  y_low = lines.front(), y_high = lines.back();

  const auto part = [&](double v, double low, double high) { return decades(low, v) / decades(low, high); };
  const auto x_of = [&](double v) { return left + 14 + (width - left - right - 34) * part(v, x_low, x_high); };
  const auto y_of = [&](double v) { return height - bottom - (height - top - bottom) * part(v, y_low, y_high); };

  out << "<figure><figcaption>" << example::escaped(title) << "</figcaption>\n";
  std::vector<example::Series> names;
  for (const Curve& curve : curves)
    names.push_back({curve.name + ", slope " + number(slope(curve), 2), curve.style, {}});
  legend(out, names);
  out << "<svg viewBox=\"0 0 " << width << ' ' << height << "\" role=\"img\" aria-label=\"" << example::escaped(title)
      << "\">\n";
  for (const double line : lines)
    out << "<line class=\"grid\" x1=\"" << left << "\" x2=\"" << width - right << "\" y1=\"" << number(y_of(line))
        << "\" y2=\"" << number(y_of(line)) << "\"/><text class=\"tick\" text-anchor=\"end\" x=\"" << left - 4
        << "\" y=\"" << number(y_of(line) + 3.5) << "\">" << scaled(line) << unit << "</text>\n";
  out << "<text class=\"tick\" text-anchor=\"middle\" x=\"" << (left + width - right) / 2 << "\" y=\"" << height - 6
      << "\">" << example::escaped(x_label) << "</text>\n";
  for (const double x : curves[0].x) label(out, x_of(x), scaled(x));
  for (const Curve& curve : curves) {
    out << "<polyline class=\"line " << curve.style << "\" points=\"";
    for (std::size_t k = 0; k < curve.x.size(); ++k)
      out << number(x_of(curve.x[k])) << ',' << number(y_of(curve.y[k])) << ' ';
    out << "\"/>\n";
    for (std::size_t k = 0; k < curve.x.size(); ++k)
      out << "<circle class=\"dot " << curve.style << "\" r=\"3\" cx=\"" << number(x_of(curve.x[k])) << "\" cy=\""
          << number(y_of(curve.y[k])) << "\">"
          << tip(curve.name + ", " + scaled(curve.x[k]) + " " + std::string(x_label) + ": " + scaled(curve.y[k]) +
                 std::string(unit))
          << "</circle>\n";
  }
  out << "</svg>\n";
}

}  // namespace benchmark

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <lstmrec/io/fixed.hpp>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace example {

/// A text as it stands between tags or in a quoted attribute of HTML.
inline std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

/// One line of a chart, or one colour of its bars. `style`: its class in the page's style sheet.
struct Series {
  std::string name, style;
  std::vector<double> values;
};

namespace chart {

// Every chart is an SVG of this size that the page scales to the column's width, so that it is readable on a phone.
constexpr double width = 420, height = 230, left = 46, right = 10, top = 12, bottom = 44;

inline std::string number(double value, int digits = 1) { return lstmrec::detail::fixed(value, digits); }

/// The values at which an axis from `low` to `high` has lines: about four, at 1, 2 or 5 times a power of ten.
struct Ticks {
  double step = 1, low = 0, high = 1;
  int digits = 0;

  Ticks(double least, double most) {
    if (!(most > least)) most = least + std::max(std::abs(least), 1e-3);
    const double raw = (most - least) / 4, power = std::pow(10, std::floor(std::log10(raw)));
    step = power * (raw / power < 1.5 ? 1 : raw / power < 3.5 ? 2 : raw / power < 7.5 ? 5 : 10);
    low = step * std::floor(least / step + 1e-9);
    high = step * std::ceil(most / step - 1e-9);
    digits = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
  }

  double y(double value) const { return top + (height - top - bottom) * (high - value) / (high - low); }
};

inline void begin(std::ostream& out, std::string_view title, std::string_view x_label, const Ticks& ticks) {
  out << "<svg viewBox=\"0 0 " << width << ' ' << height << "\" role=\"img\" aria-label=\"" << escaped(title)
      << "\">\n";
  const auto lines = static_cast<int>(std::lround((ticks.high - ticks.low) / ticks.step));
  for (int line = 0; line <= lines; ++line) {
    const double value = ticks.low + line * ticks.step;
    out << "<line class=\"grid\" x1=\"" << left << "\" x2=\"" << width - right << "\" y1=\"" << number(ticks.y(value))
        << "\" y2=\"" << number(ticks.y(value)) << "\"/><text class=\"tick\" text-anchor=\"end\" x=\"" << left - 6
        << "\" y=\"" << number(ticks.y(value) + 3.5) << "\">" << number(value, ticks.digits) << "</text>\n";
  }
  out << "<text class=\"tick\" text-anchor=\"middle\" x=\"" << (left + width - right) / 2 << "\" y=\"" << height - 6
      << "\">" << escaped(x_label) << "</text>\n";
}

inline void label(std::ostream& out, double x, std::string_view text) {
  out << "<text class=\"tick\" text-anchor=\"middle\" x=\"" << number(x) << "\" y=\"" << height - bottom + 16 << "\">"
      << escaped(text) << "</text>\n";
}

inline void legend(std::ostream& out, std::span<const Series> series) {
  if (series.size() < 2) return;
  out << "<p class=\"legend\">";
  for (const Series& s : series) out << "<span class=\"" << s.style << "\">" << escaped(s.name) << "</span> ";
  out << "</p>\n";
}

inline std::string tip(std::string_view text) { return "<title>" + escaped(text) + "</title>"; }

}  // namespace chart

/// Writes lines over epochs 1, 2, …, or over other steps; `marked`: the epoch to point at, 0 for none.
inline void write_line_chart(std::ostream& out, std::string_view title, std::span<const Series> series,
                             std::size_t marked, int digits, std::string_view x_label = "epoch") {
  using namespace chart;
  double least = series[0].values[0], most = least;
  std::size_t epochs = 0;
  for (const Series& s : series) {
    for (const double value : s.values) least = std::min(least, value), most = std::max(most, value);
    epochs = std::max(epochs, s.values.size());
  }
  const Ticks ticks(least, most);
  const double inner = width - left - right - 20, step = epochs > 1 ? inner / static_cast<double>(epochs - 1) : 0;
  const auto x = [&](std::size_t epoch) { return left + 10 + static_cast<double>(epoch - 1) * step; };

  out << "<figure><figcaption>" << escaped(title) << "</figcaption>\n";
  legend(out, series);
  begin(out, title, x_label, ticks);
  const std::size_t every = (epochs + 11) / 12;
  for (std::size_t epoch = 1; epoch <= epochs; epoch += every) label(out, x(epoch), std::to_string(epoch));
  if (marked > 0)
    out << "<line class=\"marked\" x1=\"" << number(x(marked)) << "\" x2=\"" << number(x(marked)) << "\" y1=\"" << top
        << "\" y2=\"" << height - bottom << "\">" << tip("epoch " + std::to_string(marked) + " was kept")
        << "</line>\n";
  for (const Series& s : series) {
    out << "<polyline class=\"line " << s.style << "\" points=\"";
    for (std::size_t k = 0; k < s.values.size(); ++k)
      out << number(x(k + 1)) << ',' << number(ticks.y(s.values[k])) << ' ';
    out << "\"/>\n";
    for (std::size_t k = 0; k < s.values.size(); ++k)
      out << "<circle class=\"dot " << s.style << "\" r=\"3\" cx=\"" << number(x(k + 1)) << "\" cy=\""
          << number(ticks.y(s.values[k])) << "\">"
          << tip(s.name + ", " + std::string(x_label) + " " + std::to_string(k + 1) + ": " +
                 number(s.values[k], digits))
          << "</circle>\n";
  }
  out << "</svg></figure>\n";
}

/// Writes bars side by side, one group a label. `notes`: one a group, shown when pointed at.
inline void write_bar_chart(std::ostream& out, std::string_view title, std::string_view x_label,
                            std::span<const std::string> labels, std::span<const std::string> notes,
                            std::span<const Series> series) {
  using namespace chart;
  double most = 0;
  for (const Series& s : series) most = std::max(most, *std::max_element(s.values.begin(), s.values.end()));
  const Ticks ticks(0, most);
  const double group = (width - left - right) / static_cast<double>(labels.size());
  const double bar = std::min(34.0, 0.7 * group / static_cast<double>(series.size()));

  out << "<figure><figcaption>" << escaped(title) << "</figcaption>\n";
  legend(out, series);
  begin(out, title, x_label, ticks);
  for (std::size_t g = 0; g < labels.size(); ++g) {
    const double middle = left + group * (static_cast<double>(g) + 0.5);
    label(out, middle, labels[g]);
    for (std::size_t s = 0; s < series.size(); ++s) {
      const double x = middle + bar * (static_cast<double>(s) - static_cast<double>(series.size()) / 2);
      const double value = series[s].values[g];
      out << "<rect class=\"bar " << series[s].style << "\" x=\"" << number(x + 1) << "\" width=\"" << number(bar - 2)
          << "\" y=\"" << number(ticks.y(value)) << "\" height=\"" << number(ticks.y(0) - ticks.y(value)) << "\">"
          << tip(series[s].name + ": " + number(value, 3) + " (" + notes[g] + ")") << "</rect>\n";
      if (bar >= 16)
        out << "<text class=\"value\" text-anchor=\"middle\" x=\"" << number(x + bar / 2) << "\" y=\""
            << number(ticks.y(value) - 4) << "\">" << number(value, 2).substr(value < 1 ? 1 : 0) << "</text>\n";
    }
  }
  out << "</svg></figure>\n";
}

/// Writes a value and its interval as a point and a whisker on a scale from 0 to `most`, for a cell of a table.
inline void write_interval(std::ostream& out, std::string_view style, double low, double value, double high,
                           double most) {
  const auto x = [&](double v) { return chart::number(4 + 152 * v / most); };
  out << "<svg class=\"interval " << style
      << "\" viewBox=\"0 0 160 16\" aria-hidden=\"true\"><line class=\"grid\" x1=\"4\" "
      << "x2=\"156\" y1=\"8\" y2=\"8\"/><line class=\"whisker\" x1=\"" << x(low) << "\" x2=\"" << x(high)
      << "\" y1=\"8\" y2=\"8\"/><circle r=\"4\" cx=\"" << x(value) << "\" cy=\"8\"/></svg>";
}

}  // namespace example

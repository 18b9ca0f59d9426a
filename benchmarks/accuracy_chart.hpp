#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <istream>
#include <ostream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "../examples/report_chart.hpp"
#include "../examples/report_page.hpp"

namespace benchmark {

/// A bar of the chart of accuracy: a method, its NDCG@10, where the figure comes from, and a few words on it.
struct AccuracyBar {
  std::string name;
  double ndcg = 0;
  std::string origin;  ///< One of `accuracy_origins`.
  std::string note;
};

/// Where a figure comes from: the word for it in the table, its class in the style sheet, what the legend says.
struct AccuracyOrigin {
  std::string_view word, style, explanation;
};
constexpr std::array accuracy_origins = {
    AccuracyOrigin{"own", "model", "measured here, mean of three seeds"},
    AccuracyOrigin{"published", "third", "best published figure"},
    AccuracyOrigin{"baseline", "other", "baseline, measured here"},
};

/// Reads `name, NDCG@10, origin, note`, separated by tabs, a line a bar; lines that begin with # are comments.
/// Throws std::runtime_error that says which line is malformed.
inline std::vector<AccuracyBar> read_accuracy_table(std::istream& in) {
  std::vector<AccuracyBar> bars;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    std::array<std::string, 4> fields;
    std::size_t begin = 0, count = 0;
    for (bool last = false; !last; ++count) {
      const std::size_t end = line.find('\t', begin);
      last = end == std::string::npos;
      if (count < fields.size()) fields[count] = line.substr(begin, last ? end : end - begin);
      begin = end + 1;
    }
    AccuracyBar bar{fields[0], 0, fields[2], fields[3]};
    const auto [end, failure] = std::from_chars(fields[1].data(), fields[1].data() + fields[1].size(), bar.ndcg);
    const bool is_number = failure == std::errc{} && end == fields[1].data() + fields[1].size();
    const bool is_known = std::any_of(accuracy_origins.begin(), accuracy_origins.end(),
                                      [&](const AccuracyOrigin& origin) { return origin.word == bar.origin; });
    if (count != fields.size() || !is_number || !(bar.ndcg > 0 && bar.ndcg <= 1) || !is_known)
      throw std::runtime_error("line " + std::to_string(number) +
                               ": expected a name, a figure in (0, 1], own, published or baseline, and a note, "
                               "separated by tabs, got \"" +
                               line + "\"");
    bars.push_back(std::move(bar));
  }
  if (bars.empty()) throw std::runtime_error("expected a line a bar, got none");
  return bars;
}

/// Writes the bars as an SVG file of its own, with the colours of the reports, light or dark by the reader's setting,
/// on a background of its own.
inline void write_accuracy_chart(std::ostream& out, std::span<const AccuracyBar> bars) {
  using example::escaped, example::chart::number;
  constexpr double width = 720, left = 198, right = 40, top = 86, row = 46, thickness = 26, foot = 54;
  constexpr std::string_view title = "How well is the next film predicted? MovieLens 1M";
  const double bottom = top + row * static_cast<double>(bars.size()), height = bottom + foot;
  double most = 0;
  for (const AccuracyBar& bar : bars) most = std::max(most, bar.ndcg);
  const example::chart::Ticks ticks(0, most);
  const auto x_of = [&](double value) { return left + (width - left - right) * value / ticks.high; };
  const auto figure = [](double value, int digits) {  // .202, as everywhere in the documents
    const std::string text = number(value, digits);
    return text.starts_with("0.") ? text.substr(1) : text;
  };

  std::string description;
  for (const AccuracyBar& bar : bars)
    description += (description.empty() ? "NDCG@10: " : ", ") + bar.name + " " + figure(bar.ndcg, 3);
  out << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" << width << "\" height=\"" << height
      << "\" viewBox=\"0 0 " << width << ' ' << height << "\" role=\"img\" aria-labelledby=\"title description\">\n"
      << "<title id=\"title\">" << escaped(title) << "</title>\n<desc id=\"description\">" << escaped(description)
      << "</desc>\n<style>" << example::report_colours << R"(
text { font: 13px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: var(--text); }
.title { font-size: 18px; font-weight: 600; } .name, .value { font-size: 14px; font-weight: 600; }
.note, .tick { font-size: 12px; fill: var(--quiet); }
.page { fill: var(--card); stroke: var(--line); } .grid { stroke: var(--line); } .axis { stroke: var(--quiet); }
.model { fill: var(--model); } .third { fill: var(--third); } .other { fill: var(--other); }
)"
      << "</style>\n<rect class=\"page\" x=\"0.5\" y=\"0.5\" width=\"" << width - 1 << "\" height=\"" << height - 1
      << "\" rx=\"10\"/>\n<text class=\"title\" x=\"20\" y=\"34\">" << escaped(title) << "</text>\n";

  constexpr std::array<double, accuracy_origins.size()> places = {20, 300, 495};
  for (std::size_t k = 0; k < accuracy_origins.size(); ++k)
    out << "<rect class=\"" << accuracy_origins[k].style << "\" x=\"" << places[k]
        << "\" y=\"51\" width=\"11\" height=\"11\" rx=\"3\"/><text class=\"note\" x=\"" << places[k] + 17
        << "\" y=\"61\">" << escaped(accuracy_origins[k].explanation) << "</text>\n";

  for (int line = 0; line * ticks.step <= ticks.high + ticks.step / 2; ++line) {
    const std::string x = number(x_of(line * ticks.step));
    out << "<line class=\"" << (line == 0 ? "axis" : "grid") << "\" x1=\"" << x << "\" x2=\"" << x << "\" y1=\"" << top
        << "\" y2=\"" << bottom << "\"/><text class=\"tick\" text-anchor=\"middle\" x=\"" << x << "\" y=\""
        << bottom + 17 << "\">" << (line == 0 ? "0" : figure(line * ticks.step, ticks.digits)) << "</text>\n";
  }
  out << "<text class=\"tick\" text-anchor=\"middle\" x=\"" << number((left + width - right) / 2) << "\" y=\""
      << bottom + 38 << "\">NDCG@10, all 3416 films ranked (1: the film taken next always stands first)</text>\n";

  for (std::size_t k = 0; k < bars.size(); ++k) {
    const AccuracyBar& bar = bars[k];
    const double middle = top + row * (static_cast<double>(k) + 0.5);
    const auto origin = std::find_if(accuracy_origins.begin(), accuracy_origins.end(),
                                     [&](const AccuracyOrigin& known) { return known.word == bar.origin; });
    out << "<text class=\"name\" text-anchor=\"end\" x=\"" << left - 12 << "\" y=\"" << number(middle - 2) << "\">"
        << escaped(bar.name) << "</text><text class=\"note\" text-anchor=\"end\" x=\"" << left - 12 << "\" y=\""
        << number(middle + 14) << "\">" << escaped(bar.note) << "</text>\n<rect class=\"" << origin->style << "\" x=\""
        << left << "\" y=\"" << number(middle - thickness / 2) << "\" width=\"" << number(x_of(bar.ndcg) - left)
        << "\" height=\"" << thickness << "\"/><text class=\"value\" x=\"" << number(x_of(bar.ndcg) + 8) << "\" y=\""
        << number(middle + 5) << "\">" << figure(bar.ndcg, 3) << "</text>\n";
  }
  out << "</svg>\n";
}

}  // namespace benchmark

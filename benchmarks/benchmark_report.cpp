// Makes one table and one page of what the measuring programs printed:
//
//     benchmark_report RESULTS PAGE.html
//
// RESULTS holds a file GROUP.tsv for each of the groups below. Its lines are `maker, name, parameter, value, unit,
// limit, note`, separated by tabs; the last two may be missing. Lines that repeat a measurement are one, with their
// median and their least and largest value. Makers whose names begin with `lstmrec` are compared with the others.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../examples/report_page.hpp"
#include "growth_chart.hpp"

using namespace benchmark;
using example::escaped;

namespace {

struct Measurement {
  std::vector<double> values, limits;
  std::string note;
};

/// What was measured, by each of its makers.
struct Row {
  std::string name, parameter, unit;
  std::map<std::string, Measurement> by_maker;
};

struct Group {
  std::string name, title;
  std::vector<std::string> makers;  // in the order of the file
  std::vector<Row> rows;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

bool is_speed(const Row& row) { return row.unit.ends_with("/s"); }  // else a time or a size: the less, the better
bool is_own(std::string_view maker) { return maker.starts_with("lstmrec"); }

Group read_group(const std::filesystem::path& file, const std::string& name, const std::string& title) {
  Group group{name, title, {}, {}};
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    std::vector<std::string> fields;
    std::istringstream parts(line);
    for (std::string field; std::getline(parts, field, '\t');) fields.push_back(field);
    if (fields.size() < 5) continue;  // said by a program to whoever watches
    fields.resize(7);
    const std::string& maker = fields[0];
    if (std::find(group.makers.begin(), group.makers.end(), maker) == group.makers.end()) group.makers.push_back(maker);
    auto row = std::find_if(group.rows.begin(), group.rows.end(), [&](const Row& r) {
      return r.name == fields[1] && r.parameter == fields[2] && r.unit == fields[4];
    });
    if (row == group.rows.end()) {
      // Beside the others of its name, which another maker may have printed before.
      const auto last =
          std::find_if(group.rows.rbegin(), group.rows.rend(), [&](const Row& r) { return r.name == fields[1]; });
      row = group.rows.insert(last == group.rows.rend() ? group.rows.end() : last.base(),
                              {fields[1], fields[2], fields[4], {}});
    }
    Measurement& measurement = row->by_maker[maker];
    measurement.values.push_back(std::stod(fields[3]));
    if (!fields[5].empty()) measurement.limits.push_back(std::stod(fields[5]));
    if (!fields[6].empty()) measurement.note = fields[6];
  }
  return group;
}

/// Four digits, with a space between thousands.
std::string shown(double value) {
  std::ostringstream text;
  if (value >= 1000) {
    std::string digits = std::to_string(std::llround(value));
    for (std::size_t place = digits.size(); place > 3; place -= 3) digits.insert(place - 3, 1, ' ');
    return digits;
  }
  text << std::setprecision(value < 0.1 ? 2 : 3) << value;
  return text.str();
}

/// Times in the unit in which they read best.
std::string shown(double value, const std::string& unit) {
  if (unit == "s") return scaled(value) + unit;
  return shown(value) + " " + unit;
}

std::string percent(double part) { return std::to_string(std::llround(100 * part)) + "%"; }

std::string cell(const Row& row, const Measurement& m) {
  std::string text = shown(median(m.values), row.unit);
  if (m.values.size() > 1) {
    const auto [least, most] = std::minmax_element(m.values.begin(), m.values.end());
    text += " (" + (row.unit == "s" ? scaled(*least) : shown(*least)) + " to " +
            (row.unit == "s" ? scaled(*most) : shown(*most)) + ")";
  }
  return text;
}

/// The part of the limit that was reached; empty where there is none.
std::string part_of_limit(const Row& row, const Measurement& m) {
  if (m.limits.empty()) return "";
  const double value = median(m.values), limit = median(m.limits);
  return percent(is_speed(row) ? value / limit : limit / value);
}

/// How many times as fast the best of ours is as the best of the others; empty where one side is missing.
std::string ratio(const Row& row) {
  double own = 0, others = 0;
  for (const auto& [maker, m] : row.by_maker) {
    const double speed = is_speed(row) ? median(m.values) : 1 / median(m.values);
    double& best = is_own(maker) ? own : others;
    best = std::max(best, speed);
  }
  if (own == 0 || others == 0) return "";
  return shown(std::round(100 * own / others) / 100);
}

bool has_ratios(const Group& group) {
  return std::any_of(group.rows.begin(), group.rows.end(), [](const Row& row) { return !ratio(row).empty(); });
}

std::size_t letters(std::string_view text) {  // of UTF-8
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

void print_table(const Group& group) {
  std::vector<std::vector<std::string>> table(1, {group.title, ""});
  for (const auto& maker : group.makers) table[0].insert(table[0].end(), {maker, "of limit"});
  if (has_ratios(group)) table[0].push_back("ours/theirs");
  for (const Row& row : group.rows) {
    table.push_back({row.name, row.parameter});
    for (const auto& maker : group.makers) {
      const auto found = row.by_maker.find(maker);
      table.back().push_back(found == row.by_maker.end() ? "" : cell(row, found->second));
      table.back().push_back(found == row.by_maker.end() ? "" : part_of_limit(row, found->second));
    }
    if (has_ratios(group)) table.back().push_back(ratio(row));
  }
  for (std::size_t column = 0; column < table[0].size(); ++column) {
    // A column of limits where nothing has one is left out.
    const bool empty = column > 1 && std::all_of(table.begin() + 1, table.end(),
                                                 [&](const auto& line) { return line[column].empty(); });
    std::size_t width = 0;
    if (empty) table[0][column].clear();
    for (const auto& line : table) width = std::max(width, letters(line[column]));
    for (auto& line : table) {
      const std::string padding(width - letters(line[column]), ' ');
      line[column] = column < 2 ? line[column] + padding : padding + line[column];
    }
  }
  for (const auto& line : table) {
    std::string text;
    for (const auto& field : line)
      if (!field.empty()) text += (text.empty() ? "" : "  ") + field;
    std::cout << text << '\n';
  }
  std::cout << '\n';
}

void write_table(std::ostream& out, const Group& group) {
  out << "<div class=\"card scroll\"><table>\n<tr><th></th>";
  if (has_ratios(group)) out << "<th>ours / theirs</th>";  // first, where no narrow window cuts it off
  for (const auto& maker : group.makers) out << "<th>" << escaped(maker) << "</th>";
  out << "</tr>\n";
  std::string name;
  for (const Row& row : group.rows) {
    if (row.name != name)
      out << "<tr class=\"part\"><th colspan=\"" << group.makers.size() + 2 << "\">" << escaped(name = row.name)
          << "</th></tr>\n";
    out << "<tr><td>" << escaped(row.parameter) << "</td>";
    if (has_ratios(group)) out << "<td><b>" << ratio(row) << "</b></td>";
    for (const auto& maker : group.makers) {
      const auto found = row.by_maker.find(maker);
      out << "<td>";
      if (found != row.by_maker.end()) {
        const auto& m = found->second;
        out << escaped(cell(row, m));
        std::string small = part_of_limit(row, m);
        if (!small.empty()) small += " of the limit";
        if (!m.note.empty() && !row.parameter.ends_with(m.note)) small += (small.empty() ? "" : "; ") + m.note;
        if (!small.empty()) out << "<small>" << escaped(small) << "</small>";
      }
      out << "</td>";
    }
    out << "</tr>\n";
  }
  out << "</table></div>\n";
}

/// A chart for every name and every kind of size: the parameters are `size = number`.
void write_curves(std::ostream& out, const Group& group) {
  out << "<div class=\"pair\">\n";
  const auto size_of = [](const Row& row) { return row.parameter.substr(0, row.parameter.find(" = ")); };
  for (auto first = group.rows.begin(); first != group.rows.end();) {
    const std::string size = size_of(*first);
    const auto end = std::find_if(first, group.rows.end(),
                                  [&](const Row& row) { return row.name != first->name || size_of(row) != size; });
    std::vector<Curve> curves;
    std::string note;
    for (const auto& maker : group.makers) {
      Curve measured{is_own(maker) ? "measured" : maker, "model", {}, {}}, limit{"limit", "other", {}, {}};
      for (auto row = first; row != end; ++row) {
        const auto found = row->by_maker.find(maker);
        if (found == row->by_maker.end()) continue;
        measured.x.push_back(std::stod(row->parameter.substr(size.size() + 3)));
        measured.y.push_back(median(found->second.values));
        note = found->second.note;
        if (found->second.limits.empty()) continue;
        limit.x.push_back(measured.x.back());
        limit.y.push_back(median(found->second.limits));
      }
      if (measured.x.size() > 1) curves.push_back(measured);
      if (limit.x.size() > 1) curves.push_back(limit);
    }
    if (!curves.empty()) {
      write_growth_chart(out, first->name + ", over " + size, size, first->unit, curves);
      out << "<p class=\"quiet\">" << escaped(note) << "</p></figure>\n";
    }
    first = end;
  }
  out << "</div>\n";
}

constexpr std::string_view own_style = R"(
main { max-width: 1360px; }
.line.other { stroke: var(--other); stroke-dasharray: 5 4; } .dot.other { fill: var(--other); }
.part th { padding-top: 18px; color: inherit; text-align: left; } tr:not(.part) td:first-child { text-align: left; }
td { vertical-align: top; } td small { white-space: normal; min-width: 8em; max-width: 17em; margin-left: auto; }
tr:not(.part) :first-child:is(td, th) { position: sticky; left: 0; background: var(--card); }
@media (max-width: 700px) {
  tr:not(.part) td:first-child { white-space: normal; min-width: 7.5em; max-width: 9.5em; overflow-wrap: anywhere; }
}
.pair { margin-bottom: 12px; } figure .quiet { margin: 4px 0 8px; }
pre { margin: 0; overflow-x: auto; font-size: .8125rem; }
)";

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

void write_page(std::ostream& out, const std::filesystem::path& results, const std::vector<Group>& groups) {
  out << "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      << "content=\"width=device-width, initial-scale=1\">\n<title>lstmrec: speed</title>\n<style>"
      << example::report_colours << example::report_style << own_style
      << "</style></head>\n<body><main>\n<h1>lstmrec: speed</h1>\n"
      << "<p class=\"quiet\">Every figure beside what the machine could do at best, or beside a peer, in the same run: "
      << "products against the peak of this compiler's best product, reading against the speed at which the same "
         "number "
      << "of bytes can be read. Medians, and from the least to the largest value where there are several.</p>\n";
  for (const Group& group : groups) {
    out << "<h2>" << escaped(group.title) << "</h2>\n";
    if (group.name == "growth")
      write_curves(out, group);
    else
      write_table(out, group);
  }
  out << "<h2>Machine, compilers and commands</h2>\n<div class=\"card\"><pre>"
      << escaped(text_of(results / "setup.txt")) << "</pre></div>\n</main></body></html>\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: benchmark_report RESULTS PAGE.html\n";
    return 2;
  }
  const std::filesystem::path results = argv[1];
  std::vector<Group> groups;
  for (const auto& [name, title] :
       std::vector<std::pair<std::string, std::string>>{{"training", "Training"},
                                                        {"serving", "Serving"},
                                                        {"data", "Loading"},
                                                        {"growth", "Growth"},
                                                        {"settings", "The peers' settings, tried in short"},
                                                        {"limits", "Limits of the machine"}}) {
    Group group = read_group(results / (name + ".tsv"), name, title);
    if (group.rows.empty()) continue;
    print_table(group);
    groups.push_back(std::move(group));
  }
  std::ofstream page(argv[2]);
  write_page(page, results, groups);
  if (!page.flush()) {
    std::cerr << "benchmark_report: cannot write " << argv[2] << '\n';
    return 1;
  }
}

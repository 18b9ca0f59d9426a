#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/function_ref.hpp>
#include <lstmrec/io/line_reader.hpp>
#include <lstmrec/io/text.hpp>
#include <lstmrec/io/time_format.hpp>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace lstmrec {

/// How the lines of a table are cut into columns.
struct TableLayout {
  std::string separator;  ///< Of two fields: a character, or twice the same one.
  bool has_header = true;
  bool has_names = true;             ///< Of the columns, by a header or because they are stated.
  std::vector<std::string> columns;  ///< Their names; without any their numbers from 1.
};

namespace detail {

using Record = std::vector<std::string_view>;

inline Separator separator_of(const TableLayout& layout) {
  return Separator(layout.separator[0], layout.separator.size() > 1);
}

/// A column's name as the lists of usual names write it: its letters in lower case and its digits. RecBole adds a colon
/// and a type to a name; both are left out.
inline std::string plain_name(std::string_view name) {
  std::string plain;
  for (char c : name.substr(0, name.find(':'))) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) plain += c;
  }
  return plain;
}

/// The column with the first of some usual names that a column has.
inline std::optional<std::size_t> find_column(std::span<const std::string> columns,
                                              std::span<const std::string_view> names) {
  for (const std::string_view name : names)
    for (std::size_t k = 0; k < columns.size(); ++k)
      if (plain_name(columns[k]) == name) return k;
  return {};
}

/// The fewest characters that have to be put in, taken out or exchanged to make one text of the other.
/// Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals", 1966.
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t exchanged = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({exchanged, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

/// The first lines of a table, and what can be told from them.
class TableSample {
 public:
  /// `separator` empty, `has_header` unset: found out. `names`: of the columns of a table without a header, or empty.
  /// `has_usual_names(columns)`: whether a first line with these words is a header.
  TableSample(LineReader& lines, const std::string& separator, std::optional<bool> has_header,
              const std::vector<std::string>& names, FunctionRef<bool(std::span<const std::string>)> has_usual_names)
      : lines_(&lines) {
    constexpr std::size_t most = 1000;
    std::string_view text(lines.ahead());
    for (std::size_t end; text_.size() < most && !text.empty(); text.remove_prefix(std::min(text.size(), end + 1))) {
      end = std::min(text.find('\n'), text.size());
      std::string_view line = text.substr(0, end);
      if (line.ends_with('\r')) line.remove_suffix(1);
      const bool is_cut = end == text.size() && lines.block_is_full();
      if (!line.empty() && (!is_cut || text_.empty())) text_.push_back(line);
    }
    if (text_.empty()) lines.fail({"expected lines, got an empty file"});
    find_separator(separator);
    for (const std::string_view line : text_) {
      records_.emplace_back();
      split_record(line, records_.back());
      if (records_.back().size() != records_.front().size()) records_.pop_back();
    }
    const Record& first = records_.front();
    if (!names.empty() && names.size() != first.size())
      lines_->fail(
          {"expected ", names.size(), " columns, as many as are named, got ", first.size(), ": ", excerpt(text_[0])});
    const std::vector<std::string> words(first.begin(), first.end());
    layout_.has_header =
        has_header.value_or(names.empty() && (looks_like_header() || (!has_numbers(first) && has_usual_names(words))));
    layout_.has_names = layout_.has_header || !names.empty();
    for (std::size_t k = 0; k < words.size(); ++k)
      layout_.columns.push_back(!names.empty() ? names[k] : layout_.has_header ? words[k] : std::to_string(k + 1));
    if (layout_.has_header && records_.size() > 1) records_.erase(records_.begin());
  }

  const TableLayout& layout() const { return layout_; }
  std::size_t columns() const { return layout_.columns.size(); }
  const std::vector<Record>& records() const { return records_; }  ///< Those with as many fields as the first.

  [[noreturn]] void fail(std::initializer_list<MessagePart> what) const { lines_->fail(what); }

  std::string name_of(std::size_t column) const { return excerpt(layout_.columns[column]); }

  std::string all_names() const {
    std::string names;
    for (std::size_t k = 0; k < layout_.columns.size(); ++k) names += (k == 0 ? "" : ", ") + name_of(k);
    return names;
  }

  /// The column that the user has stated.
  std::optional<std::size_t> chosen(const char* role, const std::optional<std::string>& name) const {
    if (!name || name->empty()) return {};
    const auto found = std::find(layout_.columns.begin(), layout_.columns.end(), *name);
    if (found != layout_.columns.end()) {
      if (std::count(found, layout_.columns.end(), *name) > 1)
        lines_->fail({"expected ", role, " column ", excerpt(*name), ", got two of that name: state its number"});
      return static_cast<std::size_t>(found - layout_.columns.begin());
    }
    std::size_t number = 0;
    const auto [end, failure] = std::from_chars(name->data(), name->data() + name->size(), number);
    const bool is_whole = failure == std::errc{} && end == name->data() + name->size();
    if (is_whole && number >= 1 && number <= layout_.columns.size()) return number - 1;
    const auto nearest = std::min_element(
        layout_.columns.begin(), layout_.columns.end(),
        [&](const std::string& a, const std::string& b) { return edit_distance(a, *name) < edit_distance(b, *name); });
    const bool is_near =
        layout_.has_names && edit_distance(*nearest, *name) <= std::max<std::size_t>(2, name->size() / 2);
    lines_->fail({"expected ", role, " column ", excerpt(*name), ", got the columns ", all_names(),
                  is_near ? "; did you mean " + excerpt(*nearest) + "?" : std::string()});
  }

  /// The column with a usual name.
  std::size_t detected(const char* role, std::span<const std::string_view> names) const {
    if (const auto found = find_column(layout_.columns, names)) return *found;
    lines_->fail({"expected a column of the ", role, "s, got ", all_names(), ": state which it is"});
  }

  template <class Predicate>
  bool all_in(std::size_t column, Predicate&& predicate) const {
    return std::all_of(records_.begin(), records_.end(), [&](const Record& r) { return predicate(r[column]); });
  }

  static bool is_number(std::string_view text) { return parse_time(text, TimeFormat::fractional_seconds).has_value(); }
  static bool is_number_or_date(std::string_view text) {
    return is_number(text) || parse_time(text, TimeFormat::iso8601).has_value();
  }

 private:
  void split_record(std::string_view line, Record& fields) const {
    const Separator separator = separator_of(layout_);
    for (std::size_t at = 0;;) {
      std::size_t end = at;
      if (line.substr(at).starts_with('"')) {  // a quoted separator is none; two quotes are one that stays open
        bool is_open = false;
        for (; end < line.size() && (is_open || end == at || line[end - 1] != '"' || line[end] == '"'); ++end)
          if (line[end] == '"') is_open = !is_open;
      }
      end = std::min(detail::find_separator(line, separator, end), line.size());
      std::string_view field = line.substr(at, end - at);
      if (field.size() > 1 && field.front() == '"' && field.back() == '"') field = field.substr(1, field.size() - 2);
      fields.push_back(field);
      if (end == line.size()) return;
      at = end + separator.size();
    }
  }

  /// The one that cuts the most lines into as many fields as the first.
  void find_separator(const std::string& stated) {
    if (!stated.empty()) {
      if (stated.size() > 2 || stated.front() != stated.back() || stated.front() == '\n')
        detail::fail<ConfigError>({"expected a character or twice the same one as separator, got ", excerpt(stated)});
      layout_.separator = stated;
    } else {
      std::size_t most = 0;
      std::string best;
      for (const char* separator : {"\t", "::", ",", ";", "|"}) {
        layout_.separator = separator;
        std::size_t count = 0, fields = 0;
        for (const std::string_view line : text_) {
          Record record;
          split_record(line, record);
          if (fields == 0) fields = record.size();
          count += record.size() == fields;
        }
        if (fields < 2 || count <= most) continue;
        most = count;
        best = separator;
      }
      if (best.empty())
        lines_->fail({"expected fields separated by tabs, commas, semicolons, bars or \"::\", got ", excerpt(text_[0]),
                      "; another separator has to be stated"});
      layout_.separator = best;
    }
  }

  static bool has_numbers(const Record& record) { return std::any_of(record.begin(), record.end(), is_number_or_date); }

  /// Whether all lines but the first have a number or a date where the first has none.
  bool looks_like_header() const {
    const Record& first = records_.front();
    if (has_numbers(first)) return false;
    for (std::size_t k = 0; k < first.size() && records_.size() > 1; ++k)
      if (std::all_of(records_.begin() + 1, records_.end(), [&](const Record& r) { return is_number_or_date(r[k]); }))
        return true;
    return false;
  }

  LineReader* lines_;
  TableLayout layout_;
  std::vector<std::string_view> text_;  ///< The first lines.
  std::vector<Record> records_;
};

}  // namespace detail

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <lstmrec/io/line_reader.hpp>
#include <lstmrec/io/text.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lstmrec::detail {

/// A table with other columns than expected.
class ForeignTable : public ParseError {
 public:
  using ParseError::ParseError;
};

/// A file of records, one a line, by RFC 4180 but for the separator: fields may stand in quotes, and then hold
/// separators, line ends and doubled quotes. Throws ParseError where a record has not as many fields as the first one,
/// or a quote is not closed.
class CsvReader {
 public:
  explicit CsvReader(const std::filesystem::path& path) : CsvReader(LineReader(path), ',', true) {}

  /// Without a header the columns have their numbers, from 1, as names.
  CsvReader(LineReader lines, Separator separator, bool has_header)
      : lines_(std::move(lines)), separator_(separator), first_is_pending_(!has_header) {
    if (!lines_.next()) lines_.fail({"expected a header, got an empty file"});
    split();
    for (const std::string_view name : fields_)
      header_.emplace_back(has_header ? name : std::to_string(header_.size() + 1));
  }

  /// The place of a column. Throws ForeignTable unless the header names it once.
  std::size_t column(std::string_view name) const {
    const auto found = std::find(header_.begin(), header_.end(), name);
    if (found == header_.end() || std::count(header_.begin(), header_.end(), name) != 1) {
      std::string names;
      for (const std::string& other : header_) names += (names.empty() ? "" : ",") + other;
      lines_.fail<ForeignTable>({"expected a header with one column ", excerpt(name), ", got ", excerpt(names)});
    }
    return static_cast<std::size_t>(found - header_.begin());
  }

  /// Goes to the next record; false where there is none.
  bool next() {
    if (first_is_pending_) {
      first_is_pending_ = false;
      return true;
    }
    if (!lines_.next()) return false;
    split();
    if (fields_.size() != header_.size()) {
      lines_.fail({"expected ", header_.size(), " fields separated by ",
                   excerpt(std::string(separator_.size(), separator_.character)), ", got ", fields_.size(), ": ",
                   excerpt(lines_.line())});
    }
    return true;
  }

  /// Valid until the next call of next().
  std::string_view field(std::size_t column) const { return fields_[column]; }

  std::size_t columns() const { return header_.size(); }
  const std::vector<std::string>& header() const { return header_; }

  /// The lines below: for messages, or to go past records without next().
  LineReader& lines() { return lines_; }
  const LineReader& lines() const { return lines_; }

  /// After an error: whether a quote was not closed, so that no further record can be told.
  bool quote_is_open() const { return quote_is_open_; }

 private:
  void split() {
    fields_.clear();
    if (lines_.line().find('"') != std::string_view::npos) return split_quoted();
    split_text(lines_.line(), separator_, [this](std::string_view field) { fields_.push_back(field); });
  }

  /// The fields' text, without quotes, goes into one string; the views are made when it no longer moves.
  void split_quoted() {
    text_.clear();
    std::vector<std::pair<std::size_t, std::size_t>> ranges;
    std::size_t at = 0;
    for (bool last = false; !last;) {
      const std::size_t begin = text_.size();
      if (at < lines_.line().size() && lines_.line()[at] == '"') at = unquote(at + 1);
      // The rest behind a closing quote, or an unquoted field. A quote inside of it is an ordinary character.
      const std::size_t end = std::min(find_separator(lines_.line(), separator_, at), lines_.line().size());
      text_ += lines_.line().substr(at, end - at);
      ranges.emplace_back(begin, text_.size() - begin);
      last = end == lines_.line().size();
      at = end + separator_.size();
    }
    for (const auto& [begin, length] : ranges) fields_.push_back(std::string_view(text_).substr(begin, length));
  }

  /// Appends a quoted field from behind its first quote; returns the place behind its last.
  std::size_t unquote(std::size_t at) {
    for (std::size_t searched = at;;) {
      const std::size_t quote = lines_.line().find('"', searched);
      if (quote == std::string_view::npos) {
        searched = lines_.line().size();
        if (!lines_.extend()) {
          quote_is_open_ = true;
          lines_.fail({"expected a closing quote, got the end of the file"});
        }
        continue;
      }
      text_ += lines_.line().substr(at, quote - at);
      if (!lines_.line().substr(quote + 1).starts_with('"')) return quote + 1;
      text_ += '"';
      at = searched = quote + 2;
    }
  }

  LineReader lines_;
  Separator separator_;
  bool first_is_pending_;  ///< Whether next() has still to come to the record that is split already.
  bool quote_is_open_ = false;
  std::vector<std::string> header_;
  std::vector<std::string_view> fields_;
  std::string text_;
};

}  // namespace lstmrec::detail

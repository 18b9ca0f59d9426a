#pragma once

/// The bodies of delimited_log.hpp.

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/delimited_log.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/raw_id.hpp>
#include <lstmrec/data/time_format.hpp>
#include <lstmrec/io/csv_reader.hpp>
#include <lstmrec/io/line_reader.hpp>
#include <lstmrec/io/text.hpp>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lstmrec {

namespace detail {

using Record = std::vector<std::string_view>;

/// Names that columns have in well-known logs, in lower case without other characters than letters and digits, the
/// surest first.
inline constexpr std::string_view user_names[] = {
    "sessionid",  "session",  "visitid",  "visit",    "visitorid", "visitor",   "userid",     "user",    "uid",
    "customerid", "customer", "clientid", "memberid", "accountid", "profileid", "reviewerid", "buyerid", "username"};
inline constexpr std::string_view item_names[] = {"itemid",     "item",    "movieid",    "productid", "product",
                                                  "parentasin", "asin",    "sku",        "articleid", "article",
                                                  "bookid",     "isbn",    "trackid",    "songid",    "contentid",
                                                  "newsid",     "videoid", "businessid", "gameid",    "goodsid"};
inline constexpr std::string_view time_names[] = {"timestamp", "time",       "ts",        "timeframe", "eventtime",
                                                  "datetime",  "createdat",  "clicktime", "unixtime",  "unixreviewtime",
                                                  "eventdate", "reviewtime", "tdat",      "date"};
inline constexpr std::string_view rating_names[] = {"rating", "ratings", "stars", "score", "overall"};

/// A column's name as in the lists above; what stands behind a colon is RecBole's type.
inline std::string plain_name(std::string_view name) {
  std::string plain;
  for (char c : name.substr(0, name.find(':'))) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) plain += c;
  }
  return plain;
}

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

/// The first lines of a log, and what can be told from them.
class LogSample {
 public:
  LogSample(LineReader& lines, const LogOptions& options) : lines_(&lines) {
    constexpr std::size_t most = 1000;
    std::string_view text(lines.ahead());
    for (std::size_t end; text_.size() < most && !text.empty(); text.remove_prefix(std::min(text.size(), end + 1))) {
      end = std::min(text.find('\n'), text.size());
      std::string_view line = text.substr(0, end);
      if (line.ends_with('\r')) line.remove_suffix(1);
      const bool is_cut = end == text.size() && lines.block_is_full();
      if (!line.empty() && (!is_cut || text_.empty())) text_.push_back(line);
    }
    if (text_.empty()) lines.fail({"expected events, got an empty file"});
    find_separator(options);
    for (const std::string_view line : text_) {
      records_.emplace_back();
      split_record(line, records_.back());
      if (records_.back().size() != records_.front().size()) records_.pop_back();
    }
  }

  LogLayout layout(const LogOptions& options) && {
    const Record& first = records_.front();
    layout_.has_header = options.has_header.value_or(looks_like_header());
    for (std::size_t k = 0; k < first.size(); ++k)
      layout_.columns.push_back(layout_.has_header ? std::string(first[k]) : std::to_string(k + 1));
    if (layout_.has_header && records_.size() > 1) records_.erase(records_.begin());

    const auto user = chosen("a user", options.user_column), item = chosen("an item", options.item_column);
    layout_.time = chosen("a time", options.time_column);
    layout_.rating = chosen("a rating", options.rating_column);
    if (layout_.has_header) {
      layout_.user = user ? *user : detected("user", user_names);
      layout_.item = item ? *item : detected("item", item_names);
      if (!options.time_column) layout_.time = find_column(layout_.columns, time_names);
      if (!options.rating_column) layout_.rating = find_column(layout_.columns, rating_names);
    } else {
      detect_by_content(user, item, options);
    }
    if (layout_.user == layout_.item)
      lines_->fail({"expected users and items in two columns, got ", name_of(layout_.user), " for both"});
    if (layout_.time) layout_.time_format = options.time_format ? *options.time_format : format_of_times();
    return std::move(layout_);
  }

 private:
  std::string name_of(std::size_t column) const { return excerpt(layout_.columns[column]); }

  std::string all_names() const {
    std::string names;
    for (std::size_t k = 0; k < layout_.columns.size(); ++k) names += (k == 0 ? "" : ", ") + name_of(k);
    return names;
  }

  void split_record(std::string_view line, Record& fields) const {
    const Separator separator(layout_.separator[0], layout_.separator.size() > 1);
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
  void find_separator(const LogOptions& options) {
    if (!options.separator.empty()) {
      const std::string& separator = options.separator;
      if (separator.size() > 2 || separator.front() != separator.back() || separator.front() == '\n')
        fail<ConfigError>({"expected a character or twice the same one as separator, got ", excerpt(separator)});
      layout_.separator = separator;
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

  static bool is_number(std::string_view text) { return parse_time(text, TimeFormat::fractional_seconds).has_value(); }
  static bool is_number_or_date(std::string_view text) {
    return is_number(text) || parse_time(text, TimeFormat::iso8601).has_value();
  }

  /// Whether all lines but the first have something in a column that the first has not: a number or a date; or the
  /// first has usual names.
  bool looks_like_header() const {
    const Record& first = records_.front();
    if (std::any_of(first.begin(), first.end(), is_number_or_date)) return false;
    const std::vector<std::string> names(first.begin(), first.end());
    if (find_column(names, user_names) && find_column(names, item_names)) return true;
    for (std::size_t k = 0; k < first.size() && records_.size() > 1; ++k)
      if (std::all_of(records_.begin() + 1, records_.end(), [&](const Record& r) { return is_number_or_date(r[k]); }))
        return true;
    return false;
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
        layout_.has_header && edit_distance(*nearest, *name) <= std::max<std::size_t>(2, name->size() / 2);
    lines_->fail({"expected ", role, " column ", excerpt(*name), ", got the columns ", all_names(),
                  is_near ? "; did you mean " + excerpt(*nearest) + "?" : std::string()});
  }

  std::size_t detected(const char* role, std::span<const std::string_view> names) const {
    if (const auto found = find_column(layout_.columns, names)) return *found;
    lines_->fail({"expected a column of the ", role, "s, got ", all_names(), ": state which it is"});
  }

  template <class Predicate>
  bool all_in(std::size_t column, Predicate&& predicate) const {
    return std::all_of(records_.begin(), records_.end(), [&](const Record& r) { return predicate(r[column]); });
  }

  /// Without a header: the time is the last column of dates, else of numbers that would be of 1985 or later. A rating
  /// is the third column, where it holds numbers from −100 to 100. Users and items are the first two columns that are
  /// left.
  void detect_by_content(std::optional<std::size_t> user, std::optional<std::size_t> item, const LogOptions& options) {
    const auto is_date = [](std::string_view text) { return parse_time(text, TimeFormat::iso8601).has_value(); };
    const auto is_late = [](std::string_view text) {
      const auto micros = parse_time(text, TimeFormat::fractional_seconds);
      return micros && *micros >= 500'000'000'000'000;
    };
    const auto is_rating = [](std::string_view text) {
      const auto micros = parse_time(text, TimeFormat::fractional_seconds);
      return micros && *micros >= -100'000'000 && *micros <= 100'000'000;
    };
    const std::size_t count = layout_.columns.size();
    const auto is_taken = [&](std::size_t k) {
      return user == k || item == k || layout_.time == k || layout_.rating == k;
    };
    const auto find_time = [&](auto&& is_time) {
      for (std::size_t k = count; k-- > 1 && !layout_.time;)
        if (!is_taken(k) && all_in(k, is_time)) layout_.time = k;
    };
    if (!options.time_column && count > 2) {
      find_time(is_date);
      find_time(is_late);
    }
    for (std::size_t k = 0; k < count && !(user && item); ++k) {
      if (is_taken(k)) continue;
      if (!user)
        user = k;
      else
        item = k;
    }
    if (!item) lines_->fail({"expected a column of the items, got ", count, " columns: state which it is"});
    layout_.user = *user;
    layout_.item = *item;
    if (!options.rating_column && count > 2 && !is_taken(2) && all_in(2, is_rating)) layout_.rating = 2;
  }

  TimeFormat format_of_times() const {
    Record times;
    for (const Record& record : records_) times.push_back(record[*layout_.time]);
    if (const auto format = detect_time_format(times)) return *format;
    const auto is_odd = [](std::string_view text) { return !is_number_or_date(text); };
    const auto odd = std::find_if(times.begin(), times.end(), is_odd);
    lines_->fail({"expected times in column ", name_of(*layout_.time), ", got ",
                  odd == times.end() ? "numbers and dates" : excerpt(*odd), ": state its format, or another column"});
  }

  LineReader* lines_;
  LogLayout layout_;
  std::vector<std::string_view> text_;  ///< The first lines.
  std::vector<Record> records_;         ///< Those with as many fields as the first.
};

/// Reads the events of a log of known layout.
class DelimitedLogReader {
 public:
  DelimitedLogReader(CsvReader csv, const LogLayout& layout) : csv_(std::move(csv)), layout_(&layout) {
    log_.has_times = layout.time.has_value();
    log_.has_ratings = layout.rating.has_value();
    if (layout.time) log_.ticks_per_second = ticks_per_second(layout.time_format);
  }

  Interactions read(const LogOptions& options) && {
    for (std::size_t bad = 0;;) {
      try {
        if (!csv_.next()) break;
        add_event();
      } catch (const ParseError& error) {
        if (csv_.quote_is_open() || bad == options.skip_bad_lines) throw;
        ++bad;
        if (options.bad_line) options.bad_line(error);
      }
    }
    log_.catalogue.resize(log_.items.size());
    return std::move(log_);
  }

  Interactions& log() { return log_; }

 private:
  std::string_view id(std::size_t column, const char* role) const {
    const std::string_view text = csv_.field(column);
    if (text.empty()) fail_in(column, {"expected ", role, ", got nothing"});
    return text;
  }

  void add_event() {
    const std::string_view user = id(layout_->user, "a user"), item = id(layout_->item, "an item");
    std::int64_t time = 0;
    if (layout_->time) {
      const auto parsed = parse_time(csv_.field(*layout_->time), layout_->time_format);
      if (!parsed)
        fail_in(*layout_->time,
                {"expected a time (", name_of(layout_->time_format), "), got ", excerpt(csv_.field(*layout_->time))});
      time = *parsed;
    }
    float rating = 0;
    if (layout_->rating) {
      const std::string_view text = csv_.field(*layout_->rating);
      const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), rating);
      if (failure != std::errc{} || end != text.data() + text.size() || !std::isfinite(rating))
        fail_in(*layout_->rating, {"expected a finite number as rating, got ", excerpt(text)});
    }
    if (user != last_user_) {  // most logs lie user by user
      last_user_ = user;
      last_user_index_ = add_id(log_.users, user);
    }
    log_.add(last_user_index_, add_id(log_.items, item), rating, time);
  }

  /// The index of an id, which is its text.
  static std::uint32_t add_id(Vocabulary& ids, std::string_view text) {
    std::int64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_canonical = failure == std::errc{} && end == text.data() + text.size() && text[0] != '-' &&
                              (text[0] != '0' || text.size() == 1);
    return is_canonical ? ids.add(number) : ids.add(RawId::parse(text));
  }

  [[noreturn, gnu::noinline, gnu::cold]] void fail_in(std::size_t column,
                                                      std::initializer_list<MessagePart> what) const {
    csv_.lines().fail({"column ", excerpt(layout_->columns[column]), ": ", message(what)});
  }

  CsvReader csv_;
  const LogLayout* layout_;
  Interactions log_;
  std::string last_user_;  ///< No id is empty.
  std::uint32_t last_user_index_ = 0;
};

}  // namespace detail

LSTMREC_INLINE std::string LogLayout::text() const {
  const std::string quoted = detail::excerpt(separator);
  std::string text = (separator == "\t"  ? "fields separated by tabs"
                      : separator == "," ? "fields separated by commas"
                      : separator == ";" ? "fields separated by semicolons"
                      : separator == "|" ? "fields separated by bars"
                                         : "fields separated by " + quoted) +
                     (has_header ? ", with a header; " : ", without a header; ");
  const auto name = [&](std::size_t column) {
    return has_header ? detail::excerpt(columns[column]) : "column " + columns[column];
  };
  text += "user: " + name(user) + ", item: " + name(item);
  if (time) text += ", time: " + name(*time) + " (" + name_of(time_format) + ")";
  if (rating) text += ", rating: " + name(*rating);
  if (!time) text += ", no times: events are in the order of the file";
  std::string unused;
  for (std::size_t k = 0; k < columns.size(); ++k)
    if (k != user && k != item && time != k && rating != k) unused += (unused.empty() ? "" : ", ") + name(k);
  return unused.empty() ? text : text + "; not used: " + unused;
}

LSTMREC_INLINE Interactions read_log(const std::filesystem::path& path, const LogOptions& options) {
  detail::LineReader lines(path);
  const LogLayout layout = detail::LogSample(lines, options).layout(options);
  if (options.layout_found) options.layout_found(layout);
  const detail::Separator separator(layout.separator[0], layout.separator.size() > 1);
  detail::DelimitedLogReader reader(detail::CsvReader(std::move(lines), separator, layout.has_header), layout);
  reader.log().source = path.string();
  if (std::filesystem::is_regular_file(path)) reader.log().reserve(detail::estimate_count(path, '\n') + 1);
  Interactions log = std::move(reader).read(options);
  if (log.events.empty()) detail::fail<DataError>({log.source, ": expected events, got a header only"});
  return log;
}

}  // namespace lstmrec

#pragma once

/// The bodies of delimited_log.hpp.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/delimited_log.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/raw_id.hpp>
#include <lstmrec/data/usual_names.hpp>
#include <lstmrec/io/csv_reader.hpp>
#include <lstmrec/io/line_reader.hpp>
#include <lstmrec/io/parse_number.hpp>
#include <lstmrec/io/table_sample.hpp>
#include <lstmrec/io/text.hpp>
#include <lstmrec/io/time_format.hpp>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lstmrec {

namespace detail {

/// Finds out the layout of a log from its first lines.
class LogSample {
 public:
  LogSample(LineReader& lines, const LogOptions& options)
      : table_(lines, options.separator, options.has_header, options.column_names,
               [](std::span<const std::string> columns) {
                 return find_column(columns, user_names) && find_column(columns, item_names);
               }),
        options_(&options),
        layout_{table_.layout(), 0, 0, {}, {}, {}, TimeFormat::seconds} {}

  LogLayout layout() && {
    const auto user = table_.chosen("a user", options_->user_column),
               item = table_.chosen("an item", options_->item_column);
    layout_.time = table_.chosen("a time", options_->time_column);
    layout_.rating = table_.chosen("a rating", options_->rating_column);
    layout_.kind = table_.chosen("a kind", options_->kind_column);
    if (layout_.has_names) {
      layout_.user = user ? *user : table_.detected("user", user_names);
      layout_.item = item ? *item : table_.detected("item", item_names);
      if (!options_->time_column) layout_.time = find_column(layout_.columns, time_names);
      if (!options_->rating_column) layout_.rating = find_column(layout_.columns, rating_names);
      if (!options_->kind_column) layout_.kind = find_kind_column();
    } else {
      detect_by_content(user, item);
    }
    if (layout_.user == layout_.item)
      table_.fail({"expected users and items in two columns, got ", table_.name_of(layout_.user), " for both"});
    for (const auto& [kind, weight] : options_->kind_weights)
      require(weight >= 0 && weight <= 1e6f, "a weight of a kind of events must be in [0, 1e6]", weight);
    if (!(options_->kinds.empty() && options_->kind_weights.empty()) && !layout_.kind)
      table_.fail({"expected a column of the events' kinds, got ", table_.all_names(), ": state which it is"});
    if (layout_.time) layout_.time_format = options_->time_format ? *options_->time_format : format_of_times();
    return std::move(layout_);
  }

 private:
  /// A column with a usual name is one of kinds where the first lines have no more than a few of them.
  std::optional<std::size_t> find_kind_column() const {
    const auto column = find_column(layout_.columns, kind_names);
    if (!column || layout_.user == column || layout_.item == column || layout_.time == column) return {};
    if (!options_->kinds.empty() || !options_->kind_weights.empty()) return column;
    Record found;
    for (const Record& record : table_.records())
      if (std::find(found.begin(), found.end(), record[*column]) == found.end()) found.push_back(record[*column]);
    return found.size() <= 20 ? column : std::nullopt;
  }

  /// Without a header: the time is the last column of dates, else of numbers that would be of 1985 or later. A rating
  /// is the third column, where it holds numbers from −100 to 100. Users and items are the first two columns that are
  /// left.
  void detect_by_content(std::optional<std::size_t> user, std::optional<std::size_t> item) {
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
      return user == k || item == k || layout_.time == k || layout_.rating == k || layout_.kind == k;
    };
    const auto find_time = [&](auto&& is_time) {
      for (std::size_t k = count; k-- > 1 && !layout_.time;)
        if (!is_taken(k) && table_.all_in(k, is_time)) layout_.time = k;
    };
    if (!options_->time_column && count > 2) {
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
    if (!item) table_.fail({"expected a column of the items, got ", count, " columns: state which it is"});
    layout_.user = *user;
    layout_.item = *item;
    if (!options_->rating_column && count > 2 && !is_taken(2) && table_.all_in(2, is_rating)) layout_.rating = 2;
  }

  TimeFormat format_of_times() const {
    Record times;
    std::string_view odd;
    for (const Record& record : table_.records()) {
      const std::string_view time = record[*layout_.time];
      const bool is_odd = !TableSample::is_number_or_date(time);
      if (is_odd) odd = time;
      if (!is_odd || options_->skip_bad_lines == 0) times.push_back(time);
    }
    if (const auto format = detect_time_format(times)) return *format;
    table_.fail({"expected times in column ", table_.name_of(*layout_.time), ", got ",
                 odd.data() == nullptr ? "numbers and dates" : excerpt(odd), ": state its format, or another column"});
  }

  TableSample table_;
  const LogOptions* options_;
  LogLayout layout_;
};

/// Reads the events of a log of known layout.
class DelimitedLogReader {
 public:
  DelimitedLogReader(CsvReader csv, const LogLayout& layout)
      : csv_(std::move(csv)), layout_(&layout), counts_kinds_(layout.kind.has_value()) {
    log_.has_times = layout.time.has_value();
    log_.has_ratings = layout.rating.has_value();
    if (layout.time) log_.ticks_per_second = ticks_per_second(layout.time_format);
  }

  Interactions read(const LogOptions& options) && {
    for (std::size_t bad = 0;;) {
      try {
        if (!csv_.next()) break;
        EventKind* const kind = counts_kinds_ ? kind_of(options) : nullptr;
        if (kind == nullptr || kind->is_read)
          add_event(kind == nullptr ? 1 : kind->weight, kind == nullptr ? 0 : kind_id(kind->name));
        if (kind != nullptr) ++kind->events;
      } catch (const ParseError& error) {
        if (csv_.quote_is_open() || bad == options.skip_bad_lines) throw;
        ++bad;
        if (options.bad_line) options.bad_line(error);
      }
    }
    for (const std::string& kind : options.kinds) expect_kind(kind);
    for (const auto& [kind, weight] : options.kind_weights) expect_kind(kind);
    log_.catalogue.resize(log_.items.size());
    return std::move(log_);
  }

  Interactions& log() { return log_; }

 private:
  /// The kind of the event; null where there are so many in a column that nobody has stated that it has none.
  EventKind* kind_of(const LogOptions& options) {
    const std::string_view name = csv_.field(*layout_->kind);
    auto& kinds = log_.kinds;
    auto kind = std::find_if(kinds.begin(), kinds.end(), [&](const EventKind& k) { return k.name == name; });
    if (kind != kinds.end()) return &*kind;
    if (kinds.size() == 1000) {
      if (options.kind_column || !options.kinds.empty() || !options.kind_weights.empty())
        fail_in(*layout_->kind, {"expected at most 1000 kinds of events, got another: ", excerpt(name)});
      kinds.clear();
      log_.events.kinds = {};
      counts_kinds_ = false;
      return nullptr;
    }
    const auto& wanted = options.kinds;
    const bool is_wanted = wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end();
    const auto weight = std::find_if(options.kind_weights.begin(), options.kind_weights.end(),
                                     [&](const auto& entry) { return entry.first == name; });
    return &kinds.emplace_back(
        EventKind{std::string(name), 0, is_wanted, weight == options.kind_weights.end() ? 1.0f : weight->second});
  }

  void expect_kind(const std::string& name) const {
    std::string all;
    for (const EventKind& kind : log_.kinds) {
      if (kind.name == name) return;
      all += (all.empty() ? "" : ", ") + excerpt(kind.name);
    }
    detail::fail<DataError>({log_.source, ": expected events of the kind ", excerpt(name), ", got ", all});
  }

  std::string_view id(std::size_t column, const char* role) const {
    const std::string_view text = csv_.field(column);
    if (text.empty()) fail_in(column, {"expected ", role, ", got nothing"});
    return text;
  }

  void add_event(float weight, std::uint32_t kind) {
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
      if (!parse_number(text, rating) || !std::isfinite(rating))
        fail_in(*layout_->rating, {"expected a finite number as rating, got ", excerpt(text)});
    }
    if (user != last_user_) {  // most logs lie user by user
      last_user_ = user;
      last_user_index_ = log_.users.add_text(user);
    }
    log_.add(last_user_index_, log_.items.add_text(item), rating, time, weight, kind);
  }

  [[noreturn, gnu::noinline, gnu::cold]] void fail_in(std::size_t column,
                                                      std::initializer_list<MessagePart> what) const {
    csv_.lines().fail({"column ", excerpt(layout_->columns[column]), ": ", message(what)});
  }

  CsvReader csv_;
  const LogLayout* layout_;
  Interactions log_;
  bool counts_kinds_;
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
    return has_names ? detail::excerpt(columns[column]) : "column " + columns[column];
  };
  text += "user: " + name(user) + ", item: " + name(item);
  if (time) text += ", time: " + name(*time) + " (" + name_of(time_format) + ")";
  if (rating) text += ", rating: " + name(*rating);
  if (kind) text += ", kind: " + name(*kind);
  if (!time) text += ", no times: events are in the order of the file";
  std::string unused;
  for (std::size_t k = 0; k < columns.size(); ++k)
    if (k != user && k != item && time != k && rating != k && kind != k)
      unused += (unused.empty() ? "" : ", ") + name(k);
  return unused.empty() ? text : text + "; not used: " + unused;
}

LSTMREC_INLINE Interactions read_log(const std::filesystem::path& path, const LogOptions& options) {
  detail::LineReader lines(path, options.name);
  const LogLayout layout = detail::LogSample(lines, options).layout();
  if (options.layout_found) options.layout_found(layout);
  detail::DelimitedLogReader reader(
      detail::CsvReader(std::move(lines), detail::separator_of(layout), layout.has_header), layout);
  reader.log().source = options.name.empty() ? path.string() : options.name;
  if (std::filesystem::is_regular_file(path)) reader.log().reserve(detail::estimate_count(path, '\n') + 1);
  Interactions log = std::move(reader).read(options);
  if (log.events.empty()) detail::fail<DataError>({log.source, ": expected events, got a header only"});
  return log;
}

}  // namespace lstmrec

#pragma once

/// The bodies of movielens.hpp.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/movielens.hpp>
#include <lstmrec/data/plain_rating.hpp>
#include <lstmrec/data/titles.hpp>
#include <lstmrec/io/csv_reader.hpp>
#include <lstmrec/io/line_reader.hpp>
#include <lstmrec/io/text.hpp>
#include <lstmrec/io/time_format.hpp>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace lstmrec {

namespace detail {

/// How a log is written: `tabs` u.data, `colons` ratings.dat, `csv` ratings.csv, `sequences` one line a user.
enum class LogFormat { tabs, colons, csv, sequences };

/// Decides by the first line, and by the name where the line fits no format (it may be the broken one).
inline LogFormat detect_format(const std::filesystem::path& file) {
  LineReader lines(file);
  if (!lines.next()) fail<Error>({file.string(), ": expected ratings, got an empty file"});
  const std::string_view line = lines.line();
  if (line.find("::") != std::string_view::npos) return LogFormat::colons;
  if (line.find('\t') != std::string_view::npos) return LogFormat::tabs;
  if (line.find(',') != std::string_view::npos || file.extension() == ".csv") return LogFormat::csv;
  if (file.filename() == "ratings.dat") return LogFormat::colons;
  if (file.filename() == "u.data") return LogFormat::tabs;
  if (line.find(' ') != std::string_view::npos || file.filename() == "sequences.txt") return LogFormat::sequences;
  lines.fail({"expected fields separated by tabs, \"::\", commas or spaces, got ", excerpt(line)});
}

/// Reads one file into a log. The events' memory is reserved first, for as many as there seem to be lines (or, in a
/// sequence file, items), so that nothing is copied while it grows.
class LogReader {
 public:
  explicit LogReader(const std::filesystem::path& file) : file_(file) { log_.source = file.string(); }

  Interactions read() && {
    const LogFormat format = detect_format(file_);
    log_.has_times = log_.has_ratings = format != LogFormat::sequences;
    log_.reserve(estimate_count(file_, format == LogFormat::sequences ? ' ' : '\n') + 1);
    switch (format) {
      case LogFormat::tabs:
        read_separated('\t', "a tab");
        break;
      case LogFormat::colons:
        read_separated({':', true}, "\"::\"");
        break;
      case LogFormat::csv:
        read_csv();
        break;
      case LogFormat::sequences:
        read_sequences();
        break;
    }
    if (log_.events.empty()) fail<DataError>({log_.source, ": expected ratings, got a header only"});
    double largest = 0;
    for (const std::int64_t time : log_.events.times) largest = std::max(largest, std::abs(static_cast<double>(time)));
    log_.ticks_per_second = ticks_per_second(unit_of_times(largest));
    log_.catalogue.resize(log_.items.size());
    return std::move(log_);
  }

 private:
  /// u.data and ratings.dat: user, item, rating, time.
  void read_separated(Separator separator, const char* separator_name) {
    std::array<std::string_view, 4> fields;
    for (LineReader lines(file_); read_plain(lines, separator), lines.next();) {
      std::size_t count = 0;
      split_text(lines.line(), separator, [&](std::string_view field) {
        if (count < fields.size()) fields[count] = field;
        ++count;
      });
      if (count != fields.size()) {
        lines.fail({"expected 4 fields separated by ", separator_name, ", got ", count, ": ", excerpt(lines.line())});
      }
      add_rating(lines, fields[0], fields[1], fields[2], fields[3]);
    }
  }

  /// ratings.csv: a header with the columns userId, movieId, rating and timestamp, in any order and beside others.
  void read_csv() {
    CsvReader csv(file_);
    const std::size_t user = csv.column("userId"), item = csv.column("movieId"), rating = csv.column("rating"),
                      time = csv.column("timestamp");
    const bool plain = user == 0 && item == 1 && rating == 2 && time == 3 && csv.columns() == 4;
    for (;;) {
      if (plain) read_plain(csv.lines(), ',');
      if (!csv.next()) break;
      add_rating(csv.lines(), csv.field(user), csv.field(item), csv.field(rating), csv.field(time));
    }
  }

  /// Reads plain lines up to the first that isn't, or whose end is not in memory yet.
  void read_plain(LineReader& lines, Separator separator) {
    PlainRatings plain(lines.ahead(), separator);
    std::size_t count = 0;
    std::int64_t last_user = -1;  // no plain line has it
    std::uint32_t user = 0;
    for (PlainRating line; plain.next(line); ++count) {
      if (line.user != last_user) user = log_.users.add(last_user = line.user);
      log_.add(user, log_.items.add(line.item), line.rating, line.time);
    }
    lines.skip(plain.end(), count);
  }

  /// Throws ParseError where the first lines are ratings that are separated by spaces: four numbers each, the last of
  /// which would be a time of 1985 or later.
  void refuse_ratings() const {
    LineReader lines(file_);
    std::size_t ratings = 0, others = 0;
    while (ratings + others < 20 && lines.next()) {
      std::size_t fields = 0;
      std::string_view last;
      split_text(lines.line(), ' ', [&](std::string_view field) {
        if (field.empty()) return;
        ++fields;
        last = field;
      });
      std::int64_t time = 0;
      const auto [end, failure] = std::from_chars(last.data(), last.data() + last.size(), time);
      const bool is_time = failure == std::errc{} && end == last.data() + last.size() && time >= 500'000'000;
      ++(fields == 4 && is_time ? ratings : others);
    }
    if (ratings == 0 || others > 0) return;
    LineReader first(file_);
    first.next();
    first.fail(
        {"expected a user and items, got what looks like user, item, rating and time, separated by spaces: "
         "separate them by tabs, or read them with read_log"});
  }

  /// One line a user: the user, then the items in time order, separated by spaces.
  void read_sequences() {
    refuse_ratings();
    for (LineReader lines(file_); lines.next();) {
      const std::size_t known_users = log_.users.size();
      std::uint32_t user = 0;
      std::int64_t fields = 0;
      split_text(lines.line(), ' ', [&](std::string_view field) {
        if (field.empty()) return;  // two spaces, or one at the end
        const std::string_view id = integer_text(lines, field, fields == 0 ? "user" : "item");
        if (fields == 0) {
          user = log_.users.add_text(id);
        } else {
          log_.add(user, log_.items.add_text(id), 0, 0);
        }
        ++fields;
      });
      if (fields < 2) lines.fail({"expected a user and its items separated by spaces, got ", excerpt(lines.line())});
      if (log_.users.size() == known_users) {
        lines.fail({"expected one line a user, got a second one of user ", log_.users.id(user).text()});
      }
    }
  }

  void add_rating(const LineReader& lines, std::string_view user, std::string_view item, std::string_view rating,
                  std::string_view time) {
    const std::int64_t seconds = parse_integer(lines, time, "timestamp");
    const std::uint32_t user_index = log_.users.add_text(integer_text(lines, user, "user"));
    const std::uint32_t item_index = log_.items.add_text(integer_text(lines, item, "item"));
    log_.add(user_index, item_index, parse_rating(lines, rating), seconds);
  }

  std::filesystem::path file_;
  Interactions log_;
};

/// The ratings file itself, or the one in a release's folder.
inline std::filesystem::path find_log(const std::filesystem::path& path) {
  std::error_code failure;
  const auto status = std::filesystem::status(path, failure);
  if (status.type() == std::filesystem::file_type::not_found || status.type() == std::filesystem::file_type::none) {
    fail<Error>(
        {path.string(), ": ", failure.message(),
         "; MovieLens is at https://grouplens.org/datasets/movielens/, expected is its folder or ratings file"});
  }
  if (std::filesystem::is_regular_file(status)) return path;
  if (!std::filesystem::is_directory(status)) fail<Error>({path.string(), ": expected a file or a folder"});
  std::filesystem::path found;
  for (const char* name : {"u.data", "ratings.dat", "ratings.csv", "sequences.txt"}) {
    if (!file_exists(path / name)) continue;
    if (!found.empty())
      fail<Error>(
          {path.string(), ": expected one log, got ", found.filename().string(), " and ", name, ": state which file"});
    found = path / name;
  }
  if (!found.empty()) return found;
  fail<Error>({path.string(), ": expected a folder with u.data, ratings.dat, ratings.csv or sequences.txt"});
}

/// The file of titles that is read with a log, which lies beside it and is of the same release; an empty path where
/// there is none. Beside a sequence file it may be of any.
inline std::filesystem::path find_titles(const std::filesystem::path& log) {
  const LogFormat format = detect_format(log);
  const std::pair<const char*, LogFormat> names[] = {
      {"u.item", LogFormat::tabs}, {"movies.dat", LogFormat::colons}, {"movies.csv", LogFormat::csv}};
  for (const auto& [name, own_format] : names) {
    if (format != own_format && format != LogFormat::sequences) continue;
    const std::filesystem::path file = log.parent_path() / name;
    if (file_exists(file)) return file;
  }
  return {};
}

}  // namespace detail

LSTMREC_INLINE std::vector<std::filesystem::path> movielens_files(const std::filesystem::path& file_or_folder) {
  std::vector<std::filesystem::path> files{detail::find_log(file_or_folder)};
  const std::filesystem::path titles = detail::find_titles(files.front());
  if (titles.empty()) return files;
  files.push_back(titles);
  if (titles.filename() != "u.item") return files;
  const std::filesystem::path genres = detail::genres_of(titles);
  if (detail::file_exists(genres)) files.push_back(genres);
  return files;
}

LSTMREC_INLINE Interactions read_movielens(const std::filesystem::path& file_or_folder) {
  const std::filesystem::path file = detail::find_log(file_or_folder);
  Interactions log = detail::LogReader(file).read();
  const std::filesystem::path titles = detail::find_titles(file);
  detail::TitleReader reader(log.items, log.catalogue);
  if (titles.filename() == "u.item") {
    reader.read_item(titles);
  } else if (titles.filename() == "movies.dat") {
    reader.read_dat(titles);
  } else if (!titles.empty()) {
    try {
      reader.read_csv(titles);
    } catch (const detail::ForeignTable& error) {
      log.warnings.push_back(std::string(error.what()) + "; no titles are read");
    }
  }
  return log;
}

}  // namespace lstmrec

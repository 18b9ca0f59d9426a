#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/vocabulary.hpp>
#include <lstmrec/io/csv_reader.hpp>
#include <lstmrec/io/line_reader.hpp>
#include <lstmrec/io/text.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace lstmrec::detail {

/// Where the genres' names of a u.item would be.
inline std::filesystem::path genres_of(const std::filesystem::path& titles) { return titles.parent_path() / "u.genre"; }

/// Fills a catalogue from the file that MovieLens puts beside its ratings. Each text that isn't valid UTF-8 is read as
/// ISO-8859-1. Films that nobody rated are skipped. Throws ParseError where a line has another form.
class TitleReader {
 public:
  TitleReader(const Vocabulary& items, std::vector<ItemInfo>& catalogue) : items_(items), catalogue_(catalogue) {}

  /// movies.csv: a header with the columns movieId, title and genres; genres separated by "|".
  void read_csv(const std::filesystem::path& path) {
    CsvReader csv(path);
    const std::size_t id = csv.column("movieId"), title = csv.column("title"), genres = csv.column("genres");
    while (csv.next()) add(csv.lines(), csv.field(id), csv.field(title), csv.field(genres));
  }

  /// movies.dat: id::title::genre|genre.
  void read_dat(const std::filesystem::path& path) {
    for (LineReader lines(path); lines.next();) {
      const std::string_view line = lines.line();
      const std::size_t first = line.find("::"), last = line.rfind("::");
      if (first == std::string_view::npos || last < first + 2) {
        lines.fail({"expected 3 fields separated by \"::\", got ", excerpt(line)});
      }
      add(lines, line.substr(0, first), line.substr(first + 2, last - first - 2), line.substr(last + 2));
    }
  }

  /// u.item: id|title|date|video date|address|flag|…, one flag (0 or 1) a genre. The genres' names are in u.genre
  /// beside it (name|number); without that file, films have no genres.
  void read_item(const std::filesystem::path& path) {
    std::vector<std::string> names;
    if (const auto genres = genres_of(path); file_exists(genres)) {
      for (LineReader lines(genres); lines.next();) {
        const std::string_view line = lines.line();
        const std::size_t bar = line.rfind('|');
        if (bar == std::string_view::npos ||
            parse_integer(lines, line.substr(bar + 1), "genre number") != static_cast<std::int64_t>(names.size())) {
          lines.fail(
              {"expected a genre's name and the number ", names.size(), " separated by \"|\", got ", excerpt(line)});
        }
        names.emplace_back(line.substr(0, bar));
      }
    }
    constexpr std::size_t before_flags = 5;
    std::vector<std::string_view> fields;
    for (LineReader lines(path); lines.next();) {
      fields.clear();
      split_text(lines.line(), '|', [&](std::string_view field) { fields.push_back(field); });
      if (fields.size() < before_flags + names.size()) {
        lines.fail({"expected ", before_flags + names.size(), " fields separated by \"|\", got ", fields.size(), ": ",
                    excerpt(lines.line())});
      }
      std::string genres;
      for (std::size_t i = 0; i < names.size(); ++i) {
        if (fields[before_flags + i] == "1") genres += (genres.empty() ? "" : "|") + names[i];
      }
      add(lines, fields[0], fields[1], genres);
    }
  }

 private:
  void add(const LineReader& lines, std::string_view id, std::string_view title, std::string_view genres) {
    const auto item = items_.find(RawId(integer_text(lines, id, "item")));
    if (!item) return;
    ItemInfo& info = catalogue_[*item];
    info = {to_utf8(title), {}};
    // The two ways in which MovieLens says that it knows no genre.
    if (genres.empty() || genres == "(no genres listed)" || genres == "unknown") return;
    split_text(genres, '|', [&](std::string_view genre) { info.genres.push_back(to_utf8(genre)); });
  }

  const Vocabulary& items_;
  std::vector<ItemInfo>& catalogue_;
};

}  // namespace lstmrec::detail

#pragma once

/// The bodies of item_table.hpp.

#include <cstddef>
#include <filesystem>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/item_table.hpp>
#include <lstmrec/data/raw_id.hpp>
#include <lstmrec/data/usual_names.hpp>
#include <lstmrec/io/csv_reader.hpp>
#include <lstmrec/io/line_reader.hpp>
#include <lstmrec/io/table_sample.hpp>
#include <lstmrec/io/text.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lstmrec {

LSTMREC_INLINE ItemTableCounts read_item_table(const std::filesystem::path& path, Interactions& log,
                                               const ItemTableOptions& options) {
  using namespace detail;
  LineReader lines(path, options.name);
  const TableSample table(
      lines, options.separator, options.has_header, options.column_names,
      [](std::span<const std::string> columns) { return find_column(columns, item_names) && columns.size() > 1; });
  const TableLayout layout = table.layout();
  const auto column = [&](const char* role, const std::optional<std::string>& stated,
                          std::span<const std::string_view> names, std::size_t place) -> std::optional<std::size_t> {
    if (stated) return table.chosen(role, stated);
    if (layout.has_names) return find_column(layout.columns, names);
    return place < table.columns() ? std::optional(place) : std::nullopt;
  };
  const auto item = column("an item", options.item_column, item_names, 0);
  const auto title = column("a title", options.title_column, title_names, 1);
  const auto categories = column("a category", options.category_column, category_names, 2);
  if (!item) table.detected("item", item_names);

  ItemTableCounts counts;
  std::vector<bool> is_described(log.items.size());
  CsvReader csv(std::move(lines), separator_of(layout), layout.has_header);
  const auto read_line = [&] {
    if (!csv.next()) return false;
    const std::string_view id = csv.field(*item);
    if (id.empty()) csv.lines().fail({"column ", excerpt(layout.columns[*item]), ": expected an item, got nothing"});
    const auto found = log.items.find(RawId(id));
    if (!found) {
      ++counts.foreign;
      return true;
    }
    ItemInfo& info = log.catalogue[*found];
    info = {};
    if (title) info.title = to_utf8(csv.field(*title));
    if (categories && !csv.field(*categories).empty())
      split_text(csv.field(*categories), options.category_separator,
                 [&](std::string_view category) { info.genres.push_back(to_utf8(category)); });
    if (!is_described[*found]) ++counts.described;
    is_described[*found] = true;
    return true;
  };
  for (bool more = true; more;) {
    try {
      more = read_line();
    } catch (const ParseError& error) {
      if (options.is_strict) throw;
      ++counts.bad;
      if (options.bad_line) options.bad_line(error);
      if (csv.quote_is_open()) break;
    }
  }
  return counts;
}

}  // namespace lstmrec

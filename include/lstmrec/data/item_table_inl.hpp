#pragma once

/// The bodies of item_table.hpp.

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/catalogue_item.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/item_table.hpp>
#include <lstmrec/data/number_step.hpp>
#include <lstmrec/data/raw_id.hpp>
#include <lstmrec/data/usual_names.hpp>
#include <lstmrec/io/csv_reader.hpp>
#include <lstmrec/io/line_reader.hpp>
#include <lstmrec/io/parse_number.hpp>
#include <lstmrec/io/table_sample.hpp>
#include <lstmrec/io/text.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lstmrec {

namespace detail {

/// Calls add(id, info) for every line of a table of items, where info() says what the line says of the item. Returns
/// how many lines were left out.
template <class Add>
std::size_t read_item_rows(const std::filesystem::path& path, const ItemTableOptions& options, Add&& add) {
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

  struct Column {
    std::string name;
    std::size_t place;
    bool is_number;
  };
  std::vector<Column> further;
  for (const std::string& name : options.attribute_columns)
    if (const auto place = table.chosen("an attribute", name)) further.push_back({name, *place, false});
  for (const std::string& name : options.number_columns)
    if (const auto place = table.chosen("a number", name)) further.push_back({name, *place, true});

  std::size_t bad = 0;
  CsvReader csv(std::move(lines), separator_of(layout), layout.has_header);
  const auto read_line = [&] {
    if (!csv.next()) return false;
    const std::string_view id = csv.field(*item);
    if (id.empty()) csv.lines().fail({"column ", excerpt(layout.columns[*item]), ": expected an item, got nothing"});
    add(RawId(id), [&] {
      ItemInfo info;
      if (title) info.title = to_utf8(csv.field(*title));
      if (categories && !csv.field(*categories).empty())
        split_text(csv.field(*categories), options.category_separator,
                   [&](std::string_view category) { info.genres.push_back(to_utf8(category)); });
      for (const Column& own : further) {
        const std::string_view field = csv.field(own.place);
        if (field.empty()) continue;
        if (!own.is_number) {
          split_text(field, options.category_separator, [&](std::string_view value) {
            if (!value.empty()) info.genres.push_back(own.name + ' ' + to_utf8(value));
          });
          continue;
        }
        double number = 0;
        if (!parse_number(field, number) || !std::isfinite(number))
          csv.lines().fail({"column ", excerpt(own.name), ": expected a number, got ", excerpt(field)});
        info.genres.push_back(own.name + ' ' + step_of(number));
      }
      return info;
    });
    return true;
  };
  for (bool more = true; more;) {
    try {
      more = read_line();
    } catch (const ParseError& error) {
      if (options.is_strict) throw;
      ++bad;
      if (options.bad_line) options.bad_line(error);
      if (csv.quote_is_open()) break;
    }
  }
  return bad;
}

}  // namespace detail

LSTMREC_INLINE ItemTableCounts read_item_table(const std::filesystem::path& path, Interactions& log,
                                               const ItemTableOptions& options) {
  ItemTableCounts counts;
  std::vector<bool> is_described(log.items.size());
  counts.bad = detail::read_item_rows(path, options, [&](const RawId& id, const auto& info) {
    const auto found = log.items.find(id);
    if (!found) {
      ++counts.foreign;
      return;
    }
    log.catalogue[*found] = info();
    if (!is_described[*found]) ++counts.described;
    is_described[*found] = true;
  });
  return counts;
}

LSTMREC_INLINE std::vector<CatalogueItem> read_catalogue(const std::filesystem::path& path,
                                                         const ItemTableOptions& options, ItemTableCounts* counts) {
  std::vector<CatalogueItem> items;
  const std::size_t bad = detail::read_item_rows(path, options, [&](const RawId& id, const auto& info) {
    items.push_back({id, info()});
  });
  if (counts) *counts = {.described = items.size(), .bad = bad};
  return items;
}

}  // namespace lstmrec

#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <lstmrec/core/compiled.hpp>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/catalogue_item.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/io/table_sample.hpp>
#include <optional>
#include <string>
#include <vector>

namespace lstmrec {

/// The known properties of a table of items, each column given as in LogOptions. Those that are left out are found out.
struct ItemTableOptions {
  std::optional<std::string> item_column = {};
  std::optional<std::string> title_column = {};
  std::optional<std::string> category_column = {};
  char category_separator = '|';  ///< Between the categories of an item, and of a further column.
  /// Further columns, such as `brand` and `price`, each of whose values becomes a category: `brand Fjäll`. Numbers
  /// become the step that they are in, of 1, 2, 5, 10, 20, …: `price 200 to 500`.
  std::vector<std::string> attribute_columns = {};
  std::vector<std::string> number_columns = {};
  std::string separator = {};  ///< Of two fields: a character, or twice the same one.
  std::optional<bool> has_header = {};
  std::vector<std::string> column_names = {};  ///< All of them, of a table without a header; empty: there are none.
  std::string name = {};                       ///< Of the table in messages; empty: its path.
  bool is_strict = false;                      ///< Whether a bad line is an error.
  std::function<void(const ParseError&)> bad_line = {};  ///< Is told of each line that is left out.
};

/// Counts of the lines of a table of items.
struct ItemTableCounts {
  std::size_t described = 0;  ///< Items of the log that it describes.
  std::size_t foreign = 0;    ///< Lines of items that the log does not have.
  std::size_t bad = 0;        ///< Lines that were left out.
};

/// Fills the titles and categories of a log's items from a delimited table, whose columns are found by usual names
/// (item_id, sku, …; title, name, …; categories, genres, …; without a header: the first three). A later line of an item
/// goes before an earlier one. Text that is not UTF-8 is taken for ISO-8859-1.
///
///     Interactions log = read_log("events.csv");
///     read_item_table("items.csv", log, {.title_column = "product_name"});
///
/// Throws Error where the file cannot be read, and ParseError where no column of items is found or a stated one is
/// missing; of a line that is not as it should be only if `is_strict`.
LSTMREC_INLINE ItemTableCounts read_item_table(const std::filesystem::path& path, Interactions& log,
                                               const ItemTableOptions& options = {});

/// The items of a table, in its order, whether or not a log has them: for Recommender::add_items. Throws what
/// read_item_table throws. `counts`: where to write those of its lines, if anywhere.
LSTMREC_INLINE std::vector<CatalogueItem> read_catalogue(const std::filesystem::path& path,
                                                         const ItemTableOptions& options = {},
                                                         ItemTableCounts* counts = nullptr);

}  // namespace lstmrec

#ifndef LSTMREC_COMPILED
#include <lstmrec/data/item_table_inl.hpp>
#endif

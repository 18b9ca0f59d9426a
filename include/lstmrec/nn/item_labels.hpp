#pragma once

#include <cstddef>
#include <cstdint>
#include <lstmrec/core/matrix.hpp>
#include <span>

namespace lstmrec {

/// A few items instead of the catalogue, for a softmax over sampled negatives. The item tables then hold only the
/// columns that a batch touches, the negatives first. All spans are borrowed.
struct SampledItems {
  std::span<const float> log_weights;             ///< One a negative: what is added to its logit.
  std::span<const std::uint32_t> item_of_column;  ///< By column of the tables.
  Index negatives() const { return static_cast<Index>(log_weights.size()); }
};

/// The labels of a batch: for each column a few weighted items to predict, and the items that are out of question
/// there.
///
/// The weights carry the normalisation: a loss is Σ weight · loss(item), so for the mean over a batch of N columns the
/// weights of a column sum to 1/N. An item of weight zero is no label; a column may have none, and takes no part.
/// All spans are borrowed.
struct ItemLabels {
  std::size_t per_column = 1;
  std::span<const std::uint32_t> items;                      ///< per_column a column, one column after the other.
  std::span<const float> weights;                            ///< One for each of `items`.
  std::span<const std::span<const std::uint32_t>> excluded;  ///< A list of items a column; empty: nothing excluded.
  const SampledItems* sampled = nullptr;  ///< If not null, `items` and `excluded` are columns of its tables.

  std::size_t columns() const { return items.size() / per_column; }
  std::span<const std::uint32_t> items_of(Index column) const { return part(items, column); }
  std::span<const float> weights_of(Index column) const { return part(weights, column); }
  ItemLabels middle_columns(Index begin, Index count) const {
    const auto first = static_cast<std::size_t>(begin), size = static_cast<std::size_t>(count);
    return {per_column, items.subspan(first * per_column, size * per_column),
            weights.subspan(first * per_column, size * per_column),
            excluded.empty() ? excluded : excluded.subspan(first, size), sampled};
  }

 private:
  template <class T>
  std::span<const T> part(std::span<const T> all, Index column) const {
    return all.subspan(static_cast<std::size_t>(column) * per_column, per_column);
  }
};

/// The labels as a loss sees them: rows of the logits of some columns, and the items that these rows stand for.
///
/// Over the whole catalogue row i is item i. Where negatives are sampled, the rows are the negatives, which all columns
/// share, and then the column's own labels: `item` tells which item of the catalogue a row stands for, and `shift` what
/// was added to its logit so that the negatives' exponentials stand for the whole catalogue's. A softmax needs neither.
struct LogitLabels {
  std::size_t per_column = 1;
  std::span<const std::uint32_t> rows;         ///< per_column a column.
  std::span<const float> weights;              ///< One for each of `rows`; 0: no label.
  std::span<const std::uint32_t> negatives;    ///< Items of the rows before the labels' own; empty: row i is item i.
  std::span<const std::uint32_t> label_items;  ///< Items of the labels' own rows, per_column a column.
  std::span<const float> log_weights;          ///< Shifts of the negatives.

  std::size_t columns() const { return rows.size() / per_column; }
  std::span<const std::uint32_t> rows_of(Index column) const { return part(rows, column); }
  std::span<const float> weights_of(Index column) const { return part(weights, column); }

  /// The item of the catalogue that a row of a column stands for.
  std::uint32_t item(Index row, Index column) const {
    if (negatives.empty()) return static_cast<std::uint32_t>(row);
    const auto place = static_cast<std::size_t>(row);
    return place < negatives.size() ? negatives[place] : part(label_items, column)[place - negatives.size()];
  }
  /// The number that was added to the logits of a row; 0 unless the row is a sampled negative.
  float shift(Index row) const {
    const auto place = static_cast<std::size_t>(row);
    return place < log_weights.size() ? log_weights[place] : 0.0f;
  }

 private:
  template <class T>
  std::span<const T> part(std::span<const T> all, Index column) const {
    return all.subspan(static_cast<std::size_t>(column) * per_column, per_column);
  }
};

}  // namespace lstmrec

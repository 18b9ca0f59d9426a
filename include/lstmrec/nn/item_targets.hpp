#pragma once

#include <cstddef>
#include <cstdint>
#include <lstmrec/core/matrix.hpp>
#include <span>

namespace lstmrec {

/// A few items instead of the catalogue, for a softmax over sampled negatives. The tables then hold only the columns
/// that a batch touches, the negatives first. All spans are borrowed.
struct SampledItems {
  std::span<const float> log_weights;    ///< One a negative: what is added to its logit.
  std::span<const std::uint32_t> place;  ///< By item of the catalogue: its column, or a larger number if it has none.

  Eigen::Index negatives() const { return static_cast<Eigen::Index>(log_weights.size()); }
};

/// What each column of a batch should predict: a few weighted items, and the items that are out of question there.
///
/// The weights carry the normalisation: a loss is Σ weight · loss(item), so for the mean over a batch of N columns the
/// weights of a column sum to 1/N. An item of weight zero is not a target; a column may have none, and takes no part.
/// All spans are borrowed.
struct ItemTargets {
  std::size_t per_column = 1;
  std::span<const std::uint32_t> items;                      ///< per_column a column, one column after the other.
  std::span<const float> weights;                            ///< Likewise.
  std::span<const std::span<const std::uint32_t>> excluded;  ///< A list of items a column; empty: nothing excluded.
  const SampledItems* sampled = nullptr;  ///< If not null, `items` are columns of its tables; `excluded` stay items.

  std::size_t columns() const { return items.size() / per_column; }
  std::span<const std::uint32_t> items_of(Index column) const { return part(items, column); }
  std::span<const float> weights_of(Index column) const { return part(weights, column); }

  ItemTargets middle_columns(Index begin, Index count) const {
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

}  // namespace lstmrec

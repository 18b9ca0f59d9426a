#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/argsort.hpp>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/eval/metrics.hpp>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace lstmrec {

/// The figures of the targets whose value (say, history length) lies in [low, high].
struct Slice {
  std::uint32_t low = 0, high = 0;
  std::size_t targets = 0;
  double hr = 0, ndcg = 0;
};

/// Cuts the targets into about `bins` parts of about equal size by some value of each, in ascending order. Targets of
/// equal value stay together, so there may be fewer parts. `values`: by target.
/// Throws ConfigError if there are no bins or no cutoff, and std::invalid_argument if there is not one value a target.
inline std::vector<Slice> slices(const Evaluation& evaluation, std::span<const std::uint32_t> values,
                                 std::size_t bins = 5, std::size_t k = 10) {
  const std::size_t count = evaluation.targets.size();
  if (bins < 1 || k < 1) throw ConfigError("bins and cutoff must be at least 1");
  if (values.size() != count) throw std::invalid_argument("slices need one value a target");
  std::vector<Slice> result;
  std::size_t done = 0;
  for (const std::size_t target : argsort_by(count, [&](std::size_t t) { return values[t]; })) {
    // A slice is closed once the slices so far hold their share of the targets, and the value changes.
    if (result.empty() || (done * bins >= result.size() * count && values[target] != result.back().high))
      result.push_back({values[target], values[target], 0, 0, 0});
    Slice& slice = result.back();
    slice.high = values[target];
    ++slice.targets;
    slice.hr += metrics::hit(evaluation.ranks[target], k);
    slice.ndcg += metrics::ndcg(evaluation.ranks[target], k);
    ++done;
  }
  for (Slice& slice : result) {
    slice.hr /= static_cast<double>(slice.targets);
    slice.ndcg /= static_cast<double>(slice.targets);
  }
  return result;
}

/// By the number of events before the target.
inline std::vector<Slice> slices_by_history(const Evaluation& evaluation, std::size_t bins = 5, std::size_t k = 10) {
  std::vector<std::uint32_t> lengths;
  for (const Target target : evaluation.targets) lengths.push_back(target.position);
  return slices(evaluation, lengths, bins, k);
}

/// By the number of events that the target's item has in the training part.
inline std::vector<Slice> slices_by_popularity(const Evaluation& evaluation, const Split& split, std::size_t bins = 5,
                                               std::size_t k = 10) {
  const auto counts = training_counts(split);
  std::vector<std::uint32_t> values;
  for (const Target target : evaluation.targets) values.push_back(counts[split.event(target).item]);
  return slices(evaluation, values, bins, k);
}

/// The figures of the targets whose item is of a genre.
struct GenreSlice {
  std::string genre;
  std::size_t targets = 0;
  double hr = 0, ndcg = 0;
};

/// By genre of the target's item, most targets first; an item of several genres counts in each. Empty where the data
/// has none.
inline std::vector<GenreSlice> slices_by_genre(const Evaluation& evaluation, const Split& split, std::size_t k = 10) {
  std::map<std::string_view, GenreSlice> by_genre;
  for (std::size_t t = 0; t < evaluation.targets.size(); ++t)
    for (const std::string& genre : split.sequences.catalogue[split.event(evaluation.targets[t]).item].genres) {
      GenreSlice& slice = by_genre[genre];
      ++slice.targets;
      slice.hr += metrics::hit(evaluation.ranks[t], k);
      slice.ndcg += metrics::ndcg(evaluation.ranks[t], k);
    }
  std::vector<GenreSlice> result;
  for (auto& [genre, slice] : by_genre) {
    const auto targets = static_cast<double>(slice.targets);
    result.push_back({std::string(genre), slice.targets, slice.hr / targets, slice.ndcg / targets});
  }
  std::sort(result.begin(), result.end(), [](const GenreSlice& a, const GenreSlice& b) {
    return a.targets != b.targets ? a.targets > b.targets : a.genre < b.genre;
  });
  return result;
}

}  // namespace lstmrec

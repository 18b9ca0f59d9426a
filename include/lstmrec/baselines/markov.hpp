#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <lstmrec/baselines/decayed_window.hpp>
#include <lstmrec/baselines/popularity.hpp>
#include <lstmrec/baselines/row_accumulator.hpp>
#include <lstmrec/baselines/sparse_rows.hpp>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/lanes.hpp>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/data/event.hpp>
#include <numeric>
#include <span>
#include <stdexcept>
#include <vector>

namespace lstmrec {

/// The decayed chain by default; MarkovOptions::first_order() is the textbook's.
struct MarkovOptions {
  std::size_t max_gap = 10;         ///< Events up to so far apart count as a transition, weighted 1 / gap.
  double smoothing = 5;             ///< Added to a row's sum before dividing by it: rare items say less.
  std::size_t window = 20;          ///< How many of a history's last items speak.
  double decay = 0.8;               ///< The weight of an item to that of the one after it.
  double popularity_weight = 1e-6;  ///< Of an item's share of all events: orders what has no transitions.

  /// Here popularity decides between the many items of equal counts. Its weight is 10⁻⁶ in exact arithmetic, but beside
  /// a count a float can't hold terms so small; 10⁻³ gives the same order.
  static constexpr MarkovOptions first_order() {
    return {.max_gap = 1, .smoothing = 1, .window = 1, .decay = 1, .popularity_weight = 1e-3};
  }

  /// Calls visitor(name, option) for every option, in this order.
  template <class Options, class Visitor>
  static void visit(Options& options, Visitor&& visitor) {
    visitor("max_gap", options.max_gap);
    visitor("smoothing", options.smoothing);
    visitor("window", options.window);
    visitor("decay", options.decay);
    visitor("popularity_weight", options.popularity_weight);
  }

  /// Throws ConfigError that names the rule which an option breaks.
  void check() const {
    require(max_gap >= 1 && max_gap <= 1000000, "max_gap must be in [1, 1000000]", max_gap);
    require(smoothing >= 0 && std::isfinite(smoothing), "smoothing must be finite and not negative", smoothing);
    DecayedWindow{window, decay}.check();
    require(popularity_weight >= 0 && std::isfinite(popularity_weight),
            "popularity_weight must be finite and not negative", popularity_weight);
  }
};

/// A Markov chain with memory, made of transition counts of the training part. A TiledScorer.
///
///     m(i→j) = Σ 1 / gap     over the pairs of a user's events that stand gap = 1 … max_gap apart
///     P(i→j) = m(i→j) / (Σ_j m(i→j) + smoothing) + popularity_weight · share(j)
///     score(j) = Σ_age decay^age · P(item of that age → j)     over the last `window` items, the newest of age 0
///
/// With first_order(): P(i→j) = n(i→j) / (n(i→·) + 1), of the last item alone, popularity deciding between equals.
/// A history without events gets the shares. A history's items are indices of the split (an assert). The counts are
/// kept as they are and divided when used, so that a share of them (one user's) can be taken out again. Cost of a
/// query: the entries of `window` rows.
struct MarkovChain {
  MarkovOptions options;
  SparseRows transitions;     ///< m, items × items.
  std::vector<float> totals;  ///< Its row sums.
  Popularity popularity;

  MarkovChain() = default;

  /// Throws ConfigError on options outside their ranges.
  /// Memory beside the result: 4 bytes an event. Cost: events × max_gap, and sorting every row.
  template <std::same_as<Split> TrainingSplit>
  explicit MarkovChain(const TrainingSplit& split, const MarkovOptions& chosen = {})
      : options(chosen), popularity(split) {
    options.check();
    const auto& sequences = split.sequences;
    const auto positions = training_positions(split);
    RowAccumulator<double> sums(sequences.items.size());
    for (std::size_t item = 0; item < sequences.items.size(); ++item) {
      for (std::size_t p = positions.offsets[item]; p < positions.offsets[item + 1]; ++p) {
        const std::size_t position = positions.events[p];
        const std::size_t user = sequences.events.users[position];
        const auto rest = split.train(user).items.subspan(position - sequences.offsets[user]);
        for (std::size_t gap = 1; gap < rest.size() && gap <= options.max_gap; ++gap)
          sums[rest[gap]] += 1.0 / static_cast<double>(gap);
      }
      double total = 0;
      sums.take([&](std::uint32_t follower, double sum) {
        transitions.push(follower, static_cast<float>(sum));
        total += sum;
      });
      transitions.end_row();
      totals.push_back(static_cast<float>(total));
    }
  }

  Index items() const { return popularity.items(); }

  /// The scores of the items first … first + scores.size() − 1 after one history; overwrites them, allocates nothing.
  void score(const History& history, std::span<float> scores, std::uint32_t first = 0) const {
    const DecayedWindow last{options.window, options.decay};
    double weights = 0;
    last.for_each(history, [&](std::uint32_t, double weight) { weights += weight; });
    const float share = history.empty() ? 1.0f : static_cast<float>(options.popularity_weight * weights);
    const auto shares = std::span(popularity.shares).subspan(first, scores.size());
    std::transform(shares.begin(), shares.end(), scores.begin(), [share](float s) { return share * s; });
    last.for_each(history, [&](std::uint32_t item, double weight) {
      assert(item < totals.size());
      // An item without transitions has an empty row, which without smoothing would be divided by zero.
      if (totals[item] > 0)
        transitions.add_row(item, static_cast<float>(weight / (static_cast<double>(totals[item]) + options.smoothing)),
                            scores, first);
    });
  }

  /// logarithms(k) := log(score of item first + k), for `count` items; at least −46. `logarithms` has at least
  /// `count` numbers. Allocates nothing.
  void log_scores(const History& history, Index first, Index count, Vector<float>& logarithms) const {
    score(history, {logarithms.data(), static_cast<std::size_t>(count)}, static_cast<std::uint32_t>(first));
    constexpr float smallest = 1e-20f;  // of items that are nowhere in the chain
    float* const all = logarithms.data();
    for_each_lane<float>(count, [=](auto at) { at.store(all, log(max(at[all], at.all(smallest)))); });
  }

  Matrix<float> outputs(std::span<const History>) const { return {}; }
  void score_tile(std::span<const History> histories, const Matrix<float>&, Index first,
                  MatrixRef<float> scores) const {
    for (std::size_t k = 0; k < histories.size(); ++k)
      score(histories[k], {scores.col(static_cast<Index>(k)).data(), static_cast<std::size_t>(scores.rows())},
            static_cast<std::uint32_t>(first));
  }
  void score(std::span<const History> histories, MatrixRef<float> scores) const {
    score_tile(histories, {}, 0, scores);
  }

 private:
  /// Where each item occurs in the training part: positions in sequences.events, by item.
  struct Positions {
    std::vector<std::size_t> offsets;
    std::vector<std::uint32_t> events;
  };

  template <std::same_as<Split> TrainingSplit>
  static Positions training_positions(const TrainingSplit& split) {
    Positions positions;
    positions.offsets.push_back(0);
    for (const auto count : training_counts(split)) positions.offsets.push_back(positions.offsets.back() + count);
    positions.events.resize(positions.offsets.back());
    auto next = positions.offsets;
    for (std::size_t user = 0; user < split.sequences.size(); ++user) {
      auto position = static_cast<std::uint32_t>(split.sequences.offsets[user]);
      for (const std::uint32_t item : split.train(user).items) positions.events[next[item]++] = position++;
    }
    return positions;
  }
};

}  // namespace lstmrec

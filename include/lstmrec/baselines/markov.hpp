#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/baselines/best_of_row.hpp>
#include <lstmrec/baselines/decayed_window.hpp>
#include <lstmrec/baselines/item_knn.hpp>
#include <lstmrec/baselines/popularity.hpp>
#include <lstmrec/baselines/row_accumulator.hpp>
#include <lstmrec/baselines/sparse_rows.hpp>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/lanes.hpp>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/top_k.hpp>
#include <lstmrec/data/event.hpp>
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
  std::size_t followers = 0;        ///< Kept of each item, those of the highest P; 0: all of them.
  double item_knn_weight = 0;       ///< Of the similarity of items that the same users have, in P.

  /// Here popularity decides between the many items of equal counts. Its weight is 10⁻⁶ in exact arithmetic, but beside
  /// a count a float can't hold terms so small; 10⁻³ gives the same order.
  static constexpr MarkovOptions first_order() {
    return {.max_gap = 1, .smoothing = 1, .window = 1, .decay = 1, .popularity_weight = 1e-3};
  }

  /// The chain that looks at a history's last item alone: the sequential rules of Kamehkhosh, Jannach and
  /// Ludewig, "A comparison of frequent pattern techniques and a deep learning method for session-based
  /// recommendation", 2017, with all rules kept.
  static constexpr MarkovOptions sequential_rules() { return {.smoothing = 0, .window = 1, .decay = 1}; }

  /// Calls visitor(name, option) for every option, in this order.
  template <class Options, class Visitor>
  static void visit(Options& options, Visitor&& visitor) {
    visitor("max_gap", options.max_gap);
    visitor("smoothing", options.smoothing);
    visitor("window", options.window);
    visitor("decay", options.decay);
    visitor("popularity_weight", options.popularity_weight);
    visitor("followers", options.followers);
    visitor("item_knn_weight", options.item_knn_weight);
  }

  /// Throws ConfigError that names the rule which an option breaks.
  void check() const {
    require(max_gap >= 1 && max_gap <= 1000000, "max_gap must be in [1, 1000000]", max_gap);
    require(smoothing >= 0 && std::isfinite(smoothing), "smoothing must be finite and not negative", smoothing);
    DecayedWindow{window, decay}.check();
    require(popularity_weight >= 0 && std::isfinite(popularity_weight),
            "popularity_weight must be finite and not negative", popularity_weight);
    require(item_knn_weight >= 0 && std::isfinite(item_knn_weight), "item_knn_weight must be finite and not negative",
            item_knn_weight);
  }
};

/// A Markov chain with memory, made of transition counts of the training part. A TiledScorer.
///
///     m(i→j) = Σ weight of j / gap     over the pairs of a user's events that stand gap = 1 … max_gap apart
///     P(i→j) = m(i→j) / (Σ_j m(i→j) + smoothing) + popularity_weight · share(j)
///     score(j) = Σ_age decay^age · P(item of that age → j)     over the last `window` items, the newest of age 0
///
/// With `item_knn_weight`, P(i→j) has item_knn_weight · s(i, j) added, the similarity of ItemKnn; it is kept as that
/// much of m, so that users who have both items in any order count too. Where users are many and their histories short,
/// that knows more pairs.
///
/// With `followers`, of each row only so many entries are kept, those of the highest P, of equal ones those of the
/// lower index. The sums are over all followers still, so that what is kept has the probability that it has without the
/// limit and what is cut has that of an item without transitions. A large log needs the limit: without one, a row has
/// up to max_gap entries for every event of its item.
///
/// With first_order(): P(i→j) = n(i→j) / (n(i→·) + 1), of the last item alone, popularity deciding between equals.
/// A history without events gets the shares. A history's items are indices of the split (an assert). The counts are
/// kept as they are and divided when used, so that without a limit one user's share can be taken out again. Cost of a
/// query: the entries of `window` rows.
struct MarkovChain {
  MarkovOptions options;
  SparseRows transitions;     ///< m, items × items.
  std::vector<float> totals;  ///< Its row sums.
  Popularity popularity;

  MarkovChain() = default;

  /// Throws ConfigError on options outside their ranges.
  ///
  /// Items are counted in blocks: one item, or as many in a row as have together at most `block_events` events in the
  /// training part. The result does not depend on it. Memory beside the result: 8 bytes an event of the largest block
  /// and up to 25 an item. Cost: training events × max_gap, and a pass over the training part a block. With an
  /// item_knn_weight, time and memory of an ItemKnn besides.
  template <std::same_as<Split> TrainingSplit>
  explicit MarkovChain(const TrainingSplit& split, const MarkovOptions& chosen = {},
                       std::size_t block_events = std::size_t{1} << 24)
      : options(chosen) {
    options.check();
    const auto counts = training_counts(split);
    popularity = Popularity(counts);
    const std::size_t most = options.followers > 0 ? options.followers : std::numeric_limits<std::size_t>::max();
    if (options.followers > 0) {  // growing by doubling would take up to three times the result
      std::size_t entries = 0;
      for (const std::size_t count : counts) entries += std::min({most, count * options.max_gap, counts.size()});
      transitions.items.reserve(entries);
      transitions.values.reserve(entries);
    }
    transitions.offsets.reserve(counts.size() + 1);
    totals.reserve(counts.size());
    const ItemKnn similar = options.item_knn_weight > 0 ? ItemKnn(split) : ItemKnn();
    RowAccumulator<double> sums(counts.size());
    std::vector<ScoredItem> row;
    for (std::size_t first = 0, last = 0; first < counts.size(); first = last) {
      for (std::size_t events = 0; last == first || (last < counts.size() && events + counts[last] <= block_events);)
        events += counts[last++];
      const Positions positions(split, std::span(counts).subspan(first, last - first), first);
      for (std::size_t item = first; item < last; ++item) {
        for (const std::size_t position : positions.of(item)) {
          const std::size_t user = split.sequences.events.users[position];
          const auto rest = split.train(user).items.subspan(position - split.sequences.offsets[user]);
          for (std::size_t gap = 1; gap < rest.size() && gap <= options.max_gap; ++gap)
            sums[rest[gap]] +=
                static_cast<double>(split.sequences.events.weight(position + gap)) / static_cast<double>(gap);
        }
        double total = 0;
        sums.for_each([&](std::uint32_t, double sum) { total += sum; });
        if (similar.items() > 0) add_similar(similar.similarities[item], total, sums);
        sums.take([&](std::uint32_t follower, double sum) { row.push_back({follower, static_cast<float>(sum)}); });
        push_best(transitions, row, most);
        totals.push_back(static_cast<float>(total));
      }
    }
  }

  /// The most bytes that a chain of so many items and training events takes with a limit of `followers`, which is above
  /// 0, and the default gap.
  static std::uint64_t bytes(std::size_t items, std::uint64_t events, std::size_t followers) {
    constexpr std::uint64_t entry = sizeof(std::uint32_t) + sizeof(float),
                            row = sizeof(std::size_t) + 2 * sizeof(float);
    return entry * std::min<std::uint64_t>(items * std::min(items, followers), events * MarkovOptions().max_gap) +
           row * items;
  }

  Index items() const { return popularity.items(); }

  /// Throws ConfigError on options outside their ranges, and std::invalid_argument, whose message begins with the name
  /// of a member, where there are not transitions and a total of each item, all finite and none below 0.
  void check() const {
    options.check();
    const auto count = static_cast<std::size_t>(items());
    transitions.check(count);
    if (totals.size() != count)
      detail::fail<std::invalid_argument>({"totals: expected ", count, ", found ", totals.size()});
    if (!std::all_of(totals.begin(), totals.end(), [](float total) { return total >= 0 && std::isfinite(total); }))
      throw std::invalid_argument("totals: expected finite numbers, none below 0");
  }

  /// The scores of the items first … first + scores.size() − 1 after one history; overwrites them, allocates nothing.
  void score(const History& history, std::span<float> scores, std::uint32_t first = 0) const {
    const DecayedWindow last{options.window, options.decay};
    const float share = popularity_share(history);
    const auto shares = std::span(popularity.shares).subspan(first, scores.size());
    std::transform(shares.begin(), shares.end(), scores.begin(), [share](float s) { return share * s; });
    last.for_each(history, [&](std::uint32_t item, double weight) {
      assert(item < totals.size());
      // An item without transitions has an empty row, which without smoothing would be divided by zero.
      if (static_cast<double>(totals[item]) + options.smoothing > 0)
        transitions.add_row(item, static_cast<float>(weight / (static_cast<double>(totals[item]) + options.smoothing)),
                            scores, first);
    });
  }

  /// logarithms(k) := log(score of item first + k), for `count` items; at least −46. An item without any event, of
  /// which the counts know nothing, has the score that one event would give it. `logarithms` has at least `count`
  /// numbers. Allocates nothing.
  void log_scores(const History& history, Index first, Index count, Vector<float>& logarithms) const {
    score(history, {logarithms.data(), static_cast<std::size_t>(count)}, static_cast<std::uint32_t>(first));
    const float smallest = std::max(1e-20f, popularity_share(history) * popularity.of_one_event);
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
  /// The part of popularity in a score after a history.
  float popularity_share(const History& history) const {
    double weights = 0;
    DecayedWindow{options.window, options.decay}.for_each(history,
                                                          [&](std::uint32_t, double weight) { weights += weight; });
    return history.empty() ? 1.0f : static_cast<float>(options.popularity_weight * weights);
  }

  /// Adds what similar items are of m, so that they are their part of P.
  void add_similar(const SparseRows::Row& similar, double total, RowAccumulator<double>& sums) const {
    const double scale = options.item_knn_weight * (total + options.smoothing);
    for (std::size_t k = 0; k < similar.size(); ++k)
      sums[similar.items[k]] += scale * static_cast<double>(similar.values[k]);
  }

  /// Where each item of a block occurs in the training part: positions in sequences.events.
  class Positions {
   public:
    /// `counts`: the events of the items first … first + counts.size() − 1.
    template <std::same_as<Split> TrainingSplit>
    Positions(const TrainingSplit& split, std::span<const std::uint32_t> counts, std::size_t first)
        : first_(first), offsets_(1, 0) {
      for (const std::size_t count : counts) offsets_.push_back(offsets_.back() + count);
      events_.resize(offsets_.back());
      std::vector<std::size_t> next(offsets_.begin(), offsets_.end() - 1);
      for (std::size_t user = 0; user < split.sequences.size(); ++user) {
        std::size_t position = split.sequences.offsets[user];
        for (const std::size_t item : split.train(user).items) {
          if (item - first < counts.size()) events_[next[item - first]++] = position;  // below `first` it wraps around
          ++position;
        }
      }
    }

    /// In ascending order.
    std::span<const std::size_t> of(std::size_t item) const {
      return std::span(events_).subspan(offsets_[item - first_], offsets_[item - first_ + 1] - offsets_[item - first_]);
    }

   private:
    std::size_t first_;
    std::vector<std::size_t> offsets_, events_;
  };
};

/// The chain of two logs: of `before`, and of `more`, whose first items are those of `before`. Pairs across the border
/// between the two logs are not counted. A row keeps as many followers as `before` does, and the sum of all, those that
/// have been cut included. `item_counts`: the events of each item in both. Cost: one pass over the entries.
inline MarkovChain merged(const MarkovChain& before, const MarkovChain& more,
                          const std::vector<std::uint32_t>& item_counts) {
  MarkovChain chain;
  chain.options = before.options;
  chain.popularity = Popularity(item_counts);
  const std::size_t most =
      chain.options.followers > 0 ? chain.options.followers : std::numeric_limits<std::size_t>::max();
  RowAccumulator<float> sums(item_counts.size());
  std::vector<ScoredItem> row;
  for (std::size_t item = 0; item < item_counts.size(); ++item) {
    float total = 0;
    for (const MarkovChain* part : {&before, &more}) {
      if (item >= part->totals.size()) continue;
      const SparseRows::Row entries = part->transitions[item];
      for (std::size_t k = 0; k < entries.size(); ++k) sums[entries.items[k]] += entries.values[k];
      total += part->totals[item];
    }
    sums.take([&](std::uint32_t follower, float sum) { row.push_back({follower, sum}); });
    push_best(chain.transitions, row, most);
    chain.totals.push_back(total);
  }
  return chain;
}

}  // namespace lstmrec

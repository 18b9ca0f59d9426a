#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/counts/popularity.hpp>
#include <lstmrec/counts/sparse_rows.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/split.hpp>
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

  /// Throws std::invalid_argument that names the rule which an option breaks.
  void check() const {
    if (max_gap < 1 || window < 1) throw std::invalid_argument("max_gap and window must be at least 1");
    if (max_gap > 1000000 || window > 1000000)
      throw std::invalid_argument("max_gap and window must be at most 1000000");
    if (!(smoothing >= 0) || std::isinf(smoothing))
      throw std::invalid_argument("smoothing must be finite and not negative");
    if (!(decay > 0 && decay <= 1)) throw std::invalid_argument("decay must be in (0, 1]");
    if (!(popularity_weight >= 0) || std::isinf(popularity_weight))
      throw std::invalid_argument("popularity_weight must be finite and not negative");
  }
};

/// A Markov chain with memory, made of transition counts of the training part. A Scorer.
///
///     m(i→j) = Σ 1 / gap     over the pairs of a user's events that stand gap = 1 … max_gap apart
///     P(i→j) = m(i→j) / (Σ_j m(i→j) + smoothing) + popularity_weight · share(j)
///     score(j) = Σ_age decay^age · P(item of that age → j)     over the last `window` items, the newest of age 0
///
/// With first_order(): P(i→j) = n(i→j) / (n(i→·) + 1), of the last item alone, popularity deciding between equals.
/// A history without events gets the shares. A history's items are indices of the split (an assert). The counts are
/// kept as they are and divided when used, so that a share of them (one user's) can be taken out again. Cost of a
/// query: the entries of `window` rows.
struct MarkovCounts {
  MarkovOptions options;
  SparseRows transitions;     ///< m, items × items.
  std::vector<float> totals;  ///< Its row sums.
  Popularity popularity;

  MarkovCounts() = default;

  /// Throws std::invalid_argument on options outside their ranges.
  /// Memory beside the result: 4 bytes an event. Cost: events × max_gap, and sorting every row.
  explicit MarkovCounts(const Split& split, const MarkovOptions& chosen = {}) : options(chosen), popularity(split) {
    options.check();
    const Sequences& sequences = split.sequences;
    const auto positions = training_positions(split);
    std::vector<double> sums(sequences.items.size());
    std::vector<std::uint32_t> followers;
    for (std::size_t item = 0; item < sums.size(); ++item) {
      followers.clear();
      for (std::size_t p = positions.offsets[item]; p < positions.offsets[item + 1]; ++p) {
        const std::size_t position = positions.events[p];
        const std::size_t user = sequences.events[position].user;
        const History rest = split.train(user).subspan(position - sequences.offsets[user]);
        for (std::size_t gap = 1; gap < rest.size() && gap <= options.max_gap; ++gap) {
          double& sum = sums[rest[gap].item];
          if (sum == 0) followers.push_back(rest[gap].item);
          sum += 1.0 / static_cast<double>(gap);
        }
      }
      std::sort(followers.begin(), followers.end());
      double total = 0;
      for (const std::uint32_t follower : followers) {
        transitions.push(follower, static_cast<float>(sums[follower]));
        total += sums[follower];
        sums[follower] = 0;
      }
      transitions.end_row();
      totals.push_back(static_cast<float>(total));
    }
  }

  Index items() const { return popularity.items(); }

  /// Calls visit(item, weight) for the rows of `transitions` whose weighted sum, beside popularity, is the score.
  template <class Visit>
  void for_each_row(History history, Visit visit) const {
    double decayed = 1;
    for (std::size_t age = 0; age < std::min(history.size(), options.window); ++age, decayed *= options.decay) {
      const std::uint32_t item = history[history.size() - 1 - age].item;
      assert(item < totals.size());
      // An item without transitions has an empty row, which without smoothing would be divided by zero.
      if (totals[item] > 0)
        visit(item, static_cast<float>(decayed / (static_cast<double>(totals[item]) + options.smoothing)));
    }
  }

  /// The weight of the popularity shares in the score of a history of so many events.
  float share_weight(std::size_t events) const {
    if (events == 0) return 1;
    double sum = 0, decayed = 1;
    for (std::size_t age = 0; age < std::min(events, options.window); ++age, decayed *= options.decay) sum += decayed;
    return static_cast<float>(options.popularity_weight * sum);
  }

  /// The scores of one history; overwrites `scores` (one an item), allocates nothing.
  void score(History history, std::span<float> scores) const {
    const float share = share_weight(history.size());
    std::transform(popularity.shares.begin(), popularity.shares.end(), scores.begin(),
                   [share](float s) { return share * s; });
    for_each_row(history, [&](std::uint32_t item, float weight) { transitions.add_row(item, weight, scores); });
  }

  void score(std::span<const History> histories, MatrixRef<float> scores) const {
    for (std::size_t column = 0; column < histories.size(); ++column)
      score(histories[column],
            {scores.col(static_cast<Index>(column)).data(), static_cast<std::size_t>(scores.rows())});
  }

 private:
  /// Where each item occurs in the training part: positions in sequences.events, by item.
  struct Positions {
    std::vector<std::size_t> offsets;
    std::vector<std::uint32_t> events;
  };

  static Positions training_positions(const Split& split) {
    Positions positions;
    positions.offsets.push_back(0);
    for (const auto count : training_counts(split)) positions.offsets.push_back(positions.offsets.back() + count);
    positions.events.resize(positions.offsets.back());
    auto next = positions.offsets;
    for (std::size_t user = 0; user < split.sequences.size(); ++user) {
      auto position = static_cast<std::uint32_t>(split.sequences.offsets[user]);
      for (const Event& event : split.train(user)) positions.events[next[event.item]++] = position++;
    }
    return positions;
  }
};

}  // namespace lstmrec

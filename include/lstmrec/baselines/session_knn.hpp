#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <lstmrec/baselines/item_scores.hpp>
#include <lstmrec/baselines/popularity.hpp>
#include <lstmrec/baselines/recent_items.hpp>
#include <lstmrec/baselines/row_accumulator.hpp>
#include <lstmrec/baselines/session_knn_options.hpp>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/data/event.hpp>
#include <numeric>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

namespace lstmrec {

/// Recommends what similar sequences of the training part hold, most of all of visits. A TiledScorer.
///
/// The set s holds the distinct items of the history's last `window` events, each at its last place. The candidates are
/// the `sample` training sequences that ended last, among those that share an item with it; n are a candidate's
/// distinct items. The `neighbours` most similar ones speak, of equal ones those that ended later.
///
///     STAN      similarity(n) = Σ_{i ∈ s ∩ n} w(i) / √(Σ_{i ∈ s} w(i)² · |n|) · e^(−age / days)
///               w(i)          = e^(−events after i / position)
///               score(j)      = Σ_n similarity(n) · e^(−|place of j − place of the last common item in n| / distance)
///     VSTAN     each term · e^(−events after the last common item in s / recency) · (1 + rarity · idf(j))
///     V-SKNN    similarity(n) = Σ_{i ∈ s ∩ n} w(i) / |s|,   w(i) = place of i / length of the history
///               score(j)      = Σ_n similarity(n) / (1 + events after the last common item in s)
///
/// idf(j) = log(sequences / events of j). Age: from the end of n to the history's last event or, where the history has
/// no times, to the end of the log; where the log has none, 0. Places are those in the whole sequence. Items that no
/// neighbour has, and all items after an empty history, get 0. Of a sequence with more than 2500 distinct items, as a
/// robot's is, the last 2500 count. The formulas are those of the authors' code
/// (github.com/rn5l/session-rec), whose V-SKNN divides the scores by their largest besides.
///
/// Cost of a query: up to window × sample events, and the neighbours' items. `outputs` takes a Scratch for its time.
/// Memory: 12 bytes an event of a training sequence's distinct items, and 24 a sequence.
struct SessionKnn {
  SessionKnnOptions options;
  std::vector<std::size_t> offsets = {0};     ///< Sequence n, the one that ended last being 0, has the entries
                                              ///< offsets[n] … offsets[n + 1] − 1 of:
  std::vector<std::uint32_t> sequence_items;  ///< its distinct items,
  std::vector<std::uint32_t> places;          ///< and the last place of each, from 1.
  std::vector<double> ages;                   ///< Seconds from each sequence's end to that of the log.
  std::vector<std::uint32_t> counts;          ///< By item: its events.
  std::size_t training_sequences = 0;         ///< Those that were left out included.
  double log_end = 0;                         ///< Seconds; 0 without times.
  std::int64_t ticks_per_second = 1;          ///< Of histories' times.

  SessionKnn() = default;

  /// Throws ConfigError on options outside their ranges. `most_entries`: older sequences than fit are left out.
  template <std::same_as<Split> TrainingSplit>
  explicit SessionKnn(const TrainingSplit& split, const SessionKnnOptions& chosen = {},
                      std::size_t most_entries = std::size_t{1} << 32)
      : options(chosen) {
    options.check();
    counts = training_counts(split);
    const auto& sequences = split.sequences;
    ticks_per_second = sequences.ticks_per_second;
    std::vector<std::uint32_t> order;  // the one that ended last first, of equal ones the later in the log
    for (auto user = static_cast<std::uint32_t>(sequences.size()); user-- > 0;)
      if (split.train_length[user] > 0) order.push_back(user);
    const auto end_of = [&](std::uint32_t user) { return split.train(user).back().time; };
    if (sequences.has_times)
      std::stable_sort(order.begin(), order.end(),
                       [&](std::uint32_t a, std::uint32_t b) { return end_of(a) > end_of(b); });
    const auto seconds = [&](std::int64_t ticks) {
      return static_cast<double>(ticks) / static_cast<double>(ticks_per_second);
    };
    if (sequences.has_times && !order.empty()) log_end = seconds(end_of(order.front()));
    training_sequences = order.size();
    offsets.reserve(order.size() + 1);
    ages.reserve(order.size());
    const std::size_t events_of_all =
        std::accumulate(split.train_length.begin(), split.train_length.end(), std::size_t{0});
    sequence_items.reserve(std::min(events_of_all, most_entries));
    places.reserve(std::min(events_of_all, most_entries));
    std::vector<std::uint32_t> last_user(counts.size(), 0);  // from 1: in which an item was met
    for (const std::uint32_t user : order) {
      const History events = split.train(user);
      const std::size_t begin = sequence_items.size();
      for (std::size_t k = events.size(); k-- > 0 && sequence_items.size() < begin + default_user_items;) {
        // An item is met at its last place first.
        if (std::exchange(last_user[events.items[k]], user + 1) == user + 1) continue;
        sequence_items.push_back(events.items[k]);
        places.push_back(static_cast<std::uint32_t>(k + 1));
      }
      if (sequence_items.size() > most_entries) {
        sequence_items.resize(begin);
        places.resize(begin);
        break;
      }
      offsets.push_back(sequence_items.size());
      ages.push_back(sequences.has_times ? log_end - seconds(end_of(user)) : 0);
    }
    sequence_items.shrink_to_fit();
    places.shrink_to_fit();
    index();
  }

  Index items() const { return static_cast<Index>(counts.size()); }
  std::size_t sequences() const { return offsets.size() - 1; }

  /// Throws ConfigError on options outside their ranges, and std::invalid_argument, whose message begins with the name
  /// of a member in a file, where these are not sequences of the items, each with its own place.
  void check() const {
    using detail::fail, std::invalid_argument;
    options.check();
    if (offsets.empty() || offsets.front() != 0 || offsets.back() != sequence_items.size() ||
        !std::is_sorted(offsets.begin(), offsets.end()))
      fail<invalid_argument>({"offsets: expected to rise from 0 to ", sequence_items.size()});
    if (places.size() != sequence_items.size())
      fail<invalid_argument>({"places: expected ", sequence_items.size(), ", found ", places.size()});
    if (ages.size() != sequences()) fail<invalid_argument>({"ages: expected ", sequences(), ", found ", ages.size()});
    if (!std::all_of(ages.begin(), ages.end(), [](double age) { return std::isfinite(age); }))
      throw invalid_argument("ages: expected finite numbers");
    std::vector<std::size_t> sequence_of(counts.size(), 0);  // from 1: in which an item was met last
    for (std::size_t n = 0; n < sequences(); ++n)
      for (std::size_t k = offsets[n]; k < offsets[n + 1]; ++k) {
        if (sequence_items[k] >= counts.size() || counts[sequence_items[k]] == 0)
          fail<invalid_argument>({"items: expected items of the training part, found ", sequence_items[k]});
        if (std::exchange(sequence_of[sequence_items[k]], n + 1) == n + 1)
          fail<invalid_argument>({"items: expected each once in a sequence, found ", sequence_items[k], " twice"});
        if (places[k] == 0 || (k > offsets[n] && places[k] >= places[k - 1]))
          fail<invalid_argument>({"places: expected to fall to 1 or more within a sequence, found ", places[k]});
      }
  }

  /// Makes what is derived: the sequences of each item. To be called after the members have been set.
  void index() {
    item_offsets_.assign(counts.size() + 1, 0);
    for (const std::uint32_t item : sequence_items) ++item_offsets_[item + 1];
    std::partial_sum(item_offsets_.begin(), item_offsets_.end(), item_offsets_.begin());
    item_sequences_.resize(sequence_items.size());
    auto next = item_offsets_;
    for (std::uint32_t sequence = 0; sequence < sequences(); ++sequence)
      for (std::size_t k = offsets[sequence]; k < offsets[sequence + 1]; ++k)
        item_sequences_[next[sequence_items[k]]++] = sequence;
  }

  /// Whether `index` has been called since the members were set.
  bool is_indexed() const {
    return item_offsets_.size() == counts.size() + 1 && item_sequences_.size() == sequence_items.size();
  }

  /// Scratch memory of queries: 24 bytes a sequence and 20 an item, and what the largest query needs.
  struct Scratch {
    explicit Scratch(const SessionKnn& knn)
        : matches(knn.sequences()), sums(knn.counts.size()), place_of(knn.counts.size()) {}

    struct Match {
      double weight = 0;       ///< Σ w of the common items.
      std::uint32_t last = 0;  ///< The last place in the history of a common item.
    };
    RowAccumulator<Match> matches;        ///< By sequence.
    RowAccumulator<double> sums;          ///< By item.
    std::vector<std::uint32_t> place_of;  ///< By item: its last place in the history, or 0.
    struct Neighbour {
      std::uint32_t sequence, last;
      double similarity;
    };
    std::vector<Neighbour> neighbours;
    std::vector<std::uint32_t> own;  ///< The history's distinct items.
    std::vector<ItemScore> scores;   ///< The result.
    bool is_in_use = false;          ///< After an exception the rest is not what a query begins with.
  };

  /// The scores of the items that neighbours have, in the order of the items; borrowed from `scratch`.
  std::span<const ItemScore> scores_after(const History& history, Scratch& scratch) const {
    const History own = history.subspan(history.size() - std::min(history.size(), options.window));
    if (std::exchange(scratch.is_in_use, true)) scratch = Scratch(*this);
    scratch.is_in_use = true;
    find_neighbours(own, scratch);
    add_scores(own.size(), scratch);
    for (const std::uint32_t item : scratch.own) scratch.place_of[item] = 0;
    scratch.is_in_use = false;
    return scratch.scores;
  }

  /// Returns the highest 1000 scores of `scores_after`, an item and its score below each other, for score_tile.
  Matrix<float> outputs(std::span<const History> histories) const {
    Scratch scratch(*this);
    std::vector<std::vector<ItemScore>> all;
    std::size_t most = 0;
    for (const History& history : histories) {
      scores_after(history, scratch);
      detail::keep_highest(1000, scratch.scores);
      all.push_back(scratch.scores);
      most = std::max(most, scratch.scores.size());
    }
    // Without a row, nobody could tell how many histories there are.
    Matrix<float> result(static_cast<Index>(2 * std::max<std::size_t>(1, most)), static_cast<Index>(histories.size()));
    for (std::size_t k = 0; k < all.size(); ++k) detail::write_scores(all[k], result.col(static_cast<Index>(k)));
    return result;
  }
  void score_tile(std::span<const History> histories, const Matrix<float>& outputs, Index first,
                  MatrixRef<float> scores) const {
    for (std::size_t k = 0; k < histories.size(); ++k) {
      auto own = scores.col(static_cast<Index>(k));
      std::fill_n(own.data(), own.rows(), 0.0f);
      detail::for_each_score(ConstMatrixRef<float>(outputs).col(static_cast<Index>(k)), first, own.rows(),
                             [&](Index row, float score) { own(row, 0) = score; });
    }
  }
  void score(std::span<const History> histories, MatrixRef<float> scores) const {
    score_tile(histories, outputs(histories), 0, scores);
  }

 private:
  /// e^(−distance / scale), or 1 where the scale is 0.
  static double decay(double distance, double scale) {
    return scale == 0 ? 1 : std::exp(std::min(-distance / scale, 600.0));  // no overflow of what ends in the future
  }

  void find_neighbours(const History& own, Scratch& scratch) const {
    const auto length = static_cast<double>(own.size());
    scratch.own.clear();
    double squares = 0;
    for (std::size_t k = own.size(); k-- > 0;) {
      const std::uint32_t item = own.items[k];
      assert(item < counts.size());
      if (scratch.place_of[item] > 0) continue;
      scratch.own.push_back(item);
      const auto place = static_cast<std::uint32_t>(k + 1);
      scratch.place_of[item] = place;
      const double weight = options.position == 0 ? place / length : decay(length - place, options.position);
      squares += weight * weight;
      // A sequence that is among the newest `sample` of all items is among the newest `sample` of each of its items.
      const std::size_t end = std::min(item_offsets_[item + 1], item_offsets_[item] + options.sample);
      for (std::size_t s = item_offsets_[item]; s < end; ++s) {
        typename Scratch::Match& match = scratch.matches[item_sequences_[s]];
        match.weight += weight;
        match.last = std::max(match.last, place);
      }
    }
    const auto distinct = static_cast<double>(scratch.own.size());
    const double now = own.times.empty() || log_end == 0
                           ? 0
                           : static_cast<double>(own.times.back()) / static_cast<double>(ticks_per_second) - log_end;
    auto& neighbours = scratch.neighbours;
    neighbours.clear();
    scratch.matches.take([&](std::uint32_t sequence, const typename Scratch::Match& match) {
      neighbours.push_back({sequence, match.last, match.weight});
    });
    const auto keep = [&](std::size_t most, auto&& before) {
      if (neighbours.size() <= most) return;
      std::nth_element(neighbours.begin(), neighbours.begin() + static_cast<std::ptrdiff_t>(most), neighbours.end(),
                       before);
      neighbours.resize(most);
    };
    const auto is_newer = [](const auto& a, const auto& b) { return a.sequence < b.sequence; };
    keep(options.sample, is_newer);
    for (auto& neighbour : neighbours) {
      const auto size = static_cast<double>(offsets[neighbour.sequence + 1] - offsets[neighbour.sequence]);
      if (options.is_vsknn)
        neighbour.similarity /= distinct;
      else
        neighbour.similarity *=
            decay((now + ages[neighbour.sequence]) / 86400, options.days) / std::sqrt(squares * size);
    }
    keep(options.neighbours, [](const auto& a, const auto& b) {
      return a.similarity > b.similarity || (a.similarity == b.similarity && a.sequence < b.sequence);
    });
    std::sort(neighbours.begin(), neighbours.end(), is_newer);  // so that sums do not depend on nth_element
  }

  void add_scores(std::size_t length, Scratch& scratch) const {
    for (const auto& [sequence, last, similarity] : scratch.neighbours) {
      const auto events_after = static_cast<double>(length - last);
      const double weight =
          similarity * (options.is_vsknn ? 1 / (1 + events_after) : decay(events_after, options.recency));
      const std::size_t begin = offsets[sequence], end = offsets[sequence + 1];
      std::size_t common = begin;  // places fall
      while (scratch.place_of[sequence_items[common]] == 0) ++common;
      for (std::size_t k = begin; k < end; ++k) {
        const double distance = std::abs(static_cast<double>(places[k]) - static_cast<double>(places[common]));
        scratch.sums[sequence_items[k]] += weight * decay(distance, options.distance);
      }
    }
    scratch.scores.clear();
    scratch.sums.take([&](std::uint32_t item, double sum) {
      if (options.rarity > 0)
        sum *=
            1 + options.rarity * std::log(static_cast<double>(training_sequences) / static_cast<double>(counts[item]));
      scratch.scores.push_back({item, sum});
    });
    std::sort(scratch.scores.begin(), scratch.scores.end(), detail::is_earlier_item);
  }

  std::vector<std::size_t> item_offsets_;      ///< Item i is in the sequences item_offsets_[i] … of:
  std::vector<std::uint32_t> item_sequences_;  ///< those that ended last first.
};

/// Session kNN of the sequences of two logs: of `before`, and of `more`, whose first items are those of `before`; of
/// sequences that ended at the same time, or without times, those of `more` are the later ones. `item_counts`: the
/// events of each item in both. `most_entries`: older sequences than fit are left out. Cost: one pass over the entries.
inline SessionKnn merged(const SessionKnn& before, const SessionKnn& more, std::vector<std::uint32_t> item_counts,
                         std::size_t most_entries) {
  SessionKnn knn;
  knn.options = before.options;
  knn.counts = std::move(item_counts);
  knn.training_sequences = before.training_sequences + more.training_sequences;
  knn.log_end = std::max(before.log_end, more.log_end);
  knn.ticks_per_second = more.ticks_per_second;
  const bool has_times = before.log_end != 0 && more.log_end != 0;
  const auto age = [&](const SessionKnn& part, std::size_t sequence) {
    return part.ages[sequence] + (has_times ? knn.log_end - part.log_end : 0);
  };
  for (std::size_t old = 0, recent = 0; old < before.sequences() || recent < more.sequences();) {
    const bool is_recent =
        recent < more.sequences() && (!has_times || old == before.sequences() || age(more, recent) <= age(before, old));
    const SessionKnn& part = is_recent ? more : before;
    const std::size_t sequence = is_recent ? recent++ : old++;
    const auto begin = static_cast<std::ptrdiff_t>(part.offsets[sequence]);
    const auto end = static_cast<std::ptrdiff_t>(part.offsets[sequence + 1]);
    if (knn.sequence_items.size() + static_cast<std::size_t>(end - begin) > most_entries) break;
    knn.sequence_items.insert(knn.sequence_items.end(), part.sequence_items.begin() + begin,
                              part.sequence_items.begin() + end);
    knn.places.insert(knn.places.end(), part.places.begin() + begin, part.places.begin() + end);
    knn.offsets.push_back(knn.sequence_items.size());
    knn.ages.push_back(age(part, sequence));
  }
  knn.index();
  return knn;
}

}  // namespace lstmrec

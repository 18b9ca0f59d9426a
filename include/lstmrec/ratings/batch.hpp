#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/packed_steps.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/ratings/bias.hpp>
#include <lstmrec/ratings/levels.hpp>
#include <lstmrec/ratings/queries.hpp>
#include <span>
#include <vector>

namespace lstmrec {

/// Some cases as one packed batch: a column a visible event, and a list of targets. Cases that follow each other and
/// look at parts of the same events share their columns.
struct RatingBatch {
  PackedSteps steps;
  std::vector<std::uint32_t> items, levels;  ///< Of every column.
  std::vector<float> gaps;                   ///< log(1 + seconds since the visible event before) / 10; 0 at the first.
  std::vector<float> residuals;              ///< r − μ − b_i − b_u, with b_u from the columns before.
  std::vector<std::uint64_t> keys;           ///< Of the dropout masks; empty outside training.

  static constexpr Index none = -1;
  std::vector<Index> after;                 ///< The case's last column, or none if nothing is visible.
  std::vector<float> scales;                ///< 1 / √n for n visible events; 0 for none.
  std::vector<std::uint32_t> target_users;  ///< Or unknown_user.
  std::vector<std::uint32_t> target_items;
  std::vector<float> baselines;  ///< μ + b_i + b_u.
  std::vector<float> ratings;

  Index targets() const { return static_cast<Index>(after.size()); }

  /// The targets stand in the order of the cases and in theirs. `keys`: a key a case in training, where cases share
  /// no events, else empty. Throws DataError where a visible rating is not a level.
  void fill(std::span<const RatingQuery> cases, const FoldInBias& bias, const RatingLevels& rating_levels,
            std::span<const std::uint64_t> case_keys = {}) {
    std::vector<SharedHistory> histories;
    for (std::size_t first = 0, count = 0; first < cases.size(); first += count) {
      count = queries_of_one_history(cases.subspan(first));
      const auto longest = std::max_element(
          cases.begin() + static_cast<std::ptrdiff_t>(first),
          cases.begin() + static_cast<std::ptrdiff_t>(first + count),
          [](const RatingQuery& a, const RatingQuery& b) { return a.visible.size() < b.visible.size(); });
      histories.push_back({first, count, &longest->visible});
    }
    std::stable_sort(histories.begin(), histories.end(), [](const SharedHistory& a, const SharedHistory& b) {
      return a.events->size() > b.events->size();
    });
    std::size_t with_events = histories.size();
    while (with_events > 0 && histories[with_events - 1].events->empty()) --with_events;
    std::vector<Index> lengths;
    for (std::size_t h = 0; h < with_events; ++h) lengths.push_back(static_cast<Index>(histories[h].events->size()));
    steps = PackedSteps(lengths);
    const auto columns = static_cast<std::size_t>(steps.columns());
    items.resize(columns);
    levels.resize(columns);
    gaps.resize(columns);
    residuals.resize(columns);
    keys.resize(case_keys.empty() ? 0 : columns);

    std::vector<double> sums(with_events), sums_after(columns);  // of residuals, before and after an event
    Index column = 0;
    for (Index step = 0; step < steps.steps(); ++step)
      for (Index alive = 0; alive < steps.alive(step); ++alive, ++column) {
        const auto j = static_cast<std::size_t>(column), h = static_cast<std::size_t>(alive);
        const auto t = static_cast<std::size_t>(step);
        const LeadingEvents& visible = *histories[h].events;
        items[j] = visible[t].item;
        levels[j] = rating_levels.level(visible[t].rating);
        gaps[j] = t == 0 ? 0.0f : static_cast<float>(log_gap(visible[t - 1].time, visible[t].time) / 10);
        const double residual = bias.residual(visible[t]);
        residuals[j] = static_cast<float>(residual - bias.user_bias(sums[h], t));
        sums[h] += residual;
        sums_after[j] = sums[h];
        if (!case_keys.empty()) keys[j] = mix_seed(case_keys[histories[h].first], t);
      }

    std::vector<Index> last(cases.size(), none);
    for (std::size_t h = 0; h < with_events; ++h)
      for (std::size_t i = histories[h].first; i < histories[h].first + histories[h].count; ++i)
        if (const std::size_t n = cases[i].visible.size(); n > 0)
          last[i] = steps.begin(static_cast<Index>(n) - 1) + static_cast<Index>(h);
    fill_targets(cases, bias, sums_after, last);
  }

 private:
  /// Cases that look at the same events, of which `events` are those of the longest case.
  struct SharedHistory {
    std::size_t first, count;
    const LeadingEvents* events;
  };

  /// `last`: the column of each case's last event, or none; `sums_after`: of every column.
  void fill_targets(std::span<const RatingQuery> cases, const FoldInBias& bias, const std::vector<double>& sums_after,
                    const std::vector<Index>& last) {
    after.clear();
    scales.clear();
    target_users.clear();
    target_items.clear();
    baselines.clear();
    ratings.clear();
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const std::size_t n = cases[i].visible.size();
      const double user_bias = bias.user_bias(n == 0 ? 0 : sums_after[static_cast<std::size_t>(last[i])], n);
      for (const Event& target : cases[i].asked) {
        after.push_back(last[i]);
        scales.push_back(n == 0 ? 0.0f : static_cast<float>(1 / std::sqrt(static_cast<double>(n))));
        target_users.push_back(cases[i].user);
        target_items.push_back(target.item);
        baselines.push_back(static_cast<float>(bias.mean + bias.item_bias[target.item] + user_bias));
        ratings.push_back(target.rating);
      }
    }
  }
};

}  // namespace lstmrec

#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/argsort.hpp>
#include <lstmrec/core/packed_steps.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/ratings/bias.hpp>
#include <lstmrec/ratings/levels.hpp>
#include <lstmrec/ratings/queries.hpp>
#include <span>
#include <vector>

namespace lstmrec {

/// Some cases as one packed batch: a column a visible event, and a list of targets.
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

  /// The targets stand in the order of the cases and in theirs. `keys`: a key a case in training, else empty.
  /// Throws DataError where a visible rating is not a level.
  void fill(std::span<const RatingQuery> cases, const FoldInBias& bias, const RatingLevels& rating_levels,
            std::span<const std::uint64_t> case_keys = {}) {
    auto order = argsort_by(cases.size(), [&](std::size_t i) { return ~cases[i].visible.size(); });  // longest first
    while (!order.empty() && cases[order.back()].visible.empty()) order.pop_back();
    std::vector<Index> lengths;
    for (const std::size_t i : order) lengths.push_back(static_cast<Index>(cases[i].visible.size()));
    steps = PackedSteps(lengths);
    const auto columns = static_cast<std::size_t>(steps.columns());
    items.resize(columns);
    levels.resize(columns);
    gaps.resize(columns);
    residuals.resize(columns);
    keys.resize(case_keys.empty() ? 0 : columns);

    std::vector<double> sums(cases.size());
    std::vector<Index> last(cases.size(), none);
    Index column = 0;
    for (Index step = 0; step < steps.steps(); ++step)
      for (Index alive = 0; alive < steps.alive(step); ++alive, ++column) {
        const std::size_t i = order[static_cast<std::size_t>(alive)], j = static_cast<std::size_t>(column);
        const auto t = static_cast<std::size_t>(step);
        const auto& visible = cases[i].visible;
        items[j] = visible[t].item;
        levels[j] = rating_levels.level(visible[t].rating);
        gaps[j] = t == 0 ? 0.0f : static_cast<float>(log_gap(visible[t - 1].time, visible[t].time) / 10);
        const double residual = bias.residual(visible[t]);
        residuals[j] = static_cast<float>(residual - bias.user_bias(sums[i], t));
        sums[i] += residual;
        last[i] = column;
        if (!case_keys.empty()) keys[j] = mix_seed(case_keys[i], t);
      }
    fill_targets(cases, bias, sums, last);
  }

 private:
  void fill_targets(std::span<const RatingQuery> cases, const FoldInBias& bias, const std::vector<double>& sums,
                    const std::vector<Index>& last) {
    after.clear();
    scales.clear();
    target_users.clear();
    target_items.clear();
    baselines.clear();
    ratings.clear();
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const std::size_t n = cases[i].visible.size();
      const double user_bias = bias.user_bias(sums[i], n);
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

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lstmrec/core/error.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace lstmrec {

/// The distinct ratings of a log, in rising order: 1 … 5, or half stars as levels of their own.
class RatingLevels {
 public:
  static constexpr std::size_t most = 256;

  RatingLevels() = default;

  /// The levels of some ratings. Throws DataError where there are more than 256 distinct ones.
  static RatingLevels of(std::span<const float> ratings) {
    RatingLevels levels;
    for (const float rating : ratings) {
      const auto place = std::lower_bound(levels.values_.begin(), levels.values_.end(), rating);
      if (place != levels.values_.end() && *place == rating) continue;
      if (levels.values_.size() == most) throw DataError("ratings must have at most 256 distinct values to be levels");
      levels.values_.insert(place, rating);
    }
    return levels;
  }

  /// From the levels themselves. Throws DataError unless they are finite, rising and at most 256.
  explicit RatingLevels(std::vector<float> values) : values_(std::move(values)) {
    const bool rising = std::adjacent_find(values_.begin(), values_.end(), std::greater_equal<>()) == values_.end();
    const bool finite = std::all_of(values_.begin(), values_.end(), [](float value) { return std::isfinite(value); });
    if (!rising || !finite || values_.size() > most) {
      throw DataError("rating levels must be finite, rising and at most 256");
    }
  }

  std::size_t size() const { return values_.size(); }
  const std::vector<float>& values() const& { return values_; }
  std::vector<float> values() && { return std::move(values_); }

  /// Throws DataError where no level has exactly this rating.
  std::uint32_t level(float rating) const {
    const auto place = std::lower_bound(values_.begin(), values_.end(), rating);
    if (place == values_.end() || *place != rating)
      detail::fail<DataError>({"no level for rating ", static_cast<double>(rating)});
    return static_cast<std::uint32_t>(place - values_.begin());
  }

  /// Throws std::out_of_range where the level is not below size().
  float value(std::uint32_t level) const { return values_.at(level); }

 private:
  std::vector<float> values_;
};

/// The scale-free time from one event to the next: log(1 + max(0, seconds between)).
inline double log_gap(std::int64_t before, std::int64_t now) {
  return std::log1p(std::max(0.0, static_cast<double>(now) - static_cast<double>(before)));
}

}  // namespace lstmrec

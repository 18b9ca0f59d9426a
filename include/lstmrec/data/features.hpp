#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/event.hpp>
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

  /// Throws Error where the events have more than 256 distinct ratings.
  explicit RatingLevels(std::span<const Event> events) {
    for (const Event& event : events) {
      const auto place = std::lower_bound(values_.begin(), values_.end(), event.rating);
      if (place != values_.end() && *place == event.rating) continue;
      if (values_.size() == most) throw Error("ratings must have at most 256 distinct values to be levels");
      values_.insert(place, event.rating);
    }
  }

  /// From the levels themselves. Throws std::invalid_argument unless they are finite, rising and at most 256.
  explicit RatingLevels(std::vector<float> values) : values_(std::move(values)) {
    const bool rising = std::adjacent_find(values_.begin(), values_.end(), std::greater_equal<>()) == values_.end();
    const bool finite = std::all_of(values_.begin(), values_.end(), [](float value) { return std::isfinite(value); });
    if (!rising || !finite || values_.size() > most) {
      throw std::invalid_argument("rating levels must be finite, rising and at most 256");
    }
  }

  std::size_t size() const { return values_.size(); }
  const std::vector<float>& values() const { return values_; }

  /// Throws std::out_of_range where no level has exactly this rating.
  std::uint32_t level(float rating) const {
    const auto place = std::lower_bound(values_.begin(), values_.end(), rating);
    if (place == values_.end() || *place != rating)
      throw std::out_of_range("no level for rating " + std::to_string(rating));
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

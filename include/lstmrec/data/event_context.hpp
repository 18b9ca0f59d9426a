#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/sequences.hpp>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

namespace lstmrec {

/// What is known of an event beside user and item, where somebody tells a Ranker or Session.
struct EventDetails {
  std::optional<std::int64_t> time = {};  ///< In the ticks of the log that was trained on, mostly seconds since 1970.
  std::optional<float> rating = {};
  std::string_view kind = {};  ///< Such as view or purchase.
};

/// What is known of the moment at which a list is asked for.
struct Question {
  std::optional<std::int64_t> time = {};  ///< In the ticks of the log that was trained on.
  friend bool operator==(const Question&, const Question&) = default;
};

/// What a network reads of an event beside its item.
struct ContextInputs {
  bool gaps = false;           ///< The time since the event before it.
  bool hours = false;          ///< The hour of the day and the day of the week, in UTC.
  bool ratings = false;        ///< The rating that the user gave.
  bool kinds = false;          ///< The kind of the event: view, cart, purchase …
  bool question_time = false;  ///< When a list is asked for, which no event has.

  friend bool operator==(const ContextInputs&, const ContextInputs&) = default;
  /// How many codes an event has: hours are two.
  std::size_t count() const {
    return std::size_t{gaps} + 2 * std::size_t{hours} + std::size_t{ratings} + std::size_t{kinds};
  }
};

/// The different values among some ratings, in ascending order, or quantiles of them where there are too many.
inline std::vector<float> rating_levels(std::vector<float> ratings, std::size_t most = 32) {
  std::sort(ratings.begin(), ratings.end());
  std::vector<float> levels = ratings;
  levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
  if (levels.size() <= most) return levels;
  for (std::size_t k = 0; k < most; ++k) levels[k] = ratings[k * ratings.size() / most];
  levels.resize(most);
  levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
  return levels;
}

/// Turns what is known of an event beside its item into codes: rows of a table of vectors. An event has one code for
/// each input, two for hours. The first code of each input stands for what is not known.
///
///     gap       none before it or no times; less than a second; then two codes for each doubling, up to 48 years
///     hour      no times; 0 … 23, and no times; Monday … Sunday
///     rating    none, or below all levels; then the highest level that is not above it
///     kind      none, or another kind; then those that are known, in the order of their kind_id
///
/// The logarithmic steps of gaps are those of HSTU (Zhai and others, "Actions speak louder than words", 2024) as
/// RecTools has them, here of the base √2.
class EventContext {
 public:
  static constexpr std::uint32_t gap_codes = 64, hour_codes = 25, day_codes = 8;
  static constexpr std::size_t most_rating_levels = 32, most_kinds = 31;

  EventContext() = default;
  /// `ticks_per_second`: of the times. `rating_levels` and `kinds`, a kind_id each: in ascending order, not looked at
  /// where they are no inputs. Throws std::invalid_argument where there are too many, where they are not in order, or
  /// where no time can be read.
  EventContext(const ContextInputs& inputs, std::int64_t ticks_per_second, std::vector<float> rating_levels,
               std::vector<std::uint32_t> kinds = {})
      : inputs_(inputs), ticks_per_second_(ticks_per_second) {
    if (inputs.ratings) rating_levels_ = std::move(rating_levels);
    if (inputs.kinds) kinds_ = std::move(kinds);
    const auto& levels = rating_levels_;
    if (ticks_per_second < 1 || levels.size() > most_rating_levels ||
        !std::all_of(levels.begin(), levels.end(), [](float level) { return std::isfinite(level); }) ||
        std::adjacent_find(levels.begin(), levels.end(), std::greater_equal<>()) != levels.end() ||
        kinds_.size() > most_kinds ||
        std::adjacent_find(kinds_.begin(), kinds_.end(), std::greater_equal<>()) != kinds_.end())
      throw std::invalid_argument(
          "a context needs ticks of a second, and at most 32 ratings and 31 kinds in ascending order");
  }

  /// How many codes all inputs have together.
  static std::size_t codes(const ContextInputs& inputs) {
    return inputs.gaps * gap_codes + inputs.hours * (hour_codes + day_codes) +
           inputs.ratings * (1 + most_rating_levels) + inputs.kinds * (1 + most_kinds);
  }
  /// How many codes the time of a question has: see `write_question`.
  static constexpr std::size_t question_codes = gap_codes + hour_codes + day_codes;
  static constexpr std::size_t codes_of_question = 3;
  static constexpr std::size_t most_codes_of_event = 5;

  const ContextInputs& inputs() const { return inputs_; }
  bool reads_times() const { return inputs_.gaps || inputs_.hours || inputs_.question_time; }
  /// Throws DataError where times are read, and those of some data are in other ticks.
  void expect_times_of(const Sequences& data) const {
    if (reads_times() && data.has_times && data.ticks_per_second != ticks_per_second_)
      detail::fail<DataError>({data.source, ": its times are in ", data.ticks_per_second,
                               " ticks a second, and those that the model has learned in ", ticks_per_second_});
  }
  std::int64_t ticks_per_second() const { return ticks_per_second_; }
  const std::vector<float>& rating_levels() const { return rating_levels_; }
  const std::vector<std::uint32_t>& kinds() const { return kinds_; }

  /// A hash of all that decides about codes; 0 where nothing is read.
  std::uint64_t hash() const {
    if (inputs_ == ContextInputs()) return 0;
    std::uint64_t hash = mix_seed(static_cast<std::uint64_t>(ticks_per_second_), inputs_.count());
    for (const float level : rating_levels_) hash = mix_seed(hash, std::bit_cast<std::uint32_t>(level));
    for (const std::uint32_t kind : kinds_) hash = mix_seed(hash, kind);
    return hash;
  }

  /// How many codes an event has.
  std::size_t codes_of_event() const { return inputs_.count(); }

  /// Writes the codes of an event; `time_before`: of the event before it, if there is one. Times that are `no_time` and
  /// ratings that are not a number are not known.
  void write(std::optional<std::int64_t> time, std::optional<std::int64_t> time_before, std::optional<float> rating,
             std::uint32_t kind, std::uint32_t* codes) const {
    std::uint32_t first = 0;
    if (inputs_.gaps) {
      *codes++ = gap_code(time, time_before);
      first += gap_codes;
    }
    if (inputs_.hours) {
      write_hour(time, first, codes);
      codes += 2;
      first += hour_codes + day_codes;
    }
    if (inputs_.ratings) {
      *codes++ = first + rating_code(rating);
      first += 1 + most_rating_levels;
    }
    if (inputs_.kinds) *codes++ = first + kind_code(kind);
  }

  /// Writes those of an event of a history that begins with the user's first event.
  void write(const History& history, std::size_t position, std::uint32_t* codes) const {
    write(time_of(history, position), position == 0 ? std::nullopt : time_of(history, position - 1),
          rating_of(history, position), history.kinds.empty() ? 0 : history.kinds[position], codes);
  }

  /// Writes the codes of the time at which a list is asked for: of the time since the user's last event, and of hour
  /// and day.
  void write_question(std::optional<std::int64_t> now, std::optional<std::int64_t> last, std::uint32_t* codes) const {
    *codes++ = gap_code(now, last);
    write_hour(now, gap_codes, codes);
  }

  /// Stands for a time that is not known, in a log that has times.
  static constexpr std::int64_t no_time = std::numeric_limits<std::int64_t>::min();
  static std::optional<float> rating_of(const History& history, std::size_t position) {
    return history.ratings.empty() ? std::nullopt : std::optional(history.ratings[position]);
  }
  static std::optional<std::int64_t> time_of(const History& history, std::size_t position) {
    return history.times.empty() ? std::nullopt : std::optional(history.times[position]);
  }

 private:
  static bool is_known(const std::optional<std::int64_t>& time) { return time && *time != no_time; }
  static std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0); }

  std::uint32_t gap_code(std::optional<std::int64_t> time, std::optional<std::int64_t> before) const {
    if (!is_known(time) || !is_known(before)) return 0;
    const double seconds =
        (static_cast<double>(*time) - static_cast<double>(*before)) / static_cast<double>(ticks_per_second_);
    if (seconds < 1) return 1;
    return std::min(gap_codes - 1, 2 + static_cast<std::uint32_t>(2 * std::log2(seconds)));
  }

  void write_hour(std::optional<std::int64_t> time, std::uint32_t first, std::uint32_t* codes) const {
    codes[0] = first;
    codes[1] = first + hour_codes;
    if (!is_known(time)) return;
    const std::int64_t hours = floor_divide(floor_divide(*time, ticks_per_second_), 3600);
    const std::int64_t days = floor_divide(hours, 24);
    codes[0] += 1 + static_cast<std::uint32_t>(hours - 24 * days);
    const std::int64_t day = days + 3;  // the first day of 1970 was a Thursday
    codes[1] += 1 + static_cast<std::uint32_t>(day - 7 * floor_divide(day, 7));
  }

  std::uint32_t rating_code(std::optional<float> rating) const {
    if (!rating || std::isnan(*rating)) return 0;
    return static_cast<std::uint32_t>(std::upper_bound(rating_levels_.begin(), rating_levels_.end(), *rating) -
                                      rating_levels_.begin());
  }

  std::uint32_t kind_code(std::uint32_t kind) const {
    const auto place = std::lower_bound(kinds_.begin(), kinds_.end(), kind);
    return place == kinds_.end() || *place != kind ? 0 : 1 + static_cast<std::uint32_t>(place - kinds_.begin());
  }

  ContextInputs inputs_;
  std::int64_t ticks_per_second_ = 1;
  std::vector<float> rating_levels_;
  std::vector<std::uint32_t> kinds_;
};

}  // namespace lstmrec

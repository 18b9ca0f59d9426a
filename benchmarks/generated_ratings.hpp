#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <lstmrec/core/random.hpp>
#include <stdexcept>
#include <string>

/// A format of MovieLens as the benchmarks write it.
struct RatingsFormat {
  const char* name;       ///< As MovieLens calls the file.
  const char* separator;  ///< Between fields.
  const char* header;     ///< First line, or "".
  bool half_stars;        ///< Ratings 0.5, 1.0, …, 5.0 instead of 1, …, 5.
};
inline constexpr std::array<RatingsFormat, 3> ratings_formats{
    {{"u.data", "\t", "", false},
     {"ratings.dat", "::", "", false},
     {"ratings.csv", ",", "userId,movieId,rating,timestamp\n", true}}};

/// Writes ratings in the shape of MovieLens 32M (200 948 users of at least 20 events and 84 432 items at 32 million
/// rows, fewer of both for fewer rows): user after user, an item's frequency falls with its rank as Zipf's law says,
/// item ids have gaps and lie without regard to frequency, and a user's events come within some months, not in time
/// order.
inline void write_ratings(const std::filesystem::path& path, const RatingsFormat& format, std::uint64_t rows) {
  const std::uint64_t users = std::max<std::uint64_t>(1, rows * 200948 / 32000000);
  const auto items = static_cast<std::uint64_t>(84432 * std::pow(static_cast<double>(rows) / 32e6, .8)) + 1;
  lstmrec::Random random(1);
  std::ofstream file(path, std::ios::binary);
  std::string text = format.header;
  const auto number = [&text](std::uint64_t value) {
    char digits[20];
    text.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  };
  std::uint64_t rows_left = rows;
  for (std::uint64_t user = 1; user <= users; ++user) {
    const std::uint64_t users_left = users - user;
    const double mean = static_cast<double>(rows_left) / static_cast<double>(users_left + 1);
    const auto more = static_cast<std::uint64_t>(std::max(0.0, mean - 20) * -std::log(1 - random.uniform()));
    const std::uint64_t count =
        users_left == 0 ? rows_left : std::clamp<std::uint64_t>(20 + more, 1, rows_left - 20 * users_left);
    rows_left -= count;
    const std::uint64_t first_time = 789652009 + random.below(890000000);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto rank = static_cast<std::uint64_t>(std::pow(static_cast<double>(items), random.uniform())) - 1;
      number(user);
      text += format.separator;
      number(1 + rank * 40503 % items * 17 / 5);
      text += format.separator;
      if (format.half_stars) {
        const std::uint64_t halves = 1 + random.below(10);
        number(halves / 2);
        text += halves % 2 == 0 ? ".0" : ".5";
      } else {
        number(1 + random.below(5));
      }
      text += format.separator;
      number(first_time + random.below(10000000));
      text += '\n';
    }
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
    text.clear();
  }
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

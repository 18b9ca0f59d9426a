#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <lstmrec/io/text.hpp>

namespace lstmrec::detail {

/// The fields of a line of ratings.
struct PlainRating {
  std::int64_t user = 0, item = 0, time = 0;
  float rating = 0;
};

/// Takes lines of ratings from a text, but only plain ones: user, item, rating and time in this order with nothing but
/// the separator between, integers of 1 to 18 digits (ids without zeros before them), ratings of one digit or of two
/// with a point between, "\n" or "\r\n" behind. Returns false for other lines; the caller then reads them with
/// the full parser, which accepts every plain line too, with the same result, and reports errors.
/// The text ends with a zero byte, and seven bytes more can be read. On big-endian machines no line is plain.
class PlainRatings {
 public:
  PlainRatings(const char* text, Separator separator) : at_(text), separator_(separator) {}

  /// Takes the next line; false, and end() stays, where it isn't plain.
  bool next(PlainRating& line) {
    const char* const begin = at_;
    if (std::endian::native == std::endian::little && take_user(line.user) && take_id(line.item) && take_separator() &&
        take_rating(line.rating) && take_separator() && take_integer(line.time) && take_line_end()) {
      return true;
    }
    at_ = begin;
    return false;
  }

  /// Behind the last line that was taken.
  const char* end() const { return at_; }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  bool take(char c) {
    if (*at_ != c) return false;
    ++at_;
    return true;
  }
  bool take_separator() { return take(separator_.character) && (!separator_.is_double || take(separator_.character)); }
  bool take_line_end() {
    if (*at_ == '\r') ++at_;
    return take('\n');
  }

  /// The user and the separator behind. Most logs lie user by user: where both are what they were in the line before,
  /// their size is known before they have been looked at, and the next line's bytes needn't wait for it.
  bool take_user(std::int64_t& user) {
    const char* const begin = at_;
    std::uint64_t word = 0;
    std::memcpy(&word, at_, sizeof word);
    if ((word & user_mask_) == user_word_) {
      at_ += user_size_;
      user = user_;
      return true;
    }
    if (!take_id(user) || !take_separator()) return false;
    if (at_ - begin <= 8) {
      user_ = user;
      user_size_ = at_ - begin;
      user_mask_ = ~std::uint64_t{0} >> (64 - 8 * user_size_);
      user_word_ = word & user_mask_;
    }
    return true;
  }

  /// An integer that is its text: none that begins with a zero but zero itself.
  bool take_id(std::int64_t& id) { return !(*at_ == '0' && is_digit(at_[1])) && take_integer(id); }

  /// The first eight digits at once, as the bytes of a word (Lemire, "Quickly parsing eight digits", 2018).
  bool take_integer(std::int64_t& value) {
    const char* const begin = at_;
    std::uint64_t word = 0;
    std::memcpy(&word, at_, sizeof word);
    word ^= 0x3030303030303030u;  // of a digit its value; of anything else more than 9
    const std::uint64_t others = ((word + 0x7676767676767676u) | word) & 0x8080808080808080u;
    const int count = std::countr_zero(others) / 8;  // up to the first other byte, which no carry has reached
    if (count == 0) return false;
    word <<= 64 - 8 * count;  // zeros before the digits, the first digit in the lowest byte
    word = (10 * word + (word >> 8)) & 0x00ff00ff00ff00ffu;
    word = (100 * word + (word >> 16)) & 0x0000ffff0000ffffu;
    word = (10000 * word + (word >> 32)) & 0x00000000ffffffffu;
    if (count < 8) {
      at_ += count;
    } else {
      for (at_ += 8; is_digit(*at_); ++at_) word = 10 * word + static_cast<std::uint64_t>(*at_ - '0');
    }
    value = static_cast<std::int64_t>(word);
    return at_ - begin <= 18;  // more might be too large
  }

  /// Both parts of the quotient are exact, so it is the float next to the decimal fraction.
  bool take_rating(float& rating) {
    if (!is_digit(*at_)) return false;
    int value = *at_++ - '0';
    if (*at_ != '.') {
      rating = static_cast<float>(value);
      return true;
    }
    if (!is_digit(at_[1])) return false;
    value = 10 * value + (at_[1] - '0');
    at_ += 2;
    rating = static_cast<float>(value) / 10;
    return true;
  }

  const char* at_;
  Separator separator_;
  std::int64_t user_ = 0;                        ///< The last user of at most eight bytes with the separator behind,
  std::ptrdiff_t user_size_ = 0;                 ///< how many bytes these are,
  std::uint64_t user_mask_ = 0, user_word_ = 1;  ///< and the bytes; at first none that there are.
};

}  // namespace lstmrec::detail

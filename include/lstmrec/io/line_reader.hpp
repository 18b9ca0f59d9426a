#pragma once

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <lstmrec/core/error.hpp>
#include <lstmrec/io/parse_number.hpp>
#include <lstmrec/io/text.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace lstmrec::detail {

/// Whether there is a file. Throws Error with the system's reason where that can't be told.
inline bool file_exists(const std::filesystem::path& path) {
  std::error_code failure;
  const bool found = std::filesystem::exists(path, failure);
  if (failure) fail<Error>({path.string(), ": ", failure.message()});
  return found;
}

/// Opens a file for reading. Throws Error with the path and the system's reason.
inline std::ifstream open_file(const std::filesystem::path& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) fail<Error>({path.string(), ": ", std::generic_category().message(errno != 0 ? errno : EIO)});
  return file;
}

/// How often a byte occurs in a file; in one of more than 2 MiB about that, rather 1% too much than too little,
/// from parts of 32 KiB that lie evenly spread.
inline std::size_t estimate_count(const std::filesystem::path& path, char byte) {
  std::ifstream file = open_file(path);
  const auto size = static_cast<std::size_t>(file.seekg(0, std::ios::end).tellg());
  std::vector<char> part(std::size_t{1} << 15);
  std::size_t looked_at = 0, found = 0;
  for (std::size_t at = 0; at < size; at += std::max(part.size(), size / 64)) {
    file.clear();  // the last part may reach past the end
    file.seekg(static_cast<std::streamoff>(at)).read(part.data(), static_cast<std::streamsize>(part.size()));
    found += static_cast<std::size_t>(std::count(part.begin(), part.begin() + file.gcount(), byte));
    looked_at += static_cast<std::size_t>(file.gcount());
  }
  if (looked_at == 0 || looked_at == size) return found;
  return static_cast<std::size_t>(1.01 * static_cast<double>(found) * static_cast<double>(size) /
                                  static_cast<double>(looked_at));
}

/// The lines of a text file, one after the other from a block of memory that is reused: no line is copied.
/// Accepts \n and \r\n, a last line without either, and a UTF-8 byte-order mark; skips empty lines.
/// Throws Error where reading fails, and ParseError where the file is binary (holds a zero byte).
class LineReader {
 public:
  /// `name`: of the file in messages; empty: its path.
  explicit LineReader(const std::filesystem::path& path, const std::string& name = {})
      : path_(name.empty() ? path.string() : name), file_(open_file(path)), buffer_((std::size_t{1} << 18) + padding) {
    refill();
    if (std::string_view(buffer_.data(), filled_).starts_with("\xef\xbb\xbf")) next_ = 3;
  }

  /// Goes to the next line that isn't empty; false where there is none.
  bool next() {
    do {
      number_ += lines_;
      lines_ = 0;
      begin_ = next_;
      if (!take_line()) return false;
    } while (line().empty());
    return true;
  }

  /// Makes line() cover the line after it too, with the line end between them; false at the end of the file.
  bool extend() { return take_line(); }

  /// Valid until the next call of next() or extend().
  std::string_view line() const {
    const bool carriage_return = end_ > begin_ && buffer_[end_ - 1] == '\r';
    return {buffer_.data() + begin_, end_ - begin_ - (carriage_return ? 1 : 0)};
  }

  /// The memory behind line(), whole lines or not, up to a zero byte. Seven bytes behind that can be read too.
  const char* ahead() const { return buffer_.data() + next_; }

  /// Whether what lies ahead may end within a line.
  bool block_is_full() const { return filled_ + padding == buffer_.size(); }

  /// Goes past `lines` whole lines of what lies ahead, which end at `end`.
  void skip(const char* end, std::size_t lines) {
    next_ = static_cast<std::size_t>(end - buffer_.data());
    lines_ += lines;
  }

  template <class Failure = ParseError>
  [[noreturn, gnu::noinline, gnu::cold]] void fail(std::initializer_list<MessagePart> what) const {
    throw Failure(path_, number_, message(what));
  }

 private:
  /// Moves end_ to the next line end.
  bool take_line() {
    std::size_t searched = next_;
    for (;;) {
      if (searched < filled_) {
        const void* found = std::memchr(buffer_.data() + searched, '\n', filled_ - searched);
        if (found != nullptr) {
          end_ = static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data());
          next_ = end_ + 1;
          ++lines_;
          return true;
        }
      }
      const std::size_t pending = filled_ - begin_;
      const bool more = refill();
      searched = pending;  // refill moved begin_ to 0
      if (more) continue;
      if (next_ >= filled_) return false;
      end_ = next_ = filled_;
      ++lines_;
      return true;
    }
  }

  /// Moves what is left of the block to its front, and reads more behind it; false at the end of the file.
  bool refill() {
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
              buffer_.begin() + static_cast<std::ptrdiff_t>(filled_), buffer_.begin());
    filled_ -= begin_;
    end_ -= begin_;
    next_ -= begin_;
    begin_ = 0;
    if (filled_ + padding == buffer_.size()) buffer_.resize(2 * filled_ + padding);  // a line longer than the block
    errno = 0;
    file_.read(buffer_.data() + filled_, static_cast<std::streamsize>(buffer_.size() - padding - filled_));
    if (file_.bad()) detail::fail<Error>({path_, ": ", std::generic_category().message(errno != 0 ? errno : EIO)});
    const auto count = static_cast<std::size_t>(file_.gcount());
    if (count > 0) check_text(filled_, count);
    filled_ += count;
    buffer_[filled_] = '\0';
    return count > 0;
  }

  void check_text(std::size_t offset, std::size_t count) {
    const char* block = buffer_.data();
    const void* zero = std::memchr(block + offset, '\0', count);
    if (zero == nullptr) return;
    const auto newlines = std::count(block + next_, static_cast<const char*>(zero), '\n');
    throw ParseError(path_, number_ + lines_ + static_cast<std::size_t>(newlines), "expected text, got binary data");
  }

  static constexpr std::size_t padding = 8;  ///< Bytes of the buffer that are never filled: see ahead().

  std::string path_;
  std::ifstream file_;
  std::vector<char> buffer_;
  std::size_t filled_ = 0;                      ///< Bytes of the buffer that hold data.
  std::size_t begin_ = 0, end_ = 0, next_ = 0;  ///< The line is [begin_, end_); the one after it begins at next_.
  std::size_t number_ = 1, lines_ = 0;          ///< Where line() begins, counted from 1, and how many lines it covers.
};

/// A field as a 64-bit integer; `name` says in the message what it should be.
inline std::int64_t parse_integer(const LineReader& reader, std::string_view field, const char* name) {
  std::int64_t value = 0;
  const char* end = field.data() + field.size();
  const auto [stop, failure] = std::from_chars(field.data(), end, value);
  if (failure == std::errc{} && stop == end) return value;
  const bool too_large = failure == std::errc::result_out_of_range && stop == end;
  reader.fail({"expected ", too_large ? "a 64-bit integer" : "an integer", " as ", name, ", got ", excerpt(field)});
}

/// A field that has to be an integer as it stands, as it is the text of an id.
inline std::string_view integer_text(const LineReader& reader, std::string_view field, const char* name) {
  const std::string_view digits = field.substr(field.starts_with('-') ? 1 : 0);
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos)
    reader.fail({"expected an integer as ", name, ", got ", excerpt(field)});
  return field;
}

/// A field as a finite number.
inline float parse_rating(const LineReader& reader, std::string_view field) {
  float value = 0;
  if (parse_number(field, value) && std::isfinite(value)) return value;
  reader.fail({"expected a finite number as rating, got ", excerpt(field)});
}

}  // namespace lstmrec::detail

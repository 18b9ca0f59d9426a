#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <lstmrec/core/guards.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace lstmrec {

namespace detail {

/// A part of a message: a text, which is borrowed, or a number, of which a fraction is written as by "%g".
class MessagePart {
 public:
  MessagePart(std::string_view text) : text_(text) {}
  MessagePart(const std::string& text) : text_(text) {}
  MessagePart(const char* text) : text_(text) {}
  template <std::integral Integer>
  MessagePart(Integer number) : MessagePart(static_cast<std::uint64_t>(number), std::is_signed_v<Integer>) {}
  [[gnu::noinline, gnu::cold]] MessagePart(double number)
      : text_(digits_, std::to_chars(digits_, digits_ + sizeof digits_, number, std::chars_format::general, 6).ptr) {}
  MessagePart(const MessagePart&) = delete;
  MessagePart& operator=(const MessagePart&) = delete;

  std::string_view text() const { return text_; }

 private:
  [[gnu::noinline, gnu::cold]] MessagePart(std::uint64_t number, bool is_signed)
      : text_(digits_, is_signed
                           ? std::to_chars(digits_, digits_ + sizeof digits_, static_cast<std::int64_t>(number)).ptr
                           : std::to_chars(digits_, digits_ + sizeof digits_, number).ptr) {}

  std::string_view text_;
  char digits_[24];
};

/// The parts one after the other. It takes much less time to compile than a sum of strings.
[[gnu::noinline]] inline std::string message(std::initializer_list<MessagePart> parts) {
  std::string text;
  for (const MessagePart& part : parts) text += part.text();
  return text;
}

LSTMREC_BEGIN_THROWING

/// Throws an E with this message. Without exceptions, where only the layers of nn.hpp can be used, the program ends.
template <class E>
[[noreturn, gnu::noinline, gnu::cold]] void fail(std::initializer_list<MessagePart> parts) {
#ifdef __cpp_exceptions
  throw E(message(parts));
#else
  std::fputs(message(parts).c_str(), stderr);
  std::abort();
#endif
}

LSTMREC_END_THROWING

}  // namespace detail

// | what is wrong | what happens |
// |---|---|
// | what comes from outside: files, ids, options, data that do not suffice | an Error of one of the types below |
// | a caller's bug: an index, a shape, a model and data that do not belong together | std::logic_error, or an assert |
// | memory or threads that the system does not give | std::bad_alloc, std::system_error |

/// The base of what goes wrong outside the program. The message says where and what.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A line of an input file that does not have the expected form: `path:line: what was expected and found`.
class ParseError : public Error {
 public:
  ParseError(std::string path, std::size_t line, const std::string& what)
      : Error(detail::message({path, ":", line, ": ", what})), path_(std::move(path)), line_(line) {}

  const std::string& path() const { return path_; }
  std::size_t line() const { return line_; }  ///< Counted from 1.

 private:
  std::string path_;
  std::size_t line_;
};

/// A configuration or an option outside its range; names the rule and the value.
class ConfigError : public Error {
 public:
  using Error::Error;
};

/// An id that a model or a log does not know.
class UnknownId : public Error {
 public:
  using Error::Error;
};

/// Data that do not suffice for what is asked of them, such as a log without ratings.
class DataError : public Error {
 public:
  using Error::Error;
};

/// A model file that is truncated, hostile or of another kind; names the tensor, the expected and the found.
class ModelFileError : public Error {
 public:
  using Error::Error;
};

/// The loss or a gradient stopped being finite.
class TrainingDiverged : public Error {
 public:
  using Error::Error;
};

/// Throws ConfigError with the rule and the value unless the rule holds.
template <class Value>
void require(bool holds, const char* rule, const Value& value) {
  if (!holds) detail::fail<ConfigError>({rule, ", got ", value});
}

}  // namespace lstmrec

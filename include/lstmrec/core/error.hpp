#pragma once

#include <cstddef>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace lstmrec {

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
      : Error(path + ":" + std::to_string(line) + ": " + what), path_(std::move(path)), line_(line) {}

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
  if (holds) return;
  std::ostringstream message;
  message << rule << ", got " << value;
  throw ConfigError(message.str());
}

}  // namespace lstmrec

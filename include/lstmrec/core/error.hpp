#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>

namespace lstmrec {

/// The base of what goes wrong outside the program: files, models, training. The message says where and what.
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

}  // namespace lstmrec

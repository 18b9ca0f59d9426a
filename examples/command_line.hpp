#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace example {

/// Exit codes beside 0. A shell reports 130 of a program that Ctrl-C ended, and 143 of one that SIGTERM ended.
enum ExitCode { failed = 1, wrong_usage = 2, refused = 3, interrupted = 130, terminated = 143 };

/// A text from a file, fit for a terminal: control characters, which could move the cursor, become spaces.
std::string printable(std::string_view text);

/// The columns of a terminal that a file descriptor is, as COLUMNS or the system says; without either 0.
std::size_t terminal_columns(int descriptor);

/// A text with line ends in place of spaces, so that no line has more columns; lines that are broken go on under
/// `indent` spaces. A word that is longer is broken after a comma, if it has one.
std::string wrapped(const std::string& text, std::size_t columns, std::size_t indent = 0);

/// The command line of an example program: a part of CLI11, under its names. CLI11 takes longer to compile than a
/// program here, so it is compiled once, in command_line.cpp.
class CommandLine {
 public:
  class Option {
   public:
    explicit Option(CLI::Option* option) : option_(option) {}

    Option required() const;
    Option capture_default_str() const;
    Option needs(Option other) const;
    Option excludes(Option other) const;
    Option take_all() const;                      ///< Of an option that is given several times.
    Option group(const std::string& name) const;  ///< Without a name it is not listed.
    Option one_of(const std::vector<std::string>& texts) const;
    Option range(int low, int high) const;
    Option positive() const;
    /// `problem`: says what is wrong with the text that was given, or returns an empty text.
    Option check(const std::function<std::string(const std::string&)>& problem) const;

   private:
    CLI::Option* option_;
  };

  explicit CommandLine(const std::string& description);
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;
  ~CommandLine();

  /// If an option is given twice, its last value counts. This holds for the options that are added after this call.
  void take_last();
  /// The types of values are listed at the end of command_line.cpp. A path that is given may not be empty, as that of
  /// an unset variable is.
  template <class Value>
  Option add_option(const std::string& name, Value& value, const std::string& help);
  template <class Value>
  Option add_option_function(const std::string& name, const std::function<void(const Value&)>& given,
                             const std::string& help);
  Option add_flag(const std::string& name, bool& value, const std::string& help);

  /// Runs a program: parses its arguments, calls body(), which returns the exit code, and turns whatever it throws into
  /// one line on standard error and a non-zero exit code.
  int run(int argc, char** argv, const std::function<int()>& body);

 private:
  std::unique_ptr<CLI::App> app_;
};

}  // namespace example

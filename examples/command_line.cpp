#include "command_line.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <lstmrec/train/progress.hpp>
#include <new>
#include <optional>
#include <type_traits>

namespace example {

std::string printable(std::string_view text) {
  std::string result(text);
  for (std::size_t k = 0; k < result.size(); ++k) {
    const auto byte = static_cast<unsigned char>(result[k]);
    if (byte < 0x20 || byte == 0x7f) result[k] = ' ';
    // U+0080 … U+009F, in UTF-8
    if (k > 0 && result[k - 1] == '\xc2' && byte >= 0x80 && byte < 0xa0) result[k - 1] = result[k] = ' ';
  }
  return result;
}

std::size_t terminal_columns(int descriptor) {
  winsize window = {};
  if (isatty(descriptor) == 0) return 0;
  if (const char* const columns = std::getenv("COLUMNS"); columns != nullptr && std::atoi(columns) > 0)
    return static_cast<std::size_t>(std::atoi(columns));
  return ioctl(descriptor, TIOCGWINSZ, &window) == 0 ? window.ws_col : 0;
}

std::string wrapped(const std::string& text, std::size_t columns, std::size_t indent) {
  std::string result;
  std::size_t begin = 0;
  for (std::size_t line_indent = 0; begin < text.size();) {
    const std::size_t line_end = std::min(text.find('\n', begin), text.size());
    const std::size_t room = columns - std::min(columns - 1, line_indent);
    std::size_t end = line_end;
    if (end - begin > room) {
      const std::size_t space = text.rfind(' ', begin + room), comma = text.rfind(',', begin + room - 1);
      const bool has_words = text.find_first_not_of(' ', begin) < space;
      if (space != std::string::npos && space > begin && has_words)
        end = space;
      else if (comma != std::string::npos && comma > begin)
        end = comma + 1;
    }
    result += std::string(line_indent, ' ') + text.substr(begin, end - begin) + '\n';
    line_indent = end == line_end ? 0 : indent;
    begin = end + (end == line_end || text[end] == ' ' ? 1 : 0);
  }
  return result;
}

using Option = CommandLine::Option;

namespace {

std::string path_problem(const std::string& text) { return text.empty() ? "expected a file, got nothing" : ""; }

template <class Value>
constexpr bool is_path =
    std::is_same_v<Value, std::filesystem::path> || std::is_same_v<Value, std::vector<std::filesystem::path>>;

}  // namespace

Option Option::required() const { return Option(option_->required()); }
Option Option::capture_default_str() const { return Option(option_->capture_default_str()); }
Option Option::needs(Option other) const { return Option(option_->needs(other.option_)); }
Option Option::excludes(Option other) const { return Option(option_->excludes(other.option_)); }
Option Option::take_all() const { return Option(option_->take_all()); }
Option Option::group(const std::string& name) const { return Option(option_->group(name)); }
Option Option::one_of(const std::vector<std::string>& texts) const {
  return Option(option_->check(CLI::IsMember(texts)));
}
Option Option::range(int low, int high) const { return Option(option_->check(CLI::Range(low, high))); }
Option Option::positive() const { return Option(option_->check(CLI::PositiveNumber)); }
Option Option::check(const std::function<std::string(const std::string&)>& problem) const {
  return Option(option_->check(problem));
}

CommandLine::CommandLine(const std::string& description) : app_(std::make_unique<CLI::App>(description)) {}
CommandLine::~CommandLine() = default;

void CommandLine::take_last() { app_->option_defaults()->take_last(); }

template <class Value>
Option CommandLine::add_option(const std::string& name, Value& value, const std::string& help) {
  const Option option(app_->add_option(name, value, help));
  return is_path<Value> ? option.check(path_problem) : option;
}

template <class Value>
Option CommandLine::add_option_function(const std::string& name, const std::function<void(const Value&)>& given,
                                        const std::string& help) {
  return Option(app_->add_option_function<Value>(name, given, help));
}

Option CommandLine::add_flag(const std::string& name, bool& value, const std::string& help) {
  return Option(app_->add_flag(name, value, help));
}

int CommandLine::run(int argc, char** argv, const std::function<int()>& body) {
  const std::string name = std::filesystem::path(argv[0]).filename().string();
  const auto fail = [&](std::string_view what, int code) {
    std::cout.flush();
    std::cerr << name << ": " << printable(what) << '\n';
    return code;
  };
  try {
    app_->parse(argc, argv);
    const int code = body();
    if (!std::cout.flush()) return fail("standard output could not be written", failed);
    return code;
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) {  // --help
      constexpr std::size_t of_explanations = 30;
      std::cout << wrapped(
          app_->help(),
          std::max<std::size_t>(60, terminal_columns(STDOUT_FILENO) > 0 ? terminal_columns(STDOUT_FILENO) : 80),
          of_explanations);
      return 0;
    }
    return fail(e.what() + std::string(" (--help lists the options)"), wrong_usage);
  } catch (const lstmrec::TrainingTerminated& e) {
    return fail(e.what(), terminated);
  } catch (const std::bad_alloc&) {
    return fail("not enough memory", failed);
  } catch (const std::exception& e) {
    return fail(e.what(), failed);
  }
}

template <class Value>
using Given = std::function<void(const Value&)>;

template Option CommandLine::add_option(const std::string&, float&, const std::string&);
template Option CommandLine::add_option(const std::string&, double&, const std::string&);
template Option CommandLine::add_option(const std::string&, unsigned long&, const std::string&);
template Option CommandLine::add_option(const std::string&, unsigned long long&, const std::string&);
template Option CommandLine::add_option(const std::string&, std::string&, const std::string&);
template Option CommandLine::add_option(const std::string&, std::filesystem::path&, const std::string&);
template Option CommandLine::add_option(const std::string&, std::optional<double>&, const std::string&);
template Option CommandLine::add_option(const std::string&, std::optional<long>&, const std::string&);
template Option CommandLine::add_option(const std::string&, std::optional<long long>&, const std::string&);
template Option CommandLine::add_option(const std::string&, std::optional<std::string>&, const std::string&);
template Option CommandLine::add_option(const std::string&, std::vector<std::string>&, const std::string&);
template Option CommandLine::add_option(const std::string&, std::vector<std::filesystem::path>&, const std::string&);
template Option CommandLine::add_option_function(const std::string&, const Given<bool>&, const std::string&);
template Option CommandLine::add_option_function(const std::string&, const Given<float>&, const std::string&);
template Option CommandLine::add_option_function(const std::string&, const Given<double>&, const std::string&);
template Option CommandLine::add_option_function(const std::string&, const Given<long>&, const std::string&);
template Option CommandLine::add_option_function(const std::string&, const Given<long long>&, const std::string&);
template Option CommandLine::add_option_function(const std::string&, const Given<unsigned long>&, const std::string&);
template Option CommandLine::add_option_function(const std::string&, const Given<unsigned long long>&,
                                                 const std::string&);
template Option CommandLine::add_option_function(const std::string&, const Given<std::string>&, const std::string&);

}  // namespace example

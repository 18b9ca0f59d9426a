#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace example {

/// The names that objects have in the first lines of a text of JSON objects, one a line, in the order in which they
/// come. Throws Error where this program was built without nlohmann/json.
std::vector<std::string> json_columns(std::string_view text);

/// Turns lines of JSON into lines of fields separated by tabs: see TableFile.
class JsonLines {
 public:
  /// `write`: false: nobody reads any longer.
  JsonLines(std::vector<std::string> columns, std::function<bool(const char*, std::size_t)> write);

  /// Takes the next bytes of the text; returns what `write` returns.
  bool add(const char* data, std::size_t size);
  /// The last line may have no end.
  void end();

 private:
  void convert(std::string_view line);

  std::vector<std::string> columns_, fields_;
  std::function<bool(const char*, std::size_t)> write_;
  std::string rest_, out_;  ///< A line that has not ended, and lines to be written.
};

}  // namespace example

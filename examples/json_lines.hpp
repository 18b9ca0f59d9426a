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

/// Whether a text begins like one JSON object of items and lists, `{"4": [1, 2], "145": [1, 6]}`.
bool is_object_of_lists(std::string_view beginning);

/// Turns lines of JSON into lines of fields separated by tabs: see TableFile.
class JsonLines {
 public:
  /// `write`: false: nobody reads any longer. `is_one_object`: the text is one object of items and lists, of which each
  /// pair becomes a line of two fields.
  JsonLines(std::vector<std::string> columns, bool is_one_object, std::function<bool(const char*, std::size_t)> write);

  /// Takes the next bytes of the text; returns what `write` returns.
  bool add(const char* data, std::size_t size);
  /// The last line may have no end.
  void end();

 private:
  void convert(std::string_view line);
  void convert_object(std::string_view text);

  std::vector<std::string> columns_, fields_;
  bool is_one_object_;
  std::function<bool(const char*, std::size_t)> write_;
  std::string rest_, out_;  ///< A line that has not ended, and lines to be written.
};

}  // namespace example

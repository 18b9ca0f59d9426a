#pragma once

#include <exception>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace example {

/// A file of a table as one that can be read as delimited lines. It may be compressed by gzip or zstd, and it may hold
/// JSON objects, one a line; both are told by the first bytes. A thread decompresses and converts it into a pipe while
/// it is read.
///
/// The columns of JSON are the names that the objects of the first lines have; a name within another object is written
/// `a.b`. Each object becomes one line of as many fields separated by tabs: texts and numbers stand as they are
/// written, arrays are joined by bars, and a value that is missing or null is an empty field. A line that is no object
/// becomes one field, which says so. A file of one object of items and lists, `{"4": [1, 2], "145": [1, 6]}`, has a
/// line and the columns `item` and `categories` for each pair.
class TableFile {
 public:
  /// Throws Error where the file is compressed, or of JSON, and this program was built without the library for it.
  explicit TableFile(const std::filesystem::path& file);
  TableFile(const TableFile&) = delete;
  TableFile& operator=(const TableFile&) = delete;
  ~TableFile();

  /// The file itself where there is nothing to convert.
  const std::filesystem::path& path() const { return path_; }
  /// The names of the columns of JSON, else empty.
  const std::vector<std::string>& columns() const { return columns_; }
  /// To be called when nobody reads any longer. Throws Error where the file is damaged or cut short.
  void finish();

 private:
  void close();

  std::filesystem::path path_;
  std::vector<std::string> columns_;
  int pipe_ = -1, written_ = -1;  ///< The end that is read, and the other.
  std::thread writer_;
  std::exception_ptr failure_;
};

}  // namespace example

#pragma once

#include <exception>
#include <filesystem>
#include <thread>

namespace example {

/// A file that may be compressed by gzip or zstd, told by its first bytes, as one that can be read as it is: a thread
/// decompresses it into a pipe while it is read.
class DecompressedFile {
 public:
  /// Throws Error where the file is compressed in a way that this program was built without.
  explicit DecompressedFile(const std::filesystem::path& file);
  DecompressedFile(const DecompressedFile&) = delete;
  DecompressedFile& operator=(const DecompressedFile&) = delete;
  ~DecompressedFile();

  bool is_compressed() const { return writer_.joinable(); }
  /// The file itself where it is not compressed.
  const std::filesystem::path& path() const { return path_; }
  /// To be called when nobody reads any longer. Throws Error where the file is damaged or cut short.
  void finish();

 private:
  void close();

  std::filesystem::path path_;
  int pipe_ = -1;  ///< The end that is read.
  std::thread writer_;
  std::exception_ptr failure_;
};

}  // namespace example

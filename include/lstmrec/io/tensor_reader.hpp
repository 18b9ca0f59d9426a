#pragma once

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/function_ref.hpp>
#include <lstmrec/io/safetensors_header.hpp>
#include <lstmrec/io/system_reason.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

static_assert(sizeof(std::size_t) >= 8, "lstmrec's files need a 64-bit system; the layers of lstmrec/nn.hpp do not");

namespace lstmrec {

/// A safetensors file that is open for reading: text by key, tensors by name. A tensor is read when it is asked for,
/// into the memory where it is wanted, so that loading a model takes no more memory than the model.
///
///     TensorReader file("model.safetensors");
///     file.expect_shape("items.counts", {items});
///     const auto counts = file.get<std::uint32_t>("items.counts");
///
/// Everything that is wrong with the file is a ModelFileError that names the tensor. A file that has checksums, as
/// TensorWriter's have, is held against them; one without any, as another program writes it, is taken as it is.
class TensorReader {
 public:
  /// Opens a file and reads its header. Sizes are checked against the file's length before anything is allocated.
  /// Throws Error where the file can't be opened and ModelFileError where it is no such file.
  explicit TensorReader(const std::filesystem::path& path) : path_(path.string()) {
    std::error_code failure;
    const auto status = std::filesystem::status(path, failure);
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
      detail::fail<Error>({path_, ": cannot be read: it is ",
                           std::filesystem::is_directory(status) ? "a directory" : "not a regular file"});
    errno = 0;
    in_.open(path, std::ios::binary);
    if (!in_) detail::fail<Error>({path_, ": cannot be read: ", detail::system_reason()});
    const std::uint64_t length = std::filesystem::file_size(path, failure);
    if (failure) detail::fail<Error>({path_, ": cannot be read: ", failure.message()});
    std::uint64_t size = 0;
    if (length < sizeof size)
      detail::fail<ModelFileError>({path_, ": expected a safetensors file, found ", length, " bytes"});
    read(reinterpret_cast<char*>(&size), sizeof size, "");
    if (size > length - sizeof size)
      detail::fail<ModelFileError>(
          {path_, ": expected a safetensors file, found a header of ", size, " bytes in a file of ", length});
    std::string text(size, '\0');
    read(text.data(), size, "");
    try {
      header_ = read_safetensors_header(text);
    } catch (const ModelFileError& error) {
      detail::fail<ModelFileError>({path_, ": header: ", error.what()});
    }
    tensors_begin_ = sizeof size + size;
    const std::string* const found = this->text(detail::checksum_key());
    // Any key that begins with "checksum" says that there are some: the header's own may be what is damaged.
    has_checksums_ =
        found != nullptr || header_.metadata.lower_bound("checksum") != header_.metadata.lower_bound("checksun");
    if (has_checksums_) expect_checksum("header", found, detail::checksum_of(header_));
    check_safetensors_header(header_, length - tensors_begin_, path_);
  }

  const std::string& path() const { return path_; }  ///< For messages.
  const SafetensorsHeader& header() const& { return header_; }
  SafetensorsHeader header() && { return std::move(header_); }

  /// The metadata's text of a key; null where there is none.
  const std::string* text(const std::string& key) const& {
    const auto found = header_.metadata.find(key);
    return found == header_.metadata.end() ? nullptr : &found->second;
  }
  const std::string* text(const std::string&) const&& = delete;

  bool contains(const std::string& name) const { return header_.tensors.contains(name); }

  /// A tensor as the header describes it. Throws ModelFileError where there is no such tensor.
  const TensorInfo& tensor(const std::string& name) const& {
    const auto found = header_.tensors.find(name);
    if (found == header_.tensors.end()) detail::fail<ModelFileError>({path_, ": the tensor ", name, " is missing"});
    return found->second;
  }
  const TensorInfo& tensor(const std::string&) const&& = delete;

  /// Throws ModelFileError unless the tensor has exactly this shape.
  void expect_shape(const std::string& name, const std::vector<std::uint64_t>& shape) const {
    const TensorInfo& found = tensor(name);
    if (found.shape != shape)
      detail::fail<ModelFileError>({path_, ": ", name, ": expected shape ", detail::shape_text(shape, ", "), ", found ",
                                    detail::shape_text(found.shape, ", ")});
  }

  /// The numbers of a tensor. Throws ModelFileError where it is missing or holds another type.
  template <class T>
  std::vector<T> get(const std::string& name) {
    std::vector<T> values(count(name, sizeof(T)));
    get_into(name, std::span(values));
    return values;
  }

  /// Reads a tensor into memory that has its size.
  template <class T>
  void get_into(const std::string& name, std::span<T> values) {
    get_bytes(name, detail::dtype_of<T>(), std::as_writable_bytes(values));
  }

  /// The tensor of I64 that says where parts begin and the last one ends: rises from 0 to `end`. Throws ModelFileError
  /// where it does not.
  std::vector<std::size_t> get_offsets(const std::string& name, std::uint64_t end) {
    std::vector<std::size_t> offsets(count(name, sizeof(std::int64_t)));
    get_bytes(name, detail::dtype_of<std::int64_t>(), std::as_writable_bytes(std::span(offsets)));
    if (offsets.empty() || offsets.front() != 0 || offsets.back() != end ||
        !std::is_sorted(offsets.begin(), offsets.end()))
      detail::fail<ModelFileError>({path_, ": ", name, ": expected to rise from 0 to ", end});
    return offsets;
  }

  /// Reads the bytes of a tensor of this type.
  void get_bytes(const std::string& name, const char* dtype, std::span<std::byte> bytes) {
    const TensorInfo& found = tensor(name);
    if (found.dtype != dtype)
      detail::fail<ModelFileError>({path_, ": ", name, ": expected ", dtype, ", found ", found.dtype});
    assert(bytes.size() == found.end - found.begin);
    in_.seekg(static_cast<std::streamoff>(tensors_begin_ + found.begin));
    read(reinterpret_cast<char*>(bytes.data()), bytes.size(), name);
    if (has_checksums_) expect_checksum(name, text(detail::checksum_key(name)), checksum_text(bytes));
  }

 private:
  void expect_checksum(const std::string& what, const std::string* expected, const std::string& found) const {
    if (expected == nullptr || *expected != found)
      detail::fail<ModelFileError>({path_, ": ", what, ": expected the checksum ",
                                    expected == nullptr ? "of what was written" : *expected, ", found ", found,
                                    ": the file is damaged, or was changed without leaving out its checksums"});
  }

  std::size_t count(const std::string& name, std::size_t size) const {
    const TensorInfo& found = tensor(name);
    return (found.end - found.begin) / size;
  }

  void read(char* to, std::uint64_t size, const std::string& name) {
    in_.read(to, static_cast<std::streamsize>(size));
    if (!in_)
      detail::fail<ModelFileError>(
          {path_, name.empty() ? "" : ": ", name, ": cannot be read: ", detail::system_reason()});
  }

  std::string path_;
  std::ifstream in_;
  SafetensorsHeader header_;
  bool has_checksums_ = false;
  std::uint64_t tensors_begin_ = 0;  ///< The place in the file from which offsets count.
};

/// Calls a check of what was read from a file; the std::invalid_argument or ConfigError that it throws becomes a
/// ModelFileError that names the file and `what`.
inline void check_read(const TensorReader& file, const std::string& what, FunctionRef<void()> check) {
  const auto fail = [&](const std::exception& error) {
    detail::fail<ModelFileError>({file.path(), ": ", what, error.what()});
  };
  try {
    check();
  } catch (const std::invalid_argument& error) {
    fail(error);
  } catch (const ConfigError& error) {
    fail(error);
  }
}

}  // namespace lstmrec

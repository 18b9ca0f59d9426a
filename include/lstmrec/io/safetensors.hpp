#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/io/atomic_file.hpp>
#include <lstmrec/io/safetensors_header.hpp>
#include <span>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace lstmrec {

static_assert(std::endian::native == std::endian::little,
              "safetensors files are little-endian; so must the machine be");

/// The contents of a safetensors file (https://github.com/huggingface/safetensors, format description): text by key,
/// tensors by name.
///
/// A rows × columns matrix here is the tensor [columns, rows] there, without any copying of elements about: these
/// matrices are column-major and those tensors row-major. So a table of item vectors, one a column, is the usual
/// [items, size], and a weight is [input, output].
struct TensorFile : SafetensorsHeader {
  std::string path;  ///< For messages.

  template <class T>
  void put(const std::string& name, std::vector<std::uint64_t> shape, std::span<T> values) {
    put_bytes(name, dtype_of<std::remove_const_t<T>>(), std::move(shape), std::as_bytes(values));
  }

  /// The metadata's text of a key; null where there is none.
  const std::string* text(const std::string& key) const {
    const auto found = metadata.find(key);
    return found == metadata.end() ? nullptr : &found->second;
  }

  /// Throws ModelFileError where there is no such tensor.
  const Tensor& tensor(const std::string& name) const {
    const auto found = tensors.find(name);
    if (found == tensors.end()) detail::fail<ModelFileError>({path, ": the tensor ", name, " is missing"});
    return found->second;
  }

  /// The numbers of a tensor. Throws ModelFileError where it is missing or holds another type.
  template <class T>
  std::vector<T> get(const std::string& name) const {
    std::vector<T> values(tensor(name).bytes.size() / sizeof(T));
    get_into(name, std::span(values));
    return values;
  }

  /// `get` into memory that has the tensor's size.
  template <class T>
  void get_into(const std::string& name, std::span<T> values) const {
    get_bytes(name, dtype_of<T>(), std::as_writable_bytes(values));
  }

  /// Throws ModelFileError unless the tensor has exactly this shape.
  void expect_shape(const std::string& name, const std::vector<std::uint64_t>& shape) const {
    const Tensor& found = tensor(name);
    if (found.shape != shape)
      detail::fail<ModelFileError>({path, ": ", name, ": expected shape ", detail::shape_text(shape, ", "), ", found ",
                                    detail::shape_text(found.shape, ", ")});
  }

 private:
  void put_bytes(const std::string& name, const char* dtype, std::vector<std::uint64_t> shape,
                 std::span<const std::byte> bytes) {
    tensors[name] = {dtype, std::move(shape), {bytes.begin(), bytes.end()}};
  }

  void get_bytes(const std::string& name, const char* dtype, std::span<std::byte> bytes) const {
    const Tensor& found = tensor(name);
    if (found.dtype != dtype)
      detail::fail<ModelFileError>({path, ": ", name, ": expected ", dtype, ", found ", found.dtype});
    if (!bytes.empty()) std::memcpy(bytes.data(), found.bytes.data(), bytes.size());
  }

  template <class T>
  static constexpr const char* dtype_of() {
    if constexpr (std::is_same_v<T, float>)
      return "F32";
    else if constexpr (std::is_same_v<T, double>)
      return "F64";
    else if constexpr (std::is_same_v<T, std::int64_t>)
      return "I64";
    else if constexpr (std::is_same_v<T, std::uint32_t>)
      return "U32";
    else {
      static_assert(std::is_same_v<T, char>,
                    "tensors hold float, double, std::int64_t, std::uint32_t or bytes of text");
      return "U8";
    }
  }
};

/// Writes a safetensors file, whole or not at all (write_file_atomically). Equal contents give equal bytes.
inline void write_safetensors(const std::filesystem::path& path, const TensorFile& file) {
  std::string text = write_safetensors_header(file);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the tensors begin at a multiple of 8, as the format advises
  write_file_atomically(path, [&](std::ostream& out) {
    const std::uint64_t size = text.size();
    out.write(reinterpret_cast<const char*>(&size), sizeof size);
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    for (const auto& entry : file.tensors)
      out.write(reinterpret_cast<const char*>(entry.second.bytes.data()),
                static_cast<std::streamsize>(entry.second.bytes.size()));
  });
}

/// Reads a safetensors file. Sizes are checked against the file's length before anything is allocated.
/// Throws Error where the file can't be opened and ModelFileError, naming the tensor, where it is not what it should
/// be.
inline TensorFile read_safetensors(const std::filesystem::path& path) {
  TensorFile file;
  file.path = path.string();
  std::error_code failure;
  const auto status = std::filesystem::status(path, failure);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    detail::fail<Error>({file.path, ": cannot be read: it is ",
                         std::filesystem::is_directory(status) ? "a directory" : "not a regular file"});
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) detail::fail<Error>({file.path, ": cannot be read: ", detail::system_reason()});
  const std::uint64_t length = std::filesystem::file_size(path, failure);
  if (failure) detail::fail<Error>({file.path, ": cannot be read: ", failure.message()});
  std::uint64_t size = 0;
  if (length < sizeof size)
    detail::fail<ModelFileError>({file.path, ": expected a safetensors file, found ", length, " bytes"});
  in.read(reinterpret_cast<char*>(&size), sizeof size);
  if (size > length - sizeof size)
    detail::fail<ModelFileError>(
        {file.path, ": expected a safetensors file, found a header of ", size, " bytes in a file of ", length});
  std::string text(size, '\0');
  in.read(text.data(), static_cast<std::streamsize>(size));
  if (!in) detail::fail<ModelFileError>({file.path, ": cannot be read: ", detail::system_reason()});
  try {
    static_cast<SafetensorsHeader&>(file) = read_safetensors_header(text);
  } catch (const ModelFileError& error) {
    detail::fail<ModelFileError>({file.path, ": header: ", error.what()});
  }
  const std::uint64_t begin = sizeof size + size;
  check_safetensors_header(file, length - begin, file.path);
  for (auto& [name, tensor] : file.tensors) {
    tensor.bytes.resize(tensor.end - tensor.begin);
    in.seekg(static_cast<std::streamoff>(begin + tensor.begin));
    in.read(reinterpret_cast<char*>(tensor.bytes.data()), static_cast<std::streamsize>(tensor.bytes.size()));
    if (!in) detail::fail<ModelFileError>({file.path, ": ", name, ": cannot be read: ", detail::system_reason()});
  }
  return file;
}

}  // namespace lstmrec

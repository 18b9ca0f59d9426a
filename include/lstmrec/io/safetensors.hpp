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
#include <map>
#include <span>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace lstmrec {

static_assert(std::endian::native == std::endian::little,
              "safetensors files are little-endian; so must the machine be");

/// A named array of a safetensors file. Sizes are the format's: the last one is contiguous.
struct Tensor {
  std::string dtype;  ///< F32, F64, I64, U32, U8 …
  std::vector<std::uint64_t> shape;
  std::vector<std::byte> bytes;
};

/// The contents of a safetensors file (https://github.com/huggingface/safetensors, format description): text by key,
/// tensors by name.
///
/// A rows × columns matrix here is the tensor [columns, rows] there, without any copying of elements about: these
/// matrices are column-major and those tensors row-major. So a table of item vectors, one a column, is the usual
/// [items, size], and a weight is [input, output].
struct TensorFile {
  std::map<std::string, std::string> metadata;
  std::map<std::string, Tensor> tensors;
  std::string path;  ///< For messages.

  template <class T>
  void put(const std::string& name, std::vector<std::uint64_t> shape, std::span<T> values) {
    const auto bytes = std::as_bytes(values);
    tensors[name] = {dtype_of<std::remove_const_t<T>>(), std::move(shape), {bytes.begin(), bytes.end()}};
  }

  /// Throws ModelFileError where there is no such tensor.
  const Tensor& tensor(const std::string& name) const {
    const auto found = tensors.find(name);
    if (found == tensors.end()) throw ModelFileError(path + ": the tensor " + name + " is missing");
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
    const Tensor& found = tensor(name);
    if (found.dtype != dtype_of<T>())
      throw ModelFileError(path + ": " + name + ": expected " + dtype_of<T>() + ", found " + found.dtype);
    if (!values.empty()) std::memcpy(values.data(), found.bytes.data(), values.size() * sizeof(T));
  }

  /// Throws ModelFileError unless the tensor has exactly this shape.
  void expect_shape(const std::string& name, const std::vector<std::uint64_t>& shape) const {
    const Tensor& found = tensor(name);
    if (found.shape != shape)
      throw ModelFileError(path + ": " + name + ": expected shape " + shape_text(shape) + ", found " +
                           shape_text(found.shape));
  }

  template <class T>
  static std::string dtype_of() {
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

  static std::string shape_text(const std::vector<std::uint64_t>& shape) {
    std::string text = "[";
    for (const auto size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
    return text + "]";
  }
};

/// Writes a safetensors file, whole or not at all (write_file_atomically). Equal contents give equal bytes.
inline void write_safetensors(const std::filesystem::path& path, const TensorFile& file) {
  SafetensorsHeader header{file.metadata, {}};
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : file.tensors) {
    header.tensors[name] = {tensor.dtype, tensor.shape, offset, offset + tensor.bytes.size()};
    offset += tensor.bytes.size();
  }
  std::string text = write_safetensors_header(header);
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
  const std::string name = path.string();
  const auto fail = [&](const std::string& what) { throw ModelFileError(name + ": " + what); };
  std::error_code failure;
  const auto status = std::filesystem::status(path, failure);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    throw Error(name + ": cannot be read: it is " +
                (std::filesystem::is_directory(status) ? "a directory" : "not a regular file"));
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(name + ": cannot be read: " + detail::system_reason());
  const std::uint64_t length = std::filesystem::file_size(path, failure);
  if (failure) throw Error(name + ": cannot be read: " + failure.message());
  std::uint64_t header_size = 0;
  if (length < sizeof header_size) fail("expected a safetensors file, found " + std::to_string(length) + " bytes");
  in.read(reinterpret_cast<char*>(&header_size), sizeof header_size);
  if (header_size > length - sizeof header_size)
    fail("expected a safetensors file, found a header of " + std::to_string(header_size) + " bytes in a file of " +
         std::to_string(length));
  std::string text(header_size, '\0');
  in.read(text.data(), static_cast<std::streamsize>(header_size));
  if (!in) fail("cannot be read: " + detail::system_reason());
  SafetensorsHeader header;
  try {
    header = read_safetensors_header(text);
  } catch (const ModelFileError& error) {
    fail(std::string("header: ") + error.what());
  }
  const std::uint64_t begin = sizeof header_size + header_size;
  check_safetensors_header(header, length - begin, name);

  TensorFile file{std::move(header.metadata), {}, name};
  for (const auto& [tensor_name, entry] : header.tensors) {
    Tensor tensor{entry.dtype, entry.shape, std::vector<std::byte>(entry.end - entry.begin)};
    in.seekg(static_cast<std::streamoff>(begin + entry.begin));
    in.read(reinterpret_cast<char*>(tensor.bytes.data()), static_cast<std::streamsize>(tensor.bytes.size()));
    if (!in) fail(tensor_name + ": cannot be read: " + detail::system_reason());
    file.tensors.emplace(tensor_name, std::move(tensor));
  }
  return file;
}

}  // namespace lstmrec

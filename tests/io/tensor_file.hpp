#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <lstmrec/io/tensor_reader.hpp>
#include <lstmrec/io/tensor_writer.hpp>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

/// A safetensors file in memory, for tests that change one; without its checksums, which are made when it is written.
struct TensorFile {
  struct Tensor {
    std::string dtype;
    std::vector<std::uint64_t> shape;
    std::vector<std::byte> bytes;

    bool operator==(const Tensor&) const = default;
  };

  std::map<std::string, std::string> metadata;
  std::map<std::string, Tensor> tensors;

  bool operator==(const TensorFile&) const = default;

  template <class T>
  void put(const std::string& name, std::vector<std::uint64_t> shape, std::span<T> values) {
    const auto bytes = std::as_bytes(values);
    tensors[name] = {
        lstmrec::detail::dtype_of<std::remove_const_t<T>>(), std::move(shape), {bytes.begin(), bytes.end()}};
  }

  template <class T>
  std::vector<T> get(const std::string& name) const {
    const std::vector<std::byte>& bytes = tensors.at(name).bytes;
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
};

inline TensorFile read_tensor_file(const std::filesystem::path& path) {
  lstmrec::TensorReader reader(path);
  TensorFile file{reader.header().metadata, {}};
  std::erase_if(file.metadata, [](const auto& entry) { return entry.first.starts_with("checksum"); });
  for (const auto& [name, info] : reader.header().tensors) {
    TensorFile::Tensor& tensor = file.tensors[name];
    tensor = {info.dtype, info.shape, std::vector<std::byte>(info.end - info.begin)};
    reader.get_bytes(name, info.dtype.c_str(), tensor.bytes);
  }
  return file;
}

inline void write_tensor_file(const std::filesystem::path& path, const TensorFile& file) {
  lstmrec::TensorWriter writer;
  writer.metadata = file.metadata;
  for (const auto& [name, tensor] : file.tensors)
    writer.put_bytes(name, tensor.dtype.c_str(), tensor.shape, tensor.bytes);
  writer.write(path);
}

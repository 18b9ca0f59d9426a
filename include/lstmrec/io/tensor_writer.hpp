#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <lstmrec/io/atomic_file.hpp>
#include <lstmrec/io/safetensors_header.hpp>
#include <map>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace lstmrec {

/// Collects the contents of a safetensors file and writes it. Tensors are borrowed until the file is written, so that
/// saving a model takes no memory of the model's size; what exists for the file only is handed over.
///
///     TensorWriter file;
///     file.metadata["format"] = "an example";
///     file.put("table", {items, size}, std::span<const float>(table.data(), items * size));
///     file.write("model.safetensors");
class TensorWriter {
 public:
  std::map<std::string, std::string> metadata;

  /// Adds a tensor whose numbers have to live until `write`, in place of one of the same name.
  template <class T>
  void put(const std::string& name, std::vector<std::uint64_t> shape, std::span<T> values) {
    put_bytes(name, detail::dtype_of<std::remove_const_t<T>>(), std::move(shape), std::as_bytes(values));
  }

  /// Adds a tensor of one size with the numbers of a vector or string that is handed over.
  template <class Numbers>
  void put_owned(const std::string& name, Numbers&& values) requires(!std::is_lvalue_reference_v<Numbers>) {
    const auto owned = std::make_shared<Numbers>(std::move(values));
    owned_.push_back(owned);
    put(name, {owned->size()}, std::span<const typename Numbers::value_type>(*owned));
  }

  void put_bytes(const std::string& name, const char* dtype, std::vector<std::uint64_t> shape,
                 std::span<const std::byte> bytes) {
    tensors_[name] = {dtype, std::move(shape), bytes};
  }

  /// Writes the file, whole or not at all (write_file_atomically). Equal contents give equal bytes. The metadata get a
  /// checksum of every tensor, and one of all else in the header.
  void write(const std::filesystem::path& path) const {
    SafetensorsHeader header{metadata, {}};
    std::uint64_t end = 0;
    for (const auto& [name, tensor] : tensors_) {
      const std::uint64_t begin = end;
      end += tensor.bytes.size();
      header.tensors[name] = {tensor.dtype, tensor.shape, begin, end};
      header.metadata[detail::checksum_key(name)] = checksum_text(tensor.bytes);
    }
    header.metadata[detail::checksum_key()] = detail::checksum_of(header);
    std::string text = write_safetensors_header(header);
    text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the tensors begin at a multiple of 8, as the format advises
    write_file_atomically(path, [&](std::ostream& out) {
      const std::uint64_t size = text.size();
      out.write(reinterpret_cast<const char*>(&size), sizeof size);
      out.write(text.data(), static_cast<std::streamsize>(text.size()));
      for (const auto& entry : tensors_)
        out.write(reinterpret_cast<const char*>(entry.second.bytes.data()),
                  static_cast<std::streamsize>(entry.second.bytes.size()));
    });
  }

 private:
  struct Tensor {
    const char* dtype = "";
    std::vector<std::uint64_t> shape;
    std::span<const std::byte> bytes;
  };

  std::map<std::string, Tensor> tensors_;
  std::vector<std::shared_ptr<const void>> owned_;
};

}  // namespace lstmrec

#pragma once

#include <cstddef>
#include <lstmrec/core/error.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

#include "data/temporary_folder.hpp"
#include "io/tensor_file.hpp"

/// Reads the bytes as a safetensors file. Throws std::logic_error where the reader breaks a promise: it fails with a
/// ModelFileError, or gives no more bytes than the file has, in tensors that fit their shapes and survive being
/// written.
inline void read_fuzzed_safetensors(std::string_view bytes) {
  static const TemporaryFolder folder;
  const auto path = folder.write("model.safetensors", bytes);
  TensorFile file;
  try {
    file = read_tensor_file(path);
  } catch (const lstmrec::ModelFileError&) {
    return;
  }
  std::size_t sum = 0;
  for (const auto& [name, tensor] : file.tensors) sum += tensor.bytes.size();
  if (sum > bytes.size()) throw std::logic_error("more tensors than file");
  const auto copy_path = folder.path() / "copy.safetensors";
  write_tensor_file(copy_path, file);
  if (read_tensor_file(copy_path) != file) throw std::logic_error("writing and reading gives something else");
}

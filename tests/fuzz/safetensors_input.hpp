#pragma once

#include <cstddef>
#include <lstmrec/core/error.hpp>
#include <lstmrec/io/safetensors.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

#include "data/temporary_folder.hpp"

/// Reads the bytes as a safetensors file. Throws std::logic_error where the reader breaks a promise: it fails with a
/// ModelFileError, or gives no more bytes than the file has, in tensors that fit their shapes and survive being
/// written.
inline void read_fuzzed_safetensors(std::string_view bytes) {
  static const TemporaryFolder folder;
  const auto path = folder.write("model.safetensors", bytes);
  lstmrec::TensorFile file;
  try {
    file = lstmrec::read_safetensors(path);
  } catch (const lstmrec::ModelFileError&) {
    return;
  }
  std::size_t sum = 0;
  for (const auto& [name, tensor] : file.tensors) sum += tensor.bytes.size();
  if (sum > bytes.size()) throw std::logic_error("more tensors than file");
  const auto copy_path = folder.path() / "copy.safetensors";
  lstmrec::write_safetensors(copy_path, file);
  const lstmrec::TensorFile copy = lstmrec::read_safetensors(copy_path);
  bool same = copy.metadata == file.metadata && copy.tensors.size() == file.tensors.size();
  for (const auto& [name, tensor] : copy.tensors) {
    const lstmrec::Tensor& original = file.tensor(name);
    same = same && tensor.dtype == original.dtype && tensor.shape == original.shape && tensor.bytes == original.bytes;
  }
  if (!same) throw std::logic_error("writing and reading gives something else");
}

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/safetensors_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read_fuzzed_safetensors({reinterpret_cast<const char*>(data), size});
  return 0;
}

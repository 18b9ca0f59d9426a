#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <lstmrec/core/random.hpp>
#include <span>
#include <string>

namespace lstmrec {

/// A 64-bit hash of some bytes that finds accidents, not attacks: a change of one word always changes it. Four lanes
/// take a word of 8 bytes each at a time, so it runs at about the speed of memory.
inline std::uint64_t checksum(std::span<const std::byte> bytes) {
  std::uint64_t lanes[4] = {1, 2, 3, 4};
  const auto take = [&](std::size_t lane, const std::byte* word, std::size_t size) {
    std::uint64_t number = 0;
    std::memcpy(&number, word, size);
    lanes[lane] = (lanes[lane] ^ number) * 0x9e3779b97f4a7c15u;  // one to one in both, as is the next line
    lanes[lane] ^= lanes[lane] >> 32;
  };
  std::size_t place = 0;
  for (; place + 32 <= bytes.size(); place += 32)
    for (std::size_t lane = 0; lane < 4; ++lane) take(lane, bytes.data() + place + 8 * lane, 8);
  for (; place + 8 <= bytes.size(); place += 8) take(0, bytes.data() + place, 8);
  if (place < bytes.size()) take(1, bytes.data() + place, bytes.size() - place);
  return mix_seed(bytes.size(), lanes[0], lanes[1], lanes[2], lanes[3]);
}

/// The checksum as 16 hexadecimal digits.
inline std::string checksum_text(std::span<const std::byte> bytes) {
  std::string text(16, '0');
  std::uint64_t hash = checksum(bytes);
  for (std::size_t digit = 16; digit-- > 0; hash >>= 4) text[digit] = "0123456789abcdef"[hash & 15];
  return text;
}

}  // namespace lstmrec

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "lstmrec/core/random.hpp"
#include "lstmrec/data/raw_id.hpp"

namespace lstmrec {

/// Raw ids ↔ the dense indices 0, …, size − 1, in the order in which the ids first appeared.
/// Cost: O(1) a call; an id takes 40 bytes (plus a long string's own), and 8 to 16 bytes in the hash table.
class Vocabulary {
 public:
  /// The id's index, a new one where the id is new. Throws std::length_error at 2³² − 1 ids.
  std::uint32_t add(const RawId& id) {
    if (2 * (ids_.size() + 1) > slots_.size()) grow();
    std::uint32_t& slot = slots_[slot_of(id)];
    if (slot == empty) {
      if (ids_.size() >= empty) throw std::length_error("a vocabulary holds at most 4294967295 ids");
      ids_.push_back(id);
      slot = static_cast<std::uint32_t>(ids_.size() - 1);
    }
    return slot;
  }

  /// Throws std::out_of_range that names the id where it is unknown.
  std::uint32_t index(const RawId& id) const {
    if (const auto found = find(id)) return *found;
    throw std::out_of_range("unknown id " + id.text());
  }

  /// Allocates nothing where the id is an integer.
  std::optional<std::uint32_t> find(const RawId& id) const {
    if (ids_.empty()) return std::nullopt;
    const std::uint32_t slot = slots_[slot_of(id)];
    return slot == empty ? std::nullopt : std::optional(slot);
  }

  /// Throws std::out_of_range where the index is not below size().
  const RawId& id(std::uint32_t index) const { return ids_.at(index); }

  std::size_t size() const { return ids_.size(); }

 private:
  static constexpr std::uint32_t empty = std::numeric_limits<std::uint32_t>::max();

  /// Where the id is, or where it would have to go. Open addressing with linear probing, at most half full.
  std::size_t slot_of(const RawId& id) const {
    const std::uint64_t key =
        id.is_integer() ? static_cast<std::uint64_t>(id.integer()) : std::hash<std::string_view>{}(id.string());
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = static_cast<std::size_t>(mix(key)) & mask;
    while (slots_[slot] != empty && ids_[slots_[slot]] != id) slot = (slot + 1) & mask;
    return slot;
  }

  void grow() {
    slots_.assign(slots_.empty() ? 16 : 2 * slots_.size(), empty);
    for (std::size_t i = 0; i < ids_.size(); ++i) slots_[slot_of(ids_[i])] = static_cast<std::uint32_t>(i);
  }

  std::vector<RawId> ids_;
  std::vector<std::uint32_t> slots_;  ///< Indices into ids_; the size is a power of two.
};

}  // namespace lstmrec

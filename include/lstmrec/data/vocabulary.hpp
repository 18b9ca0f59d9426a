#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/data/raw_id.hpp>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

namespace lstmrec {

/// Raw ids ↔ the dense indices 0, …, size − 1, in the order in which the ids first appeared.
/// Integers from 0 to 2²⁰ − 1, which is what most logs have, are found in a table that they index themselves, all other
/// ids in a hash table. Cost: O(1) a call; 48 bytes an id (plus a long string's own), and either 4 bytes for each
/// integer up to the largest in the first table, or 8 to 16 bytes an id in the second.
class Vocabulary {
 public:
  /// The id's index, a new one where the id is new. Throws DataError at 2³² − 1 ids.
  std::uint32_t add(const RawId& id) {
    std::uint32_t& place = is_small(id) ? small_place(id) : hashed_place(id);
    if (place == none) {
      if (ids_.size() >= none) throw DataError("a vocabulary holds at most 4294967295 ids");
      ids_.push_back(id);
      place = static_cast<std::uint32_t>(ids_.size() - 1);
      if (!is_small(id)) ++hashed_count_;
    }
    return place;
  }

  /// `add` of an integer: faster for a small one that is known, of which it makes no RawId.
  std::uint32_t add(std::same_as<std::int64_t> auto id) {
    const auto number = static_cast<std::uint64_t>(id);
    if (number < small_.size() && small_[number] != none) return small_[number];
    return add(RawId(id));
  }

  /// Throws UnknownId that names the id where it is unknown.
  std::uint32_t index(const RawId& id) const {
    if (const auto found = find(id)) return *found;
    detail::fail<UnknownId>({"unknown id ", id.text()});
  }

  /// Allocates nothing where the id is an integer.
  std::optional<std::uint32_t> find(const RawId& id) const {
    std::uint32_t place = none;
    if (is_small(id)) {
      const auto number = static_cast<std::size_t>(id.integer());
      if (number < small_.size()) place = small_[number];
    } else if (!hashed_.empty()) {
      place = hashed_[slot_of(id)];
    }
    return place == none ? std::nullopt : std::optional(place);
  }

  /// Throws std::out_of_range where the index is not below size().
  const RawId& id(std::uint32_t index) const& { return ids_.at(index); }
  RawId id(std::uint32_t index) && { return std::move(ids_.at(index)); }

  std::size_t size() const { return ids_.size(); }

  /// Whether both have the same ids with the same indices. O(ids).
  friend bool operator==(const Vocabulary& a, const Vocabulary& b) { return a.ids_ == b.ids_; }

 private:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  static bool is_small(const RawId& id) { return id.is_integer() && id.integer() >= 0 && id.integer() < (1 << 20); }

  std::uint32_t& small_place(const RawId& id) {
    const auto number = static_cast<std::size_t>(id.integer());
    if (number >= small_.size()) small_.resize(number + 1, none);
    return small_[number];
  }

  std::uint32_t& hashed_place(const RawId& id) {
    if (2 * (hashed_count_ + 1) > hashed_.size()) {
      hashed_.assign(hashed_.empty() ? 16 : 2 * hashed_.size(), none);
      for (std::size_t i = 0; i < ids_.size(); ++i) {
        if (!is_small(ids_[i])) hashed_[slot_of(ids_[i])] = static_cast<std::uint32_t>(i);
      }
    }
    return hashed_[slot_of(id)];
  }

  /// Where in hashed_ the id is, or would have to go. Open addressing with linear probing, at most half full.
  std::size_t slot_of(const RawId& id) const {
    const std::uint64_t key =
        id.is_integer() ? static_cast<std::uint64_t>(id.integer()) : std::hash<std::string_view>{}(id.string());
    const std::size_t mask = hashed_.size() - 1;
    std::size_t slot = static_cast<std::size_t>(mix_seed(key)) & mask;
    while (hashed_[slot] != none && ids_[hashed_[slot]] != id) slot = (slot + 1) & mask;
    return slot;
  }

  std::vector<RawId> ids_;
  std::vector<std::uint32_t> small_;   ///< By id: its index.
  std::vector<std::uint32_t> hashed_;  ///< Indices by hash of the id; the size is a power of two.
  std::size_t hashed_count_ = 0;
};

}  // namespace lstmrec

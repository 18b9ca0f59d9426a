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
/// integer up to the largest in the first table, or 21 to 43 bytes an id in the second.
class Vocabulary {
 public:
  /// The id's index, a new one where the id is new. Throws DataError at 2³² − 1 ids.
  std::uint32_t add(const RawId& id) {
    if (is_small(id)) {
      const auto number = static_cast<std::size_t>(id.integer());
      if (number >= small_.size()) small_.resize(number + 1, none);
      if (small_[number] == none) small_[number] = append(id);
      return small_[number];
    }
    return add_hashed(key_of(id), [&] { return id; });
  }

  /// `add` of an integer: faster where it is known, as no RawId is made.
  std::uint32_t add(std::same_as<std::int64_t> auto id) {
    const auto number = static_cast<std::uint64_t>(id);
    if (number < small_.size() && small_[number] != none) return small_[number];
    if (number < small_end) return add(RawId(id));
    return add_hashed({number, {}, true}, [&] { return RawId(id); });
  }

  /// `add` of an id of this text: faster where it is known.
  std::uint32_t add_text(std::string_view text) {
    if (const auto integer = RawId::parse_integer(text)) return add(*integer);
    return add_hashed(key_of(text), [&] { return RawId(text); });
  }

  /// Throws UnknownId that names the id where it is unknown.
  std::uint32_t index(const RawId& id) const {
    if (const auto found = find(id)) return *found;
    if (id.is_integer()) detail::fail<UnknownId>({"unknown id ", id.text()});
    detail::fail<UnknownId>({"unknown id \"", id.text(), "\""});
  }

  /// Allocates nothing where the id is an integer.
  std::optional<std::uint32_t> find(const RawId& id) const {
    std::uint32_t index = none;
    if (is_small(id)) {
      const auto number = static_cast<std::size_t>(id.integer());
      if (number < small_.size()) index = small_[number];
    } else if (!hashed_.empty()) {
      index = hashed_[slot_of(key_of(id))].index;
    }
    return index == none ? std::nullopt : std::optional(index);
  }

  /// Throws std::out_of_range where the index is not below size().
  const RawId& id(std::uint32_t index) const& { return ids_.at(index); }
  RawId id(std::uint32_t index) && { return std::move(ids_.at(index)); }

  std::size_t size() const { return ids_.size(); }

  /// A hash of the ids in their order: what tells numberings apart, in one run of a program. Never 0.
  std::uint64_t fingerprint() const { return fingerprint_; }

  /// Whether both have the same ids with the same indices. O(ids) where they have.
  friend bool operator==(const Vocabulary& a, const Vocabulary& b) {
    return a.fingerprint_ == b.fingerprint_ && a.ids_ == b.ids_;
  }

 private:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::uint64_t small_end = 1 << 20;

  /// An id of the hash table: an integer is its key, a text has a hash as key.
  struct Key {
    std::uint64_t number;
    std::string_view text;
    bool is_integer;
  };
  struct Slot {
    std::uint64_t number = 0;
    std::uint32_t index = none;
    bool is_integer = false;
  };

  static bool is_small(const RawId& id) {
    return id.is_integer() && static_cast<std::uint64_t>(id.integer()) < small_end;
  }
  static Key key_of(std::string_view text) { return {std::hash<std::string_view>{}(text), text, false}; }
  static Key key_of(const RawId& id) {
    return id.is_integer() ? Key{static_cast<std::uint64_t>(id.integer()), {}, true}
                           : key_of(std::string_view(id.string()));
  }

  std::uint32_t append(RawId id) {
    if (ids_.size() >= none) throw DataError("a vocabulary holds at most 4294967295 ids");
    const Key key = key_of(id);
    ids_.push_back(std::move(id));
    fingerprint_ = mix_seed(fingerprint_, key.number, key.is_integer) | 1;
    return static_cast<std::uint32_t>(ids_.size() - 1);
  }

  template <class MakeId>
  std::uint32_t add_hashed(const Key& key, MakeId&& make_id) {
    if (4 * (hashed_count_ + 1) > 3 * hashed_.size()) grow();
    Slot& slot = hashed_[slot_of(key)];
    if (slot.index == none) {
      slot = {key.number, append(make_id()), key.is_integer};
      ++hashed_count_;
    }
    return slot.index;
  }

  void grow() {
    std::vector<Slot> before(hashed_.empty() ? 16 : 2 * hashed_.size());
    before.swap(hashed_);
    const std::size_t mask = hashed_.size() - 1;
    for (const Slot& slot : before) {
      if (slot.index == none) continue;
      std::size_t place = first_place(slot.number) & mask;
      while (hashed_[place].index != none) place = (place + 1) & mask;
      hashed_[place] = slot;
    }
  }

  static std::size_t first_place(std::uint64_t number) { return static_cast<std::size_t>(mix_seed(number)); }

  /// Where in hashed_ the id is, or would have to go: open addressing with linear probing. Only for a text does it look
  /// at the id itself, and only where the hashes agree.
  std::size_t slot_of(const Key& key) const {
    const std::size_t mask = hashed_.size() - 1;
    for (std::size_t place = first_place(key.number) & mask;; place = (place + 1) & mask) {
      const Slot& slot = hashed_[place];
      if (slot.index == none) return place;
      if (slot.number == key.number && slot.is_integer == key.is_integer &&
          (key.is_integer || ids_[slot.index].string() == key.text))
        return place;
    }
  }

  std::vector<RawId> ids_;
  std::vector<std::uint32_t> small_;  ///< By id: its index.
  std::vector<Slot> hashed_;          ///< At most three quarters full; the size is a power of two.
  std::size_t hashed_count_ = 0;
  std::uint64_t fingerprint_ = 1;
};

}  // namespace lstmrec

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/random.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/data/trained_on.hpp>
#include <type_traits>
#include <vector>

namespace lstmrec {

namespace detail {

/// Takes further numbers into a hash; one pass over them.
template <class Number>
std::uint64_t add_to_hash(std::uint64_t hash, const std::vector<Number>& numbers) {
  hash = mix_seed(hash, numbers.size());
  for (const Number number : numbers) {
    if constexpr (std::is_same_v<Number, float>)
      hash = (hash ^ std::bit_cast<std::uint32_t>(number)) * 0x9e3779b97f4a7c15u;
    else
      hash = (hash ^ static_cast<std::uint64_t>(number)) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
  }
  return hash;
}

}  // namespace detail

/// A hash that tells logs apart: of every event, in order, with all that is known of it but its kind, which only some
/// networks read. Users and items count by their indices, not by their ids. Cost: one pass over the events.
inline std::uint64_t fingerprint(const Sequences& sequences) {
  std::uint64_t hash = mix_seed(sequences.size(), sequences.items.size());
  EventColumns::visit(sequences.events, [&](const auto& column) {
    if (static_cast<const void*>(&column) != &sequences.events.kinds) hash = detail::add_to_hash(hash, column);
  });
  return hash;
}

/// A hash that tells splits apart: of the log, of what training sees of it, and of the validation targets.
inline std::uint64_t fingerprint(const Split& split) {
  std::uint64_t hash = detail::add_to_hash(fingerprint(split.sequences), split.train_length);
  for (const Target& target : split.validation) hash = mix_seed(hash, target.user, target.position);
  return hash;
}

/// The record of a model that has learned from the training part of a split. Takes one pass over the events.
inline TrainedOn trained_on(const Split& split) {
  TrainedOn result{.split = fingerprint(split)};
  for (std::size_t user = 0; user < split.sequences.size(); ++user) {
    const History train = split.train(user);
    result.events += train.size();
    if (!train.times.empty() && (!result.last_time || train.times.back() > *result.last_time))
      result.last_time = train.times.back();
  }
  result.held_out = split.sequences.events.size() - result.events;
  return result;
}

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/event_context.hpp>
#include <span>
#include <vector>

namespace lstmrec {

/// All that is kept of one user between events: a small value that does not grow with the catalogue. A Ranker brings it
/// up to date and makes lists of it.
///
/// A state belongs to the recommender that has seen its events: after a reload, start from the user's history again.
///
/// Memory: 4 bytes for each of (2 × blocks + 1) × units numbers of an LSTM, for each distinct item that the user has
/// had, and, with a Markov chain, for each of the last 20 items, with session kNN of the last 50: 1.3 KB after 100
/// events at 64 units. Attention adds 4 bytes × window × blocks × units: 12.8 KB at 64 units
/// with one block and a window of 50.
struct UserState {
  std::vector<float> network;  ///< What the network carries from event to event; empty before the first event.
  std::vector<std::uint32_t>
      recent;  ///< The last items, as far as Markov chain and session kNN look back; the newest last.
  std::vector<std::uint32_t> seen;                 ///< The distinct items of all events, in ascending order.
  std::int64_t last_time = EventContext::no_time;  ///< Of the last event, for a recommender that reads times.
  std::uint64_t events = 0;
  std::uint64_t recommender = 0;  ///< Fingerprint of the recommender that has seen the events; 0 before the first.

  friend bool operator==(const UserState&, const UserState&) = default;
};

namespace detail {

/// The beginning of a user's state as bytes.
struct UserStateHeader {
  static constexpr std::uint64_t current = 0x36302d7373657301u;
  std::uint64_t kind = current, recommender = 0, events = 0, network = 0, recent = 0, seen = 0;
  std::int64_t last_time = EventContext::no_time;
};

}  // namespace detail

/// A user's state as bytes, for the same recommender on the same kind of machine. `recommender`: its fingerprint, which
/// a state without events does not have.
inline std::vector<std::byte> to_bytes(const UserState& state, std::uint64_t recommender) {
  const detail::UserStateHeader header{.recommender = recommender,
                                       .events = state.events,
                                       .network = state.network.size(),
                                       .recent = state.recent.size(),
                                       .seen = state.seen.size(),
                                       .last_time = state.last_time};
  std::vector<std::byte> bytes;
  const auto append = [&](const void* data, std::size_t size) {
    const auto* begin = static_cast<const std::byte*>(data);
    bytes.insert(bytes.end(), begin, begin + size);
  };
  append(&header, sizeof header);
  append(state.network.data(), state.network.size() * sizeof(float));
  append(state.recent.data(), state.recent.size() * sizeof(std::uint32_t));
  append(state.seen.data(), state.seen.size() * sizeof(std::uint32_t));
  return bytes;
}

/// The state that to_bytes was given. `items`, `network_size`: of the recommender. Throws Error where the bytes are cut
/// short, damaged, or of another recommender.
inline UserState user_state_from_bytes(std::span<const std::byte> bytes, std::uint64_t recommender, std::size_t items,
                                       std::size_t network_size) {
  detail::UserStateHeader header;
  if (bytes.size() < sizeof header) throw Error("a saved user state is cut short");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.kind != detail::UserStateHeader::current) throw Error("these bytes are no saved user state");
  if (header.recommender != recommender) throw Error("a saved user state belongs to another recommender");
  const auto numbers = (bytes.size() - sizeof header) / sizeof(float);
  if (header.network > numbers || header.recent > numbers || header.seen > numbers ||
      bytes.size() != sizeof header + (header.network + header.recent + header.seen) * sizeof(float))
    throw Error("a saved user state is cut short");
  if (header.network != (header.events == 0 ? 0 : network_size) || header.seen > header.events ||
      header.recent > header.events)
    throw Error("a saved user state is damaged");
  UserState state;
  state.last_time = header.last_time;
  state.events = header.events;
  state.recommender = header.events > 0 ? recommender : 0;
  state.network.resize(header.network);
  state.recent.resize(header.recent);
  state.seen.resize(header.seen);
  const std::byte* next = bytes.data() + sizeof header;
  const auto take = [&](auto& numbers_to) {
    if (!numbers_to.empty()) std::memcpy(numbers_to.data(), next, numbers_to.size() * sizeof(numbers_to[0]));
    next += numbers_to.size() * sizeof(numbers_to[0]);
  };
  take(state.network);
  take(state.recent);
  take(state.seen);
  const auto unknown = [&](std::uint32_t item) { return item >= items; };
  if (std::any_of(state.recent.begin(), state.recent.end(), unknown) ||
      std::any_of(state.seen.begin(), state.seen.end(), unknown) ||
      std::adjacent_find(state.seen.begin(), state.seen.end(), std::greater_equal<>()) != state.seen.end())
    throw Error("a saved user state is damaged");
  return state;
}

}  // namespace lstmrec

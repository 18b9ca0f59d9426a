#pragma once

#include <cstddef>
#include <cstdint>
#include <lstmrec/data/raw_id.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/data/split.hpp>
#include <utility>
#include <vector>

/// Leave-one-out over sequences written down item by item, without times and ratings, with dense indices 0 … items − 1
/// that are raw ids as well.
inline lstmrec::Split split_of(const std::vector<std::vector<std::uint32_t>>& users, std::uint32_t items) {
  using namespace lstmrec;
  Sequences sequences;
  for (std::uint32_t item = 0; item < items; ++item) sequences.items.add(RawId(item));
  sequences.catalogue.resize(items);
  sequences.source = "test";
  for (std::uint32_t user = 0; user < users.size(); ++user) {
    sequences.users.add(RawId(user));
    for (const auto item : users[user]) {
      sequences.events.users.push_back(user);
      sequences.events.items.push_back(item);
    }
    sequences.offsets.push_back(sequences.events.size());
  }
  return leave_one_out(std::move(sequences));
}

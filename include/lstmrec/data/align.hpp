#pragma once

#include <cstddef>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/event_columns.hpp>
#include <lstmrec/data/sequences.hpp>
#include <optional>
#include <utility>
#include <vector>

namespace lstmrec {

/// Sequences with the item indices of another vocabulary, such as a saved model's, instead of their own.
struct AlignedSequences {
  Sequences sequences;
  std::size_t unknown_events = 0;  ///< Left out, because the vocabulary does not know their items.
  std::size_t unknown_users = 0;   ///< Left out, because they have no other events.
};

/// Renumbers the items of `sequences` to `items`; `catalogue` is what is known of those. Events of other items are left
/// out, and users who have no others. In place, O(events). Throws Error where nothing is left.
inline AlignedSequences align_items(Sequences sequences, const Vocabulary& items, std::vector<ItemInfo> catalogue) {
  std::vector<std::optional<std::uint32_t>> renumbered;
  for (std::uint32_t item = 0; item < sequences.items.size(); ++item)
    renumbered.push_back(items.find(sequences.items.id(item)));
  EventColumns& events = sequences.events;
  const std::size_t unknown =
      events.keep_rows([&](std::size_t row) { return renumbered[events.items[row]].has_value(); });
  if (events.empty()) detail::fail<DataError>({sequences.source, ": none of its items is known to the model"});

  Vocabulary users;
  std::vector<std::size_t> offsets;
  for (std::size_t row = 0; row < events.size(); ++row) {
    events.items[row] = *renumbered[events.items[row]];
    events.users[row] = users.add(sequences.users.id(events.users[row]));
    if (events.users[row] == offsets.size()) offsets.push_back(row);
  }
  offsets.push_back(events.size());
  const std::size_t unknown_users = sequences.users.size() - users.size();
  sequences.offsets = std::move(offsets);
  sequences.users = std::move(users);
  sequences.items = items;
  sequences.catalogue = std::move(catalogue);
  return {std::move(sequences), unknown, unknown_users};
}

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/event_columns.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/data/split.hpp>
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

namespace detail {

/// The events of a split whose items another vocabulary, such as a saved model's, knows. Borrows both.
class KnownEvents {
 public:
  KnownEvents(const Split& split, const Vocabulary& items) : split_(&split), items_(&items) {
    const Sequences& sequences = split.sequences;
    for (std::uint32_t item = 0; item < sequences.items.size(); ++item)
      renumbered_.push_back(items.find(sequences.items.id(item)));
    known_before_.assign(1, 0);
    for (const std::uint32_t item : sequences.events.items)
      known_before_.push_back(known_before_.back() + renumbered_[item].has_value());
  }

  /// The target in the split of known events, unless its own item is unknown.
  std::optional<Target> find(Target target) const {
    const std::size_t event = split_->sequences.offsets[target.user] + target.position;
    if (!renumbered_[split_->sequences.events.items[event]]) return std::nullopt;
    return Target{target.user, position_of(target.user, target.position)};
  }

  /// The split of known events, without targets. Users without any are empty. `catalogue`: of the vocabulary.
  Split split(std::vector<ItemInfo> catalogue) const {
    const Sequences& all = split_->sequences;
    Split result;
    result.protocol = split_->protocol;
    result.sequences = {.events = all.events,
                        .users = all.users,
                        .items = *items_,
                        .catalogue = std::move(catalogue),
                        .has_times = all.has_times,
                        .has_ratings = all.has_ratings,
                        .ticks_per_second = all.ticks_per_second,
                        .source = all.source};
    Sequences& known = result.sequences;
    known.events.keep_rows([&](std::size_t row) { return renumbered_[all.events.items[row]].has_value(); });
    for (std::size_t row = 0, kept = 0; row < all.events.size(); ++row)
      if (const auto item = renumbered_[all.events.items[row]]) known.events.items[kept++] = *item;
    for (std::uint32_t user = 0; user < all.size(); ++user) {
      known.offsets.push_back(known_before_[all.offsets[user + 1]]);
      result.train_length.push_back(position_of(user, split_->train_length[user]));
    }
    return result;
  }

 private:
  std::uint32_t position_of(std::uint32_t user, std::uint32_t position) const {
    const std::size_t begin = split_->sequences.offsets[user];
    return static_cast<std::uint32_t>(known_before_[begin + position] - known_before_[begin]);
  }

  const Split* split_;
  const Vocabulary* items_;
  std::vector<std::optional<std::uint32_t>> renumbered_;  ///< By item.
  std::vector<std::size_t> known_before_;                 ///< By event.
};

}  // namespace detail

/// A split with the item indices of another vocabulary instead of its own. Events of other items are left out; where
/// one was a target, it counts as a miss (Targets::unknown). A target whose history has no known event stays. Throws
/// DataError where no test target is left. O(events).
inline Split align_split(const Split& split, const Vocabulary& items, std::vector<ItemInfo> catalogue) {
  const detail::KnownEvents known(split, items);
  Split result = known.split(std::move(catalogue));
  const auto align = [&](const Targets& all, Targets& aligned) {
    aligned.unknown = all.unknown;
    for (const Target target : all)
      if (const auto found = known.find(target))
        aligned.push_back(*found);
      else
        aligned.unknown.push_back(target.user);
    std::sort(aligned.unknown.begin(), aligned.unknown.end());
  };
  align(split.validation, result.validation);
  align(split.test, result.test);
  if (result.test.empty() && !split.test.empty())
    detail::fail<DataError>({split.sequences.source, ": none of the items to predict is known to the model"});
  return result;
}

}  // namespace lstmrec

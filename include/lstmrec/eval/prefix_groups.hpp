#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/argsort.hpp>
#include <lstmrec/data/event.hpp>
#include <span>
#include <utility>
#include <vector>

namespace lstmrec {

/// Histories in groups. Those that begin at the same row of a log, as the histories of one user's targets do, are
/// prefixes of the longest of them, so that one pass along the longest serves them all.
///
///     for (std::size_t g = 0; g < groups.size(); ++g)
///       for (const std::size_t number : groups[g]) use(histories[number]);      // the longest last
struct PrefixGroups {
  std::vector<std::size_t> order;          ///< The histories' numbers, group after group.
  std::vector<std::size_t> offsets = {0};  ///< Group g is order[offsets[g] … offsets[g + 1]).

  std::size_t size() const { return offsets.size() - 1; }
  /// The numbers of one group's histories, the shorter before the longer.
  std::span<const std::size_t> operator[](std::size_t group) const {
    return std::span(order).subspan(offsets[group], offsets[group + 1] - offsets[group]);
  }
};

/// Groups the histories history(0) … history(count − 1). The group with the longest history comes first; of two whose
/// longest are equally long, that with the history of the lowest number. Cost: sorting the histories.
template <class HistoryOf>
PrefixGroups prefix_groups(std::size_t count, const HistoryOf& history) {
  const auto address = [](const History& h) {  // equal for equal beginnings, and hardly ever for others
    const auto of = [](const auto* data) { return reinterpret_cast<std::uintptr_t>(data); };
    return std::size_t{of(h.items.data()) + 5 * of(h.times.data()) + 25 * of(h.ratings.data()) +
                       125 * of(h.kinds.data())};
  };
  const auto by_length = argsort_by(count, [&](std::size_t k) { return history(k).size(); });
  auto order = argsort_by(count, [&](std::size_t k) { return address(history(by_length[k])); });
  for (std::size_t& place : order) place = by_length[place];

  PrefixGroups found;  // in the order of addresses, which differs from run to run
  const auto begin_at_one_row = [](const History& a, const History& b) {
    return a.items.data() == b.items.data() && a.times.data() == b.times.data() &&
           a.ratings.data() == b.ratings.data() && a.kinds.data() == b.kinds.data();
  };
  for (std::size_t k = 1; k <= count; ++k)
    if (k == count || !begin_at_one_row(history(order[k - 1]), history(order[k]))) found.offsets.push_back(k);
  found.order = std::move(order);

  const auto by_number =
      argsort_by(found.size(), [&](std::size_t g) { return *std::min_element(found[g].begin(), found[g].end()); });
  PrefixGroups groups;
  groups.order.reserve(count);
  for (const std::size_t place :
       argsort_by(found.size(), [&](std::size_t k) { return ~history(found[by_number[k]].back()).size(); })) {
    const auto group = found[by_number[place]];
    groups.order.insert(groups.order.end(), group.begin(), group.end());
    groups.offsets.push_back(groups.order.size());
  }
  return groups;
}

namespace detail {

/// Cuts groups of queries into parts, each for one thread: where in groups.order they begin, and the end. A part has at
/// most `batch` groups, which advance together through a network, and no more queries than leave every thread some
/// parts, unless they are of one group.
inline std::vector<std::size_t> scoring_parts(const PrefixGroups& groups, std::size_t batch, std::size_t threads) {
  const std::size_t most = std::clamp(groups.order.size() / (8 * threads), batch, 64 * batch);
  std::vector<std::size_t> parts = {0};
  std::size_t together = 0;
  for (std::size_t group = 0; group < groups.size(); ++group, ++together)
    if (together == batch || (together > 0 && groups.offsets[group + 1] - parts.back() > most)) {
      parts.push_back(groups.offsets[group]);
      together = 0;
    }
  if (groups.size() > 0) parts.push_back(groups.order.size());
  return parts;
}

}  // namespace detail

}  // namespace lstmrec

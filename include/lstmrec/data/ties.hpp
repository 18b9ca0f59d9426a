#pragma once

#include <cstddef>
#include <lstmrec/data/split.hpp>

namespace lstmrec {

/// How many events of a log have the time of the event before them in their sequence, so that their order is the
/// source's, and whether that is the order of the items' ids. A network may learn such an order, and is then right
/// about events that tie for no good reason.
struct Ties {
  std::size_t events = 0;     ///< Events with the time of the one before.
  std::size_t ascending = 0;  ///< Those whose item has the larger id.
  std::size_t targets = 0;    ///< Those of them that are targets.
};

/// Counts them, and those among the targets. Cost: one pass.
inline Ties count_ties(const Split& split, const Targets& targets) {
  Ties ties;
  const Sequences& sequences = split.sequences;
  const auto has_time_of_last = [](const History& history, std::size_t k) {
    return k > 0 && !history.times.empty() && history.times[k] == history.times[k - 1];
  };
  for (std::size_t user = 0; user < sequences.size(); ++user) {
    const History history = sequences[user];
    for (std::size_t k = 1; k < history.size(); ++k) {
      if (!has_time_of_last(history, k)) continue;
      ++ties.events;
      ties.ascending += sequences.items.id(history.items[k - 1]) < sequences.items.id(history.items[k]);
    }
  }
  for (const Target& target : targets) ties.targets += has_time_of_last(sequences[target.user], target.position);
  return ties;
}

}  // namespace lstmrec

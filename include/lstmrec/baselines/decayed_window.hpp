#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/event.hpp>

namespace lstmrec {

/// A history as a weighted list of its last items: the newest counts 1, and each one before it `decay` times as much as
/// the one after it.
///
///     x = Σ_age decay^age · e(item of that age)
struct DecayedWindow {
  std::size_t window;  ///< How many of the last items count.
  double decay;        ///< In (0, 1].

  /// Throws ConfigError that names the rule which an option breaks.
  void check() const {
    require(window >= 1 && window <= 1000000, "window must be in [1, 1000000]", window);
    require(decay > 0 && decay <= 1, "decay must be in (0, 1]", decay);
  }

  /// Calls visit(item, weight) for the items that count, the newest first.
  template <class Visit>
  void for_each(const History& history, Visit&& visit) const {
    double weight = 1;
    for (std::size_t age = 0; age < std::min(history.size(), window); ++age, weight *= decay)
      visit(history.items[history.size() - 1 - age], weight);
  }
};

}  // namespace lstmrec

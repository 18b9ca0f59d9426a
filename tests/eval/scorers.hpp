#pragma once

#include <algorithm>
#include <cstddef>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/data/event.hpp>
#include <span>

/// A scorer made of a function of one history and one item.
template <class Function>
struct FunctionScorer {
  lstmrec::Index count;
  Function function;

  lstmrec::Index items() const { return count; }
  void score(std::span<const lstmrec::History> histories, lstmrec::MatrixRef<float> scores) const {
    for (std::size_t column = 0; column < histories.size(); ++column)
      for (lstmrec::Index item = 0; item < count; ++item)
        scores(item, static_cast<lstmrec::Index>(column)) =
            function(histories[column], static_cast<std::uint32_t>(item));
  }
};

template <class Function>
FunctionScorer<Function> scorer_of(std::size_t items, Function function) {
  return {static_cast<lstmrec::Index>(items), function};
}

/// Cheats: looks behind the end of the history, where the event to predict lies.
inline auto oracle(std::size_t items) {
  return scorer_of(items, [](lstmrec::History history, std::uint32_t item) {
    return history.items.data()[history.size()] == item ? 1.0f : 0.0f;
  });
}

inline auto constant(std::size_t items) {
  return scorer_of(items, [](lstmrec::History, std::uint32_t) { return 0.5f; });
}

/// Recommends what the history has.
inline auto repeats_history(std::size_t items) {
  return scorer_of(items, [](lstmrec::History history, std::uint32_t item) {
    return std::any_of(history.begin(), history.end(), [&](const auto& e) { return e.item == item; }) ? 1.0f : 0.0f;
  });
}

/// Scores without sense or ties, the same for the same history length.
inline auto arbitrary(std::size_t items, std::uint64_t seed = 1) {
  return scorer_of(items, [seed](lstmrec::History history, std::uint32_t item) {
    return static_cast<float>(lstmrec::Random(lstmrec::mix_seed(seed, history.size(), item)).uniform());
  });
}

#pragma once

#include <cassert>
#include <cstddef>
#include <lstmrec/core/matrix.hpp>
#include <span>
#include <vector>

namespace lstmrec {

/// The layout of a batch of sequences of different lengths without padding.
///
/// The sequences are sorted by length, longest first, and stored step after step: the columns
/// [begin(t), begin(t) + alive(t)) of a features × columns matrix are step t of the alive(t) sequences that have one.
///
///     lengths 3, 2, 2, 1:   step 0: a0 b0 c0 d0 | step 1: a1 b1 c1 | step 2: a2
///
/// So column i of a step continues column i of the step before, and a layer without recurrence sees one matrix.
class PackedSteps {
 public:
  PackedSteps() = default;

  /// `lengths`: of every sequence, positive, longest first.
  explicit PackedSteps(std::span<const Index> lengths) {
    begins_.assign(1, 0);
    std::size_t alive = lengths.size();
    for (Index step = 0; alive > 0 && step < lengths.front(); ++step) {
      while (lengths[alive - 1] <= step) --alive;
      begins_.push_back(begins_.back() + static_cast<Index>(alive));
    }
  }

  Index steps() const { return static_cast<Index>(begins_.size()) - 1; }
  Index columns() const { return begins_.back(); }
  Index sequences() const { return steps() == 0 ? 0 : begins_[1]; }
  Index begin(Index step) const { return begins_[static_cast<std::size_t>(step)]; }
  Index alive(Index step) const { return begin(step + 1) - begin(step); }

 private:
  std::vector<Index> begins_ = {0};
};

}  // namespace lstmrec

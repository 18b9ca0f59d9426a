#pragma once

#include <cstdint>
#include <lstmrec/core/packed_steps.hpp>
#include <lstmrec/data/event.hpp>
#include <span>
#include <vector>

namespace lstmrec {

/// Some subsequences as one packed batch. Column j belongs to one input event.
struct SequenceBatch {
  PackedSteps steps;
  std::vector<std::uint32_t> inputs;     ///< Item of every column.
  std::vector<std::int64_t> times;       ///< Time of every column; empty where the data has no times.
  std::vector<float> ratings;            ///< Rating of every column; empty where the data has no ratings.
  std::vector<std::uint32_t> context;    ///< Codes of every column's event (EventContext), as many for each; or none.
  std::vector<std::uint32_t> questions;  ///< Codes of the time of the event that each column predicts first; or none.
  std::uint32_t labels_per_column = 1;
  std::vector<std::uint32_t> labels;  ///< Items, labels_per_column a column.
  std::vector<float> weights;  ///< One for each label; a column's sum is column_weight where events count 1, or 0.
  /// A list of items a column, or empty. The lists of one sequence are leading parts of one list.
  std::vector<std::span<const std::uint32_t>> excluded;
  std::vector<std::uint32_t> past;           ///< What `excluded` borrows, unless it borrows the log itself.
  std::vector<std::uint64_t> dropout_seeds;  ///< By column, from (seed, user, position).

  /// The inputs as events, a column each.
  History events() const {
    History events(inputs, times, ratings, 0);
    events.context = context;
    return events;
  }
};

}  // namespace lstmrec

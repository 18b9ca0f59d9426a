#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/packed_steps.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/data/split.hpp>
#include <span>
#include <utility>
#include <vector>

namespace lstmrec {

/// A run of a user's training events: the inputs begin … end − 1, each of which predicts what follows it.
struct Window {
  std::uint32_t user = 0, begin = 0, end = 0;
  std::uint32_t size() const { return end - begin; }
};

/// Sorts windows, those of equal length in their order.
inline void sort_longest_first(std::span<Window> windows) {
  std::stable_sort(windows.begin(), windows.end(),
                   [](const Window& a, const Window& b) { return a.size() > b.size(); });
}

/// Cuts the training events of all users into windows of at most `length` inputs that cover every input once, and
/// shuffles them. Where a long history is cut changes with the seed, so that no event always stands first. Users with
/// fewer than two training events have nothing to predict.
inline std::vector<Window> cut_windows(const Split& split, std::uint32_t length, std::uint64_t seed) {
  std::vector<Window> windows;
  for (std::uint32_t user = 0; user < split.sequences.size(); ++user) {
    if (split.train_length[user] < 2) continue;
    const std::uint32_t inputs = split.train_length[user] - 1;
    std::uint32_t end =
        inputs <= length ? inputs : 1 + static_cast<std::uint32_t>(Random(mix(seed, user)).below(length));
    for (std::uint32_t begin = 0; begin < inputs; begin = end, end = std::min(inputs, end + length))
      windows.push_back({user, begin, end});
  }
  Random(mix(seed)).shuffle(windows);
  return windows;
}

/// How the batches of next-item training are laid out.
struct WindowTargets {
  std::uint32_t count = 1;   ///< Each input predicts this many of the events that follow it, where there are so many,
  double decay = 1;          ///< the k-th (from 0) with weight decayᵏ, normalised to sum 1.
  bool exclude_seen = true;  ///< Items of the user's events up to the input take no part in the loss, nor as targets.
};

/// Some windows as one packed batch. Column j belongs to one input event.
struct WindowBatch {
  PackedSteps steps;
  std::vector<std::uint32_t> inputs;                     ///< Item of every column.
  std::vector<std::uint32_t> targets;                    ///< WindowTargets::count a column.
  std::vector<float> weights;                            ///< Likewise; a column's sum is column_weight, or 0.
  std::vector<std::span<const std::uint32_t>> excluded;  ///< A list a column, or empty.
  std::vector<std::uint64_t> keys;                       ///< Of the dropout masks: from (seed, user, position).
};

/// Fills batches from windows. Keeps the items of all events once more, contiguous: 4 bytes an event, and a bit each.
class WindowBatches {
 public:
  /// Borrows the split.
  WindowBatches(const Split& split, const WindowTargets& targets) : split_(&split), targets_(targets) {
    items_.reserve(split.sequences.events.size());
    for (const Event& event : split.sequences.events) items_.push_back(event.item);
    is_repeat_.reserve(items_.size());
    std::vector<std::size_t> last_user(split.sequences.items.size(), split.sequences.size());
    for (std::size_t user = 0; user < split.sequences.size(); ++user)
      for (const Event& event : split.sequences[user])
        is_repeat_.push_back(std::exchange(last_user[event.item], user) == user);
  }

  std::uint32_t targets_per_column() const { return targets_.count; }

  /// How many inputs of a window have a target: all, but for those after which the user has seen items only.
  std::size_t predictions(const Window& window) const {
    std::size_t count = 0;
    for (std::uint32_t position = window.begin; position < window.end; ++position)
      for (std::size_t k = 0; k < followers(window.user, position); ++k)
        if (is_target(window.user, position, k)) {
          ++count;
          break;
        }
    return count;
  }

  /// `windows` are sorted here, longest first. `column_weight`: 1 / the number of inputs over which the loss is
  /// averaged: of their predictions. Reuses the memory of `batch`.
  void fill(std::span<Window> windows, float column_weight, std::uint64_t seed, WindowBatch& batch) const {
    sort_longest_first(windows);
    std::vector<Index> lengths;
    for (const Window& window : windows) lengths.push_back(window.size());
    batch.steps = PackedSteps(lengths);
    const auto columns = static_cast<std::size_t>(batch.steps.columns());
    batch.inputs.resize(columns);
    batch.targets.assign(columns * targets_.count, 0);
    batch.weights.assign(columns * targets_.count, 0);
    batch.excluded.resize(targets_.exclude_seen ? columns : 0);
    batch.keys.resize(columns);
    std::size_t column = 0;
    for (Index step = 0; step < batch.steps.steps(); ++step)
      for (Index alive = 0; alive < batch.steps.alive(step); ++alive, ++column) {
        const Window& window = windows[static_cast<std::size_t>(alive)];
        fill_column(window.user, window.begin + static_cast<std::uint32_t>(step), column_weight, column, batch);
        batch.keys[column] = mix(seed, window.user, window.begin + static_cast<std::uint32_t>(step));
      }
  }

 private:
  void fill_column(std::uint32_t user, std::uint32_t position, float column_weight, std::size_t column,
                   WindowBatch& batch) const {
    const auto history = std::span(items_).subspan(split_->sequences.offsets[user], split_->train_length[user]);
    batch.inputs[column] = history[position];
    if (targets_.exclude_seen) batch.excluded[column] = history.first(position + 1);
    const std::span<std::uint32_t> targets(batch.targets.data() + column * targets_.count, targets_.count);
    const std::span<float> weights(batch.weights.data() + column * targets_.count, targets_.count);
    double sum = 0, weight = 0;
    for (std::size_t k = 0; k < followers(user, position); ++k, weight *= targets_.decay) {
      if (!is_target(user, position, k)) continue;
      if (sum == 0) weight = 1;  // of the first: a later one's alone might be too small to divide by
      targets[k] = history[position + 1 + k];
      weights[k] = static_cast<float>(weight);
      sum += weight;
    }
    const double scale = sum > 0 ? static_cast<double>(column_weight) / sum : 0;
    for (float& each : weights) each = static_cast<float>(scale * static_cast<double>(each));
  }

  /// How many of the events after a position it may have to predict.
  std::size_t followers(std::uint32_t user, std::uint32_t position) const {
    return std::min<std::size_t>(targets_.count, split_->train_length[user] - position - 1);
  }

  /// Whether the k-th event after a position is a target of it: not where seen items are left out and the item has an
  /// event up to there.
  bool is_target(std::uint32_t user, std::uint32_t position, std::size_t k) const {
    const std::size_t begin = split_->sequences.offsets[user], event = begin + position + 1 + k;
    if (!targets_.exclude_seen || !is_repeat_[event]) return true;
    const auto history = std::span(items_).subspan(begin, position + 1);
    return std::find(history.begin(), history.end(), items_[event]) == history.end();
  }

  const Split* split_;
  WindowTargets targets_;
  std::vector<std::uint32_t> items_;
  std::vector<bool> is_repeat_;  ///< By event: whether its user had the item before.
};

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/argsort.hpp>
#include <lstmrec/core/packed_steps.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/data/event_context.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/next_item/batch.hpp>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace lstmrec {

/// A run of a user's training events: the inputs begin … end − 1, each of which predicts the events that follow it.
struct Subsequence {
  std::uint32_t user = 0, begin = 0, end = 0;
  std::uint32_t size() const { return end - begin; }
};

/// Sorts subsequences; those of equal length keep their order.
inline void sort_longest_first(std::span<Subsequence> parts) {
  const std::vector<Subsequence> before(parts.begin(), parts.end());
  std::size_t place = 0;
  for (const std::size_t k :
       argsort_by(before.size(), [&](std::size_t part) { return ~std::size_t{before[part].size()}; }))
    parts[place++] = before[k];
}

/// Cuts the training events of all users into subsequences of at most `length` inputs that cover every input once, and
/// shuffles them. Where a long history is cut changes with the seed, so that no event always stands first. Users with
/// fewer than two training events have nothing to predict.
inline std::vector<Subsequence> cut_subsequences(const Split& split, std::uint32_t length, std::uint64_t seed) {
  std::vector<Subsequence> parts;
  for (std::uint32_t user = 0; user < split.sequences.size(); ++user) {
    if (split.train_length[user] < 2) continue;
    const std::uint32_t inputs = split.train_length[user] - 1;
    std::uint32_t end =
        inputs <= length ? inputs : 1 + static_cast<std::uint32_t>(Random(mix_seed(seed, user)).below(length));
    for (std::uint32_t begin = 0; begin < inputs; begin = end, end = std::min(inputs, end + length))
      parts.push_back({user, begin, end});
  }
  Random(mix_seed(seed)).shuffle(parts);
  return parts;
}

/// Which events each input predicts.
struct LabelOptions {
  std::uint32_t horizon = 1;  ///< Each input predicts this many of the events that follow it, where there are so many,
  double decay = 1;          ///< the k-th (from 0) with weight decayᵏ, normalised to sum 1, times its event's weight.
  bool exclude_seen = true;  ///< Items of the user's events up to the input take no part in the loss, nor as labels.
  bool question_time = false;  ///< The time of the next event is an input, which one event in eight is not told.
};

/// Fills batches from subsequences. Where seen items take no part and the log has repeats, it keeps 4 bytes an event.
class BatchBuilder {
 public:
  BatchBuilder(const Split&&, const LabelOptions&, const EventContext& = {}) = delete;  // it would not live long enough
  /// Borrows the split.
  BatchBuilder(const Split& split, const LabelOptions& options, const EventContext& context = {})
      : split_(&split), options_(options), context_(context) {
    if (!options_.exclude_seen) return;
    const Sequences& sequences = split.sequences;
    constexpr auto never = ~std::uint32_t{0};
    std::vector<std::uint32_t> last_user(sequences.items.size(), never), first(sequences.items.size());
    bool repeats = false;
    first_.reserve(sequences.events.size());
    for (std::uint32_t user = 0; user < sequences.size(); ++user) {
      std::uint32_t position = 0;
      for (const std::uint32_t item : sequences[user].items) {
        if (std::exchange(last_user[item], user) != user)
          first[item] = position;
        else
          repeats = true;
        first_.push_back(first[item]);
        ++position;
      }
    }
    if (!repeats) first_ = {};
  }

  /// How many inputs of a subsequence have a label: all, but for those after which the user has seen items only.
  std::size_t predictions(const Subsequence& part) const {
    std::size_t count = 0;
    for (std::uint32_t position = part.begin; position < part.end; ++position)
      for (std::size_t k = 0; k < followers(part.user, position); ++k)
        if (is_label(part.user, position, k)) {
          ++count;
          break;
        }
    return count;
  }

  /// `parts` are sorted here, longest first. `column_weight`: 1 / the number of predictions over which the loss is
  /// averaged. Reuses the memory of `batch`.
  void fill(std::span<Subsequence> parts, float column_weight, std::uint64_t seed, SequenceBatch& batch) const {
    sort_longest_first(parts);
    std::vector<Index> lengths;
    for (const Subsequence& part : parts) lengths.push_back(part.size());
    batch.steps = PackedSteps(lengths);
    const auto columns = static_cast<std::size_t>(batch.steps.columns());
    const EventColumns& events = split_->sequences.events;
    batch.inputs.resize(columns);
    batch.times.assign(events.times.empty() ? 0 : columns, 0);
    batch.ratings.assign(events.ratings.empty() ? 0 : columns, 0);
    batch.context.resize(columns * context_.codes_of_event());
    batch.questions.resize(options_.question_time ? columns * EventContext::codes_of_question : 0);
    batch.labels_per_column = options_.horizon;
    batch.labels.assign(columns * options_.horizon, 0);
    batch.weights.assign(columns * options_.horizon, 0);
    batch.excluded.resize(options_.exclude_seen ? columns : 0);
    std::vector<Past> pasts = fill_past(parts, batch);
    batch.dropout_seeds.resize(columns);
    std::size_t column = 0;
    for (Index step = 0; step < batch.steps.steps(); ++step)
      for (Index alive = 0; alive < batch.steps.alive(step); ++alive, ++column) {
        const auto number = static_cast<std::size_t>(alive);
        const Subsequence& part = parts[number];
        fill_column(part.user, part.begin + static_cast<std::uint32_t>(step), column_weight, column, batch);
        if (options_.exclude_seen)
          batch.excluded[column] = past_of(part, part.begin + static_cast<std::uint32_t>(step), pasts[number], batch);
        batch.dropout_seeds[column] = mix_seed(seed, part.user, part.begin + static_cast<std::uint32_t>(step));
        fill_context(part.user, part.begin + static_cast<std::uint32_t>(step), seed, column, batch);
      }
  }

 private:
  /// Sessions may be told nothing but items, and lists be asked for without a time, so the network has to learn what to
  /// say then: one sequence in eight, drawn anew in each epoch, has no context, and one event in eight no question.
  /// To be called with the column's dropout seed set.
  void fill_context(std::uint32_t user, std::uint32_t position, std::uint64_t seed, std::size_t column,
                    SequenceBatch& batch) const {
    const History history = split_->train(user);
    if (!batch.context.empty()) {
      std::uint32_t* const codes = batch.context.data() + column * context_.codes_of_event();
      if (mix_seed(seed, user, std::uint64_t{1} << 32) % 8 == 0)
        context_.write({}, {}, {}, 0, codes);
      else
        context_.write(history, position, codes);
    }
    if (batch.questions.empty()) return;
    const bool is_told = mix_seed(batch.dropout_seeds[column]) % 8 != 0;
    std::uint32_t asked = position + 1;  // the first event that it predicts, if any
    for (std::uint32_t k = 0; k < followers(user, position); ++k)
      if (is_label(user, position, k)) {
        asked = position + 1 + k;
        break;
      }
    context_.write_question(is_told ? EventContext::time_of(history, asked) : std::nullopt,
                            EventContext::time_of(history, position),
                            batch.questions.data() + column * EventContext::codes_of_question);
  }

  void fill_column(std::uint32_t user, std::uint32_t position, float column_weight, std::size_t column,
                   SequenceBatch& batch) const {
    const History history = split_->train(user);
    batch.inputs[column] = history.items[position];
    // An input of one's own meets the numbers that events have where nothing is known.
    if (!history.times.empty() && history.times[position] != EventContext::no_time)
      batch.times[column] = history.times[position];
    if (!history.ratings.empty() && !std::isnan(history.ratings[position]))
      batch.ratings[column] = history.ratings[position];
    const std::span<std::uint32_t> labels(batch.labels.data() + column * options_.horizon, options_.horizon);
    const std::span<float> weights(batch.weights.data() + column * options_.horizon, options_.horizon);
    double sum = 0, weight = 0;
    for (std::size_t k = 0; k < followers(user, position); ++k, weight *= options_.decay) {
      if (!is_label(user, position, k)) continue;
      if (sum == 0) weight = 1;  // of the first: a later one's alone might be too small to divide by
      labels[k] = history.items[position + 1 + k];
      weights[k] = static_cast<float>(weight) * split_->sequences.weight(user, position + 1 + k);
      sum += weight;
    }
    const double scale = sum > 0 ? static_cast<double>(column_weight) / sum : 0;
    for (float& each : weights) each = static_cast<float>(scale * static_cast<double>(each));
  }

  /// How many of the events after a position it may have to predict.
  std::size_t followers(std::uint32_t user, std::uint32_t position) const {
    return std::min<std::size_t>(options_.horizon, split_->train_length[user] - position - 1);
  }

  /// Whether the k-th event after a position is a label of it: not where it counts nothing as a target, nor where seen
  /// items are left out and the item has an event up to there.
  bool is_label(std::uint32_t user, std::uint32_t position, std::size_t k) const {
    if (split_->sequences.weight(user, position + 1 + k) == 0) return false;
    return first_.empty() || first_[split_->sequences.offsets[user] + position + 1 + k] > position;
  }

  /// The different items that a part's user has had up to one of its inputs: a range of batch.past.
  struct Past {
    std::size_t begin = 0, end = 0;
  };

  /// batch.past := the different items of each part's user up to the part's end, in the order in which they come, where
  /// the log has repeats. Returns those before each part.
  std::vector<Past> fill_past(std::span<const Subsequence> parts, SequenceBatch& batch) const {
    batch.past.clear();
    std::vector<Past> pasts(parts.size());
    if (first_.empty()) return pasts;
    for (std::size_t number = 0; number < parts.size(); ++number) {
      const Subsequence& part = parts[number];
      const std::size_t begin = split_->sequences.offsets[part.user];
      pasts[number].begin = batch.past.size();
      for (std::uint32_t position = 0; position < part.end; ++position) {
        if (position == part.begin) pasts[number].end = batch.past.size();
        if (first_[begin + position] == position)
          batch.past.push_back(split_->sequences.events.items[begin + position]);
      }
    }
    return pasts;
  }

  /// The different items up to an input, which is the one behind those that `past` holds.
  std::span<const std::uint32_t> past_of(const Subsequence& part, std::uint32_t position, Past& past,
                                         const SequenceBatch& batch) const {
    if (first_.empty()) return split_->train(part.user).items.first(position + 1);
    past.end += first_[split_->sequences.offsets[part.user] + position] == position;
    return std::span(batch.past).subspan(past.begin, past.end - past.begin);
  }

  const Split* split_;
  LabelOptions options_;
  EventContext context_;
  std::vector<std::uint32_t> first_;  ///< By event: the position of the user's first event of its item; or empty.
};

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/alias_table.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/next_item/batch.hpp>
#include <lstmrec/nn/item_labels.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <span>
#include <utility>
#include <vector>

namespace lstmrec {

/// The small network on which a batch is trained where negatives are sampled: its item tables hold only the items that
/// the batch touches, the negatives first; all else is as in the whole network. So a step costs the same whatever the
/// size of the catalogue.
///
///     catalogue.draw(seed);                         // the negatives
///     catalogue.relabel(batch);                     // adds its inputs and labels
///     catalogue.gather(network, pool);
///     catalogue.network().forward_backward(…, &items);    // items = catalogue.items()
///     training.step(…, {catalogue.columns(), &catalogue.network()});
///
/// Negatives are drawn with replacement, with probability ∝ (1 + events in training)^power. Takes 16 bytes an item.
template <class Network>
class SampledCatalogue {
 public:
  static constexpr double power = 0.75;

  /// `network`: shaped as the whole one but for the number of items, which does not matter.
  SampledCatalogue(Network network, std::span<const std::uint32_t> item_counts, std::size_t draws)
      : network_(std::move(network)),
        draws_(draws),
        expected_(item_counts.size()),
        distribution_(weights_of(item_counts)),
        column_of_item_(item_counts.size(), nowhere) {
    double sum = 0;
    for (const std::uint32_t count : item_counts) sum += weight_of(count);
    for (std::size_t item = 0; item < item_counts.size(); ++item)
      expected_[item] = static_cast<float>(static_cast<double>(draws) * weight_of(item_counts[item]) / sum);
  }

  /// Forgets all items and draws new negatives.
  void draw(std::uint64_t seed) {
    for (const std::uint32_t item : columns_) column_of_item_[item] = nowhere;
    columns_.clear();
    log_weights_.clear();
    Random random(seed);
    for (std::size_t i = 0; i < draws_; ++i) {
      const std::uint32_t column = column_of(distribution_.draw(random));
      if (column == log_weights_.size()) log_weights_.push_back(0);
      ++log_weights_[column];  // first how often, then the logarithm below
    }
    for (std::size_t column = 0; column < log_weights_.size(); ++column)
      log_weights_[column] = std::log(log_weights_[column] / expected_[columns_[column]]);
  }

  /// Turns the inputs and labels of a batch into columns, and what it excludes into those of the negatives among it.
  /// Cost: the longest list of each sequence.
  void relabel(SequenceBatch& batch) {
    for (std::uint32_t& input : batch.inputs) input = column_of(input);
    for (std::size_t i = 0; i < batch.labels.size(); ++i)
      batch.labels[i] = batch.weights[i] == 0 ? 0 : column_of(batch.labels[i]);
    if (!batch.excluded.empty()) relabel_excluded(batch);
  }

  /// Takes the touched columns and all other parameters from the whole network.
  void gather(const Network& whole, ThreadPool& pool) {
    if (network_.items() < static_cast<Index>(columns_.size()))
      reserve_items(network_, static_cast<Index>(columns_.size() + columns_.size() / 4));
    const auto to = parameter_views(network_);
    const auto from = parameter_views(whole);
    const auto blocks = sparse_parameter_blocks(to, columns_);
    pool.run_ranges(blocks.size(),
                    [&](std::size_t k) { std::copy_n(blocks[k].of_whole(from), blocks[k].count, blocks[k].of(to)); });
  }

  const Network& network() const { return network_; }
  SampledItems items() const { return {log_weights_, columns_}; }
  /// By column: the item in the whole catalogue.
  std::span<const std::uint32_t> columns() const { return columns_; }

 private:
  static constexpr std::uint32_t nowhere = ~std::uint32_t{0};

  static double weight_of(std::uint32_t count) { return std::pow(1 + static_cast<double>(count), power); }
  static std::vector<double> weights_of(std::span<const std::uint32_t> item_counts) {
    std::vector<double> weights;
    for (const std::uint32_t count : item_counts) weights.push_back(weight_of(count));
    return weights;
  }

  void relabel_excluded(SequenceBatch& batch) const {
    if (batch.steps.steps() == 0) return;
    const auto sequences = static_cast<std::size_t>(batch.steps.alive(0));
    /// Calls visit(sequence, list) for every column.
    const auto for_each_list = [&](auto&& visit) {
      std::size_t column = 0;
      for (Index step = 0; step < batch.steps.steps(); ++step)
        for (std::size_t sequence = 0; sequence < static_cast<std::size_t>(batch.steps.alive(step)); ++sequence)
          visit(sequence, batch.excluded[column++]);
    };
    std::vector<std::span<const std::uint32_t>> longest(sequences);
    for_each_list([&](std::size_t sequence, std::span<const std::uint32_t> list) { longest[sequence] = list; });
    std::vector<std::uint32_t> columns;
    std::vector<std::size_t> places;  // of these columns in their sequence's list
    std::vector<std::size_t> begin(1, 0);
    for (const auto& list : longest) {
      for (std::size_t place = 0; place < list.size(); ++place) {
        if (column_of_item_[list[place]] >= log_weights_.size()) continue;
        columns.push_back(column_of_item_[list[place]]);
        places.push_back(place);
      }
      begin.push_back(columns.size());
    }
    std::vector<std::size_t> end(begin.begin(), begin.end() - 1);
    for_each_list([&](std::size_t sequence, std::span<const std::uint32_t>& list) {
      while (end[sequence] < begin[sequence + 1] && places[end[sequence]] < list.size()) ++end[sequence];
      list = std::span(columns).subspan(begin[sequence], end[sequence] - begin[sequence]);
    });
    batch.past.swap(columns);
  }

  std::uint32_t column_of(std::uint32_t item) {
    if (column_of_item_[item] == nowhere) {
      column_of_item_[item] = static_cast<std::uint32_t>(columns_.size());
      columns_.push_back(item);
    }
    return column_of_item_[item];
  }

  Network network_;
  std::size_t draws_;
  std::vector<float> expected_;  ///< By item: draws of it, on average.
  AliasTable distribution_;
  std::vector<std::uint32_t> column_of_item_;  ///< By item: its column.
  std::vector<std::uint32_t> columns_;
  std::vector<float> log_weights_;  ///< By negative.
};

}  // namespace lstmrec

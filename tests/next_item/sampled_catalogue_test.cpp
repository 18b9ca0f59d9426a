#include <algorithm>
#include <cmath>
#include <cstdint>
#include <lstmrec/next_item/network.hpp>
#include <lstmrec/next_item/sampled_catalogue.hpp>
#include <lstmrec/train/adam.hpp>
#include <lstmrec/train/weight_average.hpp>
#include <numeric>
#include <set>
#include <span>
#include <vector>

#include "catch.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

namespace {

using Network = NextItemNetwork<double>;

const std::vector<std::uint32_t> item_counts = {0, 5, 100, 1, 1, 30, 7, 0, 2, 64, 3, 12};

/// Own output vectors, so that there are two tables.
Network network_of(Index items) {
  return Network(items, {.embedding_size = 3, .hidden_size = 3, .feed_forward_factor = 1, .tied_vectors = false});
}

Network whole_network() {
  Network network = network_of(static_cast<Index>(item_counts.size()));
  randomise(network, 1);
  return network;
}

SequenceBatch batch_of(std::vector<std::uint32_t> inputs, std::vector<std::uint32_t> labels,
                       std::vector<float> weights) {
  SequenceBatch batch;
  batch.inputs = std::move(inputs);
  batch.labels = std::move(labels);
  batch.weights = std::move(weights);
  return batch;
}

/// Copies the columns of some items and all other parameters from a network with the tables of all items.
void gather(const Network& whole, std::span<const std::uint32_t> chosen, Network& small) {
  const auto to = parameter_views(small);
  const auto from = parameter_views(whole);
  for (const ParameterBlock& block : sparse_parameter_blocks(to, chosen))
    std::copy_n(block.of_whole(from), block.count, block.of(to));
}

/// The same the other way round.
void scatter(const Network& small, std::span<const std::uint32_t> chosen, Network& whole) {
  const auto from = parameter_views(small);
  const auto to = parameter_views(whole);
  for (const ParameterBlock& block : sparse_parameter_blocks(from, chosen))
    std::copy_n(block.of(from), block.count, block.of_whole(to));
}

}  // namespace

TEST_CASE("Sampled catalogue: the small network holds the touched items, the negatives first") {
  const Network whole = whole_network();
  ThreadPool pool(2);
  SampledCatalogue<Network> catalogue(network_of(1), item_counts, 4);
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    catalogue.draw(seed);
    auto first = batch_of({3, 3, 9}, {4, 0, 9}, {1, 0, 1}), second = batch_of({11}, {3}, {1});
    catalogue.relabel(first);
    catalogue.relabel(second);
    catalogue.gather(whole, pool);
    const auto columns = catalogue.columns();
    CHECK(catalogue.items().negatives() <= 4);
    CHECK(columns[first.inputs[0]] == 3);
    CHECK(first.inputs[1] == first.inputs[0]);
    CHECK(second.labels[0] == first.inputs[0]);
    CHECK(columns[first.labels[2]] == 9);
    CHECK(first.labels[1] == 0);  // of no weight
    CHECK(columns[second.inputs[0]] == 11);
    for (std::uint32_t column = 0; column < columns.size(); ++column) {
      CHECK(catalogue.items().item_of_column[column] == columns[column]);
      CHECK(distance(catalogue.network().input.item_vectors.table.col(column),
                     whole.input.item_vectors.table.col(columns[column])) == 0);
      CHECK(distance(catalogue.network().own_output_vectors.table.col(column),
                     whole.own_output_vectors.table.col(columns[column])) == 0);
      CHECK(catalogue.network().head.bias[column] == whole.head.bias[columns[column]]);
    }
    CHECK(distance(catalogue.network().blocks[0].recurrent.layer.cell.input_weight,
                   whole.blocks[0].recurrent.layer.cell.input_weight) == 0);
    CHECK(std::set<std::uint32_t>(columns.begin(), columns.end()).size() == columns.size());
  }
}

TEST_CASE("Sampled catalogue: of what a batch excludes the negatives are left, as columns") {
  SampledCatalogue<Network> catalogue(network_of(1), item_counts, 6);
  const std::vector<std::uint32_t> first = {3, 1, 7, 8, 0, 5, 2}, second = {9, 4, 3, 10};
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    SequenceBatch batch;
    const std::vector<Index> sizes = {4, 2};
    batch.steps = PackedSteps(sizes);
    batch.inputs = {3, 9, 7, 4, 0, 2};
    batch.labels = {1, 4, 8, 3, 5, 6};
    batch.weights.assign(6, 1);
    // A step's columns stand side by side; the lists of a sequence grow.
    const std::vector<std::span<const std::uint32_t>> lists = {std::span(first).first(1), std::span(second).first(1),
                                                               std::span(first).first(3), std::span(second).first(4),
                                                               std::span(first).first(5), std::span(first).first(7)};
    batch.excluded = lists;
    catalogue.draw(seed);
    catalogue.relabel(batch);
    const auto negatives = static_cast<std::size_t>(catalogue.items().negatives());
    for (std::size_t column = 0; column < lists.size(); ++column) {
      std::vector<std::uint32_t> expected, found;
      for (const std::uint32_t item : lists[column])
        if (std::count(catalogue.columns().begin(),
                       catalogue.columns().begin() + static_cast<std::ptrdiff_t>(negatives), item) > 0)
          expected.push_back(item);
      for (const std::uint32_t negative : batch.excluded[column]) {
        REQUIRE(negative < negatives);
        found.push_back(catalogue.columns()[negative]);
      }
      CHECK(found == expected);
    }
  }
}

TEST_CASE("Sampled catalogue: on average over the draws, the sum over the negatives is the sum over all items") {
  SampledCatalogue<Network> catalogue(network_of(1), item_counts, 6);
  const Vector<double> logits = random_matrix(static_cast<Index>(item_counts.size()), 1, 5);
  double sum = 0, squares = 0;
  constexpr int draws = 200000;
  for (int i = 0; i < draws; ++i) {
    catalogue.draw(static_cast<std::uint64_t>(i));
    double z = 0;
    for (std::size_t j = 0; j < catalogue.items().log_weights.size(); ++j)
      z += std::exp(logits[catalogue.columns()[j]] + static_cast<double>(catalogue.items().log_weights[j]));
    sum += z;
    squares += z * z;
  }
  const double mean = sum / draws, deviation = std::sqrt((squares / draws - mean * mean) / draws);
  CHECK(std::abs(mean - logits.array().exp().sum()) < 4 * deviation);
  CHECK(deviation < 0.01 * mean);
}

TEST_CASE("Adam of touched columns: theirs is the dense step, the others stay") {
  const std::vector<std::uint32_t> columns = {7, 2, 11};
  const Network before = whole_network();
  Network dense = before, lazy = before, dense_gradients = zeros_like(before),
          gradients = network_of(5);  // room to spare
  Adam<Network> dense_adam(dense, {.weight_decay = 0.01}), lazy_adam(lazy, {.weight_decay = 0.01});
  ThreadPool pool(2);
  for (std::uint64_t step = 1; step < 4; ++step) {
    randomise(gradients, 10 * step);
    scatter(gradients, columns, dense_gradients);
    dense_adam.update(dense, dense_gradients, 0.1, pool);
    lazy_adam.update(lazy, gradients, 0.1, pool, columns);
  }
  for (std::uint32_t item = 0; item < item_counts.size(); ++item) {
    const bool touched = std::count(columns.begin(), columns.end(), item) > 0;
    const Network& expected = touched ? dense : before;
    const double tolerance = touched ? 1e-14 : 0;  // blocks that begin elsewhere may round otherwise
    CHECK(distance(lazy.input.item_vectors.table.col(item), expected.input.item_vectors.table.col(item)) <= tolerance);
    CHECK(distance(lazy.own_output_vectors.table.col(item), expected.own_output_vectors.table.col(item)) <= tolerance);
    CHECK(std::abs(lazy.head.bias[item] - expected.head.bias[item]) <= tolerance);
  }
  CHECK(distance(lazy.blocks[0].recurrent.layer.cell.input_weight, dense.blocks[0].recurrent.layer.cell.input_weight) ==
        0);
  CHECK(distance(lazy.input.item_vectors.table.col(7), before.input.item_vectors.table.col(7)) > 0.01);
}

TEST_CASE("Weight average of touched columns: caught up, it is the average of all") {
  for (const double decay : {0.9, 0.0}) {
    Network network = whole_network();
    WeightAverage<Network> dense(network, decay), lazy(network, decay, item_counts.size());
    ThreadPool pool(2);
    Random random(1);
    for (std::uint64_t step = 0; step < 60; ++step) {
      std::vector<std::uint32_t> columns = {static_cast<std::uint32_t>(random.below(6)), 8};
      Network small = network_of(2);
      gather(network, columns, small);
      const Network old = small;
      randomise(small, step);
      scatter(small, columns, network);
      dense.update(network);
      lazy.update(network, pool, columns, old);
      if (step % 25 == 24) {
        lazy.catch_up(network);
        CHECK(parameter_distance(lazy.average(), dense.average()) < 1e-12);
      }
    }
    CHECK((parameter_distance(lazy.average(), dense.average()) > 1e-3) == (decay > 0));
    lazy.catch_up(network);
    CHECK(parameter_distance(lazy.average(), dense.average()) < 1e-12);
  }
}

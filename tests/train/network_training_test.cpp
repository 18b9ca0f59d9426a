// One step of a network's training against its parts and against the formulas.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <lstmrec/core/error.hpp>
#include <lstmrec/nn/dense.hpp>
#include <lstmrec/train/network_training.hpp>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "nn/item_tables.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

namespace {

/// The gradients of three parts of a batch; the layer only gives the shape.
template <class Layer>
std::vector<Layer> some_gradients(const Layer& layer, std::uint64_t seed) {
  std::vector<Layer> parts(3, layer);
  for (std::size_t k = 0; k < parts.size(); ++k) randomise(parts[k], 100 * seed + k);
  return parts;
}

/// AdamW and the weights' average of one matrix, written out.
struct ByHand {
  double weight_decay;
  Matrix<double> w, m, v, average;
  int t = 0;

  ByHand(const Matrix<double>& initial, double decay)
      : weight_decay(decay), w(initial), m(Matrix<double>::Zero(w.rows(), w.cols())), v(m), average(initial) {}

  void step(const Matrix<double>& g, double rate, double ema_decay) {
    ++t;
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g.cwiseProduct(g);
    for (Index k = 0; k < w.size(); ++k) {
      const double corrected_m = m(k) / (1 - std::pow(0.9, t)), corrected_v = v(k) / (1 - std::pow(0.999, t));
      w(k) -= rate * (corrected_m / (std::sqrt(corrected_v) + 1e-8) + weight_decay * w(k));
    }
    const double d = std::min(ema_decay, (1.0 + t) / (10.0 + t));
    average = d * average + (1 - d) * w;
  }
};

}  // namespace

TEST_CASE("NetworkTraining: a step is the sum, clipped, through AdamW, into the average") {
  Dense<double> layer(5, 4);
  randomise(layer, 1);
  constexpr double clip_norm = 2, ema_decay = 0.5, rate = 0.05;
  ByHand weight(layer.weight, 0.3), bias(layer.bias, 0);  // biases do not decay
  NetworkTraining<Dense<double>> training(layer, {.weight_decay = 0.3}, ema_decay, clip_norm);
  CHECK(same_bits(training.averaged(), layer));
  ThreadPool pool(2);
  int clipped = 0;
  for (std::uint64_t step = 0; step < 12; ++step) {
    auto parts = some_gradients(layer, step);
    if (step % 2 == 0) {  // small ones, which are not clipped
      for (auto& part : parts) for_each_parameter([](auto& parameter) { parameter *= 0.1; }, part);
    }
    Matrix<double> weight_sum = parts[0].weight + parts[1].weight + parts[2].weight;
    Matrix<double> bias_sum = parts[0].bias + parts[1].bias + parts[2].bias;
    const double norm = std::sqrt(weight_sum.squaredNorm() + bias_sum.squaredNorm());
    if (norm > clip_norm) {
      ++clipped;
      weight_sum *= clip_norm / norm;
      bias_sum *= clip_norm / norm;
    }
    const double rate_now = rate / static_cast<double>(step + 1);
    weight.step(weight_sum, rate_now, ema_decay);
    bias.step(bias_sum, rate_now, ema_decay);
    training.step(parts, 1.0, rate_now, 0, step, pool);
    CHECK(distance(training.network().weight, weight.w) < 1e-13);
    CHECK(distance(training.network().bias, bias.w) < 1e-13);
    CHECK(distance(training.averaged().weight, weight.average) < 1e-13);
    CHECK(distance(training.averaged().bias, bias.average) < 1e-13);
  }
  CHECK(clipped == 6);
}

TEST_CASE("NetworkTraining: a step has the bits of its parts, for any number of threads") {
  Dense<float> layer(70, 90);
  randomise(layer, 1);
  const AdamOptions options{.weight_decay = 0.1};
  ThreadPool one(1), three(3);
  NetworkTraining<Dense<float>> training(layer, options, 0.9, 2.0), of_three(layer, options, 0.9, 2.0);
  Dense<float> weights = layer;
  Adam<Dense<float>> adam(weights, options);
  WeightAverage<Dense<float>> average(weights, 0.9);
  for (std::uint64_t step = 0; step < 4; ++step) {
    auto parts = some_gradients(layer, step), same = parts, again = parts;
    training.step(parts, 1.0, 0.01, 0, step, one);
    of_three.step(same, 1.0, 0.01, 0, step, three);
    clip_gradients(again.front(), sum_gradients(again, one), 2.0, one);
    adam.update(weights, again.front(), 0.01, one);
    average.update(weights, one);
    CHECK(same_bits(training.network(), weights));
    CHECK(same_bits(training.averaged(), average.average()));
    CHECK(same_bits(of_three.network(), weights));
    CHECK(same_bits(of_three.averaged(), average.average()));
  }
}

TEST_CASE("NetworkTraining: without an average, what is kept are the weights") {
  Dense<float> layer(7, 9);
  randomise(layer, 1);
  NetworkTraining<Dense<float>> training(layer, {}, 0, 1);
  ThreadPool pool(1);
  auto parts = some_gradients(layer, 1);
  training.step(parts, 1.0, 0.01, 0, 0, pool);
  CHECK(same_bits(training.averaged(), training.network()));
  CHECK_FALSE(same_bits(training.network(), layer));
  training.catch_up();
  CHECK(same_bits(training.averaged(), training.network()));
}

TEST_CASE("NetworkTraining: what is not finite is refused, and the weights are those of before") {
  Dense<float> layer(7, 9);
  randomise(layer, 1);
  NetworkTraining<Dense<float>> training(layer, {}, 0.5, 1);
  ThreadPool pool(2);
  auto parts = some_gradients(layer, 1);
  CHECK_THROWS_AS(training.step(parts, std::numeric_limits<double>::quiet_NaN(), 0.01, 0, 0, pool), TrainingDiverged);
  parts = some_gradients(layer, 1);
  parts[1].bias[3] = std::numeric_limits<float>::infinity();
  CHECK_THROWS_AS(training.step(parts, 1.0, 0.01, 0, 0, pool), TrainingDiverged);
  CHECK(same_bits(training.network(), layer));
  CHECK(same_bits(training.averaged(), layer));
  // The steps that were refused leave no trace in later ones.
  NetworkTraining<Dense<float>> untroubled(layer, {}, 0.5, 1);
  parts = some_gradients(layer, 2);
  auto same = parts;
  training.step(parts, 1.0, 0.01, 0, 0, pool);
  untroubled.step(same, 1.0, 0.01, 0, 0, pool);
  CHECK(same_bits(training.network(), untroubled.network()));
  CHECK(same_bits(training.averaged(), untroubled.averaged()));
}

TEST_CASE("NetworkTraining: gradients are reduced after their sum and before they are clipped") {
  Dense<float> layer(7, 9);
  randomise(layer, 1);
  constexpr double clip_norm = 3;
  NetworkTraining<Dense<float>> training(layer, {}, 0.5, clip_norm), whole(layer, {}, 0.5, clip_norm);
  ThreadPool pool(2);
  // Another process has the gradients of three more parts.
  auto parts = some_gradients(layer, 1), others = some_gradients(layer, 2), all = parts;
  all.insert(all.end(), others.begin(), others.end());
  sum_gradients(others, pool);
  int calls = 0;
  training.reduce_gradients = [&](std::span<const std::span<float>> blocks) {
    ++calls;
    const auto views = parameter_views(others.front());
    std::size_t total = 0;
    std::vector<float> terms;
    for (const auto& view : views) terms.insert(terms.end(), view.data, view.data + view.size());
    for (const auto& block : blocks)
      for (float& number : block) number += terms.at(total++);
    CHECK(total == terms.size());
  };
  training.step(parts, 1.0, 0.01, 0, 0, pool);
  whole.step(all, 1.0, 0.01, 0, 0, pool);
  CHECK(calls == 1);
  CHECK(parameter_norm(parts.front()) == Approx(clip_norm));  // the clipped sum
  CHECK(parameter_distance(parts.front(), all.front()) < 1e-6);
  CHECK(parameter_distance(training.network(), whole.network()) < 1e-6);
  CHECK(parameter_distance(training.averaged(), whole.averaged()) < 1e-6);
  // What the reduction makes infinite is refused.
  training.reduce_gradients = [](std::span<const std::span<float>> blocks) {
    blocks.back().back() = std::numeric_limits<float>::infinity();
  };
  const Dense<float> before = training.network();
  parts = some_gradients(layer, 3);
  CHECK_THROWS_AS(training.step(parts, 1.0, 0.01, 0, 1, pool), TrainingDiverged);
  CHECK(same_bits(training.network(), before));
}

TEST_CASE(
    "NetworkTraining: steps that touch some items move these alone, and the average follows when it is asked for") {
  constexpr Index items = 7, size = 3;
  constexpr double ema_decay = 0.5, rate = 0.05;
  ItemTables<double> network(items, size);
  randomise(network, 1);
  NetworkTraining<ItemTables<double>> training(network, {.weight_decay = 0.2}, ema_decay, 1e9, items);
  ThreadPool pool(2);
  // By hand: an item's moments and weights stand still while it is not touched, its average does not.
  ItemTables<double> mean = zeros_like(network), square = mean, expected = network, average = network;
  const std::vector<std::vector<std::uint32_t>> touched = {{5, 0, 3}, {0}, {2, 5}, {}, {3, 0}};
  int t = 0;
  for (const auto& columns : touched) {
    const auto count = static_cast<Index>(columns.size());
    ItemTables<double> before(count + 1, size);  // one column more than it needs
    for (std::size_t j = 0; j < columns.size(); ++j) {
      before.vectors.table.col(static_cast<Index>(j)) = training.network().vectors.table.col(columns[j]);
      before.head.bias[static_cast<Index>(j)] = training.network().head.bias[columns[j]];
    }
    before.dense = training.network().dense;
    std::vector<ItemTables<double>> parts = some_gradients(before, static_cast<std::uint64_t>(t) + 1);
    for (auto& part : parts) {
      part.vectors.table.rightCols(1).setZero();
      part.head.bias.tail(1).setZero();
    }

    ++t;
    const auto step = [&](auto& w, auto& m, auto& v, const auto& g, double decay) {
      m = 0.9 * m + 0.1 * g;
      v = 0.999 * v + 0.001 * g.cwiseProduct(g);
      w = w - rate * ((m / (1 - std::pow(0.9, t)))
                          .cwiseQuotient(((v / (1 - std::pow(0.999, t))).cwiseSqrt().array() + 1e-8).matrix()) +
                      decay * w);
    };
    const Matrix<double> g_vectors = parts[0].vectors.table + parts[1].vectors.table + parts[2].vectors.table;
    const Matrix<double> g_bias = parts[0].head.bias + parts[1].head.bias + parts[2].head.bias;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      const Index item = columns[j];
      auto w = expected.vectors.table.col(item);
      auto m = mean.vectors.table.col(item), v = square.vectors.table.col(item);
      step(w, m, v, g_vectors.col(static_cast<Index>(j)), 0.2);
      auto b = expected.head.bias.row(item);
      auto m_b = mean.head.bias.row(item), v_b = square.head.bias.row(item);
      step(b, m_b, v_b, g_bias.row(static_cast<Index>(j)), 0);
    }
    step(expected.dense.weight, mean.dense.weight, square.dense.weight,
         Matrix<double>(parts[0].dense.weight + parts[1].dense.weight + parts[2].dense.weight), 0.2);
    step(expected.dense.bias, mean.dense.bias, square.dense.bias,
         Vector<double>(parts[0].dense.bias + parts[1].dense.bias + parts[2].dense.bias), 0);
    const double d = std::min(ema_decay, (1.0 + t) / (10.0 + t));
    for_each_parameter([&](auto& a, const auto& w) { a = d * a + (1 - d) * w; }, average, expected);

    training.step(parts, 1.0, rate, 0, static_cast<std::size_t>(t) - 1, pool, {columns, &before});
    CHECK(parameter_distance(training.network(), expected) < 1e-13);
    CHECK(parameter_distance(training.averaged().dense, average.dense) < 1e-13);
    if (t == 3) {
      training.catch_up();
      CHECK(parameter_distance(training.averaged(), average) < 1e-13);
    }
  }
  CHECK(parameter_distance(training.averaged(), average) > 1e-3);  // item 2 has not been touched since
  training.catch_up();
  CHECK(parameter_distance(training.averaged(), average) < 1e-13);
}

TEST_CASE("NetworkTraining: a training whose state is put back goes on to the same bits") {
  Dense<float> layer(7, 9), other(7, 9);
  randomise(layer, 1);
  randomise(other, 2);
  for (const double ema_decay : {0.0, 0.9}) {
    ThreadPool pool(1);
    NetworkTraining<Dense<float>> training(layer, {}, ema_decay, 1);
    for (std::uint64_t step = 0; step < 3; ++step) {
      auto parts = some_gradients(layer, step);
      training.step(parts, 1.0, 0.01, 0, step, pool);
    }
    NetworkTraining<Dense<float>> restored(other, {}, ema_decay, 1);
    // What is visited comes in one order.
    using Training = NetworkTraining<Dense<float>>;
    std::vector<std::string> names;
    Training::visit_state(training, [&](const std::string& name, const auto& value) {
      std::size_t number = 0;
      Training::visit_state(restored, [&](const std::string&, auto& other_value) {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(other_value)>,
                                     std::remove_cvref_t<decltype(value)>>) {
          if (number == names.size()) other_value = value;
        }
        ++number;
      });
      names.emplace_back(name);
    });
    const std::vector<std::string> without_average = {"network", "adam.steps", "adam.mean", "adam.square"};
    REQUIRE(names.size() >= without_average.size());
    CHECK(std::equal(without_average.begin(), without_average.end(), names.begin()));
    CHECK((names.size() == without_average.size()) == (ema_decay == 0));
    for (std::uint64_t step = 3; step < 6; ++step) {
      auto parts = some_gradients(layer, step), same = parts;
      training.step(parts, 1.0, 0.01, 0, step, pool);
      restored.step(same, 1.0, 0.01, 0, step, pool);
    }
    CHECK(same_bits(restored.network(), training.network()));
    CHECK(same_bits(restored.averaged(), training.averaged()));
  }
}

TEST_CASE("NetworkTraining: a loss that has grown a thousandfold is refused") {
  Dense<float> layer(7, 9);
  randomise(layer, 1);
  NetworkTraining<Dense<float>> training(layer, {}, 0.5, 1);
  ThreadPool pool(2);
  const auto step = [&](double loss) {
    auto parts = some_gradients(layer, 2);
    training.step(parts, loss, 0.01, 0, 0, pool);
  };
  step(3);  // the measure
  step(3000);
  CHECK_THROWS_AS(step(3001), TrainingDiverged);
}

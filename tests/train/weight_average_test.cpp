#include <algorithm>
#include <lstmrec/nn/dense.hpp>
#include <lstmrec/train/weight_average.hpp>

#include "catch.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

TEST_CASE("Weight average: the formula, with its rising decay") {
  Dense<double> layer(2, 3);
  randomise(layer, 1);
  WeightAverage<Dense<double>> average(layer, 0.5);
  Matrix<double> expected = layer.weight;
  for (int t = 1; t <= 20; ++t) {  // (1 + t) / (10 + t) reaches 0.5 at t = 8
    randomise(layer, static_cast<std::uint64_t>(t) + 1);
    average.update(layer);
    const double decay = std::min(0.5, (1.0 + t) / (10.0 + t));
    expected = decay * expected + (1 - decay) * layer.weight;
    CHECK(distance(average.average().weight, expected) < 1e-14);
  }
}

TEST_CASE("Weight average: without decay it is the weights, bit for bit") {
  Dense<float> layer(2, 3);
  randomise(layer, 1);
  layer.weight *= 1e6f;  // far from what follows, so that differences would round
  WeightAverage<Dense<float>> average(layer, 0);
  randomise(layer, 2);
  average.update(layer);
  CHECK(same_bits(average.average(), layer));
}

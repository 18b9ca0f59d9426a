#include <limits>
#include <lstmrec/core/error.hpp>
#include <lstmrec/nn/dense.hpp>
#include <lstmrec/train/adam.hpp>
#include <lstmrec/train/gradients.hpp>
#include <lstmrec/train/weight_average.hpp>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

TEST_CASE("Gradients: the shards' sum and its norm, the same bits for any number of threads") {
  Dense<float> first(70, 90), second(70, 90), third(70, 90);
  randomise(first, 1);
  randomise(second, 2);
  randomise(third, 3);
  std::vector parts = {first, second, third}, parts_of_three = parts, alone = {first};
  ThreadPool one(1), three(3);
  const double norm = sum_gradients(parts, one);
  CHECK(sum_gradients(parts_of_three, three) == norm);
  const Dense<float>& sum = parts_of_three.front();
  CHECK(same_bits(parts.front(), sum));
  CHECK(distance(sum.weight, first.weight + second.weight + third.weight) < 1e-6);
  CHECK(distance(sum.bias, first.bias + second.bias + third.bias) < 1e-6);
  CHECK(same_bits(parts[1], second));  // only the first is changed
  CHECK(same_bits(parts[2], third));
  CHECK(norm == Approx(parameter_norm(sum)));
  CHECK(sum_gradients(alone, one) == Approx(parameter_norm(first)));
  CHECK(same_bits(alone.front(), first));
}

TEST_CASE("Gradients: clipped to the largest norm, and left alone below it") {
  Dense<float> gradients(70, 90);
  randomise(gradients, 1);
  const Dense<float> before = gradients;
  ThreadPool pool(2);
  const double norm = parameter_norm(gradients);
  clip_gradients(gradients, norm, norm, pool);
  CHECK(same_bits(gradients, before));
  clip_gradients(gradients, norm, norm / 4, pool);
  CHECK(parameter_norm(gradients) == Approx(norm / 4));
  CHECK(distance(gradients.weight, before.weight / 4) < 1e-6);
}

TEST_CASE("Adam and the weights' average: the same bits for any number of threads") {
  Dense<float> layer(70, 90), gradients(70, 90);
  randomise(layer, 1);
  Dense<float> other = layer;
  Adam<Dense<float>> adam(layer), other_adam(layer);
  WeightAverage<Dense<float>> average(layer, 0.9), other_average(layer, 0.9);
  ThreadPool pool(3);
  for (std::uint64_t step = 0; step < 3; ++step) {
    randomise(gradients, step);
    adam.update(layer, gradients, 0.01);
    average.update(layer);
    other_adam.update(other, gradients, 0.01, pool);
    other_average.update(other, pool);
  }
  CHECK(same_bits(layer, other));
  CHECK(same_bits(average.average(), other_average.average()));
}

TEST_CASE("Gradients: loss and norm that are not finite are refused, with the epoch and batch as people count") {
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_NOTHROW(check_finite(1e300, 0, 0, 0));
  for (const auto& [loss, norm] : {std::pair(nan, 1.0), {infinity, 1.0}, {1.0, nan}, {1.0, infinity}}) {
    CHECK_THROWS_AS(check_finite(loss, norm, 0, 0), TrainingDiverged);
    try {
      check_finite(loss, norm, 1, 6);
    } catch (const TrainingDiverged& error) {
      CHECK(std::string(error.what()).starts_with("epoch 2, batch 7: loss "));
    }
  }
}

#include <lstmrec/nn/dense.hpp>
#include <lstmrec/train/adam.hpp>
#include <lstmrec/train/gradients.hpp>
#include <lstmrec/train/weight_average.hpp>
#include <vector>

#include "catch.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

TEST_CASE("Gradients: the shards' sum and its norm, the same bits for any number of threads") {
  Dense<float> first(70, 90), second(70, 90), third(70, 90);
  randomise(first, 1);
  randomise(second, 2);
  randomise(third, 3);
  Dense<float> sum_of_one_thread = first, sum_of_three = first;
  ThreadPool one(1), three(3);
  const double norm = sum_gradients(sum_of_one_thread, {&second, &third}, one);
  CHECK(sum_gradients(sum_of_three, {&second, &third}, three) == norm);
  CHECK(same_bits(sum_of_one_thread, sum_of_three));
  CHECK(distance(sum_of_three.weight, first.weight + second.weight + third.weight) < 1e-6);
  CHECK(distance(sum_of_three.bias, first.bias + second.bias + third.bias) < 1e-6);
  CHECK(norm == Approx(parameter_norm(sum_of_three)));
  CHECK(sum_gradients(first, {}, one) == Approx(parameter_norm(first)));
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

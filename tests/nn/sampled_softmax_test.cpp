#include <algorithm>
#include <cmath>
#include <cstdint>
#include <lstmrec/nn/gradient_check.hpp>
#include <lstmrec/nn/item_head.hpp>
#include <span>
#include <vector>

#include "catch.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

namespace {

constexpr Index items = 9, size = 3, columns = ItemHead<double>::tile + 3;

/// Targets with repeats and missing ones, and items of the past.
struct SomeTargets {
  std::vector<std::uint32_t> items_of_columns;
  std::vector<float> weights;
  std::vector<std::uint32_t> past = {3, 1, 7, 1, 8};
  std::vector<std::span<const std::uint32_t>> excluded;

  explicit SomeTargets(std::size_t per_column) {
    for (std::uint32_t column = 0; column < columns; ++column) {
      for (std::uint32_t k = 0; k < per_column; ++k) {
        const bool missing = k > 0 && column % 4 == 0;
        items_of_columns.push_back(missing ? 0 : (column + (column % 5 == 1 ? 0 : k)) % items);
        weights.push_back(missing ? 0.f : 1.f / static_cast<float>(1 + k + column % 3));
      }
      excluded.push_back(std::span(past).first(column % 6));
    }
  }
};

}  // namespace

TEST_CASE("Sampled softmax: over every item once, it is the softmax over the catalogue") {
  const SomeTargets some(3);
  ItemHead<double> head(items);
  randomise(head, 1);
  const Matrix<double> vectors = random_matrix(size, items, 2), h = random_matrix(size, columns, 3);
  const ItemTargets targets{3, some.items_of_columns, some.weights, some.excluded};
  ItemHead<double>::Cache cache;
  auto gradients = zeros_like(head);
  Matrix<double> d_vectors = Matrix<double>::Zero(size, items), d_h = filled_with_nan(size, columns);
  const double loss = head.loss(SoftmaxCrossEntropy{}, vectors, h, targets, cache, d_vectors, gradients, d_h);

  // The same tables in another order.
  const std::vector<std::uint32_t> place = {4, 2, 8, 0, 6, 1, 3, 7, 5};
  ItemHead<double> sampled_head(items);
  Matrix<double> sampled_vectors(size, items);
  for (std::uint32_t item = 0; item < items; ++item) {
    sampled_vectors.col(place[item]) = vectors.col(item);
    sampled_head.bias[place[item]] = head.bias[item];
  }
  std::vector<std::uint32_t> relabelled;
  for (const std::uint32_t item : some.items_of_columns) relabelled.push_back(place[item]);
  const std::vector<float> log_weights(items, 0.f);
  const SampledItems sampled{log_weights, place};
  auto sampled_gradients = zeros_like(sampled_head);
  Matrix<double> sampled_d_vectors = Matrix<double>::Zero(size, items), sampled_d_h = filled_with_nan(size, columns);
  const double sampled_loss = sampled_head.loss(SoftmaxCrossEntropy{}, sampled_vectors, h,
                                                {3, relabelled, some.weights, some.excluded, &sampled}, cache,
                                                sampled_d_vectors, sampled_gradients, sampled_d_h);
  CHECK(sampled_loss == Approx(loss).epsilon(1e-7));
  CHECK(distance(sampled_d_h, d_h) < 1e-6);  // weights that were added are floats
  for (std::uint32_t item = 0; item < items; ++item) {
    CHECK(distance(sampled_d_vectors.col(place[item]), d_vectors.col(item)) < 1e-5);
    CHECK(std::abs(sampled_gradients.bias[place[item]] - gradients.bias[item]) < 1e-5);
  }
}

TEST_CASE("Sampled softmax: gradients agree with differences, over more than one tile of columns") {
  const SomeTargets some(2);
  ItemHead<double> head(items);
  randomise(head, 1);
  Matrix<double> vectors = random_matrix(size, items, 2), h = random_matrix(size, columns, 3);
  // Four negatives; of the past, item 3 is one, item 1 has a column, the others have none.
  const std::vector<float> log_weights = {0.3f, -1.f, 0.f, 2.f};
  const std::vector<std::uint32_t> place = {9, 5, 9, 2, 9, 9, 9, ~0u, ~0u};
  const SampledItems sampled{log_weights, place};
  const ItemTargets targets{2, some.items_of_columns, some.weights, some.excluded, &sampled};
  ItemHead<double>::Cache cache;
  Matrix<double> unused_vectors = vectors, unused_h = h;
  auto unused_head = head;
  const auto loss = [&] {
    return head.loss(SoftmaxCrossEntropy{}, vectors, h, targets, cache, unused_vectors, unused_head, unused_h);
  };
  auto gradients = ones_like(head);
  Matrix<double> d_vectors = Matrix<double>::Ones(size, items), d_h = filled_with_nan(size, columns);
  head.loss(SoftmaxCrossEntropy{}, vectors, h, targets, cache, d_vectors, gradients, d_h);
  subtract_ones(gradients);
  d_vectors.array() -= 1.0;
  CHECK(check_gradients(head, gradients, loss).relative < gradient_tolerance);
  CHECK(check_gradient("vectors", vectors, d_vectors, loss).relative < gradient_tolerance);
  CHECK(check_gradient("h", h, d_h, loss).relative < gradient_tolerance);
}

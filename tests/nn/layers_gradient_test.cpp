#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <lstmrec/core/random.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/nn/dense.hpp>
#include <lstmrec/nn/embedding.hpp>
#include <lstmrec/nn/feed_forward.hpp>
#include <lstmrec/nn/gradient_check.hpp>
#include <lstmrec/nn/item_head.hpp>
#include <lstmrec/nn/layer_norm.hpp>
#include <lstmrec/nn/losses.hpp>
#include <span>
#include <vector>

#include "catch.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

TEST_CASE("Item head: loss and gradients with several labels and excluded items") {
  ItemHead<double> head(7);
  randomise(head, 1);
  Matrix<double> vectors = random_matrix(3, 7, 2), h = random_matrix(3, 5, 3);
  const std::vector<std::uint32_t> items = {0, 1, 2, 3, 4, 5, 6, 0, 3, 3};
  const std::vector<float> weights = {.1f, .2f, .3f, 0, .25f, .25f, .5f, .1f, .2f, .1f};
  const std::vector<std::uint32_t> seen = {3, 5, 6, 2};
  std::vector<std::span<const std::uint32_t>> excluded;
  for (std::size_t column = 0; column < 5; ++column) excluded.push_back(std::span(seen).first(column));
  const ItemLabels labels{2, items, weights, excluded};
  ItemHead<double>::Cache cache;
  const auto run = [&](Matrix<double>& d_vectors, ItemHead<double>& gradients, Matrix<double>& d_h) {
    return head.loss_and_gradient(SoftmaxCrossEntropy{}, vectors, h, labels, cache, d_vectors, gradients, d_h);
  };
  Matrix<double> unused_vectors = vectors, unused_h = h;
  auto unused_head = head;
  const auto loss = [&] { return run(unused_vectors, unused_head, unused_h); };

  // The formula, written out.
  double expected = 0;
  for (Index column = 0; column < 5; ++column) {
    const Vector<double> z = vectors.transpose() * h.col(column) + head.bias;
    const auto list = excluded[static_cast<std::size_t>(column)];
    const auto labels_here = labels.items_of(column);
    const auto weights_here = labels.weights_of(column);
    const auto is_label = [&](Index item) {
      for (std::size_t k = 0; k < 2; ++k)
        if (weights_here[k] != 0 && labels_here[k] == item) return true;
      return false;
    };
    double sum = 0;
    for (Index item = 0; item < 7; ++item)
      if (is_label(item) || std::find(list.begin(), list.end(), item) == list.end()) sum += std::exp(z(item));
    for (std::size_t k = 0; k < 2; ++k)
      expected += static_cast<double>(weights_here[k]) * (std::log(sum) - z(labels_here[k]));
  }
  CHECK(loss() == Approx(expected).epsilon(1e-12));

  auto gradients = ones_like(head);
  Matrix<double> d_vectors = Matrix<double>::Ones(3, 7), d_h = filled_with_nan(3, 5);
  run(d_vectors, gradients, d_h);
  subtract_ones(gradients);
  d_vectors.array() -= 1.0;
  CHECK(check_gradients(head, gradients, loss).relative < gradient_tolerance);
  CHECK(check_gradient("vectors", vectors, d_vectors, loss).relative < gradient_tolerance);
  CHECK(check_gradient("h", h, d_h, loss).relative < gradient_tolerance);
}

TEST_CASE("Embedding: backward adds to the columns that were looked up") {
  Embedding<double> layer(4, 3);
  randomise(layer, 1);
  const std::vector<std::uint32_t> indices = {2, 0, 2, 3};
  const Matrix<double> weights = random_matrix(3, 4, 2);
  Matrix<double> output = filled_with_nan(3, 4);
  const auto loss = [&] {
    layer.forward(indices, output);
    return output.cwiseProduct(weights).sum();
  };
  auto gradients = ones_like(layer);
  layer.backward(indices, weights, gradients);
  subtract_ones(gradients);
  CHECK(check_gradients(layer, gradients, loss).relative < gradient_tolerance);
}

TEST_CASE("Dense: gradients agree with differences") {
  Dense<double> layer(4, 3);
  randomise(layer, 1);
  Matrix<double> x = random_matrix(4, 17, 2), y = filled_with_nan(3, 17), d_x = filled_with_nan(4, 17);
  const Matrix<double> weights = random_matrix(3, 17, 3);
  const auto loss = [&] {
    layer.forward(x, y);
    return y.cwiseProduct(weights).sum();
  };
  auto gradients = ones_like(layer);
  layer.backward(x, weights, gradients, d_x);
  subtract_ones(gradients);
  CHECK(check_gradients(layer, gradients, loss).relative < gradient_tolerance);
  CHECK(check_gradient("x", x, d_x, loss).relative < gradient_tolerance);
}

TEST_CASE("LayerNorm: gradients agree with differences") {
  LayerNorm<double> layer(5);
  randomise(layer, 1);
  Matrix<double> x = random_matrix(5, 17, 2);
  const Matrix<double> weights = random_matrix(5, 17, 3);
  LayerNorm<double>::Cache cache;
  const auto loss = [&] {
    Matrix<double> y = x;
    layer.forward(y, cache);
    return y.cwiseProduct(weights).sum();
  };
  loss();
  auto gradients = ones_like(layer);
  Matrix<double> d = weights;
  layer.backward(cache, gradients, d);
  subtract_ones(gradients);
  CHECK(check_gradients(layer, gradients, loss).relative < gradient_tolerance);
  CHECK(check_gradient("x", x, d, loss).relative < gradient_tolerance);
}

TEST_CASE("FeedForward: gradients agree with differences, over more than one tile of columns") {
  FeedForward<double> layer(2, 3);
  randomise(layer, 1);
  const Index columns = FeedForward<double>::tile + 3;
  Matrix<double> x = random_matrix(2, columns, 2), y = filled_with_nan(2, columns), d_x = filled_with_nan(2, columns);
  const Matrix<double> weights = random_matrix(2, columns, 3);
  FeedForward<double>::Cache cache;
  const auto loss = [&] {
    layer.forward(x, cache, y);
    return y.cwiseProduct(weights).sum();
  };
  loss();
  auto gradients = ones_like(layer);
  layer.backward(x, cache, weights, gradients, d_x);
  subtract_ones(gradients);
  CHECK(check_gradients(layer, gradients, loss).relative < gradient_tolerance);
  CHECK(check_gradient("x", x, d_x, loss).relative < gradient_tolerance);
}

TEST_CASE("Item head: gradients over more than one tile of columns") {
  const Index columns = ItemHead<double>::tile + 3;
  ItemHead<double> head(4);
  randomise(head, 1);
  Matrix<double> vectors = random_matrix(2, 4, 2), h = random_matrix(2, columns, 3);
  std::vector<std::uint32_t> items;
  std::vector<float> weights;
  const std::vector<std::uint32_t> seen = {3, 1};
  std::vector<std::span<const std::uint32_t>> excluded;
  for (std::uint32_t column = 0; column < columns; ++column) {
    items.push_back(column % 4);
    weights.push_back(1.f / static_cast<float>(1 + column % 3));
    excluded.push_back(std::span(seen).first(column % 3));
  }
  const ItemLabels labels{1, items, weights, excluded};
  ItemHead<double>::Cache cache;
  Matrix<double> unused_vectors = vectors, unused_h = h;
  auto unused_head = head;
  const auto loss = [&] {
    return head.loss_and_gradient(SoftmaxCrossEntropy{}, vectors, h, labels, cache, unused_vectors, unused_head,
                                  unused_h);
  };
  auto gradients = ones_like(head);
  Matrix<double> d_vectors = Matrix<double>::Ones(2, 4), d_h = filled_with_nan(2, columns);
  head.loss_and_gradient(SoftmaxCrossEntropy{}, vectors, h, labels, cache, d_vectors, gradients, d_h);
  subtract_ones(gradients);
  d_vectors.array() -= 1.0;
  CHECK(check_gradients(head, gradients, loss).relative < gradient_tolerance);
  CHECK(check_gradient("vectors", vectors, d_vectors, loss).relative < gradient_tolerance);
  CHECK(check_gradient("h", h, d_h, loss).relative < gradient_tolerance);
}

TEST_CASE("Squared error: value and gradient") {
  Matrix<double> prediction = random_matrix(1, 6, 1), d = filled_with_nan(1, 6), unused = d;
  const Matrix<double> target = random_matrix(1, 6, 2);
  const auto loss = [&] { return squared_error(prediction, target, 24, unused); };
  CHECK(squared_error(prediction, target, 24, d) == Approx((prediction - target).array().square().sum() / 24));
  CHECK(check_gradient("prediction", prediction, d, loss).relative < gradient_tolerance);
}

TEST_CASE("The gradient checker sees a wrong gradient and a NaN") {
  Dense<double> layer(2, 2);
  randomise(layer, 1);
  const Matrix<double> x = random_matrix(2, 3, 2);
  const auto loss = [&] {
    Matrix<double> y(2, 3);
    layer.forward(x, y);
    return 0.5 * y.squaredNorm();
  };
  Matrix<double> y(2, 3), d_x(2, 3);
  layer.forward(x, y);
  auto gradients = zeros_like(layer);
  layer.backward(x, y, gradients, d_x);
  CHECK(check_gradients(layer, gradients, loss).relative < gradient_tolerance);
  gradients.bias(1) += 1e-3;
  const auto wrong = check_gradients(layer, gradients, loss);
  CHECK(wrong.relative > 1e-5);
  CHECK(wrong.name == "bias");
  CHECK(wrong.row == 1);
  gradients.weight(0, 1) = std::numeric_limits<double>::quiet_NaN();
  CHECK(std::isnan(check_gradients(layer, gradients, loss).relative));
}

TEST_CASE("ItemHead: several parts, on any number of threads, are the sum of the parts alone") {
  constexpr Index items = 300, size = 16;
  const Index columns[] = {300, 70, 129};
  const Matrix<double> vectors = random_matrix(size, items, 1);
  ItemHead<double> head(items);
  randomise(head, 2);
  Random random(3);
  SoftmaxCrossEntropy loss;
  std::vector<std::vector<std::uint32_t>> labels(3);
  std::vector<std::vector<float>> weights(3);
  std::vector<Matrix<double>> h(3), d_h(3), expected_d_h(3);
  std::vector<ItemHead<double>::Part> parts;
  ItemHead<double>::Cache alone;
  ItemHead<double> expected(items);
  auto expected_d_vectors = linalg::filled<Matrix<double>>(size, items);
  double expected_loss = 0;
  for (std::size_t p = 0; p < 3; ++p) {
    h[p] = random_matrix(size, columns[p], 4 + p);
    d_h[p] = expected_d_h[p] = filled_with_nan(size, columns[p]);
    for (Index k = 0; k < columns[p]; ++k) {
      labels[p].push_back(static_cast<std::uint32_t>(random.below(items)));
      weights[p].push_back(static_cast<float>(random.uniform()));
    }
    const ItemLabels own{1, labels[p], weights[p], {}, nullptr};
    parts.push_back({h[p], own, d_h[p]});
    expected_loss += head.loss_and_gradient(ItemLossRef<double>(loss), vectors, h[p], own, alone, expected_d_vectors,
                                            expected, expected_d_h[p]);
  }
  for (const std::size_t threads : {1, 2, 3, 5}) {
    CAPTURE(threads);
    ThreadPool pool(threads);
    ItemHead<double>::Cache cache;
    for (int pass = 0; pass < 2; ++pass) {  // the second meets what the first has left in memory
      auto d_vectors = linalg::filled<Matrix<double>>(size, items);
      ItemHead<double> gradients(items);
      CHECK(head.loss_and_gradient(ItemLossRef<double>(loss), vectors, parts, cache, d_vectors, gradients, pool) ==
            Approx(expected_loss));
      CHECK((d_vectors - expected_d_vectors).cwiseAbs().maxCoeff() < 1e-13);
      CHECK((gradients.bias - expected.bias).cwiseAbs().maxCoeff() < 1e-13);
      for (std::size_t p = 0; p < 3; ++p) CHECK((d_h[p] - expected_d_h[p]).cwiseAbs().maxCoeff() < 1e-13);
    }
  }
}

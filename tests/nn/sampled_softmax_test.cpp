#include <algorithm>
#include <cmath>
#include <cstdint>
#include <lstmrec/nn/gradient_check.hpp>
#include <lstmrec/nn/item_head.hpp>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

namespace {

constexpr Index items = 9, size = 3, columns = ItemHead<double>::tile + 3;

/// Labels with repeats and missing ones, and items of the past.
struct SomeLabels {
  std::vector<std::uint32_t> items_of_columns;
  std::vector<float> weights;
  std::vector<std::uint32_t> past = {3, 1, 7, 1, 8};
  std::vector<std::span<const std::uint32_t>> excluded;

  explicit SomeLabels(std::size_t per_column) {
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

/// The tables of the columns of some items, and the labels in these columns.
struct SampledTables {
  std::vector<std::uint32_t> column_of_item, labels;
  std::vector<std::uint32_t> item_of_column;
  ItemHead<double> head;
  Matrix<double> vectors;

  SampledTables(std::vector<std::uint32_t> chosen, std::span<const std::uint32_t> label_items,
                const ItemHead<double>& whole_head, const Matrix<double>& whole_vectors)
      : column_of_item(items, ~0u),
        item_of_column(std::move(chosen)),
        head(static_cast<Index>(item_of_column.size())),
        vectors(size, static_cast<Index>(item_of_column.size())) {
    for (std::uint32_t column = 0; column < item_of_column.size(); ++column) {
      column_of_item[item_of_column[column]] = column;
      vectors.col(column) = whole_vectors.col(item_of_column[column]);
      head.bias[column] = whole_head.bias[item_of_column[column]];
    }
    for (const std::uint32_t item : label_items) labels.push_back(column_of_item[item]);
  }
};

/// The lists of excluded items as columns of negatives; the other items fall out.
struct ExcludedColumns {
  std::vector<std::vector<std::uint32_t>> columns;
  std::vector<std::span<const std::uint32_t>> lists;

  ExcludedColumns(const SomeLabels& some, const std::vector<std::uint32_t>& column_of_item, std::size_t negatives) {
    for (const auto& excluded : some.excluded) {
      auto& own = columns.emplace_back();
      for (const std::uint32_t item : excluded)
        if (column_of_item[item] < negatives) own.push_back(column_of_item[item]);
    }
    for (const auto& own : columns) lists.emplace_back(own);
  }
};

/// A loss of one's own that looks at items: the softmax cross-entropy of logits to which a number of each item is added
/// (Menon et al., "Long-tail learning via logit adjustment", 2021).
struct AdjustedCrossEntropy {
  std::span<const double> adjustment;  ///< By item of the catalogue.

  template <class Logits>
  double operator()(Logits&& logits, const LogitLabels& labels) const {
    for (Index column = 0; column < logits.cols(); ++column)
      for (Index row = 0; row < logits.rows(); ++row)
        if (logits(row, column) > -1e29) logits(row, column) += adjustment[labels.item(row, column)];
    return SoftmaxCrossEntropy{}(logits, labels);
  }
};

/// A loss that holds every logit against the tables of the whole catalogue, and counts what it sees.
struct LogitChecker {
  const ItemHead<double>& head;
  const Matrix<double>& vectors;
  const Matrix<double>& h;
  const SomeLabels& some;
  std::size_t per_column;
  std::span<const std::uint32_t> negatives;  ///< Their items; empty: the whole catalogue.
  std::span<const float> log_weights;
  Index* column;  ///< Of h; the losses of tiles come in their order.

  template <class Logits>
  double operator()(Logits&& logits, const LogitLabels& labels) const {
    const auto first_labels = static_cast<Index>(negatives.empty() ? items : negatives.size());
    CHECK(labels.per_column == per_column);
    CHECK(static_cast<Index>(labels.columns()) == logits.cols());
    CHECK(logits.rows() == first_labels + static_cast<Index>(negatives.empty() ? 0 : per_column));
    for (Index j = 0; j < logits.cols(); ++j, ++*column) {
      const auto own =
          std::span(some.items_of_columns).subspan(static_cast<std::size_t>(*column) * per_column, per_column);
      const auto own_weights =
          std::span(some.weights).subspan(static_cast<std::size_t>(*column) * per_column, per_column);
      const auto out = some.excluded[static_cast<std::size_t>(*column)];
      const auto is_label = [&](std::uint32_t item) {
        for (std::size_t k = 0; k < per_column; ++k)
          if (own[k] == item && own_weights[k] != 0) return true;
        return false;
      };
      // The labels' rows stand for their items, and the weights of an item are all there.
      for (std::size_t k = 0; k < per_column; ++k)
        if (own_weights[k] != 0) CHECK(labels.item(labels.rows_of(j)[k], j) == own[k]);
      for (std::uint32_t item = 0; item < items; ++item) {
        double weight = 0, expected = 0;
        for (std::size_t k = 0; k < per_column; ++k) {
          if (labels.weights_of(j)[k] != 0 && labels.item(labels.rows_of(j)[k], j) == item)
            weight += static_cast<double>(labels.weights_of(j)[k]);
          if (own[k] == item) expected += static_cast<double>(own_weights[k]);
        }
        CHECK(weight == Approx(expected));
      }
      // Every row's logit is that of its item plus its shift, unless it takes no part.
      for (Index row = 0; row < logits.rows(); ++row) {
        const std::uint32_t item = labels.item(row, j);
        REQUIRE(item < items);
        const bool is_negative = row < static_cast<Index>(negatives.size());
        if (is_negative) {
          CHECK(item == negatives[static_cast<std::size_t>(row)]);
          CHECK(labels.shift(row) == log_weights[static_cast<std::size_t>(row)]);
        } else {
          CHECK(labels.shift(row) == 0);
          if (negatives.empty()) CHECK(item == static_cast<std::uint32_t>(row));
        }
        bool takes_part = is_label(item) || std::find(out.begin(), out.end(), item) == out.end();
        if (is_negative && is_label(item)) takes_part = false;  // it has a row of its own
        if (!is_negative && !negatives.empty()) {
          const auto k = static_cast<std::size_t>(row - first_labels);
          takes_part =
              own_weights[k] != 0 && std::find(own.begin(), own.end(), own[k]) - own.begin() == row - first_labels;
        }
        const double logit = vectors.col(item).dot(h.col(*column)) + head.bias[item];
        if (takes_part)
          CHECK(logits(row, j) - static_cast<double>(labels.shift(row)) == Approx(logit).margin(1e-12));
        else
          CHECK(logits(row, j) == -1e30);
      }
    }
    logits.setZero();
    return 0;
  }
};

}  // namespace

TEST_CASE("Sampled softmax: over every item once, it is the softmax over the catalogue") {
  const SomeLabels some(3);
  ItemHead<double> head(items);
  randomise(head, 1);
  const Matrix<double> vectors = random_matrix(size, items, 2), h = random_matrix(size, columns, 3);
  const ItemLabels labels{3, some.items_of_columns, some.weights, some.excluded};
  ItemHead<double>::Cache cache;
  auto gradients = zeros_like(head);
  Matrix<double> d_vectors = Matrix<double>::Zero(size, items), d_h = filled_with_nan(size, columns);
  const double loss =
      head.loss_and_gradient(SoftmaxCrossEntropy{}, vectors, h, labels, cache, d_vectors, gradients, d_h);

  // The same tables in another order.
  const SampledTables tables({3, 5, 1, 6, 0, 8, 4, 7, 2}, some.items_of_columns, head, vectors);
  const std::vector<float> log_weights(items, 0.f);
  const SampledItems sampled{log_weights, tables.item_of_column};
  const ExcludedColumns out(some, tables.column_of_item, log_weights.size());
  auto sampled_gradients = zeros_like(tables.head);
  Matrix<double> sampled_d_vectors = Matrix<double>::Zero(size, items), sampled_d_h = filled_with_nan(size, columns);
  const double sampled_loss_and_gradient = tables.head.loss_and_gradient(
      SoftmaxCrossEntropy{}, tables.vectors, h, {3, tables.labels, some.weights, out.lists, &sampled}, cache,
      sampled_d_vectors, sampled_gradients, sampled_d_h);
  CHECK(sampled_loss_and_gradient == Approx(loss).epsilon(1e-7));
  CHECK(distance(sampled_d_h, d_h) < 1e-6);  // weights that were added are floats
  for (std::uint32_t item = 0; item < items; ++item) {
    CHECK(distance(sampled_d_vectors.col(tables.column_of_item[item]), d_vectors.col(item)) < 1e-5);
    CHECK(std::abs(sampled_gradients.bias[tables.column_of_item[item]] - gradients.bias[item]) < 1e-5);
  }
}

TEST_CASE("Sampled softmax: gradients agree with differences, over more than one tile of columns") {
  const SomeLabels some(2);
  ItemHead<double> head(items);
  randomise(head, 1);
  Matrix<double> vectors = random_matrix(size, items, 2), h = random_matrix(size, columns, 3);
  // Four negatives; of the past, item 3 is one, item 1 has a column, the others have none.
  const std::vector<float> log_weights = {0.3f, -1.f, 0.f, 2.f};
  const std::vector<std::uint32_t> place = {9, 5, 9, 2, 9, 9, 9, ~0u, ~0u};
  const std::vector<std::uint32_t> item_of_place = {0, 2, 3, 4, 5, 1, 6, 7, 8};
  const SampledItems sampled{log_weights, item_of_place};
  const ExcludedColumns out(some, place, log_weights.size());
  const ItemLabels labels{2, some.items_of_columns, some.weights, out.lists, &sampled};
  ItemHead<double>::Cache cache;
  Matrix<double> unused_vectors = vectors, unused_h = h;
  auto unused_head = head;
  const auto loss = [&] {
    return head.loss_and_gradient(SoftmaxCrossEntropy{}, vectors, h, labels, cache, unused_vectors, unused_head,
                                  unused_h);
  };
  auto gradients = ones_like(head);
  Matrix<double> d_vectors = Matrix<double>::Ones(size, items), d_h = filled_with_nan(size, columns);
  head.loss_and_gradient(SoftmaxCrossEntropy{}, vectors, h, labels, cache, d_vectors, gradients, d_h);
  subtract_ones(gradients);
  d_vectors.array() -= 1.0;
  CHECK(check_gradients(head, gradients, loss).relative < gradient_tolerance);
  CHECK(check_gradient("vectors", vectors, d_vectors, loss).relative < gradient_tolerance);
  CHECK(check_gradient("h", h, d_h, loss).relative < gradient_tolerance);
}

TEST_CASE("A loss of one's own is told the item of every row and what was added to its logit") {
  const SomeLabels some(3);
  ItemHead<double> head(items);
  randomise(head, 1);
  const Matrix<double> vectors = random_matrix(size, items, 2), h = random_matrix(size, columns, 3);
  ItemHead<double>::Cache cache;
  Matrix<double> d_h = filled_with_nan(size, columns);
  const auto run = [&](const ItemHead<double>& some_head, const Matrix<double>& some_vectors, const ItemLabels& labels,
                       std::span<const std::uint32_t> negatives, std::span<const float> log_weights) {
    Index seen = 0;
    const LogitChecker checker{head, vectors, h, some, 3, negatives, log_weights, &seen};
    auto gradients = zeros_like(some_head);
    Matrix<double> d_vectors = Matrix<double>::Zero(size, some_vectors.cols());
    some_head.loss_and_gradient(checker, some_vectors, h, labels, cache, d_vectors, gradients, d_h);
    CHECK(seen == columns);
  };
  run(head, vectors, {3, some.items_of_columns, some.weights, some.excluded}, {}, {});

  // Five negatives, among them labels and excluded items.
  const std::vector<std::uint32_t> negatives = {6, 3, 8, 0, 1};
  const std::vector<float> log_weights = {0.3f, -1.f, 0.f, 2.f, 0.7f};
  const SampledTables tables({6, 3, 8, 0, 1, 7, 2, 5, 4}, some.items_of_columns, head, vectors);
  const SampledItems sampled{log_weights, tables.item_of_column};
  const ExcludedColumns out(some, tables.column_of_item, log_weights.size());
  run(tables.head, tables.vectors, {3, tables.labels, some.weights, out.lists, &sampled}, negatives, log_weights);
}

TEST_CASE("A loss of one's own that looks at items: over every item once it is that over the catalogue") {
  const SomeLabels some(3);
  ItemHead<double> head(items);
  randomise(head, 1);
  const Matrix<double> vectors = random_matrix(size, items, 2), h = random_matrix(size, columns, 3);
  const std::vector<double> adjustment = {0.3, -1, 0.7, 2, 0, -0.4, 1.1, -2, 0.9};
  const AdjustedCrossEntropy loss_of_items{adjustment};
  ItemHead<double>::Cache cache;
  auto gradients = zeros_like(head);
  Matrix<double> d_vectors = Matrix<double>::Zero(size, items), d_h = filled_with_nan(size, columns);
  const double loss =
      head.loss_and_gradient(loss_of_items, vectors, h, {3, some.items_of_columns, some.weights, some.excluded}, cache,
                             d_vectors, gradients, d_h);

  const SampledTables tables({3, 5, 1, 6, 0, 8, 4, 7, 2}, some.items_of_columns, head, vectors);
  const std::vector<float> log_weights(items, 0.f);
  const SampledItems sampled{log_weights, tables.item_of_column};
  const ExcludedColumns out(some, tables.column_of_item, log_weights.size());
  auto sampled_gradients = zeros_like(tables.head);
  Matrix<double> sampled_d_vectors = Matrix<double>::Zero(size, items), sampled_d_h = filled_with_nan(size, columns);
  const double sampled_loss = tables.head.loss_and_gradient(loss_of_items, tables.vectors, h,
                                                            {3, tables.labels, some.weights, out.lists, &sampled},
                                                            cache, sampled_d_vectors, sampled_gradients, sampled_d_h);
  CHECK(sampled_loss == Approx(loss).epsilon(1e-7));
  CHECK(distance(sampled_d_h, d_h) < 1e-6);  // weights that were added are floats
  for (std::uint32_t item = 0; item < items; ++item) {
    const std::uint32_t column = tables.column_of_item[item];
    CHECK(distance(sampled_d_vectors.col(column), d_vectors.col(item)) < 1e-5);
    CHECK(std::abs(sampled_gradients.bias[column] - gradients.bias[item]) < 1e-5);
  }

  // The adjustment is felt.
  auto plain_gradients = zeros_like(head);
  const double plain_loss =
      head.loss_and_gradient(SoftmaxCrossEntropy{}, vectors, h, {3, some.items_of_columns, some.weights, some.excluded},
                             cache, d_vectors, plain_gradients, d_h);
  CHECK(std::abs(plain_loss - loss) > 0.1);
}

TEST_CASE("Sampled softmax: the same bits for any number of threads, wherever the items are cut") {
  constexpr Index wide = 8, all = 66, many = 3 * ItemHead<float>::tile + 5;
  for (const Index negatives : {Index{33}, Index{34}, Index{17}, Index{1}, Index{65}}) {
    ItemHead<float> head(all);
    randomise(head, 1);
    const Matrix<float> vectors = random_matrix(wide, all, 2).cast<float>(),
                        h = random_matrix(wide, many, 3).cast<float>();
    std::vector<std::uint32_t> item_of_column(all), labels;
    std::iota(item_of_column.begin(), item_of_column.end(), 0u);
    const std::vector<float> log_weights(static_cast<std::size_t>(negatives), 0.1f), weights(many, 0.01f);
    for (Index column = 0; column < many; ++column) labels.push_back(static_cast<std::uint32_t>(column * 7 % all));
    const SampledItems sampled{log_weights, item_of_column};
    std::vector<Matrix<float>> d_vectors;
    std::vector<double> losses;
    std::vector<Vector<float>> d_bias;
    for (const std::size_t threads : {1, 2, 3, 7}) {
      ThreadPool pool(threads);
      ItemHead<float>::Cache cache;
      auto gradients = zeros_like(head);
      Matrix<float> d_own = Matrix<float>::Zero(wide, all), d_h(wide, many);
      const ItemHead<float>::Part part{h, {1, labels, weights, {}, &sampled}, d_h};
      losses.push_back(
          head.loss_and_gradient(SoftmaxCrossEntropy{}, vectors, {&part, 1}, cache, d_own, gradients, pool));
      d_vectors.push_back(d_own);
      d_bias.push_back(gradients.bias);
    }
    for (std::size_t k = 1; k < losses.size(); ++k) {
      CHECK(losses[k] == losses[0]);
      CHECK(d_vectors[k] == d_vectors[0]);
      CHECK(d_bias[k] == d_bias[0]);
    }
  }
}

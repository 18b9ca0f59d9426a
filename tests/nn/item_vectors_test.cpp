#include <cstdint>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/nn/item_head.hpp>
#include <lstmrec/nn/item_vectors.hpp>
#include <span>
#include <vector>

#include "catch.hpp"
#include "support.hpp"

using namespace lstmrec;

namespace {

constexpr Index item_count = 7, feature_count = 5, vector_size = 6;

/// Some features an item, none of the fourth.
FeatureRows some_rows() {
  FeatureRows rows;
  for (std::uint32_t item = 0; item < item_count; ++item) {
    for (std::uint32_t feature = item % 2; feature < feature_count && item != 3; feature += 2)
      rows.push(feature, 0.25f * static_cast<float>(1 + item + feature));
    rows.end_row();
  }
  return rows;
}

/// The same as a matrix, features × items.
Matrix<double> dense(const FeatureRows& rows) {
  Matrix<double> c = Matrix<double>::Zero(feature_count, static_cast<Index>(rows.rows()));
  for (std::size_t item = 0; item < rows.rows(); ++item)
    for (std::size_t k = 0; k < rows[item].size(); ++k)
      c(rows[item].features[k], static_cast<Index>(item)) = static_cast<double>(rows[item].values[k]);
  return c;
}

}  // namespace

TEST_CASE("ItemVectors: e = δ + W c and back, of all items and of some") {
  ItemVectors<double> vectors(item_count, vector_size, feature_count);
  randomise(vectors, 1);
  const FeatureRows rows = some_rows();
  const Matrix<double> c = dense(rows), own = vectors.table, expected = own + vectors.content * c;
  for (const std::size_t threads : {1u, 3u}) {
    ThreadPool pool(threads);
    vectors.table = own;
    vectors.add_content(rows, {}, pool);
    CHECK(distance(vectors.table, expected) < 1e-12);
    CHECK(vectors.table.col(3) == own.col(3));
    vectors.add_content(rows, {}, pool, -1);
    CHECK(distance(vectors.table, own) < 1e-12);

    const std::vector<std::uint32_t> some{5, 0, 2};
    ItemVectors<double> part(4, vector_size, feature_count);  // one column to spare
    part.content = vectors.content;
    for (Index column = 0; column < 3; ++column)
      part.table.col(column) = own.col(some[static_cast<std::size_t>(column)]);
    part.add_content(rows, some, pool);
    for (Index column = 0; column < 3; ++column)
      CHECK(distance(part.table.col(column), expected.col(some[static_cast<std::size_t>(column)])) < 1e-12);
    CHECK(part.table.col(3).isZero(0));
  }
  Matrix<double> vector(vector_size, 1);
  vectors.content_vector(rows[4], vector);
  CHECK(distance(vector, vectors.content * c.col(4)) < 1e-12);
}

TEST_CASE("ItemVectors: the gradient of W is added, the same bits with any number of threads") {
  const FeatureRows rows = some_rows();
  ItemVectors<float> first;
  for (const std::size_t threads : {1u, 2u, 5u, 16u}) {
    ThreadPool pool(threads);
    ItemVectors<float> gradients(item_count, vector_size, feature_count);
    randomise(gradients, 2);
    const Matrix<double> before = gradients.content.cast<double>(), d = gradients.table.cast<double>();
    gradients.add_content_gradient(rows, {}, pool);
    CHECK(distance(gradients.content.cast<double>(), before + d * dense(rows).transpose()) < 1e-5);
    CHECK(gradients.table.cast<double>() == d);
    if (threads == 1) first = gradients;
    CHECK(gradients.content == first.content);
  }
}

TEST_CASE("ItemHead: biases have a part of the features too") {
  ItemHead<double> head(item_count, feature_count);
  randomise(head, 3);
  const FeatureRows rows = some_rows();
  const Matrix<double> c = dense(rows);
  const Vector<double> own = head.bias, expected = own + c.transpose() * head.content;
  ThreadPool one(1);
  head.add_content(rows, {}, one);
  CHECK(distance(head.bias, expected) < 1e-12);
  head.add_content(rows, {}, one, -1);
  CHECK(distance(head.bias, own) < 1e-12);
  const Vector<double> before = head.content;
  head.add_content_gradient(rows, {}, one);
  CHECK(distance(head.content, before + c * head.bias) < 1e-12);
}

TEST_CASE("ItemVectors: without features there is nothing but the table") {
  ItemVectors<float> vectors(item_count, vector_size, 0);
  CHECK(vectors.features() == 0);
  CHECK(parameter_count(vectors) == item_count * vector_size);
  Random a(1), b(1);
  Embedding<float, ParameterKind::item_embedding> plain(item_count, vector_size);
  vectors.initialise(a, 0.02);
  plain.initialise(b, 0.02);
  CHECK(vectors.table == plain.table);
  CHECK(a() == b());
}

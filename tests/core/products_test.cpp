#include <algorithm>
#include <array>
#include <limits>
#include <lstmrec/core/buffer.hpp>
#include <lstmrec/core/packed_steps.hpp>
#include <lstmrec/core/products.hpp>
#include <new>
#include <vector>

#include "catch.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

namespace {

/// All products of rows × depth and depth × columns matrices, which are blocks of larger ones, against sums in double.
template <class Scalar>
void compare_products(Index rows, Index columns, Index depth, double tolerance) {
  CAPTURE(rows, columns, depth);
  const Matrix<Scalar> a = random_matrix<Scalar>(rows + 4, depth + 4, 1),
                       b = random_matrix<Scalar>(depth + 4, columns + 2, 2);
  const auto left = a.block(1, 2, rows, depth);
  const auto right = b.block(3, 1, depth, columns);
  const Matrix<Scalar> before = random_matrix<Scalar>(rows, columns, 3);
  const Matrix<Scalar> left_t = left.transpose(), right_t = right.transpose();
  const Matrix<double> expected = left.template cast<double>().lazyProduct(right.template cast<double>());
  const Matrix<double> sum = before.template cast<double>() + expected;
  Matrix<Scalar> large = Matrix<Scalar>::Constant(rows + 15, columns + 14, Scalar(7));
  PackedMatrix<Scalar> packed, packed_transposed;
  packed.pack(left);
  packed_transposed.pack_transposed(left_t);
  CHECK(packed_transposed.rows() == rows);
  CHECK(packed_transposed.columns() == depth);
  const auto check = [&](auto&& function, const auto& first, const auto& second, bool adds) {
    auto c = large.block(2, 3, rows, columns);
    c = before;
    function(first, second, c);
    CHECK(distance(c, adds ? sum : expected) < tolerance);
    c.setConstant(Scalar(7));
    CHECK((large.array() == Scalar(7)).all());  // nothing beside the block was touched
  };
  check([](auto& x, auto& y, auto& c) { linalg::product(x, y, c); }, left, right, false);
  check([](auto& x, auto& y, auto& c) { linalg::add_product(x, y, c); }, left, right, true);
  check([](auto& x, auto& y, auto& c) { linalg::transposed_product(x, y, c); }, left_t, right, false);
  check([](auto& x, auto& y, auto& c) { linalg::product(x, y, c); }, packed, right, false);
  check([](auto& x, auto& y, auto& c) { linalg::add_product(x, y, c); }, packed_transposed, right, true);
  check([](auto& x, auto& y, auto& c) { linalg::add_product_transposed(x, y, c); }, left, right_t, true);
}

}  // namespace

TEST_CASE("Products of blocks, in float and double") {
  // Below, at and above the sizes of tiles (up to 32 × 12) and of blocks (256 rows, 256 in depth, 504 columns).
  for (const Index rows : {1, 5, 16, 33, 64})
    for (const Index columns : {1, 4, 5, 8, 12, 13, 25})
      for (const Index depth : {1, 7, 40}) {
        compare_products<float>(rows, columns, depth, 1e-5);
        compare_products<double>(rows, columns, depth, 1e-13);
      }
  for (const auto& [rows, columns, depth] : {std::array<Index, 3>{256, 504, 256}, {257, 30, 300}, {40, 505, 513}}) {
    compare_products<float>(rows, columns, depth, 1e-4);
    compare_products<double>(rows, columns, depth, 1e-12);
  }
}

TEST_CASE("Products: a column has the same bits alone and among others, packed and not") {
  for (const Index rows : {1, 3, 8, 17, 100, 1030})
    for (const Index depth : {1, 12, 100, 128, 256, 300, 600}) {
      CAPTURE(rows, depth);
      const Matrix<float> a = random_matrix<float>(rows, depth, 1), b = random_matrix<float>(depth, 15, 2),
                          before = random_matrix<float>(rows, 15, 3);
      PackedMatrix<float> packed;
      packed.pack(a);
      Matrix<float> together(rows, 15), added = before;
      linalg::product(packed, b, together);
      linalg::add_product(packed, b, added);
      for (Index column = 0; column < 15; ++column) {
        Matrix<float> alone(rows, 1), added_alone = before.col(column);
        const Matrix<float> own = b.col(column);
        linalg::product(a, own, alone);
        linalg::add_product(a, own, added_alone);
        CHECK(alone == together.col(column));
        CHECK(added_alone == added.col(column));
      }
    }
}

TEST_CASE("Products: what the products before left in the scratch reaches no result") {
  const Matrix<float> nan = Matrix<float>::Constant(40, 40, std::numeric_limits<float>::quiet_NaN());
  PackedMatrix<float> packed;
  packed.pack(nan);
  Matrix<float> c(40, 40);
  linalg::product(nan, nan, c);
  compare_products<float>(5, 7, 9, 1e-5);  // in the scratch of this thread
  const Matrix<float> a = random_matrix<float>(5, 9, 1), b = random_matrix<float>(9, 7, 2);
  packed.pack(a);
  linalg::product(packed, b, c.topLeftCorner(5, 7));
  CHECK(distance(c.topLeftCorner(5, 7), a.cast<double>().lazyProduct(b.cast<double>())) < 1e-5);
}

TEST_CASE("Buffer and PackedMatrix: empty where memory runs out, and usable again") {
  constexpr Index huge = Index{1} << 31;
  Buffer<float> buffer;
  buffer.resize(3, 4);
  CHECK_THROWS_AS(buffer.resize(huge, huge), std::bad_alloc);
  CHECK(buffer.view().size() == 0);
  buffer.resize(2, 3).setOnes();

  const Matrix<float> a = random_matrix<float>(5, 9, 1), b = random_matrix<float>(9, 7, 2);
  const Eigen::Map<const Matrix<float>> too_large(a.data(), huge, huge);
  PackedMatrix<float> packed;
  for (int again = 0; again < 2; ++again) {
    CHECK_THROWS_AS(packed.pack(too_large), std::bad_alloc);
    CHECK(packed.rows() == 0);
    CHECK(packed.columns() == 0);
    packed.pack_once(a);
    Matrix<float> c(5, 7);
    linalg::product(packed, b, c);
    CHECK(distance(c, a.cast<double>().lazyProduct(b.cast<double>())) < 1e-5);
  }
}

TEST_CASE("Products without a depth are zero, and add nothing") {
  const Matrix<float> a(3, 0), b(0, 2);
  Matrix<float> c = Matrix<float>::Ones(3, 2);
  linalg::add_product(a, b, c);
  CHECK((c.array() == 1).all());
  linalg::product(a, b, c);
  CHECK((c.array() == 0).all());
}

TEST_CASE("PackedSteps: the documented example, and batches without sequences") {
  const std::vector<Index> example = {3, 2, 2, 1};
  const PackedSteps steps(example);
  CHECK(steps.steps() == 3);
  CHECK(steps.sequences() == 4);
  CHECK(steps.columns() == 8);
  CHECK(std::vector{steps.begin(0), steps.begin(1), steps.begin(2)} == std::vector<Index>{0, 4, 7});
  CHECK(std::vector{steps.alive(0), steps.alive(1), steps.alive(2)} == std::vector<Index>{4, 3, 1});
  for (const PackedSteps& none : {PackedSteps(), PackedSteps(std::vector<Index>{})}) {
    CHECK(none.steps() == 0);
    CHECK(none.columns() == 0);
    CHECK(none.sequences() == 0);
  }
}

TEST_CASE("Buffer: keeps its memory when it shrinks") {
  Buffer<float> buffer;
  const float* data = buffer.resize(10, 20).data();
  const auto smaller = buffer.resize(5, 3);
  CHECK(smaller.rows() == 5);
  CHECK(smaller.cols() == 3);
  CHECK(smaller.data() == data);
  CHECK(buffer.resize(20, 10).data() == data);
}

#include <algorithm>
#include <lstmrec/core/buffer.hpp>
#include <lstmrec/core/packed_steps.hpp>
#include <lstmrec/core/products.hpp>
#include <vector>

#include "catch.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

namespace {

template <class Scalar>
void compare_products(double tolerance) {
  // Blocks of columns and rows of larger matrices, none a multiple of a register's size.
  const Matrix<Scalar> a = random_matrix<Scalar>(9, 11, 1), b = random_matrix<Scalar>(11, 8, 2);
  const auto left = a.block(1, 2, 5, 7);   // 5 × 7
  const auto right = b.block(3, 1, 7, 6);  // 7 × 6
  const Matrix<Scalar> before = random_matrix<Scalar>(5, 6, 3);
  const Matrix<Scalar> left_t = left.transpose(), right_t = right.transpose();
  const Matrix<double> expected = left.template cast<double>().lazyProduct(right.template cast<double>());
  const Matrix<double> sum = before.template cast<double>() + expected;
  Matrix<Scalar> large = Matrix<Scalar>::Constant(20, 20, Scalar(7));
  const auto check = [&](auto&& function, const auto& first, const auto& second, bool adds) {
    auto c = large.block(2, 3, 5, 6);
    c = before;
    function(first, second, c);
    CHECK(distance(c, adds ? sum : expected) < tolerance);
    c.setConstant(Scalar(7));
    CHECK((large.array() == Scalar(7)).all());  // nothing beside the block was touched
  };
  check([](auto& x, auto& y, auto& c) { product(x, y, c); }, left, right, false);
  check([](auto& x, auto& y, auto& c) { add_product(x, y, c); }, left, right, true);
  check([](auto& x, auto& y, auto& c) { transposed_product(x, y, c); }, left_t, right, false);
  check([](auto& x, auto& y, auto& c) { add_transposed_product(x, y, c); }, left_t, right, true);
  check([](auto& x, auto& y, auto& c) { add_product_transposed(x, y, c); }, left, right_t, true);
}

}  // namespace

TEST_CASE("Products of blocks, in float and double") {
  compare_products<float>(1e-5);
  compare_products<double>(1e-13);
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

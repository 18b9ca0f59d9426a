#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/products.hpp>

#include "catch.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

namespace {

/// What a function sees that borrows a matrix.
template <class Scalar>
Matrix<Scalar> seen(const ConstMatrixRef<Scalar>& matrix) {
  Matrix<Scalar> entries(matrix.rows(), matrix.cols());
  for (Index column = 0; column < matrix.cols(); ++column)
    for (Index row = 0; row < matrix.rows(); ++row) entries(row, column) = matrix(row, column);
  return entries;
}

/// Writes 10 · row + column into every entry.
template <class Scalar>
void number(MatrixRef<Scalar> matrix) {
  for (Index column = 0; column < matrix.cols(); ++column)
    for (Index row = 0; row < matrix.rows(); ++row) matrix(row, column) = static_cast<Scalar>(10 * row + column);
}

template <class Scalar>
Matrix<Scalar> numbered(Index rows, Index columns) {
  Matrix<Scalar> matrix(rows, columns);
  for (Index column = 0; column < columns; ++column)
    for (Index row = 0; row < rows; ++row) matrix(row, column) = static_cast<Scalar>(10 * row + column);
  return matrix;
}

}  // namespace

TEST_CASE("Borrowed matrices: whole ones, blocks, columns and vectors, without a copy") {
  Matrix<double> matrix = random_matrix(5, 7, 1);
  const Matrix<double>& constant = matrix;
  CHECK(ConstMatrixRef<double>(matrix).data() == matrix.data());
  CHECK(ConstMatrixRef<double>(constant.block(1, 2, 3, 4)).data() == &matrix(1, 2));
  CHECK(MatrixRef<double>(matrix.rightCols(2)).data() == &matrix(0, 5));
  CHECK(seen<double>(matrix) == matrix);
  CHECK(seen<double>(constant.block(1, 2, 3, 4)) == matrix.block(1, 2, 3, 4));
  CHECK(seen<double>(matrix.col(3)) == matrix.col(3));
  CHECK(seen<double>(matrix.col(3).tail(2)) == matrix.col(3).tail(2));
  CHECK(seen<double>(matrix.middleRows(2, 1)) == matrix.middleRows(2, 1));
  CHECK(seen<double>(Vector<double>(matrix.col(2))) == matrix.col(2));
  CHECK(seen<double>(Eigen::Matrix<double, 2, 3>(matrix.topLeftCorner(2, 3))) == matrix.topLeftCorner(2, 3));
  CHECK(seen<double>(Matrix<double>(0, 3)).cols() == 3);
  const MatrixRef<double> borrowed(matrix);
  CHECK(seen<double>(borrowed) == matrix);
  CHECK(seen<double>(ConstMatrixRef<double>(matrix).middleCols(1, 3)) == matrix.middleCols(1, 3));
}

TEST_CASE("Borrowed matrices: rows and row vectors, which fixed cells of one unit have") {
  Matrix<double> matrix = random_matrix(5, 7, 1);
  CHECK(seen<double>(matrix.row(3)) == matrix.row(3));
  Eigen::Matrix<double, 1, Eigen::Dynamic> row = matrix.row(2);
  CHECK(seen<double>(row) == matrix.row(2));
  CHECK(seen<double>(row.leftCols(4)) == matrix.row(2).leftCols(4));
  const Eigen::Matrix<double, 1, 7> fixed = matrix.row(1);
  CHECK(seen<double>(fixed) == matrix.row(1));
  number<double>(row.middleCols(2, 3));
  CHECK(row.middleCols(2, 3) == numbered<double>(1, 3));
  CHECK(row.leftCols(2) == matrix.row(2).leftCols(2));
  CHECK(row.rightCols(2) == matrix.row(2).rightCols(2));
}

TEST_CASE("Borrowed matrices: what is written arrives, and beside it nothing") {
  Matrix<double> matrix = Matrix<double>::Constant(5, 7, -1);
  number<double>(matrix.block(1, 2, 3, 4));
  CHECK(matrix.block(1, 2, 3, 4) == numbered<double>(3, 4));
  matrix.block(1, 2, 3, 4).setConstant(-1);
  CHECK((matrix.array() == -1).all());
  number<double>(matrix);
  CHECK(matrix == numbered<double>(5, 7));
  number<double>(matrix.col(2));
  CHECK(matrix.col(2) == numbered<double>(5, 1));
  // Assignment is that of the numbers.
  Matrix<double> other = random_matrix(5, 7, 2);
  const Matrix<double> before = other;
  MatrixRef<double> to(matrix);
  const MatrixRef<double> from(other);
  to = from;
  CHECK(to.data() == matrix.data());
  CHECK(matrix == before);
  to = 2 * from;
  CHECK(matrix == 2 * before);
}

TEST_CASE("Copies and sums of matrices, and of blocks of them") {
  const Matrix<float> a = random_matrix<float>(24, 9, 1);
  const auto from = a.block(2, 3, 19, 5);
  const Matrix<float> before = random_matrix<float>(19, 5, 2);
  Matrix<float> large = Matrix<float>::Constant(25, 9, 7);
  const auto check = [&](auto&& function, const Matrix<float>& expected) {
    auto to = large.block(3, 2, 19, 5);
    to = before;
    function(to);
    CHECK(to == expected);
    to.setConstant(7);
    CHECK((large.array() == 7).all());  // nothing beside the block was touched
  };
  check([&](auto& to) { linalg::copy(from, to); }, from);
  check([&](auto& to) { linalg::add(from, to); }, before + from);
  check([](auto& to) { linalg::set_zero(to); }, Matrix<float>::Zero(19, 5));
  check([&](auto& to) { linalg::add_to_columns(from.col(1), to); }, before.colwise() + from.col(1));
  Vector<float> sums = before.col(0);
  linalg::add_row_sums(from, sums);
  CHECK(distance(sums, before.col(0) + from.rowwise().sum()) < 1e-6);
  Matrix<float> scaled = before;
  linalg::add_scaled(0.5f, from.col(2), scaled.col(1));
  CHECK(distance(scaled.col(1), before.col(1) + 0.5f * from.col(2)) < 1e-6);
  CHECK(scaled.rightCols(3) == before.rightCols(3));
  CHECK(scaled.col(0) == before.col(0));
  // Nothing to do.
  Matrix<float> none(19, 0);
  linalg::copy(from.leftCols(0), none);
  linalg::add(from.leftCols(0), none);
  linalg::set_zero(none);
}

// In a program built with OpenMP Eigen would split the library's products over threads of its own.
#include <filesystem>
#include <iterator>
#include <lstmrec/core/products.hpp>

#include "catch.hpp"

using namespace lstmrec;

#if defined(_OPENMP) && defined(__linux__)

namespace {

long threads_of_this_process() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<long>(std::distance(begin(tasks), end(tasks)));
}

}  // namespace

TEST_CASE("OpenMP: Eigen starts no threads inside the library's products") {
  omp_set_num_threads(3);
  const auto before = threads_of_this_process();
  const Matrix<float> a = Matrix<float>::Random(500, 500), b = Matrix<float>::Random(500, 500);
  Matrix<float> c(500, 500), expected(500, 500);
  linalg::product(a, b, c);
  linalg::add_product(a, b, c);
  linalg::transposed_product(a, b, c);
  linalg::add_product_transposed(a, b, c);
  CHECK(threads_of_this_process() == before);
  CHECK(omp_get_max_threads() == 3);  // the program's own setting is put back

  expected.noalias() = a.transpose() * b;  // shows that Eigen does it outside
  CHECK(threads_of_this_process() == before + 2);
  linalg::product(a, b, c);
  expected.noalias() = a * b;
  CHECK(c.isApprox(expected));
}

#else

TEST_CASE("OpenMP: Eigen starts no threads inside the library's products") {
  skip_test("built without OpenMP, or /proc is not there");
}

#endif

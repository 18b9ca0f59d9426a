#include <atomic>
#include <iostream>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/version.hpp>

int main() {
  const lstmrec::Matrix<float> ones = lstmrec::Matrix<float>::Ones(3, 4);
  std::atomic<int> tasks = 0;
  lstmrec::ThreadPool(2).run(5, [&](std::size_t) { ++tasks; });
  std::cout << "lstmrec " << LSTMREC_VERSION << ", sum " << ones.sum() << ", tasks " << tasks << '\n';
  return ones.sum() == 12 && tasks == 5 ? 0 : 1;
}

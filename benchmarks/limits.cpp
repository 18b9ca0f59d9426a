// Measures what the machine can do at best: products at 2048³ and at the shapes of training, by the library, by Eigen
// and by OpenBLAS where it is installed; reading from each cache and from memory; exp, tanh and the logistic function.
// One thread, and two at once, each with numbers of its own.

#include "limits.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

using namespace benchmark;
using lstmrec::Index;
using lstmrec::Matrix;

namespace {

/// OpenBLAS, taken at run time: neither its headers nor its development package are needed.
class OpenBlas {
 public:
  OpenBlas() {
    library_ = dlopen("libopenblas.so.0", RTLD_NOW);
    if (!library_) return;
    sgemm_ = function<Sgemm>("sgemm_");
    set_threads = function<void (*)(int)>("openblas_set_num_threads");
    kernel = function<const char* (*)()>("openblas_get_corename")();
  }
  OpenBlas(const OpenBlas&) = delete;
  OpenBlas& operator=(const OpenBlas&) = delete;
  ~OpenBlas() {
    if (library_) dlclose(library_);
  }

  explicit operator bool() const { return library_; }

  void multiply(const Matrix<float>& a, const Matrix<float>& b, Matrix<float>& c) const {
    const int m = static_cast<int>(c.rows()), n = static_cast<int>(c.cols()), k = static_cast<int>(a.cols());
    const float one = 1, zero = 0;
    sgemm_("N", "N", &m, &n, &k, &one, a.data(), &m, b.data(), &k, &zero, c.data(), &m);
  }

  void (*set_threads)(int) = nullptr;
  std::string kernel;  ///< For which processor.

 private:
  using Sgemm = void (*)(const char*, const char*, const int*, const int*, const int*, const float*, const float*,
                         const int*, const float*, const int*, const float*, float*, const int*);

  template <class Function>
  Function function(const char* name) const {
    return reinterpret_cast<Function>(dlsym(library_, name));
  }

  void* library_ = nullptr;
  Sgemm sgemm_ = nullptr;
};

struct Shape {
  std::string name;
  Index rows, columns, depth;
};

void measure_products(const Shape& shape, std::size_t threads, const OpenBlas& blas, double peak) {
  Products products(shape.rows, shape.columns, shape.depth, threads);
  const auto say = [&](const std::string& whose, double flops, const std::string& note = "") {
    print("product, " + shape.name, whose + ", " + in_threads(threads), flops / 1e9, "GFLOP/s", peak / 1e9, note);
  };
  say("the library's", products.library());
  say("the library's, left matrix packed before", products.library_packed());
  say("Eigen's", products.eigen());
  if (!blas) return;
  blas.set_threads(1);
  const auto multiply = [&](const auto& a, const auto& b, auto& c) { blas.multiply(a, b, c); };
  say("OpenBLAS'", products.speed(multiply), "kernel " + blas.kernel);
}

/// Bytes of the first processor's data cache of a level, as Linux says; 0 where it does not. (Inside virtual machines
/// sysconf counts the third level once for each of the host's processors.)
double cache_bytes(int level) {
  for (int index = 0; index < 8; ++index) {
    const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
    int its_level = 0;
    double kib = 0;
    std::string type;
    std::ifstream(folder + "level") >> its_level;
    std::ifstream(folder + "type") >> type;
    std::ifstream(folder + "size") >> kib;
    if (its_level == level && type != "Instruction") return kib * 1024;
  }
  return 0;
}

void measure_reading(std::size_t threads) {
  const auto count = static_cast<double>(threads);
  const auto measure = [&](const std::string& from, double bytes_a_thread) {
    if (bytes_a_thread == 0) return;
    print("reading", from + ", " + in_threads(threads),
          count * bytes_a_thread / read_seconds(bytes_a_thread, threads) / 1e9, "GB/s", 0,
          std::to_string(static_cast<long>(bytes_a_thread / 1024)) + " KiB a thread");
  };
  measure("first-level cache", cache_bytes(1) / 2);
  measure("second-level cache", cache_bytes(2) / 2);
  measure("third-level cache", cache_bytes(3) / 2 / count);
  measure("memory", std::max(8 * cache_bytes(3), 256e6) / count);
}

void measure_functions(std::size_t threads) {
  constexpr Index count = 4096;
  std::vector<Eigen::ArrayXf> x(threads, Eigen::ArrayXf::Random(count)), y = x;
  const auto measure = [&](const std::string& name, auto&& function) {
    const double seconds = best_seconds(threads, [&](std::size_t t) { function(x[t], y[t]); });
    print(name, in_threads(threads), static_cast<double>(threads) * count / seconds / 1e9, "G numbers/s");
  };
  measure("exp", [](const auto& from, auto& to) { to = from.exp(); });
  measure("tanh", [](const auto& from, auto& to) { to = from.tanh(); });
  measure("logistic", [](const auto& from, auto& to) { to = from.logistic(); });
}

}  // namespace

int main() {
  const OpenBlas blas;
  if (!blas) std::cerr << "limits: no OpenBLAS is installed (Debian: libopenblas0-pthread), so it is left out\n";
  std::vector<Shape> shapes = {{"2048 x 2048 x 2048", 2048, 2048, 2048}};
  for (const Index units : {64, 128, 256}) {
    const std::string with = ", " + std::to_string(units) + " units";
    shapes.push_back({"logits of 128 events and 3416 items" + with, 3416, 128, units});
    shapes.push_back({"recurrent, 12 sequences" + with, 4 * units, 12, units});
    shapes.push_back({"weights' gradient, 3000 events" + with, 4 * units, units, 3000});
  }
  for (const std::size_t threads : {1, 2}) {
    const double peak = peak_flops(threads);
    print("peak", in_threads(threads), peak / 1e9, "GFLOP/s");
    for (const Shape& shape : shapes) measure_products(shape, threads, blas, peak);
    measure_reading(threads);
    measure_functions(threads);
  }
}

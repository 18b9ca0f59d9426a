#pragma once

#include <algorithm>
#include <cstddef>
#include <lstmrec/core/products.hpp>
#include <vector>

#include "measure.hpp"

// What this machine can do at best, as this compiler makes it. Measured in the run whose figures are compared with it.

namespace benchmark {

/// C = A B on every thread, each with its own matrices.
struct Products {
  std::vector<lstmrec::Matrix<float>> a, b, c;

  Products(lstmrec::Index rows, lstmrec::Index columns, lstmrec::Index depth, std::size_t threads)
      : a(threads, lstmrec::Matrix<float>::Random(rows, depth)),
        b(threads, lstmrec::Matrix<float>::Random(depth, columns)),
        c(threads, lstmrec::Matrix<float>::Zero(rows, columns)) {}

  double flop() const {
    return 2.0 * static_cast<double>(c.size()) * static_cast<double>(c[0].size()) * static_cast<double>(a[0].cols());
  }

  /// Floating-point operations a second of multiply(a, b, c), all threads together.
  template <class Multiply>
  double speed(Multiply&& multiply) {
    return flop() / best_seconds(a.size(), [&](std::size_t t) { multiply(a[t], b[t], c[t]); });
  }

  double library() {
    return speed([](const auto& x, const auto& y, auto& z) { lstmrec::linalg::product(x, y, z); });
  }
  /// With the left matrix packed before, as weights are that meet every step.
  double library_packed() {
    std::vector<lstmrec::PackedMatrix<float>> packed(a.size());
    for (std::size_t t = 0; t < a.size(); ++t) packed[t].pack(a[t]);
    return flop() / best_seconds(a.size(), [&](std::size_t t) { lstmrec::linalg::product(packed[t], b[t], c[t]); });
  }
  double eigen() {
    return speed([](const auto& x, const auto& y, auto& z) { z.noalias() = x * y; });
  }
};

/// The peak: floating-point operations a second of this compiler's best product. That is the best of the library's and
/// of Eigen's at 2048³, and of the library's at the shape that suits it most.
inline double peak_flops(std::size_t threads) {
  Products cube(2048, 2048, 2048, threads), logits(3416, 128, 256, threads);
  return std::max({cube.library(), cube.library_packed(), cube.eigen(), logits.library_packed()});
}

/// Adds up numbers, so that each is read once.
inline float read_all(const float* numbers, lstmrec::Index count) {
  using namespace Eigen::internal;
  using Packet = packet_traits<float>::type;
  constexpr int lanes = packet_traits<float>::size, at_once = 8;
  Packet sums[at_once];
  for (auto& sum : sums) sum = pset1<Packet>(0.0f);
  for (; count >= at_once * lanes; count -= at_once * lanes, numbers += at_once * lanes)
    for (int k = 0; k < at_once; ++k) sums[k] = padd(sums[k], ploadu<Packet>(numbers + k * lanes));
  for (int k = 1; k < at_once; ++k) sums[0] = padd(sums[0], sums[k]);
  float sum = predux(sums[0]);
  for (; count > 0; --count) sum += *numbers++;
  return sum;
}

/// The seconds in which each of `threads` threads reads `bytes` of its own, again and again: from the cache that holds
/// them.
inline double read_seconds(double bytes, std::size_t threads = 1, double seconds = 0.2) {
  const std::vector<lstmrec::Vector<float>> numbers(
      threads, lstmrec::Vector<float>::Ones(static_cast<lstmrec::Index>(bytes / sizeof(float))));
  return best_seconds(
      threads, [&](std::size_t t) { kept = read_all(numbers[t].data(), numbers[t].size()); }, seconds);
}

}  // namespace benchmark

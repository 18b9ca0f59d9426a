#pragma once

#include <chrono>
#include <functional>
#include <iomanip>
#include <iostream>
#include <map>
#include <string>

#include "catch.hpp"

// Catch2 reports times; these are the figures that compare across sizes: events a second and floating-point operations
// a second, from the same means.

/// What one call of a benchmark works through.
struct Work {
  double events = 0;  ///< Or bytes, or queries: `unit` says.
  double flop = 0;    ///< 0: not counted.
  std::string unit = "events";
};

inline std::map<std::string, Work>& work_by_benchmark() {
  static std::map<std::string, Work> works;
  return works;
}

/// Measures `function` under a name; the listener below prints its throughput.
template <class Function>
void measure(const std::string& name, const Work& work, Function&& function) {
  work_by_benchmark()[name] = work;
  BENCHMARK(std::string(name)) { return function(); };
}

#if __has_include(<catch2/catch_all.hpp>)
using BenchmarkListenerBase = Catch::EventListenerBase;
#else
using BenchmarkListenerBase = Catch::TestEventListenerBase;
#endif

class ThroughputListener : public BenchmarkListenerBase {
 public:
  using BenchmarkListenerBase::BenchmarkListenerBase;

  void benchmarkEnded(const Catch::BenchmarkStats<>& stats) override {
    const auto found = work_by_benchmark().find(stats.info.name);
    if (found == work_by_benchmark().end()) return;
    const double seconds = std::chrono::duration<double>(stats.mean.point).count();
    const Work& work = found->second;
    std::cout << "  -> " << std::setprecision(4) << work.events / seconds << ' ' << work.unit << "/s";
    if (work.flop > 0) std::cout << ", " << work.flop / seconds / 1e9 << " GFLOP/s";
    std::cout << '\n' << std::flush;
  }
};
CATCH_REGISTER_LISTENER(ThroughputListener)

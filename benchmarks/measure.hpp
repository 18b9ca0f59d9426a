#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iostream>
#include <limits>
#include <lstmrec/core/thread_pool.hpp>
#include <string>
#include <string_view>

// What the measuring programs share: the time of something, and the line that says what it was. run.sh collects the
// lines and benchmark_report makes the table and the page of them.

namespace benchmark {

inline double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The seconds of one call of function(thread) when `threads` threads call it at once: the least of many, because all
/// that other work on the machine does to a measurement is to add to it. Measures for about `seconds`; what takes more
/// than one is measured once.
template <class Function>
double best_seconds(std::size_t threads, Function&& function, double seconds = 0.3) {
  lstmrec::ThreadPool pool(threads);
  const auto run = [&](std::size_t calls) {
    const double begin = seconds_now();
    pool.run(threads, [&](std::size_t thread) {
      for (std::size_t call = 0; call < calls; ++call) function(thread);
    });
    return (seconds_now() - begin) / static_cast<double>(calls);
  };
  const double first = run(1);  // warms up
  if (first > 1) return first;
  const auto calls = static_cast<std::size_t>(std::clamp(2e-3 / first, 1.0, 1e6));  // starting threads takes some µs
  double best = std::numeric_limits<double>::infinity();
  const double end = seconds_now() + seconds;
  for (int repetition = 0; repetition < 3 || seconds_now() < end; ++repetition) best = std::min(best, run(calls));
  return best;
}

/// The same for one thread.
template <class Function>
double best_seconds(Function&& function, double seconds = 0.3) {
  return best_seconds(
      1, [&](std::size_t) { function(); }, seconds);
}

/// Takes results, so that the compiler does not leave out the work that they come from.
inline volatile float kept = 0;

/// Prints `name, parameter, value, unit, limit, note`, separated by tabs. `limit`: what the machine could do at best,
/// in the same unit; 0 where none is known.
inline void print(std::string_view name, std::string_view parameter, double value, std::string_view unit,
                  double limit = 0, std::string_view note = "") {
  std::cout << name << '\t' << parameter << '\t' << value << '\t' << unit << '\t';
  if (limit > 0) std::cout << limit;
  std::cout << '\t' << note << std::endl;  // whoever watches sees it at once
}

inline std::string in_threads(std::size_t threads) {
  return std::to_string(threads) + (threads == 1 ? " thread" : " threads");
}

}  // namespace benchmark

#pragma once

/// Catch2 for every test and benchmark, whether 2.13 (Debian 12) or 3 is installed: TEST_CASE, REQUIRE, Approx,
/// BENCHMARK (Catch2's own names), and `skip_test`, which Catch2 2 lacks.

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#define CATCH_CONFIG_ENABLE_BENCHMARKING
#include <catch2/catch.hpp>
#endif

#include <iostream>
#include <string>

/// Says by name that the running test is skipped; ctest shows it as such. The test has to return after the call.
inline void skip_test(const std::string& reason) {
  std::cout << "SKIPPED: " << Catch::getResultCapture().getCurrentTestName() << ": " << reason << '\n';
  SUCCEED(reason);
}

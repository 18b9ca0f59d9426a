// Catch2's main, compiled once for all tests and benchmarks. In Catch2 2.13 the benchmarks are a part of it, which
// Debian's prebuilt main lacks.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_session.hpp>

int main(int argc, char** argv) { return Catch::Session().run(argc, argv); }
#else
#define CATCH_CONFIG_MAIN
#include "catch.hpp"
#endif

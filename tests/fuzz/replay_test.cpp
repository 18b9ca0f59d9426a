#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "catch.hpp"
#include "fuzz/movielens_input.hpp"
#include "fuzz/safetensors_input.hpp"

namespace {

/// Replays every file of a folder here; returns how many there were.
template <class Target>
int replay(const std::string& name, Target target) {
  int replayed = 0;
  const auto folder = std::filesystem::path(LSTMREC_SOURCE_DIR) / "tests/fuzz" / name;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    CAPTURE(file.path());
    std::ifstream stream(file.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
    REQUIRE_NOTHROW(target(bytes));
    ++replayed;
  }
  return replayed;
}

}  // namespace

TEST_CASE("The MovieLens reader keeps its promises for every seed and finding of the fuzzer") {
  REQUIRE(replay("movielens_inputs", read_fuzzed_movielens) >= 9);
}

TEST_CASE("The safetensors reader keeps its promises for every seed and finding of the fuzzer") {
  REQUIRE(replay("safetensors_inputs", read_fuzzed_safetensors) >= 4);
}

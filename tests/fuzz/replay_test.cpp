#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "catch.hpp"
#include "fuzz/movielens_input.hpp"

TEST_CASE("The MovieLens reader keeps its promises for every seed and finding of the fuzzer") {
  int replayed = 0;
  const auto folder = std::filesystem::path(LSTMREC_SOURCE_DIR) / "tests/fuzz/movielens_inputs";
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    CAPTURE(file.path());
    std::ifstream stream(file.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
    REQUIRE_NOTHROW(read_fuzzed_movielens(bytes));
    ++replayed;
  }
  REQUIRE(replayed >= 9);
}

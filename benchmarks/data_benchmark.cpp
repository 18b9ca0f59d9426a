#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <lstmrec/data/movielens.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/next_item/batch_builder.hpp>
#include <string>

#include "throughput.hpp"

using namespace lstmrec;

namespace {

constexpr std::int64_t rows = 1'000'000;

/// A ratings file of a million rows in one of MovieLens' formats, for as long as the object lives.
class RatingsFile {
 public:
  RatingsFile(const std::string& name, const std::string& separator, const std::string& header)
      : folder_(std::filesystem::temp_directory_path() / ("lstmrec-benchmark-" + std::to_string(getpid()))) {
    std::filesystem::create_directory(folder_);
    std::ofstream out(path_ = folder_ / name);
    out << header;
    Random random(1);
    for (std::int64_t row = 0; row < rows; ++row)
      out << 1 + row / 165 << separator << 1 + random.below(3706) << separator << 1 + random.below(5) << separator
          << 956703932 + 60 * row << '\n';
  }
  RatingsFile(const RatingsFile&) = delete;
  RatingsFile& operator=(const RatingsFile&) = delete;
  ~RatingsFile() { std::filesystem::remove_all(folder_); }

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path folder_, path_;
};

void measure_reading(const RatingsFile& file) {
  const auto bytes = static_cast<double>(std::filesystem::file_size(file.path()));
  measure("read " + file.path().filename().string(), {bytes, 0, "bytes"},
          [&] { return read_movielens(file.path()).events.size(); });
}

}  // namespace

TEST_CASE("Readers, a million rows", "[!benchmark]") {
  measure_reading({"u.data", "\t", ""});
  measure_reading({"ratings.dat", "::", ""});
  measure_reading({"ratings.csv", ",", "userId,movieId,rating,timestamp\n"});
}

TEST_CASE("From a log to packed batches, a million events", "[!benchmark]") {
  const RatingsFile file("ratings.dat", "::", "");
  const Interactions log = read_movielens(file.path());
  constexpr auto events = static_cast<double>(rows);
  measure("sequences", {events}, [&] { return build_sequences(log).size(); });
  const Split split = leave_one_out(build_sequences(log));
  const BatchBuilder batches(split, {.horizon = 5, .decay = 0.5, .exclude_seen = true});
  SequenceBatch batch;
  measure("packed batches of 64 windows", {events}, [&] {
    auto parts = cut_subsequences(split, 200, 1);
    for (std::size_t begin = 0; begin < parts.size(); begin += 64)
      batches.fill(std::span(parts).subspan(begin).first(std::min<std::size_t>(64, parts.size() - begin)), 1, 1, batch);
    return batch.inputs.size();
  });
}

// Writes generated ratings in MovieLens' formats and prints how fast one thread reads them, beside
// peers/loading_pandas_polars.py, which reads the same files:
//
//     loading_speed FOLDER [ROWS...]      FOLDER: for the files, which stay; ROWS: 10000 100000 1000000 10000000
//
// One line a measurement. Time: the best of several, the file in memory. Users and items are always numbered; the peers
// are measured without, too, so the same figure stands beside both of theirs. Bytes an event: how much the memory of a
// process grows that reads the file once and makes sequences of it, all of it divided by the events, the vocabulary
// too.

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <limits>
#include <lstmrec/data/movielens.hpp>
#include <lstmrec/data/sequences.hpp>
#include <string>
#include <utility>
#include <vector>

#include "generated_ratings.hpp"
#include "measure.hpp"

namespace {

double peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

template <class Function>
double seconds_of(Function function) {
  const auto start = std::chrono::steady_clock::now();
  function();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void measure(const std::filesystem::path& path, const char* format) {
  const double resident_before = peak_resident_bytes();
  double reading = std::numeric_limits<double>::infinity(), sorting = reading, spent = 0, resident = 0, rows = 0;
  for (int repetition = 0; repetition < 3 || (spent < 2 && repetition < 50); ++repetition) {
    lstmrec::Interactions log;
    lstmrec::Sequences sequences;
    const double read = seconds_of([&] { log = lstmrec::read_movielens(path); });
    const double sorted = seconds_of([&] { sequences = lstmrec::build_sequences(std::move(log)); });
    if (repetition == 0) resident = peak_resident_bytes() - resident_before;
    rows = static_cast<double>(sequences.events.size());
    reading = std::min(reading, read);
    sorting = std::min(sorting, sorted);
    spent += read + sorted;
  }
  const auto bytes = static_cast<double>(std::filesystem::file_size(path));
  char count[32];
  std::snprintf(count, sizeof count, "%.0f rows", rows);
  const std::string what = std::string(format) + ", " + count;
  for (const char* name : {"reading a log", "reading a log, users and items numbered"})  // the second is all there is
    benchmark::print(name, what, bytes / reading / 1e6, "MB/s", 0, "1 thread");
  benchmark::print("sequences of it", what, sorting, "s", 0, "1 thread");
  benchmark::print("memory of a log, vocabulary included", what, resident / rows, "bytes/event", 0);
}

/// In a process of its own, whose memory is that of this measurement.
void measure_apart(const std::filesystem::path& path, const char* format) {
  const pid_t child = fork();
  if (child == 0) {
    measure(path, format);
    std::_Exit(0);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) std::cerr << path << ": not measured\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: loading_speed FOLDER [ROWS...]\n";
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  std::vector<std::uint64_t> sizes;
  for (int i = 2; i < argc; ++i) sizes.push_back(std::stoull(argv[i]));
  if (sizes.empty()) sizes = {10000, 100000, 1000000, 10000000};
  for (const std::uint64_t rows : sizes)
    for (const RatingsFormat& format : ratings_formats) {
      const auto path = folder / (std::to_string(rows) + '_' + format.name);
      if (!std::filesystem::exists(path)) write_ratings(path, format, rows);
      measure_apart(path, format.name);
    }
}

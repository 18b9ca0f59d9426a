// Counts every byte that `operator new` hands out, so it is a program of its own.
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <lstmrec/core/random.hpp>
#include <lstmrec/data/movielens.hpp>
#include <lstmrec/data/sequences.hpp>
#include <new>
#include <string>
#include <utility>

#include "catch.hpp"
#include "data/temporary_folder.hpp"

namespace {

std::atomic<std::size_t> live = 0, peak = 0;
constexpr std::size_t header = alignof(std::max_align_t);  // before each block: its size

void* allocate(std::size_t size) {
  auto* block = static_cast<std::byte*>(std::malloc(size + header));
  if (block == nullptr) throw std::bad_alloc();
  *reinterpret_cast<std::size_t*>(block) = size;
  live += size;
  peak = std::max(peak.load(), live.load());
  return block + header;
}

void release(void* pointer) {
  if (pointer == nullptr) return;
  auto* block = static_cast<std::byte*>(pointer) - header;
  live -= *reinterpret_cast<std::size_t*>(block);
  std::free(block);
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* pointer) noexcept { release(pointer); }
void operator delete[](void* pointer) noexcept { release(pointer); }
void operator delete(void* pointer, std::size_t) noexcept { release(pointer); }
void operator delete[](void* pointer, std::size_t) noexcept { release(pointer); }

namespace {

/// Writes ratings like those of MovieLens 32M: user by user, each user's not in time order. A row has about 27 bytes.
void write_ratings(const std::filesystem::path& path, std::size_t rows, std::size_t users, std::uint64_t items) {
  std::ofstream file(path, std::ios::binary);
  lstmrec::Random random(1);
  std::string text = "userId,movieId,rating,timestamp\n";
  const auto number = [&text](std::uint64_t value) {
    char digits[20];
    text.append(digits, std::to_chars(digits, digits + 20, value).ptr);
  };
  for (std::size_t row = 0; row < rows; ++row) {
    number(row * users / rows + 1);
    text += ',';
    number(static_cast<std::uint64_t>(static_cast<double>(items) * random.uniform() * random.uniform()) + 1);
    text += ',';
    number(random.below(5));
    text += random.below(2) == 0 ? ".0," : ".5,";
    number(800000000 + random.below(900000000));
    text += '\n';
    if (text.size() > 1000000 || row + 1 == rows) {
      file.write(text.data(), static_cast<std::streamsize>(text.size()));
      text.clear();
    }
  }
  if (!file.flush()) FAIL("cannot write " << path);
}

double peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

/// With LSTMREC_MEMORY_TEST_ROWS=32000000 as large as MovieLens 32M (needs 1 GB of disk below the temporary folder).
TEST_CASE("Loading and sorting take 24 bytes an event beside the vocabulary") {
  const char* variable = std::getenv("LSTMREC_MEMORY_TEST_ROWS");
  const std::size_t rows = variable != nullptr ? std::stoull(variable) : 1000000;
  const std::size_t users = rows / 160 + 1, items = rows / 370 + 1;
  const TemporaryFolder folder;
  const auto path = folder.path() / "ratings.csv";
  write_ratings(path, rows, users, items);
  const auto bytes = static_cast<double>(std::filesystem::file_size(path));
  const double resident_before = peak_resident_bytes();

  const std::size_t before = live;
  peak = before;
  auto start = std::chrono::steady_clock::now();
  auto log = lstmrec::read_movielens(path);
  const double load_seconds = seconds_since(start);
  REQUIRE(log.events.size() == rows);
  start = std::chrono::steady_clock::now();
  const auto all = lstmrec::sequences(std::move(log), {.min_item_count = 5, .keep_repeats = false});
  const double sort_seconds = seconds_since(start);
  const std::size_t used = peak - before;
  const double resident = peak_resident_bytes() - resident_before;
  REQUIRE(all.events.size() > rows / 2);
  REQUIRE(std::is_sorted(all.events.begin(), all.events.end(), [](const auto& a, const auto& b) {
    return std::pair(a.user, a.time) < std::pair(b.user, b.time);
  }));

  std::cout << rows << " rows: " << load_seconds << " s to load (" << bytes / load_seconds / 1e6 << " MB/s), "
            << sort_seconds
            << " s to sort and filter; peak an event: " << static_cast<double>(used) / static_cast<double>(rows)
            << " bytes allocated, " << resident / static_cast<double>(rows) << " bytes resident\n";
  // An id takes 40 bytes in the vocabulary and 8 to 16 in its hash table, half as much again while these grow, and with
  // its renumbering and catalogue entry stays below 250. One MiB for the block that is read and the stream.
  REQUIRE(used <= 24 * rows + 250 * (users + items) + (std::size_t{1} << 20));
}

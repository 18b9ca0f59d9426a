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
#include <limits>
#include <lstmrec/core/random.hpp>
#include <lstmrec/data/event_columns.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/movielens.hpp>
#include <lstmrec/data/raw_id.hpp>
#include <lstmrec/data/sequences.hpp>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "data/temporary_folder.hpp"

namespace {

std::atomic<std::size_t> live = 0, peak = 0;
std::atomic<std::size_t> granted = std::numeric_limits<std::size_t>::max();  // allocations until memory is out
constexpr std::size_t header = alignof(std::max_align_t);                    // before each block: its size

void* allocate(std::size_t size) {
  if (granted == 0) throw std::bad_alloc();
  --granted;
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

/// A file that is written a megabyte at a time.
struct TextFile {
  std::ofstream file;
  std::string text;

  explicit TextFile(const std::filesystem::path& path) : file(path, std::ios::binary) {}
  void number(std::uint64_t value) {
    char digits[20];
    text.append(digits, std::to_chars(digits, digits + 20, value).ptr);
  }
  void write(bool is_last) {
    if (text.size() < 1000000 && !is_last) return;
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
    text.clear();
    if (is_last && !file.flush()) FAIL("a file could not be written");
  }
};

/// From 1 on; a low number is likelier than a high one.
std::uint64_t random_item(lstmrec::Random& random, std::uint64_t items) {
  return static_cast<std::uint64_t>(static_cast<double>(items) * random.uniform() * random.uniform()) + 1;
}

/// Writes ratings like those of MovieLens 32M: user by user, each user's not in time order; or, if mixed, with the
/// users in any order as well. A row has about 27 bytes.
void write_ratings(const std::filesystem::path& path, std::size_t rows, std::size_t users, std::uint64_t items,
                   bool mixed) {
  TextFile file(path);
  lstmrec::Random random(1);
  file.text = "userId,movieId,rating,timestamp\n";
  for (std::size_t row = 0; row < rows; ++row) {
    file.number((mixed ? random.below(users) : row * users / rows) + 1);
    file.text += ',';
    file.number(random_item(random, items));
    file.text += ',';
    file.number(random.below(5));
    file.text += random.below(2) == 0 ? ".0," : ".5,";
    file.number(800000000 + random.below(900000000));
    file.text += '\n';
    file.write(row + 1 == rows);
  }
}

/// Writes a line a user with the user's items.
void write_sequences(const std::filesystem::path& path, std::size_t rows, std::size_t users, std::uint64_t items) {
  TextFile file(path);
  lstmrec::Random random(1);
  for (std::size_t user = 0; user < users; ++user) {
    file.number(user + 1);
    for (std::size_t row = rows * user / users; row < rows * (user + 1) / users; ++row) {
      file.text += ' ';
      file.number(random_item(random, items));
    }
    file.text += '\n';
    file.write(user + 1 == users);
  }
}

double peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// With LSTMREC_MEMORY_TEST_ROWS=32000000 as large as MovieLens 32M (needs 1 GB of disk below the temporary folder).
std::size_t test_rows() {
  const char* variable = std::getenv("LSTMREC_MEMORY_TEST_ROWS");
  return variable != nullptr ? std::stoull(variable) : 1000000;
}

/// Bytes an event of the columns, room that was reserved and is not used included.
double bytes_an_event(const lstmrec::EventColumns& events) {
  std::size_t bytes = 0;
  lstmrec::EventColumns::visit(events, [&](const auto& column) { bytes += column.capacity() * sizeof(column[0]); });
  return static_cast<double>(bytes) / static_cast<double>(events.size());
}

struct Limits {
  std::size_t kept;     ///< Bytes of an event in the log.
  std::size_t sorting;  ///< Bytes of an event that come on top while it is sorted.
};

/// Reads a log of so many rows and makes sequences of it, and requires that no more memory is taken for them.
void require_memory(const std::filesystem::path& path, std::size_t rows, std::size_t users, std::size_t items,
                    const lstmrec::SequenceOptions& options, const Limits& limits) {
  const auto bytes = static_cast<double>(std::filesystem::file_size(path));
  const double resident_before = peak_resident_bytes();
  const auto an_event = [&](auto size) { return static_cast<double>(size) / static_cast<double>(rows); };
  // An id takes 48 bytes in the vocabulary and 8 to 16 in its hash table, half as much again while these grow, and with
  // its renumbering and catalogue entry stays below 200. Half a MiB for the block that is read and the stream.
  const std::size_t beside = 200 * (users + items) + (std::size_t{1} << 19);

  const std::size_t before = live;
  peak = before;
  auto start = std::chrono::steady_clock::now();
  auto log = lstmrec::read_movielens(path);
  const double load_seconds = seconds_since(start);
  const std::size_t used_reading = peak - before;
  REQUIRE(log.events.size() == rows);
  CHECK(bytes_an_event(log.events) <= 1.02 * static_cast<double>(limits.kept));

  peak = live.load();
  start = std::chrono::steady_clock::now();
  const auto all = lstmrec::build_sequences(std::move(log), options);
  const double sort_seconds = seconds_since(start);
  const std::size_t used = peak - before, kept = live - before;
  const double resident = peak_resident_bytes() - resident_before;
  REQUIRE(all.events.size() > rows / 2);
  for (std::size_t user = 0; user < all.size(); ++user) {
    const lstmrec::History history = all[user];
    if (!std::is_sorted(history.times.begin(), history.times.end())) FAIL("user " << user << " is not in time order");
  }
  REQUIRE(std::is_sorted(all.events.users.begin(), all.events.users.end()));

  std::cout << rows << " rows: " << load_seconds << " s to load (" << bytes / load_seconds / 1e6 << " MB/s), "
            << sort_seconds << " s to sort and filter; bytes allocated an event: " << an_event(kept)
            << " in the end, at most " << an_event(used_reading) << " while reading and " << an_event(used)
            << " while sorting; the process's largest resident memory grew by " << an_event(resident) << "\n";
  CHECK(used_reading <= limits.kept * rows + beside);
  CHECK(used <= (limits.kept + limits.sorting) * rows + beside);
  CHECK(kept <= limits.kept * rows + beside);
}

}  // namespace

TEST_CASE("Loading takes 20 bytes an event beside the vocabulary, and sorting 4 more") {
  const std::size_t rows = test_rows(), users = rows / 160 + 1, items = rows / 370 + 1;
  const TemporaryFolder folder;
  const auto path = folder.path() / "ratings.csv";
  for (const bool mixed : {false, true}) {
    write_ratings(path, rows, users, items, mixed);
    require_memory(path, rows, users, items, {.min_item_count = 5, .keep_repeats = false}, {20, 4});
  }
}

TEST_CASE("A sequence file takes 8 bytes an event beside the vocabulary, and no more to sort") {
  const std::size_t rows = test_rows(), users = rows / 160 + 1, items = rows / 370 + 1;
  const TemporaryFolder folder;
  const auto path = folder.path() / "sequences.txt";
  write_sequences(path, rows, users, items);
  require_memory(path, rows, users, items, {.min_item_count = 5}, {8, 0});
}

TEST_CASE("A log without ratings takes 16 bytes an event, and sorting 4 more") {
  const std::size_t rows = test_rows(), users = rows / 160 + 1;
  const std::size_t before = live;
  lstmrec::Interactions log;
  log.has_times = true;
  log.source = "memory";
  for (std::size_t user = 0; user < users; ++user) log.users.add(lstmrec::RawId(user));
  log.items.add(lstmrec::RawId(1));
  log.catalogue.resize(1);
  const std::size_t vocabulary = live - before;
  log.reserve(rows);
  lstmrec::Random random(1);
  for (std::size_t row = 0; row < rows; ++row)
    log.add(static_cast<std::uint32_t>(random.below(users)), 0, 3, static_cast<std::int64_t>(random.below(1000000)));
  CHECK(live - before - vocabulary == 16 * rows);
  peak = live.load();
  const std::size_t with_log = live;
  const auto all = lstmrec::build_sequences(std::move(log));
  REQUIRE(all.events.size() == rows);
  // 8 bytes a user for the ends of their rows, and another 100 for counts and the vocabulary that is made anew.
  CHECK(peak - with_log <= 4 * rows + 108 * users);
}

TEST_CASE("An event for which there is no memory leaves a log as it was") {
  constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
  const auto sizes = [](const lstmrec::Interactions& log) {
    return std::vector<std::size_t>{log.events.users.size(), log.events.items.size(), log.events.times.size(),
                                    log.events.ratings.size()};
  };
  for (const bool has_times : {true, false})
    for (const bool has_ratings : {true, false}) {
      lstmrec::Interactions log;
      log.has_times = has_times;
      log.has_ratings = has_ratings;
      std::size_t failures = 0;
      for (std::uint32_t event = 0; event < 40; ++event) {
        const auto before = sizes(log);
        bool added = false;
        for (std::size_t allocations = 0; !added; ++allocations) {
          granted = allocations;
          try {
            log.add(event, event + 1, 2, event + 3);
            added = true;
          } catch (const std::bad_alloc&) {
            ++failures;
          }
          granted = unlimited;
          if (!added) REQUIRE(sizes(log) == before);
        }
        REQUIRE(log.events.size() == event + 1);
        REQUIRE(log.events[event] ==
                lstmrec::Event{has_times ? event + 3 : 0, event, event + 1, has_ratings ? 2.f : 0});
      }
      CHECK(failures > 0);
    }
}

// Files that are written whole or not at all, beside each other and where they cannot be replaced.
#include <atomic>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <lstmrec/core/error.hpp>
#include <lstmrec/io/atomic_file.hpp>
#include <lstmrec/io/tensor_reader.hpp>
#include <lstmrec/io/tensor_writer.hpp>
#include <ostream>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/wait.h>
#include <unistd.h>
#endif
#ifdef __linux__
#include <sys/mount.h>
#endif

#include "catch.hpp"
#include "data/temporary_folder.hpp"
#include "data/thrown.hpp"
#include "real_data.hpp"

using namespace lstmrec;

namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t files_in(const std::filesystem::path& folder) {
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++files;
  return files;
}

}  // namespace

TEST_CASE("Two writers of one file and its reader: every reading is of one whole file") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "file";
  constexpr std::size_t size = 300000;  // of several writes of a stream
  write_file_atomically(path, [](std::ostream& out) { out << std::string(size, 'a'); });
  std::atomic<int> writing = 2;
  std::vector<std::thread> writers;
  for (const char letter : {'a', 'b'})
    writers.emplace_back([&, letter] {
      for (int k = 0; k < 40; ++k)
        write_file_atomically(path, [&](std::ostream& out) {
          for (std::size_t part = 0; part < 10; ++part) out << std::string(size / 10, letter) << std::flush;
        });
      --writing;
    });
  std::size_t torn = 0, readings = 0;
  do {
    const std::string text = read_file(path);
    torn += text.size() != size || text.find_first_not_of(text.front()) != std::string::npos;
    ++readings;
  } while (writing > 0);
  for (std::thread& writer : writers) writer.join();
  CHECK(torn == 0);
  CHECK(readings > 1);
  CHECK(files_in(folder.path()) == 1);
}

#if defined(__unix__) || defined(__APPLE__)
TEST_CASE("Two processes that write one model file and a third that reads it: every reading is of one whole model") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "model";
  constexpr std::size_t size = 50000;
  const auto write = [&](float number) {
    const std::vector<float> numbers(size, number);
    TensorWriter file;
    file.put("numbers", {size}, std::span(numbers));
    file.write(path);
  };
  write(0);
  std::vector<pid_t> writers;
  for (const float number : {1.f, 2.f}) {
    const pid_t writer = ::fork();
    REQUIRE(writer >= 0);
    if (writer == 0) {  // it must not come back to the other tests
      int failures = 0;
      try {
        for (int k = 0; k < 40; ++k) write(number);
      } catch (...) {
        failures = 1;
      }
      ::_exit(failures);
    }
    writers.push_back(writer);
  }
  std::size_t torn = 0, readings = 0;
  std::set<float> met;
  for (std::size_t running = writers.size(); running > 0;) {
    try {
      const auto numbers = TensorReader(path).get<float>("numbers");  // held against its checksum
      torn += std::set<float>(numbers.begin(), numbers.end()).size() != 1;
      met.insert(numbers.front());
    } catch (const Error&) {
      ++torn;
    }
    ++readings;
    int status = 0;
    if (::waitpid(-1, &status, WNOHANG) <= 0) continue;
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
    --running;
  }
  CHECK(torn == 0);
  CHECK(readings > 1);
  CHECK(met.size() > 1);
  CHECK(files_in(folder.path()) == 1);
}
#endif

#ifdef __linux__
TEST_CASE("A file on which another is mounted is written in its place") {
  const TemporaryFolder folder;
  const auto path = folder.write("a file", "old"), mounted = folder.write("mounted", "mounted");
  if (::mount(mounted.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0) return skip_test("needs to mount a file");
  struct Unmount {
    std::filesystem::path path;
    ~Unmount() { ::umount(path.c_str()); }
  } unmount{path};
  const auto write = [&](const std::string& text) {
    write_file_atomically(path, [&](std::ostream& out) { out << text; });
  };
  CHECK_NOTHROW(check_writable(path));
  CHECK(read_file(path) == "mounted");
  write("something longer");
  CHECK(read_file(path) == "something longer");
  CHECK(read_file(mounted) == "something longer");
  write("short");
  CHECK(read_file(mounted) == "short");
  CHECK(files_in(folder.path()) == 2);

  // For reading only: found before the work; and where it is not, what was written is kept and named.
  REQUIRE(::mount(nullptr, path.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0);
  const std::string expected = path.string() + ": cannot be written: Read-only file system";
  CHECK(thrown<Error>([&] { check_writable(path); }) == expected);
  const std::string message = thrown<Error>([&] { write("kept"); });
  REQUIRE(contains(message, expected + "; all of it is kept in "));
  CHECK(read_file(message.substr(message.rfind(" kept in ") + 9)) == "kept");
  CHECK(read_file(mounted) == "short");
}
#endif

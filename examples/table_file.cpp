#include "table_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <functional>
#include <lstmrec/core/error.hpp>
#include <lstmrec/io/text.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#ifdef LSTMREC_ZLIB
#include <zlib.h>
#endif
#ifdef LSTMREC_ZSTD
#include <zstd.h>
#endif

#include "json_lines.hpp"

namespace example {

namespace {

using lstmrec::Error;
using Path = std::filesystem::path;

[[maybe_unused]] constexpr std::size_t block = std::size_t{1} << 17;

/// Where decompressed bytes go; false: nobody reads them any longer.
using Sink = std::function<bool(const char*, std::size_t)>;

bool write_all(int pipe, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t count = write(pipe, data, size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    data += count;
    size -= static_cast<std::size_t>(count);
  }
  return true;
}

#ifdef LSTMREC_ZLIB
void inflate_gzip(const Path& file, const Sink& sink) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> input(gzopen(file.c_str(), "rb"), gzclose);
  if (!input) throw Error(file.string() + ": " + std::generic_category().message(errno));
  std::vector<char> buffer(block);
  for (;;) {
    const int count = gzread(input.get(), buffer.data(), static_cast<unsigned>(buffer.size()));
    int code = Z_OK;
    const char* const reason = gzerror(input.get(), &code);
    if (count < 0 || (count == 0 && code == Z_BUF_ERROR))
      throw Error(file.string() + ": not a whole gzip file: " + reason);
    if (count == 0 || !sink(buffer.data(), static_cast<std::size_t>(count))) return;
  }
}
#endif

#ifdef LSTMREC_ZSTD
void decompress_zstd(const Path& file, const Sink& sink) {
  std::ifstream input(file, std::ios::binary);
  const std::unique_ptr<ZSTD_DStream, std::size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(), ZSTD_freeDStream);
  std::vector<char> from(block), to(block);
  std::size_t state = 0;
  while (input.read(from.data(), static_cast<std::streamsize>(from.size())).gcount() > 0) {
    ZSTD_inBuffer in{from.data(), static_cast<std::size_t>(input.gcount()), 0};
    ZSTD_outBuffer out{to.data(), to.size(), to.size()};
    while (in.pos < in.size || out.pos == out.size) {  // a full block may not be all that there is
      out.pos = 0;
      state = ZSTD_decompressStream(stream.get(), &out, &in);
      if (ZSTD_isError(state) != 0) throw Error(file.string() + ": not a whole zstd file: " + ZSTD_getErrorName(state));
      if (out.pos > 0 && !sink(to.data(), out.pos)) return;
      if (state == 0 && in.pos == in.size) break;  // asked again, it would begin with another frame
    }
  }
  if (state != 0) throw Error(file.string() + ": not a whole zstd file: it ends early");
}
#endif

/// Returns the function that decompresses a file, told by its first bytes; empty where the file is not compressed.
std::function<void(const Path&, const Sink&)> decompressor_of(const Path& file) {
  std::array<char, 4> first = {};
  std::ifstream(file, std::ios::binary).read(first.data(), first.size());
  const std::string magic(first.data(), first.size());
  const auto missing = [&](const char* library) {
    throw Error(file.string() + ": is compressed, and this program was built without " + library);
  };
  if (magic.starts_with("\x1f\x8b")) {
#ifdef LSTMREC_ZLIB
    return inflate_gzip;
#else
    missing("zlib");
#endif
  }
  if (magic == "\x28\xb5\x2f\xfd") {
#ifdef LSTMREC_ZSTD
    return decompress_zstd;
#else
    missing("libzstd");
#endif
  }
  static_cast<void>(missing);
  return {};
}

/// `reader`: the pipe that is written, or -1. A pipe that is read may stay silent for long, so it is asked whether
/// anybody still reads the other one.
void copy_all(int input, const Path& file, int reader, const Sink& sink) {
  std::vector<char> buffer(block);
  for (;;) {
    std::array<pollfd, 2> events{pollfd{input, POLLIN, 0}, pollfd{reader, 0, 0}};
    if (poll(events.data(), reader < 0 ? 1 : 2, -1) < 0 && errno != EINTR) break;
    if (reader >= 0 && (events[1].revents & POLLERR) != 0) return;
    if (events[0].revents == 0) continue;
    const ssize_t count = read(input, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw Error(file.string() + ": " + std::generic_category().message(errno));
    if (count == 0 || !sink(buffer.data(), static_cast<std::size_t>(count))) return;
  }
}

/// An open file.
struct Descriptor {
  explicit Descriptor(const Path& file) : number(open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (number < 0) throw Error(file.string() + ": " + std::generic_category().message(errno));
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(number); }
  int number;
};

constexpr std::size_t beginning_size = std::size_t{1} << 18;

/// The first bytes that a source gives: 256 KiB or more, or all of them.
std::string beginning_of(const std::function<void(const Sink&)>& source) {
  std::string bytes;
  source([&](const char* data, std::size_t size) {
    bytes.append(data, size);
    return bytes.size() < beginning_size;
  });
  return bytes;
}

bool is_json(std::string_view beginning) {
  if (beginning.starts_with("\xef\xbb\xbf")) beginning.remove_prefix(3);
  const std::size_t first = beginning.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || beginning[first] != '{') return false;
  const std::size_t next = beginning.find_first_not_of(" \t\r\n", first + 1);
  return next != std::string_view::npos && (beginning[next] == '"' || beginning[next] == '}');
}

/// The columns of JSON of which the beginning is known; `is_all`: whether that is all, so that the last line is not
/// cut.
std::vector<std::string> columns_of(std::string_view beginning, bool is_all, const Path& file) {
  const std::size_t end = is_all ? std::string_view::npos : beginning.rfind('\n');
  auto columns = json_columns(beginning.substr(0, end));
  if (columns.empty())
    throw Error(file.string() + ":1: expected one JSON object a line, got " +
                lstmrec::detail::excerpt(beginning.substr(0, beginning.find('\n'))));
  return columns;
}

}  // namespace

TableFile::TableFile(const Path& file) : path_(file) {
  std::function<void(const Sink&)> source;  // empty where the file can be read as it is
  std::string beginning;
  if (std::filesystem::is_regular_file(file)) {
    if (const auto decompress = decompressor_of(file)) source = [=](const Sink& sink) { decompress(file, sink); };
    const std::function<void(const Sink&)> whole =
        source ? source : [=](const Sink& sink) { copy_all(Descriptor(file).number, file, -1, sink); };
    beginning = beginning_of(whole);
    if (is_json(beginning)) source = whole;
  } else if (std::filesystem::exists(file) && !std::filesystem::is_directory(file)) {
    // A pipe gives its bytes once, so those that have been looked at are passed on before the rest.
    const auto input = std::make_shared<Descriptor>(file);
    copy_all(input->number, file, -1, [&](const char* data, std::size_t size) {
      beginning.append(data, size);
      return beginning.size() < beginning_size;
    });
    if (beginning.starts_with("\x1f\x8b") || beginning.starts_with("\x28\xb5\x2f\xfd"))
      throw Error(file.string() + ": is compressed, which only files may be; zcat or zstdcat before the pipe helps");
    source = [=, this](const Sink& sink) {
      if (sink(beginning.data(), beginning.size())) copy_all(input->number, file, written_, sink);
    };
  }
  if (!source) return;
  if (is_json(beginning)) {
    const bool is_one_object = is_object_of_lists(beginning);
    columns_ = is_one_object ? std::vector<std::string>{"item", "categories"}
                             : columns_of(beginning, beginning.size() < beginning_size, file);
    source = [source, is_one_object, columns = columns_](const Sink& sink) {
      JsonLines lines(columns, is_one_object, sink);
      source([&](const char* data, std::size_t size) { return lines.add(data, size); });
      lines.end();
    };
  }
  std::array<int, 2> ends = {};
  if (pipe(ends.data()) != 0) throw Error(file.string() + ": " + std::generic_category().message(errno));
  for (const int end : ends) fcntl(end, F_SETFD, FD_CLOEXEC);
  pipe_ = ends[0];
  written_ = ends[1];
  path_ = "/dev/fd/" + std::to_string(pipe_);
  const auto work = [this, source, out = ends[1]] {
    sigset_t signals;  // a pipe that nobody reads is an error of write, and does not end the program
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    try {
      source([out](const char* data, std::size_t size) { return write_all(out, data, size); });
    } catch (...) {
      failure_ = std::current_exception();
    }
    ::close(out);
  };
  try {
    writer_ = std::thread(work);
  } catch (...) {
    for (const int end : ends) ::close(end);
    throw;
  }
}

TableFile::~TableFile() { close(); }

void TableFile::close() {
  if (!writer_.joinable()) return;
  ::close(pipe_);  // a writer that has more to say stops
  writer_.join();
}

void TableFile::finish() {
  close();
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

}  // namespace example

#pragma once

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <lstmrec/core/error.hpp>
#include <optional>
#include <string>

namespace lstmrec {

namespace detail {

/// The number behind a word in a file of the system, such as `MemAvailable:` in /proc/meminfo; without a word, the
/// number that the file holds alone.
inline std::optional<std::uint64_t> number_in_file(const char* path, const std::string& word = "") {
  std::ifstream file(path);
  std::string found;
  std::uint64_t number = 0;
  while (file) {
    if (!word.empty() && (!(file >> found) || found != word)) continue;
    if (file >> number) return number;
    break;
  }
  return std::nullopt;
}

}  // namespace detail

/// A number of bytes for people: `310 MB`, `2.5 GB`.
inline std::string memory_text(std::uint64_t bytes) {
  const std::uint64_t megabytes = (bytes + 500'000) / 1'000'000;
  if (megabytes < 1000) return detail::message({megabytes, " MB"});
  const std::uint64_t tenths = (megabytes + 50) / 100;
  return tenths < 100 ? detail::message({tenths / 10, ".", tenths % 10, " GB"})
                      : detail::message({(tenths + 5) / 10, " GB"});
}

/// The bytes of memory that this process can still get without swapping, as far as the system says: Linux does, and the
/// limit of a container counts. Nothing where the system is another.
inline std::optional<std::uint64_t> available_memory() {
  std::optional<std::uint64_t> available;
  const auto at_most = [&](std::uint64_t bytes) { available = std::min(available.value_or(bytes), bytes); };
  if (const auto kilobytes = detail::number_in_file("/proc/meminfo", "MemAvailable:")) at_most(1024 * *kilobytes);
  // Control groups, version 2 and then version 1. A group without a limit says "max", or a number beyond any memory.
  // Its use includes copies of files, which the system gives up when memory is needed.
  struct Group {
    const char *limit, *used, *statistics, *prefix;
  };
  for (const Group& group :
       {Group{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat", ""},
        Group{"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes",
              "/sys/fs/cgroup/memory/memory.stat", "total_"}}) {
    const auto limit = detail::number_in_file(group.limit), used = detail::number_in_file(group.used);
    if (!limit || !used) continue;
    std::uint64_t files = 0;
    for (const char* const kind : {"inactive_file", "active_file"})
      files += detail::number_in_file(group.statistics, detail::message({group.prefix, kind})).value_or(0);
    const std::uint64_t held = *used - std::min(*used, files);
    at_most(*limit - std::min(*limit, held));
  }
  return available;
}

}  // namespace lstmrec

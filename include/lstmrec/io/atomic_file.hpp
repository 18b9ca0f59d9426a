#pragma once

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <lstmrec/core/error.hpp>
#include <lstmrec/io/system_reason.hpp>
#include <ostream>
#include <string>
#include <system_error>

#if defined(__unix__) || defined(__APPLE__)
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace lstmrec {

namespace detail {

[[noreturn]] inline void fail_to_write(const std::filesystem::path& path, const std::string& reason) {
  fail<Error>({path.string(), ": cannot be written: ", reason});
}

/// Where a write to `path` goes: the end of a chain of symbolic links, where there may be no file yet. Throws Error for
/// a directory, a device such as /dev/null, which renaming would replace, and what the system says nothing about.
inline std::filesystem::path written_file(const std::filesystem::path& path) {
  std::error_code failure;
  const auto status = std::filesystem::status(path, failure);
  if (!std::filesystem::status_known(status)) fail_to_write(path, failure.message());
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    fail_to_write(path, "it is not a regular file");
  std::filesystem::path end = path;
  while (std::filesystem::is_symlink(std::filesystem::symlink_status(end, failure)))  // no circle: its status is known
    end = end.parent_path() / std::filesystem::read_symlink(end, failure);
  return end;
}

/// A file beside the one that a write to `path` goes to, with a name that another process or thread won't choose at the
/// same time; removed unless it was renamed or is to be kept.
class FileBeside {
 public:
  explicit FileBeside(const std::filesystem::path& path) : target_(written_file(path)), beside_(target_) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    const auto here = reinterpret_cast<std::uintptr_t>(this);
    auto number = static_cast<std::uint64_t>(now) ^ static_cast<std::uint64_t>(here);
#if defined(__unix__) || defined(__APPLE__)
    number ^= static_cast<std::uint64_t>(::getpid()) << 40;  // a forked process has this object at the same address
#endif
    beside_ += ".partial-" + std::to_string(number);
  }
  FileBeside(const FileBeside&) = delete;
  FileBeside& operator=(const FileBeside&) = delete;
  ~FileBeside() {
    if (is_kept_) return;
    std::error_code ignored;
    std::filesystem::remove(beside_, ignored);
  }
  void keep() { is_kept_ = true; }

  const std::filesystem::path& path() const { return beside_; }
  const std::filesystem::path& target() const { return target_; }

 private:
  std::filesystem::path target_, beside_;
  bool is_kept_ = false;
};

#if defined(__unix__) || defined(__APPLE__)
/// A file of the system that is open, or could not be opened; closed in the end.
struct OpenFile {
  int number;
  OpenFile(const std::filesystem::path& path, int flags) : number(::open(path.c_str(), flags)) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (number >= 0) ::close(number);
  }
};

/// Syncs the folder of a file, so that the file's new name is on the disk too; returns whether it is. Where a file
/// system does not offer that, or the folder may not be read, there is nothing more to be done.
inline bool sync_folder_of(const std::filesystem::path& file) {
  const OpenFile folder(file.has_parent_path() ? file.parent_path() : std::filesystem::path("."), O_RDONLY);
  return folder.number < 0 || ::fsync(folder.number) == 0 || errno == EINVAL || errno == ENOTSUP;
}

/// Copies the bytes of one file over those of another; returns whether all of them are on the disk.
inline bool overwrite(const std::filesystem::path& from, const std::filesystem::path& to) {
  const OpenFile in(from, O_RDONLY);
  if (in.number < 0) return false;
  const OpenFile out(to, O_WRONLY | O_TRUNC);
  if (out.number < 0) return false;
  char bytes[1 << 16];
  for (ssize_t count; (count = ::read(in.number, bytes, sizeof bytes)) != 0;) {
    if (count < 0) return false;
    for (ssize_t written = 0; written < count;) {
      const ssize_t more = ::write(out.number, bytes + written, static_cast<std::size_t>(count - written));
      if (more < 0) return false;
      written += more;
    }
  }
  return ::fsync(out.number) == 0;
}

/// Whether something is mounted on this very file, as containers do it: no other file can take its name then. Only
/// Linux says so.
inline bool is_mount_point(const std::filesystem::path& path) {
  std::error_code failure;
  const std::string wanted = std::filesystem::canonical(path, failure).string();
  std::ifstream mounts("/proc/self/mountinfo");
  // The fifth word of a line is the mount point, in which a space and a few other characters are \\ and three octal
  // digits.
  for (std::string line; std::getline(mounts, line);) {
    std::size_t begin = 0;
    for (int word = 0; word < 4 && begin != std::string::npos; ++word) begin = line.find(' ', begin + 1);
    if (begin == std::string::npos) continue;
    std::string mounted;
    for (std::size_t k = begin + 1; k < line.size() && line[k] != ' '; ++k) {
      if (line[k] == '\\' && k + 3 < line.size()) {
        mounted += static_cast<char>(64 * (line[k + 1] - '0') + 8 * (line[k + 2] - '0') + line[k + 3] - '0');
        k += 3;
      } else {
        mounted += line[k];
      }
    }
    if (mounted == wanted) return true;
  }
  return false;
}
#endif

inline void set_mode(const std::filesystem::path& path, const std::filesystem::path& beside,
                     std::filesystem::perms mode) {
  std::error_code failure;
  std::filesystem::permissions(beside, mode, failure);
  if (failure) fail_to_write(path, failure.message());
}

/// Opens the file beside `path`, with the mode that the file to be replaced has: what only its owner may read stays so.
/// (The owner may read and write it until it is in its place.) Root leaves the file to whom it belonged.
inline std::ofstream open_beside(const std::filesystem::path& path, const FileBeside& beside) {
  errno = 0;
  std::ofstream out(beside.path(), std::ios::binary);
  if (!out) fail_to_write(path, system_reason());
  std::error_code failure;
  const auto replaced = std::filesystem::status(beside.target(), failure);
  if (!std::filesystem::exists(replaced)) return out;
  set_mode(path, beside.path(),
           replaced.permissions() | std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
#if defined(__unix__) || defined(__APPLE__)
  struct stat owner = {};
  if (::geteuid() == 0 && ::stat(beside.target().c_str(), &owner) == 0)
    if (::chown(beside.path().c_str(), owner.st_uid, owner.st_gid) != 0) errno = 0;  // then it is root's
#endif
  return out;
}

}  // namespace detail

/// Throws Error with the system's reason where `path` could not be written: asked before an hour of work, not after.
inline void check_writable(const std::filesystem::path& path) {
  const detail::FileBeside beside(path);
  detail::open_beside(path, beside);
#if defined(__unix__) || defined(__APPLE__)
  if (!detail::is_mount_point(beside.target())) return;
  const detail::OpenFile in_place(beside.target(), O_WRONLY);
  if (in_place.number < 0) detail::fail_to_write(path, detail::system_reason());
#endif
}

/// Writes a file so that it is either whole or as it was: beside its place first, synced, then renamed, and the folder
/// synced. Of a symbolic link the target is written; a file that is replaced keeps its mode.
///
/// Throws Error with the system's reason, and whatever `write` throws; then nothing has changed, unless the message
/// says that only the folder could not be synced. A file on which another is mounted cannot be replaced and is
/// overwritten in its place; where that fails, the message names the file beside it that holds everything and is kept.
inline void write_file_atomically(const std::filesystem::path& path, const std::function<void(std::ostream&)>& write) {
  detail::FileBeside beside(path);
  {
    auto out = detail::open_beside(path, beside);
    try {
      write(out);
    } catch (const Error&) {
      if (out) throw;  // else it says that writing failed, but not where and why, as is said below
    }
    out.close();
    if (!out) detail::fail_to_write(path, detail::system_reason());
  }
#if defined(__unix__) || defined(__APPLE__)
  {
    const detail::OpenFile file(beside.path(), O_RDONLY);
    if (file.number < 0 || ::fsync(file.number) != 0) detail::fail_to_write(path, detail::system_reason());
  }
#endif
  std::error_code failure;
  if (const auto replaced = std::filesystem::status(beside.target(), failure); std::filesystem::exists(replaced))
    detail::set_mode(path, beside.path(), replaced.permissions());
  std::filesystem::rename(beside.path(), beside.target(), failure);
#if defined(__unix__) || defined(__APPLE__)
  if (failure == std::errc::device_or_resource_busy || failure == std::errc::cross_device_link) {
    if (!detail::overwrite(beside.path(), beside.target())) {
      const std::string reason = detail::system_reason();
      beside.keep();
      detail::fail_to_write(path, detail::message({reason, "; all of it is kept in ", beside.path().string()}));
    }
    failure.clear();
  }
  if (!failure && !detail::sync_folder_of(beside.target()))
    detail::fail_to_write(path,
                          detail::message({detail::system_reason(), " (its folder; the new file is in its place)"}));
#endif
  if (failure) detail::fail_to_write(path, failure.message());
}

}  // namespace lstmrec

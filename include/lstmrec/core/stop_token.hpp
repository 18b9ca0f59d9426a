#pragma once

#include <version>

#ifdef __cpp_lib_jthread
#include <stop_token>
#else
#include <atomic>
#include <memory>
#include <utility>
#endif

namespace lstmrec {

/// std::stop_token and std::stop_source, or as much of them as the library uses where the standard library has none
/// (libc++ before 20).
#ifdef __cpp_lib_jthread
using StopToken = std::stop_token;
using StopSource = std::stop_source;
#else
class StopToken {
 public:
  StopToken() = default;
  bool stop_requested() const { return requested_ && *requested_; }

 private:
  friend class StopSource;
  explicit StopToken(std::shared_ptr<const std::atomic<bool> > requested) : requested_(std::move(requested)) {}
  std::shared_ptr<const std::atomic<bool> > requested_;
};

class StopSource {
 public:
  /// False where it has been called before.
  bool request_stop() { return !requested_->exchange(true); }
  bool stop_requested() const { return *requested_; }
  StopToken get_token() const { return StopToken(requested_); }

 private:
  std::shared_ptr<std::atomic<bool> > requested_ = std::make_shared<std::atomic<bool> >(false);
};
#endif

}  // namespace lstmrec

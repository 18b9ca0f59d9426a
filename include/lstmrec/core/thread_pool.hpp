#pragma once

#include <algorithm>
#include <cassert>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <lstmrec/core/function_ref.hpp>
#include <lstmrec/core/guards.hpp>
#include <mutex>
#include <thread>
#include <vector>

namespace lstmrec {

/// The number of processors, at least 1.
inline std::size_t default_threads() { return std::max<std::size_t>(1, std::thread::hardware_concurrency()); }

LSTMREC_BEGIN_THROWING

/// Runs numbered tasks on a fixed number of threads, the calling one included: `ThreadPool(1)` starts none.
///
///     ThreadPool pool(2);
///     pool.run(shards, [&](std::size_t shard) { … });
///
/// Which thread gets which task is not determined, so tasks must not depend on it: give each its own output and
/// combine them afterwards in the order of their numbers. One thread may call `run` at a time, and no task may call
/// that of its own pool, which would wait for the task itself.
class ThreadPool {
 public:
  /// `threads` = 0 takes as many as the machine has processors.
  /// Throws std::system_error where the system starts no more threads.
  explicit ThreadPool(std::size_t threads = 0) : ThreadPool(Empty{}) {
    // From here on the destructor runs whatever happens, so that threads already started are joined.
    if (threads == 0) threads = default_threads();
    for (std::size_t i = 1; i < threads; ++i) workers_.emplace_back([this] { serve(); });
  }

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  ~ThreadPool() {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    wake_.notify_all();
    for (auto& worker : workers_) worker.join();
  }

  std::size_t threads() const { return workers_.size() + 1; }

  /// Calls task(0) … task(count − 1) and returns when all have ended. The first exception is rethrown here, once
  /// the tasks already begun have ended; tasks not yet begun are then dropped.
  void run(std::size_t count, FunctionRef<void(std::size_t)> task) {
    if (workers_.empty() || count < 2) {
      for (std::size_t i = 0; i < count; ++i) task(i);
      return;
    }
    std::unique_lock lock(mutex_);
    assert(!task_ && "one thread may call run at a time, and no task");
    task_ = &task;
    next_ = 0;
    count_ = count;
    failure_ = nullptr;
    wake_.notify_all();
    work(lock);
    done_.wait(lock, [this] { return running_ == 0; });
    task_ = nullptr;
    if (failure_) std::rethrow_exception(failure_);
  }

  /// `run` for many small tasks: each thread gets ranges of them.
  void run_ranges(std::size_t count, FunctionRef<void(std::size_t)> task) {
    const std::size_t ranges = std::min(count, 8 * threads());
    run(ranges, [&](std::size_t range) {
      for (std::size_t i = count * range / ranges; i < count * (range + 1) / ranges; ++i) task(i);
    });
  }

 private:
  struct Empty {};
  explicit ThreadPool(Empty) {}

  void serve() {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return closing_ || (task_ && next_ < count_); });
      if (closing_) return;
      work(lock);
      if (running_ == 0) done_.notify_one();
    }
  }

  void work(std::unique_lock<std::mutex>& lock) {
    while (next_ < count_) {
      const std::size_t number = next_++;
      const auto* task = task_;
      ++running_;
      lock.unlock();
      std::exception_ptr failure;
#ifdef __cpp_exceptions
      try {
        (*task)(number);
      } catch (...) {
        failure = std::current_exception();
      }
#else
      (*task)(number);
#endif
      lock.lock();
      --running_;
      if (failure) {
        if (!failure_) failure_ = failure;
        next_ = count_;
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::vector<std::thread> workers_;
  const FunctionRef<void(std::size_t)>* task_ = nullptr;
  std::exception_ptr failure_;
  std::size_t next_ = 0, count_ = 0, running_ = 0;
  bool closing_ = false;
};

LSTMREC_END_THROWING

}  // namespace lstmrec

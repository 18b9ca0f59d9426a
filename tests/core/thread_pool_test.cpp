#include <algorithm>
#include <atomic>
#include <chrono>
#include <lstmrec/core/thread_pool.hpp>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"

using namespace lstmrec;

TEST_CASE("ThreadPool: every task runs once, in many runs one after the other") {
  for (const std::size_t threads : {1u, 2u, 3u}) {
    ThreadPool pool(threads);
    CHECK(pool.threads() == threads);
    for (std::size_t count = 0; count < 200; ++count) {
      std::vector<int> runs(count);  // each its own: no lock needed
      pool.run(count, [&](std::size_t task) { ++runs[task]; });
      CHECK(std::accumulate(runs.begin(), runs.end(), 0) == static_cast<int>(count));
      CHECK(std::count(runs.begin(), runs.end(), 1) == static_cast<int>(count));
    }
  }
}

TEST_CASE("ThreadPool: ranges hold every task once") {
  for (const std::size_t threads : {1u, 2u, 3u}) {
    ThreadPool pool(threads);
    for (const std::size_t count : {0u, 1u, 2u, 15u, 16u, 17u, 1000u}) {
      std::vector<int> runs(count);
      pool.run_ranges(count, [&](std::size_t task) { ++runs[task]; });
      CHECK(std::count(runs.begin(), runs.end(), 1) == static_cast<int>(count));
    }
  }
}

TEST_CASE("ThreadPool: one thread is the calling one") {
  ThreadPool pool(1);
  std::set<std::thread::id> ids;
  pool.run(20, [&](std::size_t) { ids.insert(std::this_thread::get_id()); });
  CHECK(ids == std::set{std::this_thread::get_id()});
}

TEST_CASE("ThreadPool: two threads work at the same time") {
  ThreadPool pool(2);
  std::atomic<int> begun = 0;
  bool met[2] = {false, false};
  pool.run(2, [&](std::size_t task) {
    ++begun;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (begun < 2 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    met[task] = begun == 2;
  });
  CHECK((met[0] && met[1]));
}

TEST_CASE("ThreadPool: an exception arrives at the caller, later tasks are dropped, the pool works on") {
  for (const std::size_t threads : {1u, 2u, 3u}) {
    ThreadPool pool(threads);
    for (int again = 0; again < 20; ++again) {
      std::atomic<int> runs = 0;
      std::string caught;
      try {
        pool.run(1000, [&](std::size_t task) {
          ++runs;
          if (task == 5) throw std::runtime_error("task 5");
        });
      } catch (const std::runtime_error& error) {
        caught = error.what();
      }
      CHECK(caught == "task 5");
      CHECK(runs >= 6);
      if (threads == 1) CHECK(runs == 6);
      runs = 0;
      pool.run(10, [&](std::size_t) { ++runs; });
      CHECK(runs == 10);
    }
  }
}

TEST_CASE("ThreadPool: of several exceptions one arrives") {
  ThreadPool pool(3);
  for (int again = 0; again < 50; ++again)
    CHECK_THROWS_AS(pool.run(10, [](std::size_t task) { throw std::out_of_range(std::to_string(task)); }),
                    std::out_of_range);
}

TEST_CASE("ThreadPool: by default as many threads as the machine has processors") {
  CHECK(ThreadPool().threads() == default_threads());
  CHECK(default_threads() >= 1);
}

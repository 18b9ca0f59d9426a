// Counts every byte that training takes from `malloc`, by Eigen and by `operator new`, so it is a program of its own:
// see CMakeLists.txt.
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <lstmrec/lstmrec.hpp>
#include <lstmrec/next_item/training_memory.hpp>
#include <new>
#include <tuple>
#include <vector>

#include "catch.hpp"

namespace {

std::atomic<std::size_t> live = 0, peak = 0;

}  // namespace

extern "C" {

void* __real_malloc(std::size_t size);
void __real_free(void* pointer);

void* __wrap_malloc(std::size_t size) {
  void* const block = __real_malloc(size);
  const std::size_t now = live += malloc_usable_size(block);
  for (std::size_t before = peak; before < now && !peak.compare_exchange_weak(before, now);) {
  }
  return block;
}

void __wrap_free(void* pointer) {
  live -= malloc_usable_size(pointer);
  __real_free(pointer);
}

}  // extern "C"

void* operator new(std::size_t size) {
  void* const block = __wrap_malloc(size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* pointer) noexcept { __wrap_free(pointer); }
void operator delete[](void* pointer) noexcept { __wrap_free(pointer); }
void operator delete(void* pointer, std::size_t) noexcept { __wrap_free(pointer); }
void operator delete[](void* pointer, std::size_t) noexcept { __wrap_free(pointer); }

using namespace lstmrec;

namespace {

/// Users after each other walk through the catalogue, so that each item is met. `inputs`: of every user in training, so
/// that all windows are as long.
Split split_of(std::int64_t users, std::int64_t items, std::int64_t inputs) {
  std::vector<std::tuple<std::int64_t, std::int64_t, std::int64_t, float>> rows;
  for (std::int64_t user = 0; user < users; ++user)
    for (std::int64_t event = 0; event < inputs + 3; ++event)
      rows.emplace_back(user, (user * (inputs + 3) + event) % items, event, 1.0f);
  return leave_one_out(build_sequences(make_interactions(rows)));
}

}  // namespace

TEST_CASE("Training over all items takes the memory that is said before it") {
  struct Size {
    std::int64_t items, units, blocks, batch, inputs, attention_window = 0;
  };
  for (const auto [items, units, blocks, batch, inputs, attention_window] :
       {Size{3000, 64, 1, 16, 100}, Size{500, 96, 2, 32, 100, 50}, Size{8000, 32, 1, 8, 100},
        Size{2000, 128, 1, 8, 100}, Size{3000, 64, 1, 16, 10, 200}, Size{8000, 16, 1, 64, 10}}) {
    CAPTURE(items, units, blocks, batch, inputs, attention_window);
    const Split split = split_of(std::max(2 * batch, inputs < 20 ? 2 * items : items / inputs), items, inputs);
    const RecommenderConfig config{.embedding_size = units,
                                   .hidden_size = units,
                                   .blocks = blocks,
                                   .attention_window = attention_window,
                                   .training = {.epochs = 1, .batch_size = batch}};
    constexpr std::size_t threads = 2;
    const std::size_t before = live;
    peak = before;
    const auto result = fit(split, config, {.threads = threads});
    const auto used = static_cast<double>(peak - before);
    REQUIRE(result.best_epoch > 0);

    const auto formula = static_cast<double>(training_memory(split, config, threads).total());
    CAPTURE(used, formula);
    REQUIRE(used < 1.15 * formula);
    REQUIRE(used > 0.85 * formula);
  }
}

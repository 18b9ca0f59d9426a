#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace lstmrec::detail {

/// Asks the system for large pages behind memory that is about to be filled for the first time: one page fault for
/// 2 MiB instead of 512. Advice only, and none where there are no such pages.
inline void prefer_huge_pages([[maybe_unused]] void* data, [[maybe_unused]] std::size_t bytes) {
#if defined(MADV_HUGEPAGE)
  constexpr std::size_t page = std::size_t{1} << 21;
  const std::size_t before = (page - reinterpret_cast<std::uintptr_t>(data) % page) % page;  // up to the first whole one
  if (bytes < before + page) return;
  madvise(static_cast<std::byte*>(data) + before, (bytes - before) / page * page, MADV_HUGEPAGE);
#endif
}

}  // namespace lstmrec::detail

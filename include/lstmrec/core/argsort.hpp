#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace lstmrec {

/// 0 … n − 1 in the order of their keys, equal keys in their own order.
inline std::vector<std::size_t> argsort(const std::vector<std::size_t>& keys) {
  std::vector<std::size_t> order(keys.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return keys[a] < keys[b] || (keys[a] == keys[b] && a < b); });
  return order;
}

/// 0 … n − 1 in the order of key(i), an unsigned number. Every kind of key shares one sort, which costs more to compile
/// than to run.
template <class Key>
std::vector<std::size_t> argsort_by(std::size_t n, Key key) {
  std::vector<std::size_t> keys(n);
  for (std::size_t i = 0; i < n; ++i) keys[i] = key(i);
  return argsort(keys);
}

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/data/event.hpp>
#include <span>
#include <vector>

namespace lstmrec {

/// The default of how many different items of one user a baseline of pairs of items learns from. People have fewer in
/// most logs (MovieLens 1M: at most 2314); a robot has 10⁵, whose pairs would cost more than those of all others.
inline constexpr std::size_t default_user_items = 2500;

/// Finds the last `limit` different items of a user, for baselines whose cost is the square of a user's items. Of a
/// user with no more than that these are all of the user's items. Holds 4 bytes an item.
class RecentItems {
 public:
  RecentItems(std::size_t items, std::size_t limit) : last_user_(items, 0), limit_(limit) {}

  /// Begins with the first or another user.
  void next_user() {
    ++user_;
    left_ = limit_;
  }

  /// Asked of a user's events from the last to the first: whether the event is the last of its item, and the item one
  /// of the last `limit`.
  bool admits(std::uint32_t item) {
    if (left_ == 0 || last_user_[item] == user_) return false;
    last_user_[item] = user_;
    --left_;
    return true;
  }

  /// Sets `items` to those of the next user, in ascending order. Cost: that of sorting them, and the history's length.
  void collect(const History& history, std::vector<std::uint32_t>& items) {
    next_user();
    items.clear();
    for (std::size_t k = history.size(); k-- > 0 && left_ > 0;)
      if (admits(history.items[k])) items.push_back(history.items[k]);
    std::sort(items.begin(), items.end());
  }

 private:
  std::vector<std::uint32_t> last_user_;  ///< By item, counted from 1.
  std::uint32_t user_ = 0;
  std::size_t limit_, left_ = 0;
};

/// How many pairs of items a baseline of pairs visits at most: Σ min(length, limit)² over the users.
///
///     user_pairs(split.train_length, ItemKnnOptions().user_items)     // what ItemKnn(split) costs
inline std::uint64_t user_pairs(std::span<const std::uint32_t> lengths, std::size_t limit = default_user_items) {
  std::uint64_t pairs = 0;
  for (const std::uint32_t length : lengths) {
    const auto own = std::min<std::uint64_t>(length, limit);
    pairs += own * own;
  }
  return pairs;
}

}  // namespace lstmrec

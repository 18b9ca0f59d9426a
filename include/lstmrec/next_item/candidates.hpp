#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <lstmrec/core/top_k.hpp>
#include <lstmrec/data/raw_id.hpp>
#include <lstmrec/data/vocabulary.hpp>
#include <lstmrec/next_item/recommender.hpp>
#include <optional>
#include <stdexcept>
#include <vector>

namespace lstmrec {

/// Which items may be recommended. Ids that the recommender does not know, as of goods that it has never seen, are left
/// out and can be asked for (Candidates::unknown). A list of `allow` that is empty, or of unknown ids alone, allows
/// nothing.
///
///     Candidates(recommender, {.allow = {{296, 593}}})            // these two
///     Candidates(recommender, {.allow = std::vector<RawId>()})    // none
struct CandidateFilter {
  std::optional<bool> exclude_seen = {};         ///< Unset: RecommenderConfig::exclude_seen.
  std::optional<std::vector<RawId>> allow = {};  ///< Only these; unset: all.
  std::vector<RawId> block = {};                 ///< None of these.
};

/// A filter compiled for one recommender, or others with the same items in the same order, and refused by all others:
/// made once, used for any number of sessions and threads.
class Candidates {
 public:
  template <class Network>
  explicit Candidates(const BasicRecommender<Network>& recommender, const CandidateFilter& filter = {})
      : exclude_seen_(filter.exclude_seen.value_or(recommender.exclude_seen())),
        items_(recommender.items()),
        numbering_(recommender.item_ids().fingerprint()) {
    if (!filter.allow && filter.block.empty() && recommender.withdrawn().empty()) return;
    allowed_.assign(static_cast<std::size_t>(recommender.items()), filter.allow ? 0 : 1);
    const auto set = [&](const std::vector<RawId>& ids, std::uint8_t allowed) {
      for (const RawId& id : ids) {
        if (const auto item = recommender.item_ids().find(id))
          allowed_[*item] = allowed;
        else
          unknown_.push_back(id);
      }
    };
    if (filter.allow) set(*filter.allow, 1);
    set(filter.block, 0);
    for (const std::uint32_t item : recommender.withdrawn()) allowed_[item] = 0;
  }

  /// The ids of `allow`, then those of `block`, that the recommender does not know.
  const std::vector<RawId>& unknown() const { return unknown_; }

  bool exclude_seen() const { return exclude_seen_; }
  /// Throws std::invalid_argument where they were made for a recommender of other items.
  void expect_items(const Vocabulary& items) const {
    if (items.fingerprint() != numbering_)
      detail::fail<std::invalid_argument>(
          {"expected candidates for these ", items.size(), " items, got some for ", items_, " of another recommender"});
  }
  bool allows_all() const { return allowed_.empty(); }
  bool allows(std::uint32_t item) const { return allowed_.empty() || allowed_[item] != 0; }
  /// Whether an item stays out of the lists of a user who has had `seen`.
  bool leaves_out(AscendingItems& seen, std::uint32_t item) const {
    return !allows(item) || (exclude_seen_ && seen.contains(item));
  }
  /// The first item from `item` on that is allowed; their number where there is none.
  Index next_allowed(Index item) const {
    if (allowed_.empty() || item >= items_) return std::min(item, items_);
    const auto* const from = allowed_.data() + item;
    const void* const found = std::memchr(from, 1, static_cast<std::size_t>(items_ - item));
    return found ? item + (static_cast<const std::uint8_t*>(found) - from) : items_;
  }

 private:
  bool exclude_seen_;
  Index items_;
  std::uint64_t numbering_;  ///< Vocabulary::fingerprint.
  std::vector<RawId> unknown_;
  std::vector<std::uint8_t> allowed_;  ///< By item, 1 or 0; empty: all.
};

}  // namespace lstmrec

#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lstmrec {

/// The number that a kind of events has in every log: a hash of its name, and 0 for none. Of 32 kinds two have the same
/// number once in ten million times.
constexpr std::uint32_t kind_id(std::string_view name) {
  if (name.empty()) return 0;
  std::uint32_t hash = 2166136261u;  // FNV-1a, of Fowler, Noll and Vo
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash == 0 ? 1 : hash;
}

/// One interaction, in dense indices: a row of a log.
struct Event {
  std::int64_t time = 0;   ///< Since 1970, in the log's ticks (mostly seconds); 0 where the data has no times.
  std::uint32_t user = 0;  ///< Dense index.
  std::uint32_t item = 0;  ///< Dense index.
  float rating = 0;        ///< 0 where the data has no ratings.
  float weight = 1;        ///< What it counts as a target; 1 where the data does not say.
  std::uint32_t kind = 0;  ///< kind_id of view, cart, purchase …; 0 where the data does not say.
  friend bool operator==(const Event&, const Event&) = default;
};

namespace detail {

/// Walks the rows of something with operator[], by value.
template <class Rows>
class RowIterator {
 public:
  using value_type = Event;
  using difference_type = std::ptrdiff_t;
  using iterator_category = std::input_iterator_tag;
  using reference = Event;
  using pointer = void;

  RowIterator() = default;
  RowIterator(const Rows* rows, std::size_t row) : rows_(rows), row_(row) {}
  Event operator*() const { return (*rows_)[row_]; }
  RowIterator& operator++() {
    ++row_;
    return *this;
  }
  RowIterator operator++(int) {
    const RowIterator before = *this;
    ++row_;
    return before;
  }
  friend bool operator==(const RowIterator& a, const RowIterator& b) { return a.row_ == b.row_; }

 private:
  const Rows* rows_ = nullptr;
  std::size_t row_ = 0;
};

}  // namespace detail

/// Some leading part of a user's events, in time order, which a scorer may look at. It is a borrowed view of rows of a
/// log, or of a list of items alone.
///
///     const std::vector<std::uint32_t> items{3, 1, 4};
///     const History history(items);
struct History {
  std::span<const std::uint32_t> items;
  std::span<const std::int64_t> times;          ///< Empty where the data has no times.
  std::span<const float> ratings;               ///< Empty where the data has no ratings.
  std::span<const std::uint32_t> kinds = {};    ///< Empty where the data does not tell kinds of events apart.
  std::span<const std::uint32_t> context = {};  ///< The events' codes (EventContext), as many for each; or none.
  /// When the event happens that comes after these, or a list is asked for; for models that take it.
  std::optional<std::int64_t> asked_at = {};
  std::uint32_t user = 0;
  std::uint64_t numbering = 0;  ///< Vocabulary::fingerprint of the items; 0: not known, and not checked.

  History() = default;
  explicit History(std::span<const std::uint32_t> rows) : items(rows) {}
  explicit History(std::vector<std::uint32_t>&&) = delete;  // it would not live long enough
  History(std::span<const std::uint32_t> rows, std::span<const std::int64_t> their_times,
          std::span<const float> their_ratings, std::uint32_t whose)
      : items(rows), times(their_times), ratings(their_ratings), user(whose) {}

  std::size_t size() const { return items.size(); }
  bool empty() const { return items.empty(); }
  Event operator[](std::size_t k) const {
    assert(k < size());
    return {times.empty() ? 0 : times[k],        user, items[k],
            ratings.empty() ? 0.0f : ratings[k], 1,    kinds.empty() ? 0 : kinds[k]};
  }
  Event front() const { return (*this)[0]; }
  Event back() const { return (*this)[size() - 1]; }
  auto begin() const { return detail::RowIterator<History>(this, 0); }
  auto end() const { return detail::RowIterator<History>(this, size()); }

  History first(std::size_t count) const { return subspan(0, count); }
  /// Of a part it is not known when it is asked for.
  History subspan(std::size_t begin, std::size_t count) const {
    History part(items.subspan(begin, count), times.empty() ? times : times.subspan(begin, count),
                 ratings.empty() ? ratings : ratings.subspan(begin, count), user);
    part.numbering = numbering;
    if (!kinds.empty()) part.kinds = kinds.subspan(begin, count);
    if (!context.empty()) {
      const std::size_t codes = context.size() / items.size();
      part.context = context.subspan(begin * codes, count * codes);
    }
    return part;
  }
  History subspan(std::size_t begin) const { return subspan(begin, size() - begin); }
};

/// The title and the genres of an item; empty where the data says nothing.
struct ItemInfo {
  std::string title;                ///< UTF-8.
  std::vector<std::string> genres;  ///< UTF-8.
};

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/core/top_k.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/model/recommender.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <lstmrec/serve/candidates.hpp>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lstmrec {

/// One place of a list. The title is borrowed from the recommender, and empty where it knows none.
struct Recommendation {
  RawId item;
  std::string_view title;
  float score;  ///< The logit; only comparable within one list.
};

/// One user's state, brought up to date event by event; the user need not have been in the training data.
///
///     Session session(recommender);
///     for (const int id : {296, 593, 318}) session.observe(id);     // or session.observe_all(ids)
///     for (const auto& [item, title, score] : session.top_n(10)) std::cout << title << '\n';
///
/// An event costs O(network), whatever the length of the history; a list O(items × embedding size), and where the
/// recommender uses counts their entries of the last few items. Neither allocates, once a list of that length has been
/// made (and where ids are integers). Before the first event the most popular items
/// are recommended. Unknown ids are refused: `observe` throws and `observe_if_known` says so; neither changes anything.
/// Borrows the recommender, which has to outlive it. One thread a session; any number of sessions a recommender.
class Session {
 public:
  explicit Session(const Recommender& recommender)
      : recommender_(&recommender),
        default_candidates_(recommender),
        state_(recommender.network.initial_state()),
        scores_(recommender.items()),
        is_seen_(static_cast<std::size_t>(recommender.items()), 0) {
    if (!recommender.uses_counts()) return;
    recent_.reserve(recommender.counts.options.window + 1);
    count_scores_.resize(recommender.items());
  }
  explicit Session(const Recommender&&) = delete;  // it would not live long enough

  /// Takes note of the user's next event. Throws std::out_of_range that names the id where it is unknown.
  void observe(const RawId& id) { observe_index(recommender_->item_ids.index(id)); }

  /// The same; false, and nothing has changed, where the id is unknown.
  bool observe_if_known(const RawId& id) {
    const auto index = recommender_->item_ids.find(id);
    if (index) observe_index(*index);
    return index.has_value();
  }

  /// The same for a whole history in order, a range of ids: up to 1.6 times as fast as one by one where the recommender
  /// is not prepared. To rounding the same state. Throws std::out_of_range on the first unknown id; then nothing has
  /// changed.
  template <std::ranges::forward_range Ids>
  void observe_all(const Ids& ids) {
    std::vector<std::uint32_t> items;
    for (const auto& id : ids) items.push_back(recommender_->item_ids.index(RawId(id)));
    if (items.empty()) return;
    if (recommender_->item_products.size() > 0)
      for (const std::uint32_t& item : items)
        recommender_->network.step({&item, 1}, recommender_->item_products, state_);
    else
      recommender_->network.step_along(items, state_);
    for (const std::uint32_t item : items) take_note(item);
  }

  std::size_t events() const { return events_; }

  /// The score of every item, by the recommender's index; borrowed until the next call.
  std::span<const float> scores() {
    if (!scored_) {
      if (events_ == 0) {
        recommender_->score_without_history(scores_);
      } else {
        recommender_->network.read_out(state_);
        recommender_->network.score(state_.output, scores_);
        if (recommender_->uses_counts())
          recommender_->add_counts(recent_, recommender_->config.counts_weight, count_scores_, scores_);
      }
      scored_ = true;
    }
    return {scores_.data(), static_cast<std::size_t>(scores_.size())};
  }

  /// The n items with the highest scores, best first, of equal scores the lower index first; fewer where fewer are
  /// left. The list is borrowed until the next call. Without candidates: all items, without those of the session's
  /// events unless the recommender was trained to repeat. Throws std::invalid_argument on candidates that were made for
  /// another number of items.
  std::span<const Recommendation> top_n(std::size_t n) { return top_n(n, default_candidates_); }
  std::span<const Recommendation> top_n(std::size_t n, const Candidates& candidates) {
    candidates.expect_items(recommender_->items());
    best_.resize(std::min(n, is_seen_.size()));
    const auto list = top_k(scores(), best_, [&](std::uint32_t item) {
      return !candidates.allows(item) || (candidates.exclude_seen() && is_seen_[item]);
    });
    list_.clear();
    for (const auto& [item, score] : list)
      list_.push_back({recommender_->item_ids.id(item), recommender_->catalogue[item].title, score});
    return list_;
  }

  /// The session as bytes, for the same recommender on the same kind of machine. What comes after a restored session
  /// has the same bits as what would have come after the saved one, if both were prepared (prepare_sessions) or
  /// neither.
  std::vector<std::byte> save() const {
    std::vector<std::byte> bytes;
    const auto append = [&](const void* data, std::size_t size) {
      const auto* begin = static_cast<const std::byte*>(data);
      bytes.insert(bytes.end(), begin, begin + size);
    };
    const Header header{kind, fingerprint(), events_, count_seen(), recent_.size()};
    append(&header, sizeof header);
    visit_state(*this, [&](const auto& matrix) { append(matrix.data(), matrix_bytes(matrix)); });
    for (const Event& event : recent_) append(&event.item, sizeof event.item);
    for (std::uint32_t item = 0; item < is_seen_.size(); ++item)
      if (is_seen_[item]) append(&item, sizeof item);
    return bytes;
  }

  /// Becomes the session that was saved. Throws Error, and has not changed, where the bytes are cut short or of a
  /// session of another recommender.
  void restore(std::span<const std::byte> bytes) {
    Header header{};
    if (bytes.size() < sizeof header) throw Error("a saved session is cut short");
    std::memcpy(&header, bytes.data(), sizeof header);
    std::size_t state_bytes = 0;
    visit_state(*this, [&](const auto& matrix) { state_bytes += matrix_bytes(matrix); });
    if (header.kind != kind || header.recommender != fingerprint())
      throw Error("a saved session belongs to another recommender");
    const std::size_t window = recommender_->uses_counts() ? recommender_->counts.options.window : 0;
    if (header.seen > is_seen_.size() || header.recent != std::min<std::uint64_t>(header.events, window) ||
        bytes.size() != sizeof header + state_bytes + (header.recent + header.seen) * sizeof(std::uint32_t))
      throw Error("a saved session is cut short");
    std::vector<std::uint8_t> is_seen(is_seen_.size(), 0);
    std::vector<Event> recent;
    recent.reserve(window + 1);
    for (std::size_t i = 0; i < header.recent + header.seen; ++i) {
      std::uint32_t item = 0;
      std::memcpy(&item, bytes.data() + sizeof header + state_bytes + i * sizeof item, sizeof item);
      if (item >= is_seen.size()) throw Error("a saved session is damaged");
      if (i < header.recent)
        recent.push_back({.item = item});
      else
        is_seen[item] = 1;
    }
    const std::byte* next = bytes.data() + sizeof header;
    visit_state(*this, [&](auto& matrix) {
      std::memcpy(matrix.data(), next, matrix_bytes(matrix));
      next += matrix_bytes(matrix);
    });
    is_seen_ = std::move(is_seen);
    recent_ = std::move(recent);
    events_ = header.events;
    scored_ = false;
  }

 private:
  static constexpr std::uint64_t kind = 0x34302d7373657301u;
  struct Header {
    std::uint64_t kind, recommender, events, seen, recent;
  };

  void observe_index(std::uint32_t item) {
    const std::span<const std::uint32_t> one(&item, 1);
    if (recommender_->item_products.size() > 0)
      recommender_->network.step(one, recommender_->item_products, state_);
    else
      recommender_->network.step(one, state_);
    take_note(item);
  }

  /// What an event changes beside the network's state.
  void take_note(std::uint32_t item) {
    is_seen_[item] = 1;
    if (recommender_->uses_counts()) {
      recent_.push_back({.item = item});
      if (recent_.size() > recommender_->counts.options.window) recent_.erase(recent_.begin());
    }
    ++events_;
    scored_ = false;
  }

  template <class Self, class Visitor>
  static void visit_state(Self& self, Visitor&& visitor) {
    for (auto& block : self.state_.blocks) {
      visitor(block.recurrent.hidden);
      visitor(block.recurrent.memory);
    }
    visitor(self.state_.hidden);
  }

  template <class M>
  static std::size_t matrix_bytes(const M& matrix) {
    return static_cast<std::size_t>(matrix.size()) * sizeof(typename M::Scalar);
  }

  std::uint64_t count_seen() const {
    return static_cast<std::uint64_t>(std::count(is_seen_.begin(), is_seen_.end(), std::uint8_t{1}));
  }

  /// Tells recommenders apart: a hash of their sizes, of the items' biases, of 16 numbers of every parameter, which
  /// initialisation and training have moved, and of the number of transition counts.
  std::uint64_t fingerprint() const {
    std::uint64_t hash = mix(recommender_->items(), recommender_->network.hidden_size(),
                             recommender_->network.embedding_size(), state_.blocks.size());
    const auto add = [&](float number) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, &number, sizeof bits);
      hash = mix(hash, bits);
    };
    for (const float bias : recommender_->network.head.bias) add(bias);
    for_each_parameter(
        [&](const auto& parameter) {
          const Index size = parameter.size(), count = std::min<Index>(16, size);
          for (Index i = 0; i < count; ++i) add(parameter.data()[i * size / count]);
        },
        recommender_->network);
    if (recommender_->uses_counts()) hash = mix(hash, recommender_->counts.transitions.items.size());
    return hash;
  }

  const Recommender* recommender_;
  Candidates default_candidates_;
  NextItemNetwork<float>::State<1> state_;
  Vector<float> scores_;
  std::vector<std::uint8_t> is_seen_;  ///< By item.
  std::vector<Event> recent_;          ///< The last events, as far as the counts look back; only their items.
  Vector<float> count_scores_;         ///< Scratch.
  std::size_t events_ = 0;
  bool scored_ = false;  ///< Whether scores_ are those of state_.
  std::vector<ScoredItem> best_;
  std::vector<Recommendation> list_;
};

}  // namespace lstmrec

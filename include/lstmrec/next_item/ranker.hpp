#pragma once

#include <cstddef>
#include <cstdint>
#include <lstmrec/core/compiled.hpp>
#include <lstmrec/core/top_k.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/event_context.hpp>
#include <lstmrec/data/raw_id.hpp>
#include <lstmrec/next_item/candidates.hpp>
#include <lstmrec/next_item/recommender.hpp>
#include <lstmrec/next_item/user_state.hpp>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <stdexcept>
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

/// Brings users' states up to date and makes their lists. One a thread, for any number of users: it holds the scratch
/// memory, the scores of a tile of items (at most 32 KB), so that a UserState needs none.
///
///     Ranker ranker(recommender);
///     UserState ann, bob;                           // new users; park them anywhere
///     ranker.observe(ann, 296);
///     ranker.observe(bob, 593);
///     for (const auto& [item, title, score] : ranker.top_n(ann, 10)) std::cout << title << '\n';
///
/// An event costs O(network), whatever the length of the history, a copy of the state, and a move of half of the user's
/// distinct items, which takes as long as a step at 64 units once there are about 100 000 of them. A list costs O(items
/// × embedding size), one pass along the items' vectors, or only along blocks of 64 items where the candidates allow
/// few; where a Markov chain is used, also its entries of the last few items; and where session kNN is used, a second
/// pass along all items and a search of the sessions, for which the ranker holds 24 bytes a session and 20 an item.
/// Neither allocates, once a list of that length has been made (and, with session kNN, one of a user with as many
/// neighbours), where ids are integers and the state has room (`reserve`). Before the first event the most popular
/// items are recommended. Unknown ids are refused: `observe` throws and `observe_if_known` says so; neither changes
/// anything.
///
/// Borrows the recommender, which has to outlive it and must not change, or shares it: a server that loads a new model
/// makes new rankers of a new `shared_ptr`, and the old model goes with the last of the old ones. A state belongs to
/// the recommender that has seen its events; with another, std::invalid_argument is thrown.
template <class Network>
class BasicRanker {
  static_assert(Network::sees_items_only,
                "a ranker is told of items and EventDetails, so the network's input must need no more");

 public:
  using Recommender = BasicRecommender<Network>;

  /// Throws std::invalid_argument where the recommender knows no items.
  explicit BasicRanker(const Recommender& recommender)
      : BasicRanker(std::shared_ptr<const Recommender>(std::shared_ptr<void>(), &recommender)) {}
  explicit BasicRanker(const Recommender&&) = delete;  // it would not live long enough
  explicit BasicRanker(std::shared_ptr<const Recommender> recommender);

  const Recommender& recommender() const& { return *recommender_; }
  const Recommender& recommender() const&& = delete;

  /// Records the user's next event. `details`: what the recommender reads beside the item (its `context`), if anything;
  /// it was trained to do without what is left out. Throws UnknownId where the id is unknown.
  void observe(UserState& user, const RawId& id, const EventDetails& details = {}) {
    observe_index(user, recommender_->item_ids().index(id), details);
  }

  /// Records the user's next event; returns false, and nothing has changed, where the id is unknown.
  bool observe_if_known(UserState& user, const RawId& id, const EventDetails& details = {}) {
    const auto index = recommender_->item_ids().find(id);
    if (index) observe_index(user, *index, details);
    return index.has_value();
  }

  /// Records a whole history in order, a range of ids: up to 1.6 times as fast as one by one where input projections
  /// are not cached. The state has the same bits. Throws UnknownId on the first unknown id; then nothing has changed.
  template <std::ranges::forward_range Ids>
  void observe_all(UserState& user, const Ids& ids) {
    std::vector<std::uint32_t> items;
    for (const auto& id : ids) items.push_back(recommender_->item_ids().index(RawId(id)));
    observe_all(user, History(items));
  }

  /// Records events with their times and ratings, whose items are the recommender's indices. The state has the bits of
  /// events recorded one by one. Throws std::invalid_argument on an item that the recommender does not have, or on a
  /// history of sequences that number their items otherwise.
  void observe_all(UserState& user, const History& history);

  /// Takes the memory that so many more events of different items need: observing them then allocates nothing.
  void reserve(UserState& user, std::size_t events) const;

  /// The score of every item for the user, by the recommender's index; borrowed until the next call. The first call
  /// takes the memory, 4 bytes an item; lists need none of it. `question`: for recommenders that read it.
  std::span<const float> scores(const UserState& user, const Question& question = {}) &;
  /// The scores of the last call of `scores`; empty before the first.
  std::span<const float> last_scores() const& { return {scores_.data(), static_cast<std::size_t>(scores_.size())}; }
  std::span<const float> last_scores() const&& = delete;

  /// The n items with the highest scores, best first, of equal scores the lower index first; fewer where fewer are
  /// left. The list is borrowed until the next call. Without candidates: all items, without those that the user has had
  /// unless the recommender was trained to repeat. Throws std::invalid_argument on candidates that were made for
  /// other items.
  std::span<const Recommendation> top_n(const UserState& user, std::size_t n, const Question& question = {}) & {
    return top_n(user, n, default_candidates_, question);
  }
  std::span<const Recommendation> top_n(const UserState& user, std::size_t n, const Candidates& candidates,
                                        const Question& question = {}) &;

  /// `top_n` of the scores that the last call of `scores` has computed, which was for the same user.
  std::span<const Recommendation> list(const UserState& user, std::size_t n, const Candidates& candidates) &;
  const Candidates& default_candidates() const& { return default_candidates_; }
  const Candidates& default_candidates() const&& = delete;

  /// A user's state as bytes, for the same recommender on the same kind of machine. What comes after a restored state
  /// has the same bits as what would have come after the saved one.
  std::vector<std::byte> save(const UserState& user) const { return to_bytes(user, recommender_->fingerprint()); }
  /// Throws Error where the bytes are cut short or of another recommender.
  UserState restore(std::span<const std::byte> bytes) const {
    return user_state_from_bytes(bytes, recommender_->fingerprint(), static_cast<std::size_t>(recommender_->items()),
                                 initial_.size());
  }

 private:
  static const Recommender& checked(const Recommender* recommender) {
    if (recommender == nullptr || recommender->items() == 0)
      throw std::invalid_argument("a recommender that knows no items can't rank any");
    return *recommender;
  }

  void observe_index(UserState& user, std::uint32_t item, const EventDetails& details);

  void step(const History& event);

  /// Brings a user's state up to date after the network's steps. `new_items`: the distinct ones that the user has not
  /// had, in ascending order. Allocates nothing where there is room.
  void record(UserState& user, std::span<const std::uint32_t> items, std::span<const std::uint32_t> new_items);

  /// To be called before `score_tile`: brings the network's output up to date.
  void compute_output(const UserState& user, const Question& question);
  /// scores := those of the items from `first` on, without session kNN.
  void score_tile_without_neighbours(const UserState& user, Index first, MatrixRef<float> scores);
  /// scores := those of the items from `first` on.
  void score_tile(const UserState& user, Index first, MatrixRef<float> scores);
  std::span<const Recommendation> recommendations(std::span<const ScoredItem> items);

  std::size_t recent_items() const;
  std::size_t state_size();
  void load(const UserState& user);
  void store(std::vector<float>& numbers);

  static constexpr Index most_in_tile = 4096;  ///< A multiple of tile_multiple: see TiledScorer.

  std::shared_ptr<const Recommender> recommender_;
  Candidates default_candidates_;
  typename Network::State state_;    ///< Scratch: of the user whose turn it is.
  std::vector<float> initial_;       ///< The state before the first event.
  Vector<float> tile_, logarithms_;  ///< Scratch: of a tile of items.
  std::optional<SessionKnn::Scratch> neighbours_;
  Vector<float> mixed_;   ///< What session kNN says of the user whose turn it is.
  Vector<float> scores_;  ///< Of all items, once they have been asked for.
  std::vector<ScoredItem> best_;
  std::vector<Recommendation> list_;
};
template <class Network>
BasicRanker(const BasicRecommender<Network>&) -> BasicRanker<Network>;

using Ranker = BasicRanker<NextItemNetwork<float>>;

}  // namespace lstmrec

#ifdef LSTMREC_COMPILED
extern template class lstmrec::BasicRanker<lstmrec::NextItemNetwork<float>>;
#else
#include <lstmrec/next_item/ranker_inl.hpp>
#endif

#pragma once

#include <cstddef>
#include <cstdint>
#include <lstmrec/next_item/candidates.hpp>
#include <lstmrec/next_item/ranker.hpp>
#include <lstmrec/next_item/recommender.hpp>
#include <lstmrec/next_item/user_state.hpp>
#include <memory>
#include <ranges>
#include <span>
#include <utility>
#include <vector>

namespace lstmrec {

/// One user, brought up to date event by event; the user need not have been in the training data.
///
///     Session session(recommender);
///     for (const int id : {296, 593, 318}) session.observe(id);     // or session.observe_all(ids)
///     for (const auto& [item, title, score] : session.top_n(10)) std::cout << title << '\n';
///
/// A Ranker with a UserState of its own: for many users, use one Ranker a thread and a UserState each. What it costs,
/// what it throws and what it borrows is said there. One thread a session; any number of sessions a recommender.
template <class Network>
class BasicSession {
 public:
  explicit BasicSession(const BasicRecommender<Network>& recommender) : ranker_(recommender) {
    ranker_.reserve(user_, 256);
  }
  explicit BasicSession(const BasicRecommender<Network>&&) = delete;  // it would not live long enough
  explicit BasicSession(std::shared_ptr<const BasicRecommender<Network>> recommender)
      : ranker_(std::move(recommender)) {
    ranker_.reserve(user_, 256);
  }

  void observe(const RawId& id, const EventDetails& details = {}) {
    ranker_.observe(user_, id, details);
    is_scored_ = false;
  }
  bool observe_if_known(const RawId& id, const EventDetails& details = {}) {
    const bool known = ranker_.observe_if_known(user_, id, details);
    is_scored_ = is_scored_ && !known;
    return known;
  }
  template <std::ranges::forward_range Ids>
  void observe_all(const Ids& ids) {
    ranker_.observe_all(user_, ids);
    is_scored_ = false;
  }
  void observe_all(const History& history) {
    ranker_.observe_all(user_, history);
    is_scored_ = false;
  }

  std::size_t events() const { return user_.events; }
  const UserState& state() const& { return user_; }
  UserState state() && { return std::move(user_); }

  /// The score of every item, by the recommender's index; borrowed until the next call. Lists that follow without an
  /// event between, asked for with the same question, are made of these scores.
  std::span<const float> scores(const Question& question = {}) & {
    if (!is_scored_ || question != question_) ranker_.scores(user_, question);
    is_scored_ = true;
    question_ = question;
    return ranker_.last_scores();
  }

  /// The lists are borrowed from the session.
  std::span<const Recommendation> top_n(std::size_t n, const Question& question = {}) & {
    return top_n(n, ranker_.default_candidates(), question);
  }
  std::span<const Recommendation> top_n(std::size_t n, const Candidates& candidates, const Question& question = {}) & {
    return is_scored_ && question == question_ ? ranker_.list(user_, n, candidates)
                                               : ranker_.top_n(user_, n, candidates, question);
  }

  std::vector<std::byte> save() const { return ranker_.save(user_); }
  /// Becomes the session that was saved. Throws Error, and has not changed, where the bytes are cut short or of a
  /// session of another recommender.
  void restore(std::span<const std::byte> bytes) {
    user_ = ranker_.restore(bytes);
    is_scored_ = false;
  }

 private:
  BasicRanker<Network> ranker_;
  UserState user_;
  bool is_scored_ = false;  ///< Whether the ranker's last scores are those of user_,
  Question question_;       ///< asked so.
};
template <class Network>
BasicSession(const BasicRecommender<Network>&) -> BasicSession<Network>;

using Session = BasicSession<NextItemNetwork<float>>;

}  // namespace lstmrec

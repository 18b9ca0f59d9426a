#pragma once

/// The bodies of ranker.hpp.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/next_item/ranker.hpp>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

namespace lstmrec {

template <class Network>
BasicRanker<Network>::BasicRanker(std::shared_ptr<const Recommender> recommender)
    : recommender_(std::move(recommender)),
      default_candidates_(*recommender_),
      state_(checked(*recommender_).network().initial_state()),
      scores_(recommender_->items()),
      logarithms_(recommender_->uses_markov() ? recommender_->items() : 0) {
  initial_.resize(state_size());
  store(initial_);
}

template <class Network>
std::span<const float> BasicRanker<Network>::scores(const UserState& user) {
  const auto scorer = recommender_->scorer();
  if (user.events == 0) {
    scorer.score_without_history(0, scores_);
  } else {
    load(user);
    recommender_->network().compute_output(state_);
    recommender_->network().score(state_.output, scores_);
    if (logarithms_.size() == 0 && recommender_->uses_markov()) logarithms_.resize(recommender_->items());
    if (recommender_->uses_markov()) scorer.add_markov_scores(History(user.recent), 0, logarithms_, scores_);
  }
  return last_scores();
}

template <class Network>
std::span<const Recommendation> BasicRanker<Network>::list(const UserState& user, std::size_t n,
                                                           const Candidates& candidates) {
  candidates.expect_items(recommender_->items());
  best_.resize(std::min(n, static_cast<std::size_t>(scores_.size())));
  const auto items = top_k(last_scores(), best_, [&](std::uint32_t item) {
    return !candidates.allows(item) ||
           (candidates.exclude_seen() && std::binary_search(user.seen.begin(), user.seen.end(), item));
  });
  list_.clear();
  for (const auto& [item, score] : items)
    list_.push_back({recommender_->item_ids().id(item), recommender_->catalogue()[item].title, score});
  return list_;
}

template <class Network>
void BasicRanker<Network>::observe_index(UserState& user, std::uint32_t item) {
  load(user);
  step(item);
  reserve(user, std::binary_search(user.seen.begin(), user.seen.end(), item) ? 0 : 1);
  record(user, {&item, 1});
}

template <class Network>
void BasicRanker<Network>::step(const std::uint32_t& item) {
  const History event({&item, 1});
  if constexpr (Network::has_input_projections) {
    if (recommender_->input_projections().size() > 0) {
      recommender_->network().step(event, recommender_->input_projections(), state_);
      return recommender_->network().embed_last(event, state_);
    }
  }
  recommender_->network().step(event, state_);
}

template <class Network>
void BasicRanker<Network>::reserve(UserState& user, std::size_t events) const {
  user.network.reserve(initial_.size());
  const std::size_t items = std::min(user.seen.size() + events, static_cast<std::size_t>(recommender_->items()));
  if (user.seen.capacity() < items) user.seen.reserve(std::max(2 * user.seen.size(), items));
  if (recommender_->uses_markov()) user.recent.reserve(recommender_->markov().options.window + 1);
}

template <class Network>
void BasicRanker<Network>::record(UserState& user, std::span<const std::uint32_t> items) {
  user.network.resize(initial_.size());
  store(user.network);
  for (const std::uint32_t item : items) {
    const auto place = std::lower_bound(user.seen.begin(), user.seen.end(), item);
    if (place == user.seen.end() || *place != item) user.seen.insert(place, item);
    if (recommender_->uses_markov()) {
      user.recent.push_back(item);
      if (user.recent.size() > recommender_->markov().options.window) user.recent.erase(user.recent.begin());
    }
  }
  user.events += items.size();
  user.recommender = recommender_->fingerprint();
}

template <class Network>
std::size_t BasicRanker<Network>::state_size() {
  std::size_t size = 0;
  Network::visit_state(state_, [&](const auto& matrix) { size += static_cast<std::size_t>(matrix.size()); });
  return size;
}

/// Throws std::invalid_argument where the state belongs to another recommender.
template <class Network>
void BasicRanker<Network>::load(const UserState& user) {
  if (user.events > 0 && user.recommender != recommender_->fingerprint())
    throw std::invalid_argument("a user's state belongs to another recommender");
  const float* next = user.events == 0 ? initial_.data() : user.network.data();
  Network::visit_state(state_, [&](auto& matrix) {
    std::copy_n(next, matrix.size(), matrix.data());
    next += matrix.size();
  });
}

template <class Network>
void BasicRanker<Network>::store(std::vector<float>& numbers) {
  float* next = numbers.data();
  Network::visit_state(state_, [&](const auto& matrix) { next = std::copy_n(matrix.data(), matrix.size(), next); });
}

template <class Network>
void BasicRanker<Network>::observe_indices(UserState& user, std::span<const std::uint32_t> items) {
  if (items.empty()) return;
  load(user);
  if (recommender_->input_projections().size() > 0)
    for (const std::uint32_t& item : items) step(item);
  else
    recommender_->network().step_sequence(History(items), state_);
  reserve(user, items.size());
  record(user, items);
}

}  // namespace lstmrec

#pragma once

/// The bodies of ranker.hpp.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/top_k.hpp>
#include <lstmrec/data/event_columns.hpp>
#include <lstmrec/eval/scorer.hpp>
#include <lstmrec/next_item/ranker.hpp>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

namespace lstmrec {

template <class Network>
BasicRanker<Network>::BasicRanker(std::shared_ptr<const Recommender> recommender)
    : recommender_(std::move(recommender)),
      default_candidates_(checked(recommender_.get())),
      state_(recommender_->network().initial_state()),
      tile_(std::min(most_in_tile, recommender_->items())),
      logarithms_(recommender_->uses_markov() ? tile_.size() : 0) {
  if (recommender_->uses_session_knn()) {
    neighbours_.emplace(recommender_->session_knn());
    mixed_.resize(2 * static_cast<Index>(detail::mixed_items));
  }
  initial_.resize(state_size());
  store(initial_);
}

template <class Network>
std::span<const float> BasicRanker<Network>::scores(const UserState& user, const Question& question) & {
  scores_.resize(recommender_->items());
  compute_output(user, question);
  for (Index first = 0; first < scores_.size(); first += tile_.size())
    score_tile(user, first,
               MatrixRef<float>(scores_).middleRows(first, std::min(tile_.size(), scores_.size() - first)));
  return last_scores();
}

template <class Network>
std::span<const Recommendation> BasicRanker<Network>::top_n(const UserState& user, std::size_t n,
                                                            const Candidates& candidates, const Question& question) & {
  const Index items = recommender_->items();
  candidates.expect_items(recommender_->item_ids());
  best_.resize(std::min(n, static_cast<std::size_t>(items)));
  TopK best(best_);
  AscendingItems seen(user.seen);
  compute_output(user, question);
  for (Index first = 0, end = 0; (first = candidates.next_allowed(end)) < items;) {
    // Blocks of tile_multiple items that are not all left out.
    first = first / tile_multiple * tile_multiple;
    end = first;
    do end = std::min(end + tile_multiple, items);
    while (end < items && end - first < tile_.size() && candidates.next_allowed(end) < end + tile_multiple);
    const auto scores = MatrixRef<float>(tile_).topRows(end - first);
    score_tile(user, first, scores);
    best.add(static_cast<std::uint32_t>(first), {scores.data(), static_cast<std::size_t>(scores.rows())},
             [&](std::uint32_t item) { return candidates.leaves_out(seen, item); });
  }
  return recommendations(best.sorted());
}

template <class Network>
std::span<const Recommendation> BasicRanker<Network>::list(const UserState& user, std::size_t n,
                                                           const Candidates& candidates) & {
  candidates.expect_items(recommender_->item_ids());
  best_.resize(std::min(n, static_cast<std::size_t>(scores_.size())));
  AscendingItems seen(user.seen);
  return recommendations(
      top_k(last_scores(), best_, [&](std::uint32_t item) { return candidates.leaves_out(seen, item); }));
}

template <class Network>
std::span<const Recommendation> BasicRanker<Network>::recommendations(std::span<const ScoredItem> items) {
  list_.clear();
  for (const auto& [item, score] : items)
    list_.push_back({recommender_->item_ids().id(item), recommender_->catalogue()[item].title, score});
  return list_;
}

template <class Network>
void BasicRanker<Network>::compute_output(const UserState& user, const Question& question) {
  load(user);
  if (user.events == 0) return;
  if (!state_.questions.empty())
    recommender_->context().write_question(question.time, user.last_time, state_.questions.data());
  recommender_->network().compute_output(state_);
  if (!recommender_->uses_session_knn()) return;
  detail::LogSumExp sum;
  for (Index first = 0, items = recommender_->items(); first < items; first += tile_.size()) {
    const auto scores = MatrixRef<float>(tile_).topRows(std::min(tile_.size(), items - first));
    score_tile_without_neighbours(user, first, scores);
    sum.add({scores.data(), static_cast<std::size_t>(scores.rows())});
  }
  detail::write_mixed_items(recommender_->session_knn(), recommender_->session_knn_weight(), History(user.recent),
                            sum.value(), *neighbours_, mixed_);
}

template <class Network>
void BasicRanker<Network>::score_tile(const UserState& user, Index first, MatrixRef<float> scores) {
  score_tile_without_neighbours(user, first, scores);
  if (user.events > 0 && recommender_->uses_session_knn()) detail::mix_items(mixed_, first, scores);
}

template <class Network>
void BasicRanker<Network>::score_tile_without_neighbours(const UserState& user, Index first, MatrixRef<float> scores) {
  const auto scorer = recommender_->scorer();
  if (user.events == 0) return scorer.score_without_history(first, scores);
  const Network& network = recommender_->network();
  network.head.score(network.output_vectors(), state_.output, scores, first);
  if (!recommender_->uses_markov()) return;
  if (logarithms_.size() == 0) logarithms_.resize(tile_.size());
  scorer.add_markov_scores(History(user.recent), first, logarithms_, scores);
}

template <class Network>
void BasicRanker<Network>::observe_index(UserState& user, std::uint32_t item, const EventDetails& details) {
  load(user);
  const EventContext& context = recommender_->context();
  std::uint32_t codes[EventContext::most_codes_of_event];
  context.write(details.time, user.last_time, details.rating, kind_id(details.kind), codes);
  History event({&item, 1});
  event.context = {codes, context.codes_of_event()};
  step(event);
  const std::size_t is_new = std::binary_search(user.seen.begin(), user.seen.end(), item) ? 0 : 1;
  reserve(user, is_new);
  record(user, {&item, 1}, {&item, is_new});
  user.last_time = details.time.value_or(EventContext::no_time);
}

template <class Network>
void BasicRanker<Network>::step(const History& event) {
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
  if (recent_items() > 0) user.recent.reserve(recent_items() + 1);
}

template <class Network>
void BasicRanker<Network>::record(UserState& user, std::span<const std::uint32_t> items,
                                  std::span<const std::uint32_t> new_items) {
  user.network.resize(initial_.size());
  store(user.network);
  add_distinct(new_items, user.seen);
  if (const std::size_t most = recent_items(); most > 0)
    for (const std::uint32_t item : items) {
      user.recent.push_back(item);
      if (user.recent.size() > most) user.recent.erase(user.recent.begin());
    }
  user.events += items.size();
  user.recommender = recommender_->fingerprint();
}

/// How many of a user's last items the Markov chain and session kNN look at.
template <class Network>
std::size_t BasicRanker<Network>::recent_items() const {
  return std::max(recommender_->uses_markov() ? recommender_->markov().options.window : 0,
                  recommender_->uses_session_knn() ? recommender_->session_knn().options.window : 0);
}

template <class Network>
std::size_t BasicRanker<Network>::state_size() {
  std::size_t size = 0;
  Network::visit_state(state_, [&](const auto& matrix) { size += static_cast<std::size_t>(matrix.size()); });
  return size;
}

/// Throws std::invalid_argument where the state belongs to another recommender, or has another size.
template <class Network>
void BasicRanker<Network>::load(const UserState& user) {
  if (user.events > 0 && user.recommender != recommender_->fingerprint())
    throw std::invalid_argument("a user's state belongs to another recommender");
  if (user.events > 0 && user.network.size() != initial_.size())
    throw std::invalid_argument("a user's state has the size of another network's");
  if (!user.seen.empty() && static_cast<Index>(user.seen.back()) >= recommender_->items())
    throw std::invalid_argument("a user's state has items that were added to the recommender later");
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
void BasicRanker<Network>::observe_all(UserState& user, const History& history) {
  if (history.empty()) return;
  if (history.numbering != 0 && history.numbering != recommender_->item_ids().fingerprint())
    throw std::invalid_argument("the history's items are numbered otherwise than the recommender's: see align_items");
  for (const std::uint32_t item : history.items)
    if (static_cast<Index>(item) >= recommender_->items())
      detail::fail<std::invalid_argument>(
          {"a history has item ", item, ", and the recommender ", recommender_->items(), " items"});
  load(user);
  // The codes of all events; a history that goes on where the state has ended has a gap before its first event too.
  const EventContext& context = recommender_->context();
  const std::size_t each = context.codes_of_event();
  std::vector<std::uint32_t> codes(each * history.size());
  if (each > 0)
    for (std::size_t k = 0; k < history.size(); ++k)
      context.write(EventContext::time_of(history, k),
                    k == 0 ? std::optional(user.last_time) : EventContext::time_of(history, k - 1),
                    EventContext::rating_of(history, k), history.kinds.empty() ? 0 : history.kinds[k],
                    &codes[each * k]);
  History events(history.items);
  events.context = codes;
  if (recommender_->input_projections().size() > 0) {
    for (std::size_t k = 0; k < events.size(); ++k) step(events.subspan(k, 1));
  } else {
    constexpr std::size_t together = 1024;  // events, whose projections are in memory at once
    for (std::size_t begin = 0; begin < events.size(); begin += together)
      recommender_->network().step_sequence(events.subspan(begin, std::min(together, events.size() - begin)), state_);
  }
  std::vector<std::uint32_t> new_items;
  distinct_items(history, new_items);
  std::erase_if(new_items,
                [&](std::uint32_t item) { return std::binary_search(user.seen.begin(), user.seen.end(), item); });
  reserve(user, new_items.size());
  record(user, history.items, new_items);
  user.last_time = EventContext::time_of(history, history.size() - 1).value_or(EventContext::no_time);
}

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/top_k.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/raw_id.hpp>
#include <lstmrec/ratings/queries.hpp>
#include <string>
#include <vector>

namespace lstmrec {

/// An item that a user has not rated, with the rating that a model predicts.
struct UnratedItem {
  RawId item;
  std::string title;  ///< Empty where the model knows none.
  float rating = 0;   ///< In the range of the training ratings.
};

/// Predicts all items that a user has not rated and returns the `count` with the highest predictions, best first.
/// Ties stand in the order of the item indices.
///
///     for (const auto& [item, title, rating] : best_unrated(model, user, split.sequences[user], 10)) …
///
/// `Model`: HistoryRatingModel or TextbookRatingModel. `user`: the model's index, or for the former also unknown_user.
/// `rated`: all of the user's ratings, in time order and in the model's item indices; the time of the last one is taken
/// for the present time.
template <class Model>
std::vector<UnratedItem> best_unrated(const Model& model, std::uint32_t user, History rated, std::size_t count) {
  std::vector<bool> has(model.items.size());
  std::vector<RatingQuery> cases(1);
  cases[0].user = user;
  cases[0].visible = std::vector<Event>(rated.begin(), rated.end());
  for (const Event& event : rated)
    if (event.item < has.size()) has[event.item] = true;
  const std::int64_t now = rated.empty() ? 0 : rated.back().time;
  for (std::uint32_t item = 0; item < has.size(); ++item)
    if (!has[item]) cases[0].asked.push_back({.time = now, .user = user, .item = item});
  if (cases[0].asked.empty()) return {};
  const auto scores = model.score(cases);
  std::vector<ScoredItem> best(std::min(count, scores.size()));
  std::vector<UnratedItem> result;
  for (const auto& [place, score] : top_k(scores, best)) {
    const std::uint32_t item = cases[0].asked[place].item;
    result.push_back({model.items.id(item), model.catalogue[item].title, model.clipped(score)});
  }
  return result;
}

}  // namespace lstmrec

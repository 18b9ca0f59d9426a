#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/argsort.hpp>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/eval/bootstrap.hpp>
#include <lstmrec/ratings/split.hpp>
#include <span>
#include <stdexcept>
#include <vector>

namespace lstmrec {

struct RatingEvaluateOptions {
  std::size_t threads = 0;               ///< 0: as many as there are processors.
  std::size_t bootstrap_samples = 1000;  ///< 0: no intervals.
  std::uint64_t seed = 1;
};

/// How far predicted ratings are from the true ones.
struct RatingEvaluation {
  Estimate rmse;  ///< √ mean (r̂ − r)².
  Estimate mae;   ///< mean |r̂ − r|.
  std::size_t ratings = 0, users = 0;
};

/// The events of one part, by user, then time.
inline std::vector<Event> events_of(const RatingSplit& split, Part part) {
  check_split(split);
  std::vector<Event> chosen;
  for (std::size_t k = 0; k < split.parts.size(); ++k)
    if (split.parts[k] == part) chosen.push_back(split.sequences.events[k]);
  return chosen;
}

/// Compares predictions with the ratings of events, with 95% intervals over users.
///
///     const auto events = events_of(split, Part::test);
///     const RatingBias bias(split);
///     std::vector<float> predicted;
///     for (const auto& e : events) predicted.push_back(bias.predict(e.user, e.item));
///     evaluate_ratings(predicted, events).rmse.value;
///
/// Throws DataError if there are no events, std::invalid_argument if there is not one prediction each, and Error on a
/// prediction that is not finite.
inline RatingEvaluation evaluate_ratings(std::span<const float> predicted, std::span<const Event> events,
                                         const RatingEvaluateOptions& options = {}) {
  if (events.empty()) throw DataError("there are no ratings to evaluate");
  if (predicted.size() != events.size())
    detail::fail<std::invalid_argument>(
        {"ratings need one prediction each: there are ", events.size(), ", predicted are ", predicted.size()});
  UserSums sums(2);
  for (const std::size_t k : argsort_by(events.size(), [&](std::size_t e) { return events[e].user; })) {
    if (!std::isfinite(predicted[k])) detail::fail<Error>({"prediction ", k, " is not finite"});
    const double error = static_cast<double>(predicted[k]) - static_cast<double>(events[k].rating);
    sums.add(events[k].user, std::array{error * error, std::abs(error)});
  }
  ThreadPool pool(options.threads);
  const auto estimates = sums.estimates(options.bootstrap_samples, options.seed, pool);
  const auto root = [](const Estimate& e) { return Estimate{std::sqrt(e.value), std::sqrt(e.low), std::sqrt(e.high)}; };
  return {root(estimates[0]), estimates[1], events.size(), sums.users()};
}

}  // namespace lstmrec

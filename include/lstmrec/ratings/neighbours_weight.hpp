#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <limits>
#include <lstmrec/data/event.hpp>
#include <lstmrec/ratings/model.hpp>
#include <lstmrec/ratings/queries.hpp>
#include <span>
#include <vector>

namespace lstmrec {

/// The weight of the neighbours beside the network, of 0, ⅛ … 2, with which the predictions of some cases are
/// closest to the truth (RMSE, clipped to the range of the ratings); of equal ones the lowest.
///
/// `model`: with its neighbours, and with config.neighbours_weight = 0.
inline double choose_neighbours_weight(const HistoryRatingModel& model, const std::vector<RatingQuery>& cases) {
  assert(model.config.neighbours_weight == 0);
  const auto network = model.score(cases);
  const auto neighbours = model.neighbours.ratings(cases, model.bias);
  const auto targets = asked_events(cases);
  double best_weight = 0, best = std::numeric_limits<double>::infinity();
  for (const double weight : {0.0, 0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0}) {
    double squares = 0;
    for (std::size_t k = 0; k < targets.size(); ++k) {
      const double predicted = static_cast<double>(neighbours[k].blend(static_cast<double>(network[k]), weight));
      const double error =
          std::clamp(predicted, model.bias.lowest, model.bias.highest) - static_cast<double>(targets[k].rating);
      squares += error * error;
    }
    if (squares < best) {
      best = squares;
      best_weight = weight;
    }
  }
  return best_weight;
}

}  // namespace lstmrec

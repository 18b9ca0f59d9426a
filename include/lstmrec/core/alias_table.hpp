#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/random.hpp>
#include <span>
#include <vector>

namespace lstmrec {

/// Draws from a discrete distribution in constant time, whatever the number of outcomes.
/// Walker, "An efficient method for generating discrete random variables with general distributions", 1977; built in
/// linear time as in Vose, "A linear algorithm for generating random numbers with a given distribution", 1991.
class AliasTable {
 public:
  /// `weights`: not negative, at least one positive; the probability of i is its share of their sum.
  explicit AliasTable(std::span<const double> weights) : places_(weights.size()) {
    double sum = 0;
    for (const double weight : weights) sum += weight;
    assert(sum > 0);
    // Every place holds 1/n of the probability: of its own outcome up to `own`, the rest of one that has too much.
    std::vector<double> share(weights.begin(), weights.end());
    std::vector<std::uint32_t> scarce, plenty;
    for (std::uint32_t i = 0; i < share.size(); ++i) {
      share[i] *= static_cast<double>(share.size()) / sum;
      (share[i] < 1 ? scarce : plenty).push_back(i);
    }
    while (!scarce.empty() && !plenty.empty()) {
      const std::uint32_t poor = scarce.back(), rich = plenty.back();
      scarce.pop_back();
      places_[poor] = {static_cast<float>(share[poor]), rich};
      share[rich] -= 1 - share[poor];
      if (share[rich] < 1) {
        plenty.pop_back();
        scarce.push_back(rich);
      }
    }
    for (const auto* rest : {&scarce, &plenty})  // 1, but for rounding
      for (const std::uint32_t i : *rest) places_[i] = {1, i};
  }

  std::uint32_t draw(Random& random) const {
    const auto place = static_cast<std::uint32_t>(random.below(places_.size()));
    return random.uniform() < static_cast<double>(places_[place].own) ? place : places_[place].other;
  }

 private:
  struct Place {
    float own = 0;
    std::uint32_t other = 0;
  };
  std::vector<Place> places_;
};

}  // namespace lstmrec

#pragma once

#include <cstddef>
#include <lstmrec/core/error.hpp>

namespace lstmrec {

/// STAN by default. The names of the papers' and of the authors' code stand behind each option.
struct SessionKnnOptions {
  std::size_t neighbours = 500;  ///< k: similar sequences that speak.
  std::size_t sample = 2500;     ///< sample_size: the newest sequences that are looked at.
  double position = .905;        ///< λ_spw: an event weighs e^(−events after it / position); 0: its place / length.
  double days = 80;              ///< λ_snh: a sequence weighs e^(−days since it ended / days); 0: age is nothing.
  double distance = .4525;  ///< λ_inh: an item weighs e^(−events between it and the last common item / distance); 0: 1.
  double recency = 0;       ///< λ_ipw: a sequence weighs e^(−events after the last common item / recency); 0: 1.
  double rarity = 0;        ///< λ_idf: an item weighs 1 + rarity · log(sequences / its events).
  bool is_vsknn = false;    ///< The similarity and the weights of V-SKNN; the other decays and rarity are 0.
  std::size_t window = 50;  ///< How many of a history's last events count.

  /// Garg and others, "Sequence and time aware neighborhood for session-based recommendations: STAN", 2019.
  static constexpr SessionKnnOptions stan() { return {}; }
  /// Ludewig and Jannach, "Evaluation of session-based recommendation algorithms", 2018, section 3.2.2.
  static constexpr SessionKnnOptions vsknn() {
    return {.neighbours = 100, .sample = 1000, .position = 0, .days = 0, .distance = 0, .is_vsknn = true};
  }
  /// Ludewig and others, "Empirical analysis of session-based recommendation algorithms", 2020.
  static constexpr SessionKnnOptions vstan() { return {.recency = 1.02, .rarity = 5}; }

  /// Calls visitor(name, option) for every option, in this order.
  template <class Options, class Visitor>
  static void visit(Options& options, Visitor&& visitor) {
    visitor("neighbours", options.neighbours);
    visitor("sample", options.sample);
    visitor("position", options.position);
    visitor("days", options.days);
    visitor("distance", options.distance);
    visitor("recency", options.recency);
    visitor("rarity", options.rarity);
    visitor("is_vsknn", options.is_vsknn);
    visitor("window", options.window);
  }

  /// Throws ConfigError that names the rule which an option breaks.
  void check() const {
    constexpr std::size_t most = 1000000;
    require(neighbours >= 1 && neighbours <= most, "neighbours must be in [1, 1000000]", neighbours);
    require(sample >= 1 && sample <= most, "sample must be in [1, 1000000]", sample);
    require(window >= 1 && window <= most, "window must be in [1, 1000000]", window);
    for (const double number : {position, days, distance, recency, rarity})
      require(number >= 0 && number <= 1e6, "an option of session kNN must be in [0, 1e6]", number);
    require(!is_vsknn || (position == 0 && days == 0 && distance == 0 && recency == 0 && rarity == 0),
            "V-SKNN has no position, days, distance, recency and rarity, so they must be 0", position);
  }
};

}  // namespace lstmrec

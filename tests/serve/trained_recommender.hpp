#pragma once

#include <lstmrec/data/movielens.hpp>
#include <lstmrec/train/fit.hpp>
#include <string>

namespace lstmrec {

/// The repository's sample, split and learned a little: once for all tests of a program.
inline const Split& sample_split() {
  static const Split split =
      leave_one_out(sequences(read_movielens(std::string(LSTMREC_SOURCE_DIR) + "/data/sample"), {.min_item_count = 5}));
  return split;
}

inline const Recommender& sample_recommender() {
  static const Recommender recommender =
      fit(sample_split(), {.embedding_size = 16, .hidden_size = 24, .layers = 2, .counts_weight = 0, .epochs = 1})
          .recommender;
  return recommender;
}

/// The same with transition counts beside the network.
inline const Recommender& sample_recommender_with_counts() {
  static const Recommender recommender = [] {
    Recommender with_counts = sample_recommender();
    with_counts.counts = MarkovCounts(sample_split());
    with_counts.config.counts_weight = 0.75;
    return with_counts;
  }();
  return recommender;
}

}  // namespace lstmrec

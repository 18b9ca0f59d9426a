#pragma once

#include <lstmrec/data/movielens.hpp>
#include <lstmrec/next_item/fit.hpp>
#include <lstmrec/next_item/recommender.hpp>
#include <utility>

namespace lstmrec {

/// The repository's sample, split and learned a little: once for all tests of a program.
inline const Split& sample_split() {
  static const Split split =
      leave_one_out(build_sequences(read_movielens(LSTMREC_SOURCE_DIR "/data/sample"), {.min_item_count = 5}));
  return split;
}

inline const Recommender& sample_recommender() {
  static const Recommender recommender = fit(sample_split(), {.embedding_size = 16,
                                                              .hidden_size = 24,
                                                              .blocks = 2,
                                                              .attention_window = 5,
                                                              .markov_weight = 0,
                                                              .session_knn_weight = 0,
                                                              .training = {.epochs = 1}})
                                             .recommender;
  return recommender;
}

/// The parts of a recommender, to be changed and put together again.
template <class Network>
RecommenderParts<Network> parts_of(const BasicRecommender<Network>& recommender) {
  return {.config = recommender.config(),
          .network = recommender.network(),
          .item_ids = recommender.item_ids(),
          .catalogue = recommender.catalogue(),
          .item_counts = recommender.item_counts(),
          .markov = recommender.markov(),
          .session_knn = recommender.session_knn()};
}

/// The same with a Markov chain beside the network.
inline const Recommender& sample_recommender_with_markov() {
  static const Recommender recommender = [] {
    auto parts = parts_of(sample_recommender());
    parts.markov = MarkovChain(sample_split());
    parts.config.markov_weight = 0.75;
    return Recommender(std::move(parts));
  }();
  return recommender;
}

}  // namespace lstmrec

#pragma once
// clang-format off: in reading order

/// The next-item library, in the order in which the data flows. Each line is also a header of its own.
/// Beside it stand ratings.hpp, baselines.hpp, nn.hpp and serve.hpp (which only loads and serves).

// Files and rows → events → sequences → what is trained on and what is predicted.
#include <lstmrec/data/align.hpp>
#include <lstmrec/data/delimited_log.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/item_table.hpp>
#include <lstmrec/data/movielens.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/data/ties.hpp>

// The baselines that a network has to be better than.
#include <lstmrec/baselines/item_knn.hpp>
#include <lstmrec/baselines/markov.hpp>
#include <lstmrec/baselines/popularity.hpp>

// How good a recommendation is.
#include <lstmrec/eval/calibration.hpp>
#include <lstmrec/eval/compare.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/eval/ranked_lists.hpp>
#include <lstmrec/eval/slices.hpp>
#include <lstmrec/eval/table.hpp>

// The recommender: configuration, training, file.
#include <lstmrec/next_item/config.hpp>
#include <lstmrec/next_item/fit.hpp>
#include <lstmrec/next_item/model_file.hpp>
#include <lstmrec/next_item/network.hpp>
#include <lstmrec/next_item/presets.hpp>
#include <lstmrec/next_item/ranker.hpp>
#include <lstmrec/next_item/recommender.hpp>
#include <lstmrec/next_item/update.hpp>

// One user's state and lists.
#include <lstmrec/next_item/batch_ranker.hpp>
#include <lstmrec/next_item/candidates.hpp>
#include <lstmrec/next_item/recommend_all.hpp>
#include <lstmrec/next_item/session.hpp>
#include <lstmrec/version.hpp>

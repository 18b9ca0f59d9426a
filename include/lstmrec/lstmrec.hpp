#pragma once
// clang-format off: in reading order

/// The whole library, in the order in which the data flows. Each line is also a header of its own.

// Files and rows → events → sequences → what is trained on and what is predicted.
#include <lstmrec/data/align.hpp>
#include <lstmrec/data/features.hpp>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/movielens.hpp>
#include <lstmrec/data/rating_split.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/data/split.hpp>

// What tables of counts recommend: the baselines.
#include <lstmrec/counts/item_knn.hpp>
#include <lstmrec/counts/linear.hpp>
#include <lstmrec/counts/markov.hpp>
#include <lstmrec/counts/popularity.hpp>
#include <lstmrec/counts/rating_bias.hpp>
#include <lstmrec/counts/rating_neighbours.hpp>

// How good a recommendation is.
#include <lstmrec/eval/calibration.hpp>
#include <lstmrec/eval/compare.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/eval/ranked_lists.hpp>
#include <lstmrec/eval/rating_metrics.hpp>
#include <lstmrec/eval/slices.hpp>
#include <lstmrec/eval/table.hpp>

// Layers: parameters and formulas.
#include <lstmrec/nn/dense.hpp>
#include <lstmrec/nn/embedding.hpp>
#include <lstmrec/nn/gradient_check.hpp>
#include <lstmrec/nn/item_head.hpp>
#include <lstmrec/nn/layer_norm.hpp>
#include <lstmrec/nn/losses.hpp>
#include <lstmrec/nn/lstm_cell.hpp>
#include <lstmrec/nn/recurrent.hpp>
#include <lstmrec/nn/residual_recurrent_block.hpp>

// Networks with their vocabularies, and their files.
#include <lstmrec/model/model_file.hpp>
#include <lstmrec/model/next_item_network.hpp>
#include <lstmrec/model/presets.hpp>
#include <lstmrec/model/rating_model_file.hpp>
#include <lstmrec/model/recommender.hpp>
#include <lstmrec/model/unrated_items.hpp>

// Training.
#include <lstmrec/train/adam.hpp>
#include <lstmrec/train/fit.hpp>
#include <lstmrec/train/fit_history_ratings.hpp>
#include <lstmrec/train/fit_textbook_ratings.hpp>

// One user's state and lists.
#include <lstmrec/serve/batch_ranker.hpp>
#include <lstmrec/serve/candidates.hpp>
#include <lstmrec/serve/recommend_all.hpp>
#include <lstmrec/serve/session.hpp>
#include <lstmrec/version.hpp>

#pragma once
// clang-format off: in reading order

/// Predicting ratings, in the order in which the data flows.

#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/movielens.hpp>
#include <lstmrec/data/sequences.hpp>
#include <lstmrec/ratings/best_unrated.hpp>
#include <lstmrec/ratings/bias.hpp>
#include <lstmrec/ratings/fit.hpp>
#include <lstmrec/ratings/metrics.hpp>
#include <lstmrec/ratings/model.hpp>
#include <lstmrec/ratings/model_file.hpp>
#include <lstmrec/ratings/neighbours.hpp>
#include <lstmrec/ratings/queries.hpp>
#include <lstmrec/ratings/split.hpp>
#include <lstmrec/version.hpp>

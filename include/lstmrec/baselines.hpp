#pragma once

/// All baselines of next-item recommendation, the linear ones included, which need Eigen's decompositions.

#include <lstmrec/baselines/item_knn.hpp>
#include <lstmrec/baselines/linear.hpp>
#include <lstmrec/baselines/markov.hpp>
#include <lstmrec/baselines/popularity.hpp>
#include <lstmrec/baselines/repeats.hpp>
#include <lstmrec/baselines/session_knn.hpp>

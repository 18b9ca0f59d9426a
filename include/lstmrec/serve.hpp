#pragma once

/// Everything that a program needs which only loads a recommender and serves it. Lists for many users at once are in
/// next_item/batch_ranker.hpp.

#include <lstmrec/next_item/candidates.hpp>
#include <lstmrec/next_item/model_file.hpp>
#include <lstmrec/next_item/ranker.hpp>
#include <lstmrec/next_item/recommender.hpp>
#include <lstmrec/next_item/session.hpp>
#include <lstmrec/version.hpp>

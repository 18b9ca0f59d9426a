#pragma once

/// For a program that trains, saves or serves a network with a block, head or input of its own: lstmrec.hpp, with all
/// that has to be compiled for that network.

#include <lstmrec/lstmrec.hpp>
#include <lstmrec/next_item/batch_ranker_inl.hpp>
#include <lstmrec/next_item/fit_inl.hpp>
#include <lstmrec/next_item/model_file_inl.hpp>
#include <lstmrec/next_item/ranker_inl.hpp>
#include <lstmrec/next_item/recommend_all_inl.hpp>
#include <lstmrec/next_item/recommender_inl.hpp>

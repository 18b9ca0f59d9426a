#pragma once
// clang-format off: in reading order

/// The layers alone: parameters and formulas, for anybody's network.

#include <lstmrec/nn/any_cell.hpp>
#include <lstmrec/nn/attentive.hpp>
#include <lstmrec/nn/dense.hpp>
#include <lstmrec/nn/dropout.hpp>
#include <lstmrec/nn/embedding.hpp>
#include <lstmrec/nn/feed_forward.hpp>
#include <lstmrec/nn/gated_cell.hpp>
#include <lstmrec/nn/gradient_check.hpp>
#include <lstmrec/nn/gru_cell.hpp>
#include <lstmrec/nn/item_head.hpp>
#include <lstmrec/nn/layer_norm.hpp>
#include <lstmrec/nn/losses.hpp>
#include <lstmrec/nn/lstm_cell.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <lstmrec/nn/recurrent.hpp>
#include <lstmrec/nn/recurrent_block.hpp>
#include <lstmrec/nn/slstm_cell.hpp>
#include <lstmrec/nn/state_attention.hpp>

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/event_context.hpp>
#include <lstmrec/nn/any_cell.hpp>
#include <lstmrec/nn/recurrent_block.hpp>
#include <lstmrec/train/training_config.hpp>
#include <optional>

namespace lstmrec {

/// Training settings that suit a next-item network.
struct NextItemTrainingDefaults {
  static constexpr std::int64_t epochs = 10, batch_size = 0, patience = 3;
  static constexpr double learning_rate = 2e-3, weight_decay = 0, ema_decay = 0.999;
  static constexpr const char* batch_size_text = "Subsequences a step; 0: 1/384 of all, but 8 to 64";
};

/// Everything that decides what a recommender learns, but for the data and what a warm start begins with: saved with it
/// in full.
///
///     RecommenderConfig{.embedding_size = 64, .hidden_size = 64, .training = {.epochs = 10}}
///
/// Each field is explained where `visit` names it: those are also the words of a program's --help.
struct RecommenderConfig {
  // The network.
  std::int64_t embedding_size = 256;
  std::int64_t hidden_size = 256;
  CellKind cell = CellKind::lstm;
  BlockKind block = BlockKind::residual;
  std::int64_t blocks = 1;
  std::int64_t feed_forward_factor = 4;
  std::int64_t attention_window = 0;
  double dropout = 0.3;
  bool tied_vectors = true;
  std::int64_t item_features = 0;
  bool title_words = true;
  bool gap_inputs = false;
  bool hour_inputs = false;
  bool rating_inputs = false;
  bool kind_inputs = false;
  bool question_time = false;
  double markov_weight = -1;
  double item_knn_weight = -1;
  double session_knn_weight = -1;

  // Its task.
  std::optional<bool> exclude_seen = {};
  std::int64_t target_horizon = 5;
  double target_decay = 0.5;
  std::int64_t sampled_negatives = -1;
  std::int64_t window = 200;
  std::int64_t validation_targets = 2000;
  std::int64_t memory_sequences = 0;

  BasicTrainingConfig<NextItemTrainingDefaults> training = {};

  ContextInputs context_inputs() const { return {gap_inputs, hour_inputs, rating_inputs, kind_inputs, question_time}; }

  /// Calls visitor(name, field, explanation) for every field, those of `training` included, in this order.
  template <class Config, class Visitor>
  static void visit(Config& config, Visitor&& visitor) {
    visitor("embedding_size", config.embedding_size, "Numbers in an item's vector");
    visitor("hidden_size", config.hidden_size, "Units of each recurrent layer");
    visitor("cell", config.cell, "The recurrent layers: lstm, gru or slstm");
    visitor("block", config.block,
            "What stands around them: residual (norms, residual connections, feed-forward part) or plain (nothing)");
    visitor("blocks", config.blocks, "Recurrent blocks, one on top of the other");
    visitor("feed_forward_factor", config.feed_forward_factor,
            "Width of a block's feed-forward part, in hidden sizes; 0: none");
    visitor("attention_window", config.attention_window,
            "States of each recurrent layer that it looks back at, the last one included, which a user's state then "
            "holds; 0: no attention");
    visitor("dropout", config.dropout, "Part of the numbers dropped after the embedding and in each block");
    visitor("tied_vectors", config.tied_vectors, "An item's output vector is its input vector");
    visitor(
        "item_features", config.item_features,
        "Features of items (categories, words of titles) whose vectors are a part of an item's: the most common ones; "
        "0: none; -1: those that two items have, at most 20 000");
    visitor("title_words", config.title_words, "The words of titles are features too, beside categories");
    visitor("gap_inputs", config.gap_inputs, "The network reads the time since the event before, beside each item");
    visitor("hour_inputs", config.hour_inputs, "It reads each event's hour of the day and day of the week, in UTC");
    visitor("rating_inputs", config.rating_inputs, "It reads the rating of each event");
    visitor("kind_inputs", config.kind_inputs, "It reads the kind of each event: view, cart, purchase");
    visitor("question_time", config.question_time,
            "It is told when a list is asked for: another protocol, as what comes next depends on when it comes");
    visitor("markov_weight", config.markov_weight,
            "Weight of the logarithm of the decayed Markov score, which is added to the network's score of an item; "
            "0: the network alone; -1: chosen on validation after training");
    visitor(
        "item_knn_weight", config.item_knn_weight,
        "Weight of the similarity of items that the same users have (item-kNN) in the Markov chain; 0: none; -1: 0 or "
        "0.2, chosen on validation with the chain's weight");
    visitor(
        "session_knn_weight", config.session_knn_weight,
        "Share of session kNN (STAN) in the probability of an item; 0: none; -1: chosen on validation after training");
    visitor("exclude_seen", config.exclude_seen,
            "The items of a user's past are neither predicted nor listed; unset: so where at most 1% of the training "
            "events repeat an earlier item of their sequence");
    visitor("target_horizon", config.target_horizon, "How many of the events after it each event predicts");
    visitor("target_decay", config.target_decay,
            "The k-th of these events (from 0) counts target_decay to the power of k, normalised to sum 1");
    visitor("sampled_negatives", config.sampled_negatives,
            "Items drawn at each step to be compared with the targets; 0: all items; -1: 2048 where there are more "
            "than 20 000 items, else all");
    visitor("window", config.window,
            "Events of a subsequence: training cuts longer histories, and each part starts from the initial state");
    visitor("validation_targets", config.validation_targets,
            "Each epoch is validated on at most so many targets, drawn by the seed; 0: on all");
    visitor(
        "memory_sequences", config.memory_sequences,
        "Sequences, drawn at random, that the model keeps for updates, which learn them again; 0: none. A model with "
        "session kNN keeps its sequences anyway");
    BasicTrainingConfig<NextItemTrainingDefaults>::visit(config.training, visitor);
  }

  /// Names that fields had in earlier versions.
  static constexpr std::array old_names = {OldFieldName{"layers", "blocks"},
                                           OldFieldName{"counts_weight", "markov_weight"},
                                           OldFieldName{"recommend_seen", "exclude_seen", true},
                                           OldFieldName{"target_count", "target_horizon"},
                                           OldFieldName{"negatives", "sampled_negatives"},
                                           OldFieldName{"validation_users", "validation_targets"},
                                           OldFieldName{"average_decay", "ema_decay"}};

  /// Throws ConfigError that names the rule which a field breaks.
  void check() const {
    constexpr std::int64_t most = std::int64_t{1} << 16;  // so that no product of two sizes overflows
    require(embedding_size >= 1 && embedding_size <= most, "embedding_size must be in [1, 65536]", embedding_size);
    require(hidden_size >= 1 && hidden_size <= most, "hidden_size must be in [1, 65536]", hidden_size);
    require(static_cast<std::size_t>(cell) < names_of(cell).size(), "cell must be lstm, gru or slstm",
            static_cast<int>(cell));
    require(static_cast<std::size_t>(block) < names_of(block).size(), "block must be residual or plain",
            static_cast<int>(block));
    require(blocks >= 1 && blocks <= 1024, "blocks must be in [1, 1024]", blocks);
    require(feed_forward_factor >= 0 && feed_forward_factor <= 1024, "feed_forward_factor must be in [0, 1024]",
            feed_forward_factor);
    require(attention_window >= 0 && attention_window <= std::min<std::int64_t>(window, 1000),
            "attention_window must be in [0, 1000] and at most window, since training sees no older states",
            attention_window);
    require(dropout >= 0 && dropout < 1, "dropout must be in [0, 1)", dropout);
    require(item_features >= -1 && item_features < (std::int64_t{1} << 31), "item_features must be in [-1, 2^31)",
            item_features);
    require(markov_weight == -1 || (markov_weight >= 0 && markov_weight < 1e6),
            "markov_weight must be -1 or in [0, 1e6)", markov_weight);
    require(item_knn_weight == -1 || (item_knn_weight >= 0 && item_knn_weight < 1e6),
            "item_knn_weight must be -1 or in [0, 1e6)", item_knn_weight);
    require(session_knn_weight == -1 || (session_knn_weight >= 0 && session_knn_weight < 1),
            "session_knn_weight must be -1 or in [0, 1)", session_knn_weight);
    require(target_horizon >= 1 && target_horizon <= 1000, "target_horizon must be in [1, 1000]", target_horizon);
    require(target_decay > 0 && target_decay <= 1, "target_decay must be in (0, 1]", target_decay);
    require(sampled_negatives >= -1 && sampled_negatives < (std::int64_t{1} << 31),
            "sampled_negatives must be in [-1, 2^31)", sampled_negatives);
    require(window >= 1 && window < (std::int64_t{1} << 31), "window must be in [1, 2^31)", window);
    require(validation_targets >= 0, "validation_targets must not be negative", validation_targets);
    require(memory_sequences >= 0, "memory_sequences must not be negative", memory_sequences);
    training.check();
  }
};

}  // namespace lstmrec

#pragma once

#include <cstdint>
#include <sstream>
#include <stdexcept>

namespace lstmrec {

/// Everything that decides what a recommender learns, but for the data and what a warm start begins with: saved with it
/// in full.
struct RecommenderConfig {
  // The network.
  std::int64_t embedding_size = 256;     ///< Numbers in an item's vector.
  std::int64_t hidden_size = 256;        ///< Units of each LSTM.
  std::int64_t layers = 1;               ///< Residual recurrent blocks.
  std::int64_t feed_forward_factor = 4;  ///< Width of a block's feed-forward part, in hidden sizes; 0: none.
  double dropout = 0.3;                  ///< After the embedding and after both parts of each block.
  bool tied_vectors = true;              ///< An item's output vector is its input vector.

  /// Of the log of the decayed Markov score (MarkovCounts), which is added to the network's score of an item.
  /// 0: the network alone; −1: chosen on validation after training.
  double counts_weight = -1;

  // What it is trained to do.
  bool recommend_seen = false;    ///< If not, the items of a user's past are neither predicted nor listed.
  std::int64_t target_count = 5;  ///< Each event predicts this many of the events after it,
  double target_decay = 0.5;      ///< the k-th with weight target_decayᵏ.
  std::int64_t negatives = -1;    ///< Items drawn at each step, to be compared with the targets; 0: all items;
                                  ///< -1: 2048 where there are more than 20 000 items, else all.
  std::int64_t window = 200;      ///< Longer histories are cut; each window starts from the zero state.

  // How.
  std::int64_t epochs = 10;
  std::int64_t batch_size = 0;           ///< Windows a step; 0: 1/384 of all, but 8 to 64.
  double learning_rate = 2e-3;           ///< Adam's, at its peak: after the warm-up, before the cosine.
  double warmup = 0.05;                  ///< Part of all steps over which the learning rate rises from 0.
  double weight_decay = 0;               ///< Decoupled (AdamW), of weights only.
  double clip_norm = 1;                  ///< Largest norm of all gradients together.
  double average_decay = 0.999;          ///< Of the weights' moving average, which is what is kept; 0: no average.
  std::int64_t patience = 3;             ///< Epochs without a better validation after which training stops; 0: never.
  std::int64_t validation_users = 2000;  ///< Validate on at most so many targets, drawn by the seed; 0: on all.
  std::int64_t shards = 2;               ///< Parts of a batch worked on at once; the result depends on it.
  std::uint64_t seed = 1;

  /// Calls visitor(name, field) for every field, in this order: for saving, printing and loading.
  template <class Config, class Visitor>
  static void visit(Config& config, Visitor&& visitor) {
    visitor("embedding_size", config.embedding_size);
    visitor("hidden_size", config.hidden_size);
    visitor("layers", config.layers);
    visitor("feed_forward_factor", config.feed_forward_factor);
    visitor("dropout", config.dropout);
    visitor("tied_vectors", config.tied_vectors);
    visitor("counts_weight", config.counts_weight);
    visitor("recommend_seen", config.recommend_seen);
    visitor("target_count", config.target_count);
    visitor("target_decay", config.target_decay);
    visitor("negatives", config.negatives);
    visitor("window", config.window);
    visitor("epochs", config.epochs);
    visitor("batch_size", config.batch_size);
    visitor("learning_rate", config.learning_rate);
    visitor("warmup", config.warmup);
    visitor("weight_decay", config.weight_decay);
    visitor("clip_norm", config.clip_norm);
    visitor("average_decay", config.average_decay);
    visitor("patience", config.patience);
    visitor("validation_users", config.validation_users);
    visitor("shards", config.shards);
    visitor("seed", config.seed);
  }

  /// Throws std::invalid_argument that names the rule which a field breaks.
  void check() const {
    const auto rule = [](bool holds, const char* text, auto value) {
      if (holds) return;
      std::ostringstream message;
      message << text << ", got " << value;
      throw std::invalid_argument(message.str());
    };
    constexpr std::int64_t most = std::int64_t{1} << 16;  // so that no product of two sizes overflows
    rule(embedding_size >= 1 && embedding_size <= most, "embedding_size must be in [1, 65536]", embedding_size);
    rule(hidden_size >= 1 && hidden_size <= most, "hidden_size must be in [1, 65536]", hidden_size);
    rule(layers >= 1 && layers <= 1024, "layers must be in [1, 1024]", layers);
    rule(feed_forward_factor >= 0 && feed_forward_factor <= 1024, "feed_forward_factor must be in [0, 1024]",
         feed_forward_factor);
    rule(dropout >= 0 && dropout < 1, "dropout must be in [0, 1)", dropout);
    rule(counts_weight == -1 || (counts_weight >= 0 && counts_weight < 1e6), "counts_weight must be -1 or in [0, 1e6)",
         counts_weight);
    rule(target_count >= 1 && target_count <= 1000, "target_count must be in [1, 1000]", target_count);
    rule(target_decay > 0 && target_decay <= 1, "target_decay must be in (0, 1]", target_decay);
    rule(negatives >= -1 && negatives < (std::int64_t{1} << 31), "negatives must be in [-1, 2^31)", negatives);
    rule(window >= 1 && window < (std::int64_t{1} << 31), "window must be in [1, 2^31)", window);
    rule(epochs >= 0, "epochs must not be negative", epochs);
    rule(epochs <= 1000000, "epochs must be at most 1000000", epochs);
    rule(batch_size >= 0, "batch_size must not be negative", batch_size);
    rule(learning_rate > 0 && learning_rate < 1e6, "learning_rate must be in (0, 1e6)", learning_rate);
    rule(warmup >= 0 && warmup <= 1, "warmup must be in [0, 1]", warmup);
    rule(weight_decay >= 0 && weight_decay < 1e6, "weight_decay must be in [0, 1e6)", weight_decay);
    rule(clip_norm > 0, "clip_norm must be positive", clip_norm);
    rule(average_decay >= 0 && average_decay < 1, "average_decay must be in [0, 1)", average_decay);
    rule(patience >= 0, "patience must not be negative", patience);
    rule(validation_users >= 0, "validation_users must not be negative", validation_users);
    rule(shards >= 1 && shards <= 1024, "shards must be in [1, 1024]", shards);
  }
};

}  // namespace lstmrec

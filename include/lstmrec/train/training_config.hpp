#pragma once

#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/io/old_field_name.hpp>

namespace lstmrec {

/// How a network is trained, whatever it predicts: a member of every configuration. `Defaults` holds the values that
/// suit a task, so that `.training = {.epochs = 5}` changes the epochs and nothing else.
///
/// Each field is explained where `visit` names it: those are also the words of a program's --help.
template <class Defaults>
struct BasicTrainingConfig {
  std::int64_t epochs = Defaults::epochs;
  std::int64_t batch_size = Defaults::batch_size;
  double learning_rate = Defaults::learning_rate;
  double warmup = 0.05;
  double weight_decay = Defaults::weight_decay;
  double clip_norm = 1;
  double ema_decay = Defaults::ema_decay;
  std::int64_t patience = Defaults::patience;
  std::int64_t shards = 2;
  std::uint64_t seed = 1;

  /// Calls visitor(name, field, explanation) for every field, in this order.
  template <class Config, class Visitor>
  static void visit(Config& config, Visitor&& visitor) {
    visitor("epochs", config.epochs, "Passes over the data");
    visitor("batch_size", config.batch_size, Defaults::batch_size_text);
    visitor("learning_rate", config.learning_rate, "Adam's, at its peak: after the warm-up, before the cosine");
    visitor("warmup", config.warmup, "Part of all steps over which the learning rate rises from 0");
    visitor("weight_decay", config.weight_decay, "Decoupled (AdamW), of weights only");
    visitor("clip_norm", config.clip_norm, "Largest norm of all gradients together");
    visitor("ema_decay", config.ema_decay,
            "Decay of the weights' exponential moving average, which is what is kept; 0: no average");
    visitor("patience", config.patience,
            "Epochs without a better validation after which training stops, unless it has missed every target so far; "
            "0: it never stops early");
    visitor("shards", config.shards, "Parts of a batch that are worked on at once; the result depends on it");
    visitor("seed", config.seed, "Of everything random");
  }

  /// Throws ConfigError that names the rule which a field breaks.
  void check() const {
    require(epochs >= 0, "epochs must not be negative", epochs);
    require(epochs <= 1000000, "epochs must be at most 1000000", epochs);
    if (Defaults::batch_size == 0)  // 0 stands for a choice by the amount of data
      require(batch_size >= 0, "batch_size must not be negative", batch_size);
    else
      require(batch_size >= 1, "batch_size must be at least 1", batch_size);
    require(learning_rate > 0 && learning_rate < 1e6, "learning_rate must be in (0, 1e6)", learning_rate);
    require(warmup >= 0 && warmup <= 1, "warmup must be in [0, 1]", warmup);
    require(weight_decay >= 0 && weight_decay < 1e6, "weight_decay must be in [0, 1e6)", weight_decay);
    require(clip_norm > 0, "clip_norm must be positive", clip_norm);
    require(ema_decay >= 0 && ema_decay < 1, "ema_decay must be in [0, 1)", ema_decay);
    require(patience >= 0, "patience must not be negative", patience);
    require(shards >= 1 && shards <= 1024, "shards must be in [1, 1024]", shards);
  }
};

}  // namespace lstmrec

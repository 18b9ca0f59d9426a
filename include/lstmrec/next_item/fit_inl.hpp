#pragma once

/// The bodies of fit.hpp.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <lstmrec/core/error.hpp>
#include <lstmrec/core/function_ref.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/data/event_context.hpp>
#include <lstmrec/data/item_features.hpp>
#include <lstmrec/data/split.hpp>
#include <lstmrec/next_item/fit.hpp>
#include <lstmrec/next_item/learned_counts.hpp>
#include <lstmrec/next_item/next_item_task.hpp>
#include <lstmrec/next_item/recommender.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <lstmrec/train/epoch_loop.hpp>
#include <lstmrec/train/progress.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace lstmrec {

namespace detail {

/// The features of a split's items that a training uses. Those of the recommender that it goes on from come first.
template <class Network>
ItemFeatures features_of(const BasicRecommender<Network>* before, const Split& split, const RecommenderConfig& config) {
  if (config.item_features == 0) return {};
  std::vector<std::string> names;
  if (before) names = before->features().names();
  const ItemFeatures found = find_item_features(split, config), known(names);
  for (const std::string& name : found.names())
    if (!known.find(name)) names.push_back(name);
  return ItemFeatures(std::move(names));
}

/// What a training's network reads of events beside their items: what the recommender that it goes on from reads.
/// Throws ConfigError where the log does not have it, or where the network's input reads items only.
template <class Network>
EventContext context_of(const BasicRecommender<Network>* before, const Split& split, const RecommenderConfig& config) {
  if constexpr (!requires(const Network& network) { network.input.context.count(); })
    if (config.context_inputs().count() > 0)
      throw ConfigError("this network's input has no table of context, so nothing but items and its own can be read");
  if (!before) return event_context(split, config);
  expect_context(split, config);
  before->context().expect_times_of(split.sequences);
  return before->context();
}

/// Takes over a recommender's weights. Items and features are matched by id and name; those it does not know keep what
/// `network` has, whose item vectors are without content.
template <class Network>
void take_weights(const BasicRecommender<Network>& before, const Vocabulary& items, const ItemFeatures& features,
                  Network& network) {
  Network known;
  if (before.features().size() > 0) {
    known = before.network();
    ThreadPool one(1);
    known.add_content(before.features().rows(before.catalogue()), {}, one, -1);
  }
  const auto to = parameter_views(network);
  const auto from = parameter_views(before.features().size() > 0 ? std::as_const(known) : before.network());
  const auto take = [&](std::size_t k, std::size_t place, std::optional<std::uint32_t> place_before) {
    const Index size = to[k].size_of_one();
    if (place_before)
      std::copy_n(from[k].data + *place_before * size, size, to[k].data + static_cast<Index>(place) * size);
  };
  for (std::size_t k = 0; k < to.size(); ++k) {
    if (to[k].size() == 0) continue;
    if (is_by_item(to[k].kind))
      for (std::uint32_t item = 0; item < items.size(); ++item) take(k, item, before.item_ids().find(items.id(item)));
    else if (is_by_feature(to[k].kind))
      for (std::size_t f = 0; f < features.size(); ++f) take(k, f, before.features().find(features.names()[f]));
    else if (from[k].size() != to[k].size())
      throw std::logic_error("a network to go on from has another form");  // see expect_same_network
    else
      std::copy_n(from[k].data, to[k].size(), to[k].data);
  }
}

/// What a training goes on from, if anything.
template <class Network>
struct Beginning {
  const BasicRecommender<Network>* before = nullptr;
  TrainedOn learned = {};  ///< Of an update: what the result will have learned from.
  Replay replay = {};
};

/// The common part of fit, warm_start and update. What goes on from a recommender begins with its weights, trains all
/// epochs and keeps the last.
template <class Network>
BasicFitResult<Network> fit(const Beginning<Network>& beginning, const Split& split, const RecommenderConfig& config,
                            const FitOptions& options, const ItemLossRef<float>& loss,
                            FunctionRef<LearnedCounts(const RecommenderConfig&)> count) {
  const BasicRecommender<Network>* before = beginning.before;
  BasicFitResult<Network> result;
  NextItemTask<Network> task(split, config, options, beginning.replay, features_of(before, split, config),
                             context_of(before, split, config), count);
  {
    Network network(static_cast<Index>(split.sequences.items.size()), task.config);
    Random random(config.training.seed);
    network.initialise(random);
    if (before) take_weights(*before, split.sequences.items, task.features(), network);
    task.start(std::move(network), loss, options);
  }
  if (before) {
    for (const std::uint32_t item : before->withdrawn())
      if (const auto found = split.sequences.items.find(before->item_ids().id(item))) task.withdrawn.push_back(*found);
    std::sort(task.withdrawn.begin(), task.withdrawn.end());
  }
  const auto rules = task.rules(before ? Keep::last : Keep::best, before ? before->fingerprint() : 0);
  if (before) task.keep_learned(before->trained_on(), beginning.learned);
  Network kept;
  try {
    kept = train_epochs<Network>(task, rules, options, result);
  } catch (TrainingInterrupted<Network>& interruption) {
    throw TrainingInterrupted<BasicRecommender<Network>>(
        task.make_recommender(task.add_content(std::move(interruption.model()))), result, interruption.cause());
  }
  kept = task.add_content(std::move(kept));
  const auto weighing = TrainingClock::now();
  try {
    task.weigh_counts(kept);
  } catch (...) {
    throw TrainingInterrupted<BasicRecommender<Network>>(task.make_recommender(std::move(kept)), result,
                                                         std::current_exception());
  }
  result.recommender = task.make_recommender(std::move(kept));
  result.seconds += TrainingClock::seconds_since(weighing);
  return result;
}

/// Throws std::invalid_argument where there is nothing to go on from, and ConfigError where the configuration is of
/// another network.
template <class Network>
void expect_same_network(const BasicRecommender<Network>& before, const RecommenderConfig& config) {
  if (before.items() == 0) throw std::invalid_argument("the recommender to go on from knows no items");
  const RecommenderConfig& known = before.config();
  if (config.embedding_size != known.embedding_size || config.hidden_size != known.hidden_size ||
      config.cell != known.cell || config.block != known.block || config.blocks != known.blocks ||
      config.feed_forward_factor != known.feed_forward_factor || config.attention_window != known.attention_window ||
      config.tied_vectors != known.tied_vectors || config.context_inputs() != known.context_inputs())
    throw ConfigError(
        "a training that goes on from a recommender must have a network of the same form, sizes and inputs");
  if ((config.item_features != 0) != (known.item_features != 0))
    throw ConfigError(known.item_features != 0
                          ? "item_features must not be 0: the recommender to go on from has features of items"
                          : "item_features must be 0: the recommender to go on from has no features of items");
}

}  // namespace detail

template <class Network>
BasicFitResult<Network> fit(const Split& split, const RecommenderConfig& config, const FitOptions& options,
                            const ItemLossRef<float>& loss) {
  config.check();
  check_split(split);
  return detail::fit<Network>({}, split, config, options, loss,
                              [&](const RecommenderConfig& resolved) { return detail::counts_of(split, resolved); });
}

template <class Network>
BasicFitResult<Network> warm_start(const BasicRecommender<Network>& before, const Split& split,
                                   RecommenderConfig config, const FitOptions& options,
                                   const ItemLossRef<float>& loss) {
  detail::expect_same_network(before, config);
  config.check();
  check_split(split);
  if (split.sequences.catalogue.size() != split.sequences.items.size())
    throw std::invalid_argument("the split's catalogue must have an entry an item");
  const Vocabulary& items = split.sequences.items;
  bool knows_any = false;
  for (std::uint32_t item = 0; item < items.size() && !knows_any; ++item)
    knows_any = before.item_ids().find(items.id(item)).has_value();
  if (!knows_any) throw DataError(split.sequences.source + ": none of its items is known to the model");
  const auto go_on = [&](const Split& all) {
    return detail::fit<Network>({&before}, all, config, options, loss,
                                [&](const RecommenderConfig& resolved) { return detail::counts_of(all, resolved); });
  };
  if (before.features().size() == 0) return go_on(split);
  Split described = split;  // what only `before` knows of the items stays, since their vectors are made of it
  for (std::uint32_t item = 0; item < items.size(); ++item) {
    ItemInfo& info = described.sequences.catalogue[item];
    const auto known = before.item_ids().find(items.id(item));
    if (known && info.title.empty() && info.genres.empty()) info = before.catalogue()[*known];
  }
  return go_on(described);
}
template <class Network>
BasicFitResult<Network> warm_start(const BasicRecommender<Network>& before, const Split& split, std::int64_t epochs,
                                   const FitOptions& options, const ItemLossRef<float>& loss) {
  return warm_start(before, split, continued_config(before, epochs), options, loss);
}

}  // namespace lstmrec

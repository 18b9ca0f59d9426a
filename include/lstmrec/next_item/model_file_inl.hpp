#pragma once

/// The bodies of model_file.hpp.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <lstmrec/baselines/markov_tensors.hpp>
#include <lstmrec/baselines/session_knn_tensors.hpp>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/event_context.hpp>
#include <lstmrec/data/vocabulary_tensors.hpp>
#include <lstmrec/io/config_fields.hpp>
#include <lstmrec/io/tensor_reader.hpp>
#include <lstmrec/io/tensor_writer.hpp>
#include <lstmrec/next_item/model_file.hpp>
#include <lstmrec/next_item/recommender.hpp>
#include <lstmrec/next_item/replay_memory.hpp>
#include <lstmrec/train/network_tensors.hpp>
#include <lstmrec/train/replay.hpp>
#include <lstmrec/version.hpp>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

namespace lstmrec {

namespace detail {

/// The formats that this version reads; it writes the last.
inline constexpr const char* recommender_formats[] = {"lstmrec recommender 2", "lstmrec recommender 3"};

/// Throws std::invalid_argument where a network of this configuration would be far larger than the numbers that there
/// are: its square weights are made before a file's tensors can be compared with it.
inline void expect_plausible_sizes(const RecommenderConfig& config, double found) {
  const auto number = [](std::int64_t size) { return static_cast<double>(size); };
  const double hidden = number(config.hidden_size);
  const double square = hidden * (8 * hidden + 2 * number(config.feed_forward_factor) * hidden);
  const double features = 2 * number(config.embedding_size) * number(std::max<std::int64_t>(0, config.item_features));
  const double attention = config.attention_window > 0 ? 2 * hidden * hidden + number(config.attention_window) : 0;
  const double wanted =
      number(config.blocks) * (square + attention) + 2 * hidden * number(config.embedding_size) + features;
  if (wanted > 64 * found + (1 << 24))
    fail<std::invalid_argument>(
        {"the configuration's sizes need about ", std::llround(wanted), " numbers, found ", std::llround(found)});
}

/// The network's scores of a few items after three short histories, which are spread over the catalogue. An hour lies
/// between two of their events, and a minute before the question.
template <class Network>
std::vector<float> replay(const Network& network, const EventContext& context) {
  const auto items = static_cast<std::uint64_t>(network.items());
  std::vector<float> scores;
  for (const std::size_t length : replayed_lengths) {
    auto state = network.initial_state();
    for (std::size_t event = 0; event < length; ++event) {
      const std::uint32_t item = replayed_event(length, event, items);
      const auto time = static_cast<std::int64_t>(3600 * event);
      std::uint32_t codes[EventContext::most_codes_of_event];
      context.write(time, time - 3600, context.rating_levels().empty() ? 0.0f : context.rating_levels().back(),
                    context.kinds().empty() ? 0 : context.kinds().back(), codes);
      History known({&item, 1});
      known.context = {codes, context.codes_of_event()};
      network.step(known, state);
      if (!state.questions.empty()) context.write_question(time + 60, time, state.questions.data());
    }
    network.compute_output(state);
    for (std::size_t k = 0; k < replayed_items; ++k) {
      const auto item = static_cast<Index>(spread_item(k, replayed_items, items));
      Matrix<float> score(1, 1);
      network.head.score_tile(network.output_vectors(), nullptr, item, state.output, score);
      scores.push_back(score(0, 0));
    }
  }
  return scores;
}

/// Adds to a file's metadata what a recommender was trained on, where that is known.
inline void put_trained_on(TensorWriter& file, const TrainedOn& trained_on) {
  if (!trained_on.is_known()) return;
  TrainedOn::visit(trained_on, [&](const char* name, const auto& field) {
    const std::string key = message({"trained_on.", name});
    if constexpr (requires { *field; }) {
      if (field) file.metadata[key] = to_text(*field);
    } else {
      file.metadata[key] = to_text(field);
    }
  });
}

/// Reads it back; files of earlier versions say nothing.
inline TrainedOn get_trained_on(const TensorReader& file) {
  TrainedOn trained_on;
  if (file.text("trained_on.events") == nullptr) return trained_on;
  TrainedOn::visit(trained_on, [&](const char* name, auto& field) {
    const std::string key = message({"trained_on.", name});
    if constexpr (requires { *field; }) {
      if (file.text(key) != nullptr) get_number(file, key, field.emplace());
    } else {
      get_number(file, key, field);
    }
  });
  return trained_on;
}

/// Adds the sequences that an update learns again to a file as `memory.…`.
inline void put_memory(TensorWriter& file, const ReplayMemory& memory) {
  file.put_owned("memory.keys", std::vector<std::int64_t>(memory.keys.begin(), memory.keys.end()));
  file.put_owned("memory.offsets", std::vector<std::int64_t>(memory.offsets.begin(), memory.offsets.end()));
  file.put("memory.items", {memory.items.size()}, std::span(memory.items));
}

/// Reads them back. Throws ModelFileError unless they are sequences of so many items.
inline ReplayMemory get_memory(TensorReader& file, std::size_t items) {
  ReplayMemory memory;
  const auto keys = file.get<std::int64_t>("memory.keys");
  memory.keys.assign(keys.begin(), keys.end());
  memory.items = file.get<std::uint32_t>("memory.items");
  file.expect_shape("memory.offsets", {keys.size() + 1});
  memory.offsets = file.get_offsets("memory.offsets", memory.items.size());
  check_read(file, "memory.", [&] { memory.check(items); });
  return memory;
}

/// Adds the names of the features that item vectors are made of, as `features.names…`.
inline void put_features(TensorWriter& file, const ItemFeatures& features) {
  Texts names;
  for (const std::string& name : features.names()) {
    names.all += name;
    names.end();
  }
  put_texts(file, "features.names", std::move(names));
}

/// Reads them back. Throws ModelFileError unless there are so many, each once.
inline ItemFeatures get_features(TensorReader& file, std::int64_t count) {
  const Texts texts = get_texts(file, "features.names");
  std::vector<std::string> names;
  for (std::size_t k = 0; k < texts.size(); ++k) names.emplace_back(texts[k]);
  ItemFeatures features(std::move(names));
  if (static_cast<std::int64_t>(features.size()) != count || !features.are_distinct())
    fail<ModelFileError>(
        {file.path(), ": features.names: expected ", count, " names, each once, found ", features.size()});
  return features;
}

/// Adds what the network reads of events beside their items.
inline void put_context(TensorWriter& file, const EventContext& context) {
  file.metadata["context.ticks_per_second"] = to_text(context.ticks_per_second());
  if (context.inputs().ratings) file.put_owned("context.rating_levels", std::vector<float>(context.rating_levels()));
  if (context.inputs().kinds) file.put_owned("context.kinds", std::vector<std::uint32_t>(context.kinds()));
}

/// Reads it back. Throws ModelFileError where it can't be.
inline EventContext get_context(TensorReader& file, const RecommenderConfig& config) {
  std::int64_t ticks = 1;
  if (config.context_inputs() != ContextInputs()) get_number(file, "context.ticks_per_second", ticks);
  std::vector<float> levels;
  if (config.rating_inputs) levels = file.get<float>("context.rating_levels");
  std::vector<std::uint32_t> kinds;
  if (config.kind_inputs) kinds = file.get<std::uint32_t>("context.kinds");
  EventContext context;
  check_read(file, "context.",
             [&] { context = EventContext(config.context_inputs(), ticks, std::move(levels), std::move(kinds)); });
  return context;
}

}  // namespace detail

template <class Network>
void save(const BasicRecommender<Network>& recommender, const std::filesystem::path& path) {
  if (recommender.items() == 0) throw std::invalid_argument("a recommender that knows no items can't be saved");
  detail::expect_plausible_sizes(recommender.config(), static_cast<double>(parameter_count(recommender.network())));
  TensorWriter file;
  file.metadata["format"] = detail::recommender_formats[1];
  file.metadata["version"] = LSTMREC_VERSION;
  put_config(file, recommender.config());
  detail::put_trained_on(file, recommender.trained_on());
  put_vocabulary(file, "items", recommender.item_ids(), recommender.catalogue());
  file.put("items.counts", {recommender.item_counts().size()}, std::span(recommender.item_counts()));
  if (recommender.uses_markov()) put_counts(file, recommender.markov());
  if (recommender.uses_session_knn()) put_session_knn(file, recommender.session_knn());
  if (recommender.memory().size() > 0) detail::put_memory(file, recommender.memory());
  if (recommender.features().size() > 0) detail::put_features(file, recommender.features());
  if (recommender.context().inputs() != ContextInputs()) detail::put_context(file, recommender.context());
  if (!recommender.withdrawn().empty())
    file.put("items.withdrawn", {recommender.withdrawn().size()}, std::span(recommender.withdrawn()));
  if (recommender.states_of() != 0) file.metadata["states_of"] = detail::to_text(recommender.states_of());
  put_network(file, "network.", recommender.network());
  if constexpr (Network::sees_items_only) {
    put_replay(file, "replay.scores", detail::replay(recommender.network(), recommender.context()));
  }
  file.write(path);
}

template <class Network>
BasicRecommender<Network> load_recommender(const std::filesystem::path& path) {
  TensorReader file(path);
  expect_format(file, detail::recommender_formats);
  RecommenderParts<Network> parts;
  parts.config = get_config<RecommenderConfig>(file);
  parts.trained_on = detail::get_trained_on(file);
  get_vocabulary(file, "items", parts.item_ids, parts.catalogue);
  const std::uint64_t items = parts.item_ids.size();
  if (items == 0) detail::fail<ModelFileError>({file.path(), ": items.ids: expected at least one, found none"});
  file.expect_shape("items.counts", {items});
  parts.item_counts = file.get<std::uint32_t>("items.counts");
  if (parts.config.markov_weight > 0) parts.markov = get_counts(file, parts.item_counts);
  parts.config.markov_weight = std::max(0.0, parts.config.markov_weight);
  if (parts.config.session_knn_weight > 0) parts.session_knn = get_session_knn(file, parts.item_counts);
  parts.config.session_knn_weight = std::max(0.0, parts.config.session_knn_weight);
  if (file.header().tensors.contains("memory.keys")) parts.memory = detail::get_memory(file, items);
  if (parts.config.item_features != 0) parts.features = detail::get_features(file, parts.config.item_features);
  parts.context = detail::get_context(file, parts.config);
  if (file.header().tensors.contains("items.withdrawn")) parts.withdrawn = file.get<std::uint32_t>("items.withdrawn");
  check_read(file, "items.", [&] { detail::check_withdrawn(parts.withdrawn, items); });
  if (file.text("states_of") != nullptr) detail::get_number(file, "states_of", parts.states_of);
  double numbers = 0;
  for (const auto& [name, tensor] : file.header().tensors)
    numbers += static_cast<double>(tensor.end - tensor.begin) / sizeof(float);
  check_read(file, "", [&] { detail::expect_plausible_sizes(parts.config, numbers); });
  expect_network(file, "network.", Network(1, parts.config), items);
  parts.network = Network(static_cast<Index>(items), parts.config);
  get_network(file, "network.", parts.network);
  if constexpr (Network::sees_items_only)
    expect_replay(file, "replay.scores", detail::replay(parts.network, parts.context));
  return BasicRecommender<Network>(std::move(parts));
}

}  // namespace lstmrec

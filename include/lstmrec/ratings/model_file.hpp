#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <lstmrec/baselines/sparse_rows_tensors.hpp>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/vocabulary_tensors.hpp>
#include <lstmrec/io/config_fields.hpp>
#include <lstmrec/io/tensor_reader.hpp>
#include <lstmrec/io/tensor_writer.hpp>
#include <lstmrec/ratings/model.hpp>
#include <lstmrec/train/network_tensors.hpp>
#include <lstmrec/train/replay.hpp>
#include <lstmrec/version.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace lstmrec {

/// Begins the file of a rating model: format, configuration, vocabularies and network.
template <class Model>
TensorWriter begin_rating_file(const Model& model, const char* format) {
  TensorWriter file;
  file.metadata["format"] = format;
  file.metadata["version"] = LSTMREC_VERSION;
  put_config(file, model.config);
  put_vocabulary(file, "users", model.users, std::vector<ItemInfo>(model.users.size()));
  put_vocabulary(file, "items", model.items, model.catalogue);
  put_network(file, "network.", model.network);
  return file;
}

/// Reads what they have in common but the network, and checks its size, before memory is taken for it.
template <class Model>
TensorReader read_rating_file(const std::filesystem::path& path, const char* format, Model& model) {
  TensorReader file(path);
  expect_format(file, {&format, 1});
  model.config = get_config<std::remove_cvref_t<decltype(model.config)>>(file);
  std::vector<ItemInfo> unused;
  get_vocabulary(file, "users", model.users, unused);
  get_vocabulary(file, "items", model.items, model.catalogue);
  const auto hidden = static_cast<std::uint64_t>(model.config.hidden_size);
  file.expect_shape("network.lstm.recurrent_weight", {hidden, 4 * hidden});
  return file;
}

/// Numbers of a file, so many of them.
inline std::vector<double> get_numbers(TensorReader& file, const std::string& name, std::uint64_t count) {
  file.expect_shape(name, {count});
  return file.get<double>(name);
}

/// Throws std::invalid_argument, which names the tensor, on a number that is not finite.
inline void expect_finite(const char* name, std::span<const double> numbers) {
  if (!std::all_of(numbers.begin(), numbers.end(), [](double number) { return std::isfinite(number); }))
    detail::fail<std::invalid_argument>({name, ": expected finite numbers"});
}

inline constexpr const char* history_rating_format = "lstmrec history rating model 3";

/// Throws ConfigError on a bad configuration and std::invalid_argument, which names the tensor of the file, where the
/// parts of a model do not belong together. For the time that it takes, it holds another network of the same size.
inline void check(const HistoryRatingModel& model) {
  const auto expect = [](bool holds, const char* rule) {
    if (!holds) throw std::invalid_argument(rule);
  };
  const HistoryRatingConfig& config = model.config;
  config.check();
  const std::size_t users = model.users.size(), items = model.items.size();
  expect_finite("bias.mean_lowest_highest", std::array{model.bias.mean, model.bias.lowest, model.bias.highest});
  expect(model.bias.lowest <= model.bias.highest, "bias.mean_lowest_highest: the lowest is above the highest");
  expect(model.bias.user_regularisation == config.user_regularisation,
         "bias: expected the configuration's user_regularisation");
  expect(model.bias.item_bias.size() == items, "bias.items: expected one number an item");
  expect_finite("bias.items", model.bias.item_bias);
  if (config.neighbours_weight > 0) {
    try {
      model.neighbours.similarities.check(items);
    } catch (const std::invalid_argument& error) {
      detail::fail<std::invalid_argument>({"neighbours.", error.what()});
    }
  }
  expect_same_shapes(model.network,
                     HistoryRatingNetwork<float>(static_cast<Index>(users), static_cast<Index>(items),
                                                 static_cast<Index>(model.levels.size()), config.vector_size,
                                                 config.hidden_size, config.dropout));
}

namespace detail {

/// The ratings that a model predicts of a few items after three short histories, one of a stranger and two of users.
inline std::vector<float> replay(const HistoryRatingModel& model) {
  if (model.items.size() == 0 || model.levels.size() == 0) return {};
  const std::vector<float>& levels = model.levels.values();
  std::vector<RatingQuery> queries;
  for (const std::size_t length : replayed_lengths) {
    const bool is_stranger = length == 1 || model.users.size() == 0;
    const std::uint32_t user = is_stranger ? unknown_user : spread_item(length, 16, model.users.size());
    std::vector<Event> visible;
    for (std::size_t event = 0; event < length; ++event)
      visible.push_back({.time = static_cast<std::int64_t>(3600 * event * event),
                         .user = user,
                         .item = replayed_event(length, event, model.items.size()),
                         .rating = levels[(event + length) % levels.size()]});
    std::vector<Event> asked;
    for (std::size_t k = 0; k < replayed_items; ++k)
      asked.push_back({.user = user, .item = spread_item(k, replayed_items, model.items.size())});
    queries.push_back({user, std::move(visible), std::move(asked)});
  }
  return model.score(queries);
}

}  // namespace detail

/// Saves a rating model: network, configuration, baseline, levels, neighbours and vocabularies, in one safetensors
/// file. Written whole or not at all; the same model gives the same bytes. Throws Error with the system's reason, and
/// what `check` throws.
inline void save(const HistoryRatingModel& model, const std::filesystem::path& path) {
  check(model);
  TensorWriter file = begin_rating_file(model, history_rating_format);
  const std::array numbers{model.bias.mean, model.bias.lowest, model.bias.highest};
  file.put("bias.mean_lowest_highest", {numbers.size()}, std::span<const double>(numbers));
  file.put("bias.items", {model.bias.item_bias.size()}, std::span<const double>(model.bias.item_bias));
  file.put("levels", {model.levels.size()}, std::span<const float>(model.levels.values()));
  if (model.config.neighbours_weight > 0) put_rows(file, "neighbours", model.neighbours.similarities);
  put_replay(file, "replay.ratings", detail::replay(model));
  file.write(path);
}

/// Loads what `save` wrote. Throws Error where the file can't be opened and ModelFileError where it is not such a file.
inline HistoryRatingModel load_history_rating_model(const std::filesystem::path& path) {
  HistoryRatingModel model;
  TensorReader file = read_rating_file(path, history_rating_format, model);
  const std::uint64_t users = model.users.size(), items = model.items.size();
  const auto size = static_cast<std::uint64_t>(model.config.vector_size);
  const auto numbers = get_numbers(file, "bias.mean_lowest_highest", 3);
  model.bias = {};
  model.bias.mean = numbers[0];
  model.bias.lowest = numbers[1];
  model.bias.highest = numbers[2];
  model.bias.user_regularisation = model.config.user_regularisation;
  model.bias.item_bias = get_numbers(file, "bias.items", items);
  try {
    model.levels = RatingLevels(file.get<float>("levels"));
  } catch (const DataError& error) {
    detail::fail<ModelFileError>({file.path(), ": levels: ", error.what()});
  }
  if (model.config.neighbours_weight > 0)
    model.neighbours.similarities = get_rows(file, "neighbours", model.items.size());
  // The largest parameter along every size: what the network is going to allocate has to be in the file.
  const std::uint64_t levels = model.levels.size(), hidden = static_cast<std::uint64_t>(model.config.hidden_size);
  file.expect_shape("network.lstm.input_weight", {2 * size + 2, 4 * hidden});
  file.expect_shape("network.item_vectors.table", {items, size});
  file.expect_shape("network.user_vectors.table", {users, size});
  file.expect_shape("network.level_vectors.table", {levels, size});
  model.network =
      HistoryRatingNetwork<float>(static_cast<Index>(users), static_cast<Index>(items), static_cast<Index>(levels),
                                  model.config.vector_size, model.config.hidden_size, model.config.dropout);
  get_network(file, "network.", model.network);
  check_read(file, "", [&] { check(model); });
  expect_replay(file, "replay.ratings", detail::replay(model));
  return model;
}

}  // namespace lstmrec

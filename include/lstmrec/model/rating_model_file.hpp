#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <lstmrec/core/error.hpp>
#include <lstmrec/model/history_rating_model.hpp>
#include <lstmrec/model/model_file.hpp>
#include <lstmrec/model/safetensors.hpp>
#include <lstmrec/model/textbook_rating_model.hpp>
#include <lstmrec/model/vocabulary_tensors.hpp>
#include <lstmrec/version.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace lstmrec {

namespace detail {

/// What the files of both forms have in common.
template <class Model>
TensorFile begin_rating_file(const Model& model, const char* format) {
  TensorFile file;
  file.metadata["format"] = format;
  file.metadata["version"] = LSTMREC_VERSION;
  put_config(file, model.config);
  put_vocabulary(file, "users", model.users, std::vector<ItemInfo>(model.users.size()));
  put_vocabulary(file, "items", model.items, model.catalogue);
  for_each_named_parameter(
      [&](const std::string& name, const auto& parameter) { file.put_matrix("network." + name, parameter); },
      model.network);
  return file;
}

/// Reads what they have in common but the network, and checks its size, before memory is taken for it.
template <class Model>
TensorFile read_rating_file(const std::filesystem::path& path, const char* format, Model& model) {
  TensorFile file = read_safetensors(path);
  expect_format(file, format);
  model.config = get_config<std::remove_cvref_t<decltype(model.config)>>(file);
  std::vector<ItemInfo> unused;
  get_vocabulary(file, "users", model.users, unused);
  get_vocabulary(file, "items", model.items, model.catalogue);
  const auto hidden = static_cast<std::uint64_t>(model.config.hidden_size);
  file.expect_shape("network.lstm.recurrent_weight", {hidden, 4 * hidden});
  return file;
}

template <class Model>
void read_rating_network(const TensorFile& file, Model& model) {
  for_each_named_parameter(
      [&](const std::string& name, auto& parameter) { file.get_matrix("network." + name, parameter); }, model.network);
}

/// Numbers that have to be finite, and so many.
inline std::vector<double> finite_numbers(const TensorFile& file, const std::string& name, std::uint64_t count) {
  file.expect_shape(name, {count});
  auto numbers = file.get<double>(name);
  if (!std::all_of(numbers.begin(), numbers.end(), [](double number) { return std::isfinite(number); }))
    throw ModelFileError(file.path + ": " + name + ": expected finite numbers");
  return numbers;
}

inline constexpr const char* history_rating_format = "lstmrec history rating model 3";
inline constexpr const char* textbook_rating_format = "lstmrec textbook rating model 1";

}  // namespace detail

/// Saves a rating model: network, configuration, baseline, levels, neighbours and vocabularies, in one safetensors
/// file. Written whole or not at all; the same model gives the same bytes. Throws Error with the system's reason.
inline void save(const HistoryRatingModel& model, const std::filesystem::path& path) {
  TensorFile file = detail::begin_rating_file(model, detail::history_rating_format);
  const std::array numbers{model.bias.mean, model.bias.lowest, model.bias.highest};
  file.put("bias.mean_lowest_highest", {numbers.size()}, std::span<const double>(numbers));
  file.put("bias.items", {model.bias.item_bias.size()}, std::span<const double>(model.bias.item_bias));
  file.put("levels", {model.levels.size()}, std::span<const float>(model.levels.values()));
  if (model.uses_neighbours()) put_rows(file, "neighbours", model.neighbours.similarities);
  write_safetensors(path, file);
}

/// The same; the scaling of the inputs is in the file.
inline void save(const TextbookRatingModel& model, const std::filesystem::path& path) {
  TensorFile file = detail::begin_rating_file(model, detail::textbook_rating_format);
  const std::array range{model.lowest, model.highest};
  file.put("range", {range.size()}, std::span<const double>(range));
  file.put("scaling.mean", {3}, std::span<const double>(model.scaling.mean));
  file.put("scaling.deviation", {3}, std::span<const double>(model.scaling.deviation));
  write_safetensors(path, file);
}

/// Loads what `save` wrote. Throws Error where the file can't be opened and ModelFileError where it is not such a file.
inline HistoryRatingModel load_history_rating_model(const std::filesystem::path& path) {
  HistoryRatingModel model;
  const TensorFile file = detail::read_rating_file(path, detail::history_rating_format, model);
  const std::uint64_t users = model.users.size(), items = model.items.size();
  const auto size = static_cast<std::uint64_t>(model.config.vector_size);
  const auto numbers = detail::finite_numbers(file, "bias.mean_lowest_highest", 3);
  model.bias = {};
  model.bias.mean = numbers[0];
  model.bias.lowest = numbers[1];
  model.bias.highest = numbers[2];
  if (model.bias.lowest > model.bias.highest)
    throw ModelFileError(file.path + ": bias.mean_lowest_highest: the lowest is above the highest");
  model.bias.user_regularisation = model.config.user_regularisation;
  model.bias.item_bias = detail::finite_numbers(file, "bias.items", items);
  try {
    model.levels = RatingLevels(file.get<float>("levels"));
  } catch (const std::invalid_argument& error) {
    throw ModelFileError(file.path + ": levels: " + error.what());
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
  detail::read_rating_network(file, model);
  return model;
}

/// Loads what `save` wrote. Throws Error where the file can't be opened and ModelFileError where it is not such a file.
inline TextbookRatingModel load_textbook_rating_model(const std::filesystem::path& path) {
  TextbookRatingModel model;
  const TensorFile file = detail::read_rating_file(path, detail::textbook_rating_format, model);
  const auto range = detail::finite_numbers(file, "range", 2);
  model.lowest = range[0];
  model.highest = range[1];
  if (model.lowest > model.highest) throw ModelFileError(file.path + ": range: the lowest is above the highest");
  const auto mean = detail::finite_numbers(file, "scaling.mean", 3);
  const auto deviation = detail::finite_numbers(file, "scaling.deviation", 3);
  if (std::any_of(deviation.begin(), deviation.end(), [](double number) { return number <= 0; }))
    throw ModelFileError(file.path + ": scaling.deviation: expected positive numbers");
  std::copy(mean.begin(), mean.end(), model.scaling.mean.begin());
  std::copy(deviation.begin(), deviation.end(), model.scaling.deviation.begin());
  model.network = TextbookRatingNetwork<float>(model.config.hidden_size);
  detail::read_rating_network(file, model);
  return model;
}

}  // namespace lstmrec

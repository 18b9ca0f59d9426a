#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <lstmrec/core/error.hpp>
#include <lstmrec/data/vocabulary_tensors.hpp>
#include <lstmrec/io/tensor_reader.hpp>
#include <lstmrec/io/tensor_writer.hpp>
#include <lstmrec/ratings/model_file.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "textbook_ratings/model.hpp"

namespace textbook {

inline constexpr const char* rating_format = "lstmrec textbook rating model 1";

/// Throws ConfigError on a bad configuration and std::invalid_argument, which names the tensor of the file, where the
/// parts of a model do not belong together.
inline void check(const TextbookRatingModel& model) {
  model.config.check();
  expect_finite("range", std::array{model.lowest, model.highest});
  if (model.lowest > model.highest) throw std::invalid_argument("range: the lowest is above the highest");
  expect_finite("scaling.mean", model.scaling.mean);
  expect_finite("scaling.deviation", model.scaling.deviation);
  if (std::any_of(model.scaling.deviation.begin(), model.scaling.deviation.end(),
                  [](double number) { return number <= 0; }))
    throw std::invalid_argument("scaling.deviation: expected positive numbers");
  expect_same_shapes(model.network, TextbookRatingNetwork<float>(model.config.hidden_size));
}

/// Saves network, configuration, the scaling of the inputs and the vocabularies in one safetensors file, which is
/// written whole or not at all. Throws Error with the system's reason, and what `check` throws.
inline void save(const TextbookRatingModel& model, const std::filesystem::path& path) {
  check(model);
  TensorWriter file = begin_rating_file(model, rating_format);
  const std::array range{model.lowest, model.highest};
  file.put("range", {range.size()}, std::span<const double>(range));
  file.put("scaling.mean", {3}, std::span<const double>(model.scaling.mean));
  file.put("scaling.deviation", {3}, std::span<const double>(model.scaling.deviation));
  file.write(path);
}

/// Loads what `save` wrote. Throws Error where the file can't be opened and ModelFileError where it is not such a file.
inline TextbookRatingModel load_textbook_rating_model(const std::filesystem::path& path) {
  TextbookRatingModel model;
  TensorReader file = read_rating_file(path, rating_format, model);
  const auto range = get_numbers(file, "range", 2);
  model.lowest = range[0];
  model.highest = range[1];
  const auto mean = get_numbers(file, "scaling.mean", 3);
  const auto deviation = get_numbers(file, "scaling.deviation", 3);
  std::copy(mean.begin(), mean.end(), model.scaling.mean.begin());
  std::copy(deviation.begin(), deviation.end(), model.scaling.deviation.begin());
  model.network = TextbookRatingNetwork<float>(model.config.hidden_size);
  get_network(file, "network.", model.network);
  check_read(file, "", [&] { check(model); });
  return model;
}

}  // namespace textbook

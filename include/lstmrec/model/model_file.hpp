#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <lstmrec/core/error.hpp>
#include <lstmrec/model/recommender.hpp>
#include <lstmrec/model/safetensors.hpp>
#include <lstmrec/model/vocabulary_tensors.hpp>
#include <lstmrec/version.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <vector>

namespace lstmrec {

namespace detail {

template <class T>
std::string to_text(T value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else {
    char buffer[32];
    return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);  // shortest that reads back
  }
}

template <class T>
bool from_text(const std::string& text, T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    value = text == "true";
    return value || text == "false";
  } else {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failure == std::errc{} && end == text.data() + text.size();
  }
}

}  // namespace detail

/// Adds a configuration's fields to a file's metadata as `config.<field>`.
template <class Config>
void put_config(TensorFile& file, const Config& config) {
  Config::visit(config, [&](const char* name, const auto& field) {
    file.metadata["config." + std::string(name)] = detail::to_text(field);
  });
}

/// Reads it back. Throws ModelFileError where a field is missing, malformed or against the configuration's rules.
template <class Config>
Config get_config(const TensorFile& file) {
  Config config;
  Config::visit(config, [&](const char* name, auto& field) {
    const auto found = file.metadata.find("config." + std::string(name));
    if (found == file.metadata.end()) throw ModelFileError(file.path + ": config." + name + " is missing");
    if (!detail::from_text(found->second, field))
      throw ModelFileError(file.path + ": config." + name + ": expected a value, found \"" + found->second + "\"");
  });
  try {
    config.check();
  } catch (const std::invalid_argument& error) {
    throw ModelFileError(file.path + ": " + error.what());
  }
  return config;
}

/// Throws ModelFileError unless the file's metadata names this kind of model in a format that this version reads.
inline void expect_format(const TensorFile& file, const std::string& expected) {
  const auto found = file.metadata.find("format");
  if (found == file.metadata.end() || found->second != expected)
    throw ModelFileError(file.path + ": expected a file of the format \"" + expected + "\", found " +
                         (found == file.metadata.end() ? "none" : "\"" + found->second + "\""));
}

/// Adds a sparse matrix to a file as `<name>.offsets`, `.items` and `.values`.
inline void put_rows(TensorFile& file, const std::string& name, const SparseRows& rows) {
  const std::vector<std::int64_t> offsets(rows.offsets.begin(), rows.offsets.end());
  file.put(name + ".offsets", {offsets.size()}, std::span(offsets));
  file.put(name + ".items", {rows.items.size()}, std::span(rows.items));
  file.put(name + ".values", {rows.values.size()}, std::span(rows.values));
}

/// Reads it back. Throws ModelFileError unless it is a matrix of finite numbers, none below 0, between so many items.
inline SparseRows get_rows(const TensorFile& file, const std::string& name, std::size_t items) {
  file.expect_shape(name + ".offsets", {items + 1});
  const auto offsets = file.get<std::int64_t>(name + ".offsets");
  SparseRows rows;
  rows.offsets.assign(offsets.begin(), offsets.end());
  rows.items = file.get<std::uint32_t>(name + ".items");
  rows.values = file.get<float>(name + ".values");
  if (offsets.front() != 0 || !std::is_sorted(offsets.begin(), offsets.end()) ||
      static_cast<std::uint64_t>(offsets.back()) != rows.items.size() || rows.values.size() != rows.items.size())
    throw ModelFileError(file.path + ": " + name + ".offsets: expected to rise from 0 to the number of " + name +
                         ".items and of " + name + ".values, found " + std::to_string(offsets.back()) + ", " +
                         std::to_string(rows.items.size()) + " and " + std::to_string(rows.values.size()));
  if (!std::all_of(rows.values.begin(), rows.values.end(),
                   [](float value) { return value >= 0 && std::isfinite(value); }))
    throw ModelFileError(file.path + ": " + name + ".values: expected finite numbers, none below 0");
  for (const std::uint32_t item : rows.items)
    if (item >= items)
      throw ModelFileError(file.path + ": " + name + ".items: expected numbers below " + std::to_string(items) +
                           ", found " + std::to_string(item));
  for (std::size_t row = 0; row < items; ++row)
    for (std::size_t k = 1; k < rows[row].size(); ++k)
      if (rows[row].items[k] <= rows[row].items[k - 1])
        throw ModelFileError(file.path + ": " + name + ".items: expected to rise within a row, found " +
                             std::to_string(rows[row].items[k]) + " after " + std::to_string(rows[row].items[k - 1]));
  return rows;
}

/// Adds transition counts to a file. The popularity is not in it: it follows from the items' counts.
inline void put_counts(TensorFile& file, const MarkovCounts& counts) {
  put_rows(file, "counts", counts.transitions);
  file.put("counts.totals", {counts.totals.size()}, std::span(counts.totals));
  MarkovOptions::visit(counts.options, [&](const char* name, const auto& option) {
    file.metadata["counts." + std::string(name)] = detail::to_text(option);
  });
}

/// Reads them back. Throws ModelFileError unless they are counts between so many items.
inline MarkovCounts get_counts(const TensorFile& file, const std::vector<std::uint32_t>& item_counts) {
  const std::size_t items = item_counts.size();
  MarkovCounts counts;
  MarkovOptions::visit(counts.options, [&](const char* name, auto& option) {
    const auto found = file.metadata.find("counts." + std::string(name));
    if (found == file.metadata.end() || !detail::from_text(found->second, option))
      throw ModelFileError(file.path + ": counts." + name + ": expected a number, found " +
                           (found == file.metadata.end() ? "none" : "\"" + found->second + "\""));
  });
  try {
    counts.options.check();
  } catch (const std::invalid_argument& error) {
    throw ModelFileError(file.path + ": counts: " + error.what());
  }
  counts.transitions = get_rows(file, "counts", items);
  file.expect_shape("counts.totals", {items});
  counts.totals = file.get<float>("counts.totals");
  if (!std::all_of(counts.totals.begin(), counts.totals.end(),
                   [](float total) { return total >= 0 && std::isfinite(total); }))
    throw ModelFileError(file.path + ": counts.totals: expected finite numbers, none below 0");
  counts.popularity = Popularity(item_counts);
  return counts;
}

/// Saves a recommender: network, configuration, vocabulary, titles and counts, in one safetensors file.
/// Written whole or not at all. Throws Error with the system's reason, and std::invalid_argument where counts_weight is
/// above 0 and there are no counts.
///
/// The same recommender gives the same bytes, and so does one that was loaded again.
inline void save(const Recommender& recommender, const std::filesystem::path& path) {
  if (recommender.config.counts_weight > 0 && !recommender.uses_counts())
    throw std::invalid_argument("a recommender with counts_weight " + std::to_string(recommender.config.counts_weight) +
                                " must have counts to be saved");
  TensorFile file;
  file.metadata["format"] = "lstmrec recommender 2";
  file.metadata["version"] = LSTMREC_VERSION;
  put_config(file, recommender.config);
  put_vocabulary(file, "items", recommender.item_ids, recommender.catalogue);
  file.put("items.counts", {recommender.item_counts.size()}, std::span(recommender.item_counts));
  if (recommender.uses_counts()) put_counts(file, recommender.counts);
  for_each_named_parameter(
      [&](const std::string& name, const auto& parameter) {
        if (parameter.size() > 0) file.put_matrix("network." + name, parameter);  // some layers are not always there
      },
      recommender.network);
  write_safetensors(path, file);
}

/// Loads what `save` wrote. Throws Error where the file can't be opened and ModelFileError, naming the tensor, what was
/// expected and what was found, where it is not such a file; before memory is taken for it.
inline Recommender load_recommender(const std::filesystem::path& path) {
  const TensorFile file = read_safetensors(path);
  expect_format(file, "lstmrec recommender 2");
  Recommender recommender;
  recommender.config = get_config<RecommenderConfig>(file);
  get_vocabulary(file, "items", recommender.item_ids, recommender.catalogue);
  const std::uint64_t items = recommender.item_ids.size();
  file.expect_shape("items.counts", {items});
  recommender.item_counts = file.get<std::uint32_t>("items.counts");
  if (recommender.config.counts_weight > 0) recommender.counts = get_counts(file, recommender.item_counts);

  // The largest parameter along every size that the configuration sets: what the network is going to allocate has to
  // be in the file.
  const auto embedding = static_cast<std::uint64_t>(recommender.config.embedding_size);
  const auto hidden = static_cast<std::uint64_t>(recommender.config.hidden_size);
  file.expect_shape("network.item_vectors.table", {items, embedding});
  if (embedding != hidden) file.expect_shape("network.input_projection.weight", {embedding, hidden});
  for (std::int64_t k = 0; k < recommender.config.layers; ++k) {
    const std::string block = "network.blocks." + std::to_string(k);
    file.expect_shape(block + ".recurrent.recurrent_weight", {hidden, 4 * hidden});
    const auto wide = static_cast<std::uint64_t>(recommender.config.feed_forward_factor) * hidden;
    if (wide > 0) file.expect_shape(block + ".feed_forward.expand.weight", {hidden, wide});
  }
  recommender.network = NextItemNetwork<float>(static_cast<Index>(items), recommender.config);
  for_each_named_parameter(
      [&](const std::string& name, auto& parameter) {
        if (parameter.size() > 0) file.get_matrix("network." + name, parameter);
      },
      recommender.network);
  return recommender;
}

}  // namespace lstmrec

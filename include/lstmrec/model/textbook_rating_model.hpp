#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <lstmrec/core/packed_steps.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/rating_split.hpp>
#include <lstmrec/data/vocabulary.hpp>
#include <lstmrec/model/model_file.hpp>
#include <lstmrec/nn/dense.hpp>
#include <lstmrec/nn/losses.hpp>
#include <lstmrec/nn/recurrent.hpp>
#include <span>
#include <vector>

namespace lstmrec {

/// The network of the textbooks: the three numbers (user, item, time) as a sequence of three steps of one feature.
///
///     h₁ = lstm(user), h₂ = lstm(item | h₁), h₃ = lstm(time | h₂), r̂ = w h₃ + b
///
/// Keras: Sequential([LSTM(64), Dense(1)]). It cannot do well, because to it a user's index is a quantity: use it to
/// see how such a model is built, and what is lost against one with a vector a user and an item.
template <class Scalar_ = float>
struct TextbookRatingNetwork {
  using Scalar = Scalar_;

  struct Cache {
    typename Lstm<Scalar>::Cache lstm;
    Buffer<Scalar> steps, hidden, d_hidden, d_steps, output, d_output;
  };

  Lstm<Scalar> lstm;
  Dense<Scalar> output;

  explicit TextbookRatingNetwork(Index hidden) : lstm(1, hidden), output(hidden, 1) {}

  /// Keras' defaults: Glorot-uniform and orthogonal weights, zero biases, unit forget bias.
  void initialise(Random& random) {
    lstm.initialise(random);
    output.initialise(random);
  }

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... networks) {
    visit_member(visitor, "lstm", networks.lstm...);
    visit_member(visitor, "output", networks.output...);
  }

  /// r̂ (1 × n, a view into the cache) of inputs (3 × n): user, item and time in the rows.
  typename Buffer<Scalar>::View forward(ConstMatrixRef<Scalar> inputs, Cache& cache) const {
    const Index n = inputs.cols();
    auto steps = cache.steps.resize(1, 3 * n);
    for (Index step = 0; step < 3; ++step) steps.middleCols(step * n, n) = inputs.row(step);
    auto hidden = cache.hidden.resize(lstm.hidden_size(), 3 * n);
    lstm.forward(steps, three_steps(n), cache.lstm, hidden);
    auto result = cache.output.resize(1, n);
    output.forward(hidden.rightCols(n), result);
    return result;
  }

  /// One training pass: returns the mean squared error to ratings (1 × n) and adds its gradients.
  double forward_backward(ConstMatrixRef<Scalar> inputs, ConstMatrixRef<Scalar> ratings, Cache& cache,
                          TextbookRatingNetwork& gradients) const {
    const Index n = inputs.cols();
    const auto predicted = forward(inputs, cache);
    auto d_output = cache.d_output.resize(1, n);
    const double loss = squared_error(predicted, ratings, n, d_output);
    auto d_hidden = cache.d_hidden.resize(lstm.hidden_size(), 3 * n);
    d_hidden.leftCols(2 * n).setZero();
    output.backward(cache.hidden.view().rightCols(n), d_output, gradients.output, d_hidden.rightCols(n));
    lstm.backward(cache.steps.view(), three_steps(n), cache.lstm, d_hidden, gradients.lstm,
                  cache.d_steps.resize(1, 3 * n));
    return loss;
  }

 private:
  static PackedSteps three_steps(Index sequences) {
    return PackedSteps(std::vector<Index>(static_cast<std::size_t>(sequences), 3));
  }
};

/// Everything that decides what a textbook model learns.
struct TextbookRatingConfig {
  std::int64_t hidden_size = 64;
  std::int64_t epochs = 10;
  std::int64_t batch_size = 32;
  double learning_rate = 1e-3;
  bool standardise = true;  ///< If not, the network gets indices and seconds, whose size saturates its gates.
  std::uint64_t seed = 1;

  template <class Config, class Visitor>
  static void visit(Config& config, Visitor&& visitor) {
    visitor("hidden_size", config.hidden_size);
    visitor("epochs", config.epochs);
    visitor("batch_size", config.batch_size);
    visitor("learning_rate", config.learning_rate);
    visitor("standardise", config.standardise);
    visitor("seed", config.seed);
  }

  /// Throws std::invalid_argument that names the rule which a field breaks.
  void check() const {
    const auto rule = [](bool holds, const char* text) {
      if (!holds) throw std::invalid_argument(text);
    };
    rule(hidden_size >= 1, "hidden_size must be at least 1");
    rule(epochs >= 0, "epochs must not be negative");
    rule(batch_size >= 1, "batch_size must be at least 1");
    rule(learning_rate > 0 && learning_rate < 1e6, "learning_rate must be in (0, 1e6)");
  }
};

/// A trained textbook network with its vocabularies and the scaling of its inputs.
struct TextbookRatingModel {
  TextbookRatingConfig config;
  TextbookRatingNetwork<float> network{64};
  Vector<double> mean = Vector<double>::Zero(3);      ///< Of user index, item index and time over the training part,
  Vector<double> deviation = Vector<double>::Ones(3); ///< and their deviations: inputs are (x − mean) / deviation.
  std::int64_t newest_time = 0;                       ///< Of the training part: "now", when unrated items are predicted.
  Vocabulary user_ids, item_ids;
  std::vector<ItemInfo> catalogue;

  /// x (3) := the inputs of an event.
  template <class X>
  void inputs(const Event& event, X&& x) const {
    const double raw[] = {static_cast<double>(event.user), static_cast<double>(event.item),
                          static_cast<double>(event.time)};
    for (Index k = 0; k < 3; ++k) x(k) = static_cast<float>((raw[k] - mean(k)) / deviation(k));
  }

  /// The predicted ratings of events, in dense indices.
  std::vector<float> predict(std::span<const Event> events) const {
    constexpr std::size_t tile = 1024;
    std::vector<float> predicted;
    TextbookRatingNetwork<float>::Cache cache;
    for (std::size_t begin = 0; begin < events.size(); begin += tile) {
      const auto part = events.subspan(begin, std::min(tile, events.size() - begin));
      Matrix<float> x(3, static_cast<Index>(part.size()));
      for (std::size_t k = 0; k < part.size(); ++k) inputs(part[k], x.col(static_cast<Index>(k)));
      const auto result = network.forward(x, cache);
      predicted.insert(predicted.end(), result.data(), result.data() + result.size());
    }
    return predicted;
  }
};

/// Saves a model: network, configuration, scaling, vocabularies and titles. As `save` of a Recommender.
inline void save(const TextbookRatingModel& model, const std::filesystem::path& path) {
  TensorFile file;
  file.metadata["format"] = "lstmrec textbook rating model 1";
  file.metadata["version"] = LSTMREC_VERSION;
  put_config(file, model.config);
  put_vocabulary(file, "users", model.user_ids, std::vector<ItemInfo>(model.user_ids.size()));
  put_vocabulary(file, "items", model.item_ids, model.catalogue);
  file.put_matrix("inputs.mean", model.mean);
  file.put_matrix("inputs.deviation", model.deviation);
  file.put("newest_time", {1}, std::span<const std::int64_t>(&model.newest_time, 1));
  for_each_named_parameter(
      [&](const std::string& name, const auto& parameter) { file.put_matrix("network." + name, parameter); },
      model.network);
  write_safetensors(path, file);
}

/// Loads what `save` wrote. Errors as load_recommender.
inline TextbookRatingModel load_textbook_rating_model(const std::filesystem::path& path) {
  const TensorFile file = read_safetensors(path);
  expect_format(file, "lstmrec textbook rating model 1");
  TextbookRatingModel model;
  model.config = get_config<TextbookRatingConfig>(file);
  std::vector<ItemInfo> no_user_info;
  get_vocabulary(file, "users", model.user_ids, no_user_info);
  get_vocabulary(file, "items", model.item_ids, model.catalogue);
  file.get_matrix("inputs.mean", model.mean);
  file.get_matrix("inputs.deviation", model.deviation);
  file.expect_shape("newest_time", {1});
  model.newest_time = file.get<std::int64_t>("newest_time").at(0);
  const auto hidden = static_cast<std::uint64_t>(model.config.hidden_size);
  file.expect_shape("network.lstm.recurrent_weight", {hidden, 4 * hidden});
  model.network = TextbookRatingNetwork<float>(model.config.hidden_size);
  for_each_named_parameter(
      [&](const std::string& name, auto& parameter) { file.get_matrix("network." + name, parameter); }, model.network);
  return model;
}

}  // namespace lstmrec

#include <cmath>
#include <cstdint>
#include <lstmrec/data/event.hpp>
#include <lstmrec/next_item/network.hpp>
#include <lstmrec/nn/gradient_check.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"
#include "network_checks.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

namespace {

constexpr Index items = network_items;

/// The part of a batch that belongs to one sequence, as a batch.
SequenceBatch alone(const SequenceBatch& batch, Index sequence) {
  SequenceBatch part;
  part.steps = PackedSteps(std::vector<Index>{ragged_lengths[static_cast<std::size_t>(sequence)]});
  part.labels_per_column = 2;
  for (Index step = 0; step < part.steps.steps(); ++step) {
    const auto column = static_cast<std::size_t>(batch.steps.begin(step) + sequence);
    part.inputs.push_back(batch.inputs[column]);
    part.times.push_back(batch.times[column]);
    part.ratings.push_back(batch.ratings[column]);
    for (std::size_t k = 2 * column; k < 2 * column + 2; ++k) {
      part.labels.push_back(batch.labels[k]);
      part.weights.push_back(batch.weights[k]);
    }
    if (!batch.excluded.empty()) part.excluded.push_back(batch.excluded[column]);
    if (!batch.dropout_seeds.empty()) part.dropout_seeds.push_back(batch.dropout_seeds[column]);
  }
  return part;
}

// A user may bring an input, a block, a head and a loss along.

/// x = E eᵢ + log(1 + time) a + rating b: an input that looks at all of an event.
struct WholeEventInput {
  using Scalar = double;
  static constexpr double vector_deviation = 0.1;
  static constexpr bool sees_items_only = false;
  struct Cache {};
  Embedding<double, ParameterKind::item_embedding> item_vectors;
  Vector<double> time_vector, rating_vector;

  WholeEventInput(Index count, const RecommenderConfig& config)
      : item_vectors(count, config.embedding_size),
        time_vector(Vector<double>::Zero(config.embedding_size)),
        rating_vector(time_vector) {}
  Index size() const { return item_vectors.size(); }
  void initialise(Random& random) { item_vectors.initialise(random, vector_deviation); }
  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... inputs) {
    visit_member(visitor, "item_vectors", inputs.item_vectors...);
    visitor("time_vector", ParameterKind::weight, inputs.time_vector...);
    visitor("rating_vector", ParameterKind::weight, inputs.rating_vector...);
  }
  void forward(const History& events, std::span<const std::uint64_t>, Cache&, MatrixRef<double> x) const {
    embed(events, x);
  }
  void backward(const History& events, std::span<const std::uint64_t>, const Cache&, MatrixRef<double> d_x,
                WholeEventInput& gradients) const {
    for (std::size_t k = 0; k < events.size(); ++k) {
      gradients.time_vector += log_time(events[k]) * d_x.col(static_cast<Index>(k));
      gradients.rating_vector += static_cast<double>(events[k].rating) * d_x.col(static_cast<Index>(k));
    }
    item_vectors.backward(events.items, d_x, gradients.item_vectors);
  }
  template <class X>
  void embed(const History& events, X&& x) const {
    item_vectors.forward(events.items, x);
    for (std::size_t k = 0; k < events.size(); ++k)
      x.col(static_cast<Index>(k)) +=
          log_time(events[k]) * time_vector + static_cast<double>(events[k].rating) * rating_vector;
  }

 private:
  static double log_time(const Event& event) { return std::log1p(static_cast<double>(event.time)); }
};

/// output = tanh(W [x; h⁻] + b) + x, a plain recurrent network, written without a thought of speed.
struct PlainRecurrentBlock {
  using Scalar = double;
  struct Cache {
    Matrix<double> output;
  };
  struct State {
    Matrix<double> active;
  };
  Dense<double> input, recurrent;

  PlainRecurrentBlock(Index size, const RecommenderConfig&, std::uint64_t) : input(size, size), recurrent(size, size) {}
  void initialise(Random& random) {
    input.initialise(random);
    recurrent.initialise(random);
  }
  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... blocks) {
    visit_member(visitor, "input", blocks.input...);
    visit_member(visitor, "recurrent", blocks.recurrent...);
  }
  void forward(ConstMatrixRef<double> x, const PackedSteps& steps, std::span<const std::uint64_t>, Cache& cache,
               MatrixRef<double> output) const {
    cache.output.resize(x.rows(), x.cols());
    input.forward(x, cache.output);
    for (Index step = 0; step < steps.steps(); ++step) {
      auto z = cache.output.middleCols(steps.begin(step), steps.alive(step));
      z.colwise() += recurrent.bias;
      if (step > 0) z += recurrent.weight * cache.output.middleCols(steps.begin(step - 1), steps.alive(step));
      z = z.array().tanh().matrix().eval();
    }
    output = cache.output + x;
  }
  void backward(ConstMatrixRef<double> x, const PackedSteps& steps, std::span<const std::uint64_t>, Cache& cache,
                MatrixRef<double> d_output, PlainRecurrentBlock& gradients, MatrixRef<double> d_input) const {
    Matrix<double> d = d_output;
    for (Index step = steps.steps(); step-- > 0;) {
      const Index begin = steps.begin(step), alive = steps.alive(step);
      auto dz = d.middleCols(begin, alive);
      dz.array() *= 1 - cache.output.middleCols(begin, alive).array().square();
      gradients.recurrent.bias += dz.rowwise().sum();
      if (step == 0) continue;
      const auto h_before = cache.output.middleCols(steps.begin(step - 1), alive);
      gradients.recurrent.weight += dz * h_before.transpose();
      d.middleCols(steps.begin(step - 1), alive) += recurrent.weight.transpose() * dz;
    }
    input.backward(x, d, gradients.input, d_input);
    d_input += d_output;
  }
  State initial_state(Index columns) const { return {Matrix<double>::Zero(input.output_size(), columns)}; }
  void step_recurrent(ConstMatrixRef<double> x, State& state) const {
    auto active = state.active.leftCols(x.cols());
    Matrix<double> z = input.weight * x + recurrent.weight * active;
    z.colwise() += input.bias + recurrent.bias;
    active = z.array().tanh().matrix();
  }
  void compute_output(MatrixRef<double> x, State& state) const { x += state.active.leftCols(x.cols()); }
  template <class SomeState, class Visitor>
  static void visit_state(SomeState& state, Visitor&& visitor) {
    visitor(state.active);
  }
};

/// A head without biases, whose scores have a temperature that is learned: z = τ Vᵀ h.
struct TemperatureHead {
  struct Cache {};
  Vector<double> temperature = Vector<double>::Ones(1);

  explicit TemperatureHead(Index) {}
  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... heads) {
    visitor("temperature", ParameterKind::bias, heads.temperature...);
  }
  void score(ConstMatrixRef<double> vectors, ConstMatrixRef<double> h, MatrixRef<double> scores) const {
    scores = temperature(0) * vectors.transpose() * h;
  }
  double loss_and_gradient(const ItemLossRef<double>& loss, ConstMatrixRef<double> vectors, ConstMatrixRef<double> h,
                           const ItemLabels& labels, Cache&, MatrixRef<double> d_vectors, TemperatureHead& gradients,
                           MatrixRef<double> d_h) const {
    const Matrix<double> products = vectors.transpose() * h;
    Matrix<double> z = temperature(0) * products;
    const double value = loss(z, {labels.per_column, labels.items, labels.weights, {}, {}, {}});
    gradients.temperature(0) += z.cwiseProduct(products).sum();
    d_h = temperature(0) * vectors * z;
    d_vectors += temperature(0) * h * z.transpose();
    return value;
  }
};

/// Scores depend on how far a sequence has come: z = Vᵀ h + a · step.
struct StepHead : TemperatureHead {
  using TemperatureHead::TemperatureHead;
  Vector<double> slope = Vector<double>::Zero(items);  ///< a.

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... heads) {
    TemperatureHead::visit(visitor, heads...);
    visitor("slope", ParameterKind::weight, heads.slope...);
  }
  double loss_and_gradient(const ItemLossRef<double>& loss, ConstMatrixRef<double> vectors, ConstMatrixRef<double> h,
                           const PackedSteps& steps, const ItemLabels& labels, Cache&, MatrixRef<double> d_vectors,
                           StepHead& gradients, MatrixRef<double> d_h) const {
    Matrix<double> z = vectors.transpose() * h;
    for (Index step = 0; step < steps.steps(); ++step)
      z.middleCols(steps.begin(step), steps.alive(step)).colwise() += static_cast<double>(step) * slope;
    const double value = loss(z, {labels.per_column, labels.items, labels.weights, {}, {}, {}});
    for (Index step = 0; step < steps.steps(); ++step)
      gradients.slope += static_cast<double>(step) * z.middleCols(steps.begin(step), steps.alive(step)).rowwise().sum();
    d_h = vectors * z;
    d_vectors += h * z.transpose();
    return value;
  }
};

/// A sigmoid of every item apart: L = Σ w log(1 + exp(z)) over all items − Σ w z over the labels.
struct IndependentItems {
  double operator()(MatrixRef<double> logits, const LogitLabels& labels) const {
    double loss = 0;
    for (Index column = 0; column < logits.cols(); ++column) {
      double weight = 0;
      for (const float w : labels.weights_of(column)) weight += static_cast<double>(w);
      std::vector<double> positive(static_cast<std::size_t>(logits.rows()));
      for (std::size_t k = 0; k < labels.per_column; ++k)
        positive[labels.rows_of(column)[k]] += static_cast<double>(labels.weights_of(column)[k]);
      for (Index item = 0; item < logits.rows(); ++item) {
        double& z = logits(item, column);
        const double p = positive[static_cast<std::size_t>(item)];
        loss += weight * std::log1p(std::exp(z)) - p * z;
        z = weight / (1 + std::exp(-z)) - p;
      }
    }
    return loss;
  }
};

using Network = NextItemNetwork<double>;
using UsersNetwork = NextItemNetwork<double, PlainRecurrentBlock, TemperatureHead>;
using UsersInputNetwork = NextItemNetwork<double, ConfiguredBlock<double>, ItemHead<double>, WholeEventInput>;
using StepHeadNetwork = NextItemNetwork<double, ConfiguredBlock<double>, StepHead>;

const RecommenderConfig tied = {.embedding_size = 4, .hidden_size = 4, .blocks = 3, .feed_forward_factor = 2};
const RecommenderConfig narrow = {.embedding_size = 4, .hidden_size = 4, .blocks = 3, .feed_forward_factor = 0};
const RecommenderConfig own = {
    .embedding_size = 3, .hidden_size = 5, .blocks = 3, .feed_forward_factor = 2, .tied_vectors = false};

}  // namespace

TEST_CASE("NextItemNetwork: gradients with dropout, three blocks, ragged sequences, excluded items") {
  for (const auto& config : {tied, own, narrow}) {
    Network network(items, config);
    randomise(network, 1);
    check_network_gradients(network, SoftmaxCrossEntropy{}, true);
  }
}

TEST_CASE("NextItemNetwork: tied vectors with projections, own vectors without") {
  RecommenderConfig config = own;
  config.tied_vectors = true;
  Network projected(items, config);
  randomise(projected, 1);
  check_network_gradients(projected, SoftmaxCrossEntropy{}, false);
  config = tied;
  config.tied_vectors = false;
  Network untied(items, config);
  randomise(untied, 1);
  check_network_gradients(untied, SoftmaxCrossEntropy{}, false);
  CHECK(parameter_count(untied) == parameter_count(Network(items, tied)) + items * 4);
}

TEST_CASE("NextItemNetwork: steps of one and of many sequences compute what forward computes") {
  for (const auto& config : {tied, own, narrow}) {
    Network network(items, config);
    randomise(network, 1);
    check_step_against_forward(network, 1e-12);
    NextItemNetwork<float> single(items, config);
    copy_parameters(single, network);
    check_step_against_forward(single, 2e-5);
  }
}

TEST_CASE("NextItemNetwork: a sequence's logits, with dropout, do not depend on its batch mates") {
  Network network(items, own);
  randomise(network, 1);
  const SequenceBatch batch = some_batch(true);
  const Matrix<double> together = logits_of(network, batch);
  for (Index sequence = 0; sequence < batch.steps.sequences(); ++sequence) {
    const Matrix<double> single = logits_of(network, alone(batch, sequence));
    for (Index step = 0; step < single.cols(); ++step)
      CHECK(distance(single.col(step), together.col(batch.steps.begin(step) + sequence)) < 1e-12);
  }
  SequenceBatch other_masks = batch;
  other_masks.dropout_seeds = some_keys(batch.steps.columns(), 8);
  CHECK(distance(logits_of(network, other_masks), together) > 0.1);
}

TEST_CASE("NextItemNetwork: float agrees with double") {
  NextItemNetwork<float> single(items, tied);
  Random random(1);
  single.initialise(random);
  Network twofold(items, tied);
  copy_parameters(twofold, single);
  const SequenceBatch batch = some_batch(true);
  NextItemNetwork<float>::Cache single_cache;
  Network::Cache cache;
  auto single_gradients = zeros_like(single);
  auto gradients = zeros_like(twofold);
  const double single_loss = single.forward_backward(batch, SoftmaxCrossEntropy{}, single_cache, single_gradients);
  const double loss = twofold.forward_backward(batch, SoftmaxCrossEntropy{}, cache, gradients);
  CHECK(single_loss == Approx(loss).epsilon(1e-6));
  CHECK(parameter_distance(single_gradients, gradients) < 1e-4 * parameter_norm(gradients));
}

TEST_CASE("NextItemNetwork: a batch of one column, and a cache that was larger before") {
  Network network(items, own);
  randomise(network, 1);
  const SequenceBatch batch = some_batch(true), last = alone(batch, 4);
  REQUIRE(last.inputs.size() == 1);
  Network::Cache used, fresh;
  auto unused = zeros_like(network), first = zeros_like(network), second = zeros_like(network);
  network.forward_backward(batch, SoftmaxCrossEntropy{}, used, unused);
  const double a = network.forward_backward(last, SoftmaxCrossEntropy{}, used, first);
  const double b = network.forward_backward(last, SoftmaxCrossEntropy{}, fresh, second);
  CHECK(a == b);
  CHECK(parameter_distance(first, second) == 0);
}

TEST_CASE("NextItemNetwork: the same seed gives the same weights") {
  NextItemNetwork<float> a(items, own), b(items, own), c(items, own);
  Random first(1), second(1), third(2);
  a.initialise(first);
  b.initialise(second);
  c.initialise(third);
  CHECK(same_bits(a, b));
  CHECK_FALSE(same_bits(a, c));
}

TEST_CASE("NextItemNetwork: a bad configuration is refused before any memory is taken for it") {
  const auto message_of = [](auto change) -> std::string {
    RecommenderConfig config;
    change(config);
    try {
      const NextItemNetwork<float> network(items, config);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "nothing thrown";
  };
  const auto nan = std::nan("");
  CHECK(message_of([](auto& c) { c.embedding_size = -1; }) == "embedding_size must be in [1, 65536], got -1");
  CHECK(message_of([](auto& c) { c.hidden_size = 0; }) == "hidden_size must be in [1, 65536], got 0");
  CHECK(message_of([](auto& c) { c.cell = static_cast<CellKind>(3); }) == "cell must be lstm, gru or slstm, got 3");
  CHECK(message_of([](auto& c) { c.block = static_cast<BlockKind>(2); }) == "block must be residual or plain, got 2");
  CHECK(message_of([](auto& c) { c.blocks = 0; }) == "blocks must be in [1, 1024], got 0");
  CHECK(message_of([](auto& c) { c.blocks = 1000000000000; }) == "blocks must be in [1, 1024], got 1000000000000");
  CHECK(message_of([](auto& c) { c.feed_forward_factor = -1; }) == "feed_forward_factor must be in [0, 1024], got -1");
  CHECK(message_of([](auto& c) { c.sampled_negatives = -2; }) == "sampled_negatives must be in [-1, 2^31), got -2");
  CHECK(message_of([](auto& c) { c.dropout = 1; }) == "dropout must be in [0, 1), got 1");
  CHECK(message_of([&](auto& c) { c.dropout = nan; }) == "dropout must be in [0, 1), got nan");
  CHECK(message_of([](auto& c) { c.target_horizon = 0; }) == "target_horizon must be in [1, 1000], got 0");
  CHECK(message_of([](auto& c) { c.target_decay = 0; }) == "target_decay must be in (0, 1], got 0");
  CHECK(message_of([](auto& c) { c.window = 0; }) == "window must be in [1, 2^31), got 0");
  CHECK(message_of([](auto& c) { c.training.epochs = -1; }) == "epochs must not be negative, got -1");
  CHECK(message_of([](auto& c) { c.training.batch_size = -1; }) == "batch_size must not be negative, got -1");
  CHECK(message_of([](auto& c) { c.training.learning_rate = 0; }) == "learning_rate must be in (0, 1e6), got 0");
  CHECK(message_of([](auto& c) { c.training.learning_rate = 1e7; }) == "learning_rate must be in (0, 1e6), got 1e+07");
  CHECK(message_of([](auto& c) { c.training.warmup = 1.5; }) == "warmup must be in [0, 1], got 1.5");
  CHECK(message_of([](auto& c) { c.training.weight_decay = -0.1; }) == "weight_decay must be in [0, 1e6), got -0.1");
  CHECK(message_of([](auto& c) { c.training.clip_norm = 0; }) == "clip_norm must be positive, got 0");
  CHECK(message_of([](auto& c) { c.training.ema_decay = 1; }) == "ema_decay must be in [0, 1), got 1");
  CHECK(message_of([](auto& c) { c.training.patience = -1; }) == "patience must not be negative, got -1");
  CHECK(message_of([](auto& c) { c.validation_targets = -1; }) == "validation_targets must not be negative, got -1");
  CHECK(message_of([](auto& c) { c.training.shards = 0; }) == "shards must be in [1, 1024], got 0");
}

TEST_CASE("A user's input is given whole events, and a user's head the steps") {
  static_assert(!UsersInputNetwork::has_input_projections && Network::has_input_projections);
  UsersInputNetwork network(items, own);
  randomise(network, 1);
  check_network_gradients(network, SoftmaxCrossEntropy{}, true);
  check_step_against_forward(network, 1e-12);
  SequenceBatch batch = some_batch(false);
  const Matrix<double> logits = logits_of(network, batch);
  batch.times[2] = 1000000000;
  CHECK(distance(logits_of(network, batch), logits) > 1e-3);
  StepHeadNetwork with_steps(items, own);
  randomise(with_steps, 1);
  check_network_gradients(with_steps, SoftmaxCrossEntropy{}, false);
}

TEST_CASE("A user's block, head and loss plug into the network, and the gradient checker takes them") {
  UsersNetwork network(items, own);
  randomise(network, 1);
  check_network_gradients(network, IndependentItems{}, false);
  check_network_gradients(network, SoftmaxCrossEntropy{}, false);
  check_step_against_forward(network, 1e-12);
  Network ours(items, tied);
  randomise(ours, 1);
  check_network_gradients(ours, IndependentItems{}, true);
}

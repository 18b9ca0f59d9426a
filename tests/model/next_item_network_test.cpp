#include <cmath>
#include <cstdint>
#include <lstmrec/model/next_item_network.hpp>
#include <lstmrec/nn/gradient_check.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

namespace {

constexpr Index items = 7;

const std::vector<std::uint32_t> seen = {4, 1, 6, 0, 4};

/// A batch of the sequences in `lengths`; two targets a column, the second sometimes of weight zero.
WindowBatch some_batch(bool excludes) {
  WindowBatch batch;
  batch.steps = PackedSteps(lengths);
  Random random(5);
  for (Index column = 0; column < batch.steps.columns(); ++column) {
    batch.inputs.push_back(static_cast<std::uint32_t>(random.below(items)));
    for (int k = 0; k < 2; ++k) {
      batch.targets.push_back(static_cast<std::uint32_t>(random.below(items)));
      batch.weights.push_back(k == 1 && column % 3 == 0 ? 0.f : 0.25f * static_cast<float>(k + 1));
    }
    if (excludes) batch.excluded.push_back(std::span(seen).first(static_cast<std::size_t>(column) % 6));
  }
  batch.keys = some_keys(batch.steps.columns());
  return batch;
}

/// The part of a batch that belongs to one sequence, as a batch.
WindowBatch alone(const WindowBatch& batch, Index sequence) {
  WindowBatch part;
  part.steps = PackedSteps(std::vector<Index>{lengths[static_cast<std::size_t>(sequence)]});
  for (Index step = 0; step < part.steps.steps(); ++step) {
    const auto column = static_cast<std::size_t>(batch.steps.begin(step) + sequence);
    part.inputs.push_back(batch.inputs[column]);
    for (std::size_t k = 2 * column; k < 2 * column + 2; ++k) {
      part.targets.push_back(batch.targets[k]);
      part.weights.push_back(batch.weights[k]);
    }
    if (!batch.excluded.empty()) part.excluded.push_back(batch.excluded[column]);
    if (!batch.keys.empty()) part.keys.push_back(batch.keys[column]);
  }
  return part;
}

template <class Network, class Loss>
void check_network_gradients(Network& network, const Loss& loss, bool excludes) {
  const WindowBatch batch = some_batch(excludes);
  typename Network::Cache cache;
  auto gradients = ones_like(network), unused = zeros_like(network);
  network.forward_backward(batch, 2, loss, cache, gradients);
  subtract_ones(gradients);
  const auto difference =
      check_gradients(network, gradients, [&] { return network.forward_backward(batch, 2, loss, cache, unused); });
  INFO(difference.name << "(" << difference.row << ", " << difference.column << "): " << difference.analytic << ", "
                       << difference.numeric);
  CHECK(difference.relative < gradient_tolerance);
}

/// A loss of a user's that keeps the logits it was called with (of one tile). Its gradient is zero.
struct KeepLogits {
  Matrix<double>& kept;
  template <class Logits>
  double operator()(Logits& logits, const ItemTargets&) const {
    kept = logits.template cast<double>();
    logits.setZero();
    return 0;
  }
};

/// The logits of all columns in a training pass.
template <class Network>
Matrix<double> logits_of(const Network& network, const WindowBatch& batch) {
  Matrix<double> logits;
  typename Network::Cache cache;
  auto unused = zeros_like(network);
  network.forward_backward(batch, 2, KeepLogits{logits}, cache, unused);
  return logits;
}

template <class Network>
void check_step_against_forward(const Network& network, double tolerance) {
  WindowBatch batch = some_batch(false);
  batch.keys.clear();  // no dropout
  const Matrix<double> logits = logits_of(network, batch);
  for (Index sequence = 0; sequence < batch.steps.sequences(); ++sequence) {
    auto state = network.initial_state();
    Vector<typename Network::Scalar> scores(items);
    for (Index step = 0; step < lengths[static_cast<std::size_t>(sequence)]; ++step) {
      const Index column = batch.steps.begin(step) + sequence;
      network.step(std::span(batch.inputs).subspan(static_cast<std::size_t>(column), 1), state);
      network.read_out(state);
      network.score(state.output, scores);
      CHECK(distance(scores, logits.col(column)) < tolerance);
    }
  }
  auto state = network.template initial_state<Eigen::Dynamic>(batch.steps.sequences());
  for (Index step = 0; step < batch.steps.steps(); ++step) {
    const Index begin = batch.steps.begin(step), alive = batch.steps.alive(step);
    network.step(std::span(batch.inputs).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(alive)),
                 state);
    network.read_out(state);
    Matrix<typename Network::Scalar> scores(items, state.output.cols());
    network.score(state.output, scores);
    CHECK(distance(scores.leftCols(alive), logits.middleCols(begin, alive)) < tolerance);
  }
}

// What a user may bring along: a block, a head and a loss.

/// output = tanh(W [x; h⁻] + b) + x, a plain recurrent network, written without a thought of speed.
struct PlainRecurrentBlock {
  using Scalar = double;
  struct Cache {
    Matrix<double> output;
  };
  template <int Columns>
  struct State {
    Matrix<double> active;
  };
  Dense<double> input, recurrent;

  PlainRecurrentBlock(Index size, Index /*middle*/, double /*dropout*/, std::uint64_t /*place*/)
      : input(size, size), recurrent(size, size) {}
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
  template <int Columns>
  State<Columns> initial_state(Index columns) const {
    return {Matrix<double>::Zero(input.output_size(), columns)};
  }
  template <class X, int Columns>
  void recur(const X& x, State<Columns>& state) const {
    auto active = state.active.leftCols(x.cols());
    Matrix<double> z = input.weight * x + recurrent.weight * active;
    z.colwise() += input.bias + recurrent.bias;
    active = z.array().tanh().matrix();
  }
  template <class X, int Columns>
  void finish(X&& x, State<Columns>& state) const {
    x += state.active.leftCols(x.cols());
  }
};

/// A head without biases, whose scores have a temperature that is learned: z = τ Vᵀ h.
struct TemperatureHead {
  struct Cache {};
  Vector<double> temperature = Vector<double>::Ones(1);

  explicit TemperatureHead(Index) {}
  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... heads) {
    visitor("temperature", Kind::bias, heads.temperature...);
  }
  template <class Vectors, class H, class Scores>
  void score(const Vectors& vectors, const H& h, Scores&& scores) const {
    scores = temperature(0) * vectors.transpose() * h;
  }
  template <ItemLoss<double> Loss>
  double loss(const Loss& loss, ConstMatrixRef<double> vectors, ConstMatrixRef<double> h, const ItemTargets& targets,
              Cache&, MatrixRef<double> d_vectors, TemperatureHead& gradients, MatrixRef<double> d_h) const {
    const Matrix<double> products = vectors.transpose() * h;
    Matrix<double> z = temperature(0) * products;
    MatrixRef<double> view(z);
    const double value = loss(view, targets);
    gradients.temperature(0) += z.cwiseProduct(products).sum();
    d_h = temperature(0) * vectors * z;
    d_vectors += temperature(0) * h * z.transpose();
    return value;
  }
};

/// A sigmoid of every item apart: L = Σ w log(1 + exp(z)) over all items − Σ w z over the targets.
struct IndependentItems {
  double operator()(MatrixRef<double>& logits, const ItemTargets& targets) const {
    double loss = 0;
    for (Index column = 0; column < logits.cols(); ++column) {
      double weight = 0;
      for (const float w : targets.weights_of(column)) weight += static_cast<double>(w);
      std::vector<double> positive(static_cast<std::size_t>(logits.rows()));
      for (std::size_t k = 0; k < targets.per_column; ++k)
        positive[targets.items_of(column)[k]] += static_cast<double>(targets.weights_of(column)[k]);
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

const RecommenderConfig tied = {.embedding_size = 4, .hidden_size = 4, .layers = 3, .feed_forward_factor = 2};
const RecommenderConfig plain = {.embedding_size = 4, .hidden_size = 4, .layers = 3, .feed_forward_factor = 0};
const RecommenderConfig own = {
    .embedding_size = 3, .hidden_size = 5, .layers = 3, .feed_forward_factor = 2, .tied_vectors = false};

}  // namespace

TEST_CASE("NextItemNetwork: gradients with dropout, three blocks, ragged sequences, excluded items") {
  for (const auto& config : {tied, own, plain}) {
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
  for (const auto& config : {tied, own, plain}) {
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
  const WindowBatch batch = some_batch(true);
  const Matrix<double> together = logits_of(network, batch);
  for (Index sequence = 0; sequence < batch.steps.sequences(); ++sequence) {
    const Matrix<double> single = logits_of(network, alone(batch, sequence));
    for (Index step = 0; step < single.cols(); ++step)
      CHECK(distance(single.col(step), together.col(batch.steps.begin(step) + sequence)) < 1e-12);
  }
  WindowBatch other_masks = batch;
  other_masks.keys = some_keys(batch.steps.columns(), 8);
  CHECK(distance(logits_of(network, other_masks), together) > 0.1);
}

TEST_CASE("NextItemNetwork: float agrees with double") {
  NextItemNetwork<float> single(items, tied);
  Random random(1);
  single.initialise(random);
  Network twofold(items, tied);
  copy_parameters(twofold, single);
  const WindowBatch batch = some_batch(true);
  NextItemNetwork<float>::Cache single_cache;
  Network::Cache cache;
  auto single_gradients = zeros_like(single);
  auto gradients = zeros_like(twofold);
  const double single_loss = single.forward_backward(batch, 2, SoftmaxCrossEntropy{}, single_cache, single_gradients);
  const double loss = twofold.forward_backward(batch, 2, SoftmaxCrossEntropy{}, cache, gradients);
  CHECK(single_loss == Approx(loss).epsilon(1e-6));
  CHECK(parameter_distance(single_gradients, gradients) < 1e-4 * parameter_norm(gradients));
}

TEST_CASE("NextItemNetwork: a batch of one column, and a cache that was larger before") {
  Network network(items, own);
  randomise(network, 1);
  const WindowBatch batch = some_batch(true), last = alone(batch, 4);
  REQUIRE(last.inputs.size() == 1);
  Network::Cache used, fresh;
  auto unused = zeros_like(network), first = zeros_like(network), second = zeros_like(network);
  network.forward_backward(batch, 2, SoftmaxCrossEntropy{}, used, unused);
  const double a = network.forward_backward(last, 2, SoftmaxCrossEntropy{}, used, first);
  const double b = network.forward_backward(last, 2, SoftmaxCrossEntropy{}, fresh, second);
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
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "nothing thrown";
  };
  const auto nan = std::nan("");
  CHECK(message_of([](auto& c) { c.embedding_size = -1; }) == "embedding_size must be in [1, 65536], got -1");
  CHECK(message_of([](auto& c) { c.hidden_size = 0; }) == "hidden_size must be in [1, 65536], got 0");
  CHECK(message_of([](auto& c) { c.layers = 0; }) == "layers must be in [1, 1024], got 0");
  CHECK(message_of([](auto& c) { c.layers = 1000000000000; }) == "layers must be in [1, 1024], got 1000000000000");
  CHECK(message_of([](auto& c) { c.feed_forward_factor = -1; }) == "feed_forward_factor must be in [0, 1024], got -1");
  CHECK(message_of([](auto& c) { c.negatives = -2; }) == "negatives must be in [-1, 2^31), got -2");
  CHECK(message_of([](auto& c) { c.dropout = 1; }) == "dropout must be in [0, 1), got 1");
  CHECK(message_of([&](auto& c) { c.dropout = nan; }) == "dropout must be in [0, 1), got nan");
  CHECK(message_of([](auto& c) { c.target_count = 0; }) == "target_count must be in [1, 1000], got 0");
  CHECK(message_of([](auto& c) { c.target_decay = 0; }) == "target_decay must be in (0, 1], got 0");
  CHECK(message_of([](auto& c) { c.window = 0; }) == "window must be in [1, 2^31), got 0");
  CHECK(message_of([](auto& c) { c.epochs = -1; }) == "epochs must not be negative, got -1");
  CHECK(message_of([](auto& c) { c.batch_size = -1; }) == "batch_size must not be negative, got -1");
  CHECK(message_of([](auto& c) { c.learning_rate = 0; }) == "learning_rate must be in (0, 1e6), got 0");
  CHECK(message_of([](auto& c) { c.learning_rate = 1e7; }) == "learning_rate must be in (0, 1e6), got 1e+07");
  CHECK(message_of([](auto& c) { c.warmup = 1.5; }) == "warmup must be in [0, 1], got 1.5");
  CHECK(message_of([](auto& c) { c.weight_decay = -0.1; }) == "weight_decay must be in [0, 1e6), got -0.1");
  CHECK(message_of([](auto& c) { c.clip_norm = 0; }) == "clip_norm must be positive, got 0");
  CHECK(message_of([](auto& c) { c.average_decay = 1; }) == "average_decay must be in [0, 1), got 1");
  CHECK(message_of([](auto& c) { c.patience = -1; }) == "patience must not be negative, got -1");
  CHECK(message_of([](auto& c) { c.validation_users = -1; }) == "validation_users must not be negative, got -1");
  CHECK(message_of([](auto& c) { c.shards = 0; }) == "shards must be in [1, 1024], got 0");
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

#pragma once

#include <cassert>
#include <cstdint>
#include <lstmrec/core/buffer.hpp>
#include <lstmrec/data/training_windows.hpp>
#include <lstmrec/model/recommender_config.hpp>
#include <lstmrec/nn/dense.hpp>
#include <lstmrec/nn/dropout.hpp>
#include <lstmrec/nn/embedding.hpp>
#include <lstmrec/nn/item_head.hpp>
#include <lstmrec/nn/layer_norm.hpp>
#include <lstmrec/nn/residual_recurrent_block.hpp>
#include <span>
#include <vector>

namespace lstmrec {

/// Predicts the next item from the items so far; speaks dense indices and knows no vocabulary.
///
///     x = dropout(norm(E eᵢ))                     item vector, embedding size
///     x = W x + b                                 only where embedding and hidden size differ
///     x = blockₖ(x)                               recurrent, hidden size
///     h = W' x + b'                               only where the sizes differ
///     scores = Vᵀ h + b                           V = E where vectors are tied
///
/// `Block` is ResidualRecurrentBlock or a class of the user's with the same members; so is `Head`.
template <class Scalar_ = float, class Block = ResidualRecurrentBlock<LstmCell<Scalar_>>,
          class Head = ItemHead<Scalar_>>
struct NextItemNetwork {
  using Scalar = Scalar_;

  /// What a training pass needs beside the parameters; one a shard.
  struct Cache {
    Buffer<Scalar> embedded;  ///< Item vectors after norm and dropout.
    typename LayerNorm<Scalar>::Cache input_norm;
    std::vector<Buffer<Scalar>> hidden;  ///< Input of every block, and the output of the last.
    std::vector<typename Block::Cache> blocks;
    Buffer<Scalar> projected, d_projected, d_hidden, d_input;
    typename Head::Cache head;
  };

  /// The state of one sequence (Columns = 1) or of many, with scratch.
  template <int Columns = 1>
  struct State {
    std::vector<typename Block::template State<Columns>> blocks;
    Eigen::Matrix<Scalar, Eigen::Dynamic, Columns> embedded;  ///< Embedding size × columns.
    Eigen::Matrix<Scalar, Eigen::Dynamic, Columns> hidden;    ///< Input of the last block, hidden size × columns.
    Eigen::Matrix<Scalar, Eigen::Dynamic, Columns> finished;  ///< Its output, likewise: scratch of `read_out`.
    Eigen::Matrix<Scalar, Eigen::Dynamic, Columns> output;    ///< h, embedding size × columns: set by `read_out`.
  };

  Embedding<Scalar> item_vectors;  ///< E.
  LayerNorm<Scalar> input_norm;
  Dropout input_dropout;
  Dense<Scalar> input_projection;  ///< Empty where the sizes agree.
  std::vector<Block> blocks;
  Dense<Scalar> output_projection;       ///< Empty where the sizes agree.
  Embedding<Scalar> own_output_vectors;  ///< Empty where vectors are tied.
  Head head;

  NextItemNetwork() = default;
  NextItemNetwork(Index items, const RecommenderConfig& config)
      : item_vectors(items, (config.check(), config.embedding_size)),  // before any size is used
        input_norm(config.embedding_size),
        input_dropout{config.dropout, ~std::uint64_t{0}},
        own_output_vectors(config.tied_vectors ? 0 : items, config.embedding_size),
        head(items) {
    if (config.embedding_size != config.hidden_size) {
      input_projection = Dense<Scalar>(config.embedding_size, config.hidden_size);
      output_projection = Dense<Scalar>(config.hidden_size, config.embedding_size);
    }
    for (std::int64_t place = 0; place < config.layers; ++place)
      blocks.emplace_back(config.hidden_size, config.feed_forward_factor * config.hidden_size, config.dropout,
                          static_cast<std::uint64_t>(place));
  }

  Index items() const { return item_vectors.count(); }
  Index embedding_size() const { return item_vectors.size(); }
  Index hidden_size() const { return projects() ? input_projection.output_size() : embedding_size(); }
  const Matrix<Scalar>& output_vectors() const {
    return own_output_vectors.count() == 0 ? item_vectors.table : own_output_vectors.table;
  }

  void initialise(Random& random) {
    item_vectors.initialise(random, vector_deviation);
    own_output_vectors.initialise(random, vector_deviation);
    if (projects()) input_projection.initialise(random);
    for (auto& block : blocks) block.initialise(random);
    if (projects()) output_projection.initialise(random);
  }

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... networks) {
    visit_member(visitor, "item_vectors", networks.item_vectors...);
    visit_member(visitor, "input_norm", networks.input_norm...);
    visit_member(visitor, "input_projection", networks.input_projection...);
    visit_members(visitor, "blocks", networks.blocks...);
    visit_member(visitor, "output_projection", networks.output_projection...);
    visit_member(visitor, "output_vectors", networks.own_output_vectors...);
    visit_member(visitor, "head", networks.head...);
  }

  /// One training pass over a batch: returns the loss and adds its gradients. With `sampled`, the loss is over some of
  /// the items only, and the batch's inputs and targets are columns of this network's tables.
  template <ItemLoss<Scalar> Loss>
  double forward_backward(const WindowBatch& batch, std::uint32_t targets_per_column, const Loss& loss, Cache& cache,
                          NextItemNetwork& gradients, const SampledItems* sampled = nullptr) const {
    const Index columns = batch.steps.columns(), hidden = hidden_size();
    cache.hidden.resize(blocks.size() + 1);
    cache.blocks.resize(blocks.size());

    auto embedded = cache.embedded.resize(embedding_size(), columns);
    item_vectors.forward(batch.inputs, embedded);
    input_norm.forward(embedded, cache.input_norm);
    input_dropout.apply(batch.keys, embedded);
    auto first = projects() ? cache.hidden[0].resize(hidden, columns) : embedded;
    if (projects()) input_projection.forward(embedded, first);
    for (std::size_t k = 0; k < blocks.size(); ++k)
      blocks[k].forward(k == 0 ? first : cache.hidden[k].view(), batch.steps, batch.keys, cache.blocks[k],
                        cache.hidden[k + 1].resize(hidden, columns));
    auto last = cache.hidden[blocks.size()].view();
    auto projected = projects() ? cache.projected.resize(embedding_size(), columns) : last;
    if (projects()) output_projection.forward(last, projected);

    const ItemTargets targets{targets_per_column, batch.targets, batch.weights, batch.excluded, sampled};
    auto& vector_gradients =
        own_output_vectors.count() == 0 ? gradients.item_vectors.table : gradients.own_output_vectors.table;
    auto d_projected = cache.d_projected.resize(embedding_size(), columns);
    const double value = head.loss(loss, output_vectors(), projected, targets, cache.head, vector_gradients,
                                   gradients.head, d_projected);

    auto d_output = projects() ? cache.d_hidden.resize(hidden, columns) : d_projected;
    if (projects()) output_projection.backward(last, d_projected, gradients.output_projection, d_output);
    for (std::size_t k = blocks.size(); k-- > 0;) {
      // The block's own output has been read for the last time: its place takes the gradient of its input.
      auto d_input = cache.hidden[k + 1].view();
      blocks[k].backward(k == 0 ? first : cache.hidden[k].view(), batch.steps, batch.keys, cache.blocks[k], d_output,
                         gradients.blocks[k], d_input);
      new (&d_output) typename Buffer<Scalar>::View(d_input);
    }
    auto d_embedded = projects() ? cache.d_input.resize(embedding_size(), columns) : d_output;
    if (projects()) input_projection.backward(embedded, d_output, gradients.input_projection, d_embedded);
    input_dropout.apply(batch.keys, d_embedded);
    input_norm.backward(cache.input_norm, gradients.input_norm, d_embedded);
    item_vectors.backward(batch.inputs, d_embedded, gradients.item_vectors);
    return value;
  }

  /// The state before the first event. One column at compile time needs columns = 1.
  template <int Columns = 1>
  State<Columns> initial_state(Index columns = 1) const {
    State<Columns> state;
    for (const auto& block : blocks) state.blocks.push_back(block.template initial_state<Columns>(columns));
    state.embedded.setZero(embedding_size(), columns);
    state.hidden.setZero(hidden_size(), columns);
    state.finished.setZero(hidden_size(), columns);
    state.output.setZero(embedding_size(), columns);
    return state;
  }

  /// Feeds one item to each of the first items.size() sequences of a state. Allocates nothing for one column. What no
  /// later step needs is left to `read_out`.
  template <int Columns>
  void step(std::span<const std::uint32_t> items, State<Columns>& state) const {
    const auto n = static_cast<Index>(items.size());
    if constexpr (Columns == 1) {
      embed(items, state.embedded, state.hidden);
      blocks.front().recur(state.hidden, state.blocks.front());
      step_further(state.hidden, state);
    } else {
      auto hidden = state.hidden.leftCols(n);
      embed(items, state.embedded.leftCols(n), hidden);
      blocks.front().recur(hidden, state.blocks.front());
      step_further(hidden, state);
    }
  }

  /// Computes state.output, what `score` takes, of all columns after their last steps. As often as wanted.
  template <int Columns>
  void read_out(State<Columns>& state) const {
    state.finished = state.hidden;
    blocks.back().finish(state.finished, state.blocks.back());
    if (projects())
      output_projection.forward(state.finished, state.output);
    else
      state.output = state.finished;
  }

  /// What the first recurrent layer takes from every item, W x + b (4 hidden × items): for a step that reads one column
  /// of it instead of all of W.
  Matrix<Scalar> item_products() const {
    Matrix<Scalar> x = item_vectors.table;
    input_norm.apply(x);
    if (projects()) {
      Matrix<Scalar> projected(hidden_size(), items());
      input_projection.forward(x, projected);
      x.swap(projected);
    }
    const auto& cell = blocks.front().recurrent.cell;
    Matrix<Scalar> products(cell.input_weight.rows(), items());
    product(cell.input_weight, x, products);
    add_to_columns(cell.bias, products);
    return products;
  }

  /// The step of one sequence with these products.
  void step(std::span<const std::uint32_t> items, const Matrix<Scalar>& products, State<1>& state) const {
    blocks.front().recur_from_inputs(products, items, state.blocks.front());
    embed(items, state.embedded, state.hidden);
    step_further(state.hidden, state);
  }

  /// The step of many sequences with these products, to be followed by `read_out(last, …)`: where no second block reads
  /// them, the items' vectors are not even looked at.
  void step(std::span<const std::uint32_t> items, const Matrix<Scalar>& products, State<Eigen::Dynamic>& state) const {
    blocks.front().recur_from_inputs(products, items, state.blocks.front());
    if (blocks.size() == 1) return;
    const auto n = static_cast<Index>(items.size());
    auto hidden = state.hidden.leftCols(n);
    embed(items, state.embedded.leftCols(n), hidden);
    step_further(hidden, state);
  }

  /// `read_out` after the steps with products. last: the last items of the first last.size() sequences, those that have
  /// any.
  void read_out(std::span<const std::uint32_t> last, State<Eigen::Dynamic>& state) const {
    const auto n = static_cast<Index>(last.size());
    if (blocks.size() == 1) embed(last, state.embedded.leftCols(n), state.hidden.leftCols(n));
    read_out(state);
  }

  /// The steps of one sequence's events, in order, with their input products taken as one. To rounding what single
  /// steps give.
  void step_along(std::span<const std::uint32_t> items, State<1>& state) const {
    const auto n = static_cast<Index>(items.size());
    const auto& cell = blocks.front().recurrent.cell;
    Matrix<Scalar> embedded(embedding_size(), n), inputs(hidden_size(), n), products(cell.input_weight.rows(), n);
    embed(items, embedded, inputs);
    product(cell.input_weight, inputs, products);
    add_to_columns(cell.bias, products);
    for (std::uint32_t event = 0; event < items.size(); ++event) {
      state.hidden = inputs.col(event);
      blocks.front().recur_from_inputs(products, {&event, 1}, state.blocks.front());
      step_further(state.hidden, state);
    }
  }

  /// scores (items × columns) := the score of every item from the output of a state. For one column, known at compile
  /// time, allocates nothing.
  template <class Output, class Scores>
  void score(const Output& output, Scores&& scores) const {
    head.score(output_vectors(), output, scores);
  }

 private:
  static constexpr double vector_deviation = 0.02;

  bool projects() const { return input_projection.weight.size() > 0; }

  /// The step behind the first block's recurrence, up to the last one's.
  template <class H, int Columns>
  void step_further(H&& hidden, State<Columns>& state) const {
    for (std::size_t k = 1; k < blocks.size(); ++k) {
      blocks[k - 1].finish(hidden, state.blocks[k - 1]);
      blocks[k].recur(hidden, state.blocks[k]);
    }
  }

  /// The input of the first block.
  template <class E, class H>
  void embed(std::span<const std::uint32_t> items, E&& embedded, H&& hidden) const {
    item_vectors.forward(items, embedded);
    input_norm.apply(embedded);
    if (projects())
      input_projection.forward(embedded, hidden);
    else
      hidden = embedded;
  }
};

}  // namespace lstmrec

#pragma once

#include <cassert>
#include <cstdint>
#include <lstmrec/core/buffer.hpp>
#include <lstmrec/core/feature_rows.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/event_context.hpp>
#include <lstmrec/next_item/batch.hpp>
#include <lstmrec/next_item/config.hpp>
#include <lstmrec/next_item/item_input.hpp>
#include <lstmrec/next_item/question_time.hpp>
#include <lstmrec/nn/any_cell.hpp>
#include <lstmrec/nn/attentive.hpp>
#include <lstmrec/nn/dense.hpp>
#include <lstmrec/nn/item_head.hpp>
#include <lstmrec/nn/item_vectors.hpp>
#include <lstmrec/nn/recurrent_block.hpp>
#include <new>
#include <span>
#include <vector>

namespace lstmrec {

/// The block of a next-item network that its configuration chooses: a cell of any kind, with attention or without,
/// residual or plain.
template <class Scalar>
struct ConfiguredBlock : RecurrentBlock<Attentive<Recurrent<AnyCell<Scalar>>>> {
  using Base = RecurrentBlock<Attentive<Recurrent<AnyCell<Scalar>>>>;
  ConfiguredBlock() = default;
  /// `number`: of this block in its network.
  ConfiguredBlock(Index size, const RecommenderConfig& config, std::uint64_t number)
      : Base({{size, size, AnyCellEquations{config.cell}}, config.attention_window}, config.feed_forward_factor * size,
             config.dropout, number, config.block) {}
};

/// Predicts the next item from the events so far; speaks dense indices and knows no vocabulary.
///
///     x = input(event)                            item vector, embedding size: see ItemInput
///     x = W x + b                                 only where embedding and hidden size differ
///     x = blockₖ(x)                               recurrent, hidden size
///     h = W' x + b'                               only where the sizes differ
///     h = h ⊙ (1 + gates) + shifts                of the time that is asked about, only where it is read: QuestionTime
///     scores = Vᵀ h + b                           V = E where vectors are tied
///
/// Each part can be replaced. `Block` is a NetworkBlock, made by Block(size, config, number). `Input` embeds whole
/// events, made by Input(items, config): it has the members of ItemInput. `Head` scores: it has those of ItemHead; its
/// loss may take the packed steps before the labels.
template <class Scalar_ = float, NetworkBlock Block = ConfiguredBlock<Scalar_>, class Head = ItemHead<Scalar_>,
          class Input = ItemInput<Scalar_>>
struct NextItemNetwork {
  using Scalar = Scalar_;

  /// The memory of a training pass.
  struct Cache {
    /// That of one part of a batch.
    struct Part {
      Buffer<Scalar> embedded;  ///< Embedded events.
      typename Input::Cache input;
      std::vector<Buffer<Scalar>> hidden;  ///< Input of every block, and the output of the last.
      std::vector<typename Block::Cache> blocks;
      Buffer<Scalar> projected, d_projected, d_hidden, d_input;
      Buffer<Scalar> timeless;  ///< The output before the time of the question, where that is read.
    };
    std::vector<Part> parts;
    typename Head::Cache head;
  };

  /// The state of any number of sequences, with scratch.
  struct State {
    std::vector<typename Block::State> blocks;
    Matrix<Scalar> hidden;    ///< Input of the last block, hidden size × columns.
    Matrix<Scalar> embedded;  ///< Scratch, embedding size × columns.
    Matrix<Scalar> finished;  ///< Scratch, hidden size × columns.
    Matrix<Scalar> output;    ///< h, embedding size × columns: see compute_output.
    /// Codes of the time that each column's list is asked for (EventContext::write_question), to be set before
    /// compute_output; empty in networks that don't read it.
    std::vector<std::uint32_t> questions;
  };

  Input input;
  Dense<Scalar> input_projection;  ///< Empty where the sizes agree.
  std::vector<Block> blocks;
  Dense<Scalar> output_projection;         ///< Empty where the sizes agree.
  QuestionTime<Scalar> question_time;      ///< Empty where it is not read.
  ItemVectors<Scalar> own_output_vectors;  ///< Empty where vectors are tied.
  Head head;

  NextItemNetwork() = default;
  NextItemNetwork(Index items, const RecommenderConfig& config)
      : input(items, (config.check(), config)),  // before any size is used
        own_output_vectors(config.tied_vectors ? 0 : items, config.embedding_size,
                           config.tied_vectors ? 0 : config.item_features),
        head(make_head(items, config)) {
    if (config.embedding_size != config.hidden_size) {
      input_projection = Dense<Scalar>(config.embedding_size, config.hidden_size);
      output_projection = Dense<Scalar>(config.hidden_size, config.embedding_size);
    }
    if (config.question_time) question_time = QuestionTime<Scalar>(config.embedding_size);
    for (std::int64_t number = 0; number < config.blocks; ++number)
      blocks.emplace_back(config.hidden_size, config, static_cast<std::uint64_t>(number));
  }

  Index items() const { return head.items(); }
  Index embedding_size() const { return input.size(); }
  Index hidden_size() const { return projects() ? input_projection.output_size() : embedding_size(); }
  const Matrix<Scalar>& output_vectors() const& {
    return own_output_vectors.count() == 0 ? input.item_vectors.table : own_output_vectors.table;
  }
  const Matrix<Scalar>& output_vectors() const&& = delete;

  void initialise(Random& random) {
    input.initialise(random);
    own_output_vectors.initialise(random, Input::vector_deviation);
    if (projects()) input_projection.initialise(random);
    for (auto& block : blocks) block.initialise(random);
    if (projects()) output_projection.initialise(random);
  }

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... networks) {
    Input::visit(visitor, networks.input...);
    visit_member(visitor, "input_projection", networks.input_projection...);
    visit_members(visitor, "blocks", networks.blocks...);
    visit_member(visitor, "output_projection", networks.output_projection...);
    visit_member(visitor, "question_time", networks.question_time...);
    visit_member(visitor, "output_vectors", networks.own_output_vectors...);
    visit_member(visitor, "head", networks.head...);
  }

  /// e := δ + W c in all item tables, or with `sign` −1 back to δ: see ItemVectors. `items`: those of the tables'
  /// columns; empty: all, in order.
  void add_content(const FeatureRows& rows, std::span<const std::uint32_t> items, ThreadPool& pool, Scalar sign = 1) {
    for_each_content([&](auto& vectors) { vectors.add_content(rows, items, pool, sign); });
  }
  /// To be called of gradients, after a pass of a network with content.
  void add_content_gradient(const FeatureRows& rows, std::span<const std::uint32_t> items, ThreadPool& pool) {
    for_each_content([&](auto& vectors) { vectors.add_content_gradient(rows, items, pool); });
  }

  /// One training pass over the parts of a batch: returns the loss and adds its gradients. With `sampled`, the loss is
  /// over some of the items only, and the batch's inputs and labels are columns of this network's tables.
  ///
  /// `gradients`: one for each part. Those of the item tables go to the first alone, and the others need none (see
  /// without_item_tables). The threads of the pool share parts, columns and items; their number changes no bit. A head
  /// or an input of one's own works on one part after the other, on the calling thread.
  double forward_backward(std::span<const SequenceBatch> batch, const ItemLossRef<Scalar>& loss, Cache& cache,
                          std::span<NextItemNetwork> gradients, ThreadPool& pool,
                          const SampledItems* sampled = nullptr) const {
    assert(batch.size() == gradients.size());
    cache.parts.resize(batch.size());
    pool.run(batch.size(), [&](std::size_t k) { forward(batch[k], cache.parts[k]); });
    const double value = head_loss(batch, loss, cache, gradients.front(), pool, sampled);
    pool.run(batch.size(), [&](std::size_t k) { backward(batch[k], cache.parts[k], gradients[k]); });
    add_input_gradients(batch, cache, gradients.front(), pool);
    return value;
  }

  /// That of a batch in one part, on the calling thread.
  double forward_backward(const SequenceBatch& batch, const ItemLossRef<Scalar>& loss, Cache& cache,
                          NextItemNetwork& gradients, const SampledItems* sampled = nullptr) const {
    ThreadPool one(1);
    return forward_backward({&batch, 1}, loss, cache, {&gradients, 1}, one, sampled);
  }

  /// The state of so many sequences before their first events.
  State initial_state(Index columns = 1) const {
    using linalg::filled;
    State state{.blocks = {},
                .hidden = filled<Matrix<Scalar>>(hidden_size(), columns),
                .embedded = filled<Matrix<Scalar>>(embedding_size(), columns),
                .finished = filled<Matrix<Scalar>>(hidden_size(), columns),
                .output = filled<Matrix<Scalar>>(embedding_size(), columns),
                .questions = {}};
    if (question_time.is_used()) {
      state.questions.resize(EventContext::codes_of_question * static_cast<std::size_t>(columns));
      for (std::size_t k = 0; k < state.questions.size(); k += EventContext::codes_of_question)
        EventContext().write_question({}, {}, &state.questions[k]);
    }
    for (const auto& block : blocks) state.blocks.push_back(block.initial_state(columns));
    return state;
  }

  /// Calls visitor(matrix) for what a state carries from event to event: all that has to be kept of a user.
  template <class SomeState, class Visitor>
  static void visit_state(SomeState& state, Visitor&& visitor) {
    for (auto& block : state.blocks) Block::visit_state(block, visitor);
    visitor(state.hidden);
  }

  /// Feeds one event to each of the first events.size() sequences of a state. Allocates nothing for a state of one
  /// sequence. What no later step needs is left to `compute_output`.
  void step(const History& events, State& state) const {
    const MatrixRef<Scalar> hidden = embed(events, state);
    blocks.front().step_recurrent(hidden, state.blocks.front());
    step_further(hidden, state);
  }

  /// Computes state.output, which `score` takes, of all columns after their last steps. As often as wanted.
  void compute_output(State& state) const {
    linalg::copy(state.hidden, state.finished);
    blocks.back().compute_output(state.finished, state.blocks.back());
    if (projects())
      output_projection.forward(state.finished, state.output);
    else
      linalg::copy(state.finished, state.output);
    if (question_time.is_used()) question_time.apply(state.questions, state.output);
  }

  static constexpr bool sees_items_only = Input::sees_items_only;

  /// Whether what the first block computes of an item alone can be kept: neither input nor block may look at more.
  static constexpr bool has_input_projections = Input::sees_items_only && ProjectsInputs<Block>;

  /// Whether the network reads of its events what is not the item, so that nothing of an item alone can be kept.
  bool reads_context() const {
    if constexpr (requires { input.context.count(); }) return input.context.count() > 0;
    return false;
  }

  /// The part of the first block that depends on the item alone, such as W x + b of its gates (projection size ×
  /// items): a step then reads one column of it instead of all of W. Not for a network that reads context (an assert).
  Matrix<Scalar> input_projections() const requires has_input_projections {
    assert(!reads_context());
    Matrix<Scalar> x = input.item_vectors.table;
    input.normalise(x);
    if (projects()) {
      Matrix<Scalar> projected(hidden_size(), items());
      input_projection.forward(x, projected);
      x.swap(projected);
    }
    Matrix<Scalar> projections(blocks.front().projection_size(), items());
    blocks.front().project_inputs(x, projections);
    return projections;
  }

  /// `step` with the input projections of all items at hand, to be followed by `embed_last` before `compute_output`:
  /// where no second block reads them, the items' vectors are not even looked at.
  void step(const History& events, const Matrix<Scalar>& projections, State& state) const {
    blocks.front().step_projected(projections, events.items, state.blocks.front());
    if (blocks.size() > 1) step_further(embed(events, state), state);
  }

  /// After steps with input projections. last: the last events of the first last.size() sequences.
  void embed_last(const History& last, State& state) const {
    if (blocks.size() == 1) embed(last, state);
  }

  /// The steps of one sequence's events, in order, with their input projections taken as one product. The result has
  /// the bits of single steps.
  void step_sequence(const History& events, State& state) const {
    if constexpr (ProjectsInputs<Block>) {
      const auto n = static_cast<Index>(events.size());
      Matrix<Scalar> embedded(embedding_size(), n), inputs(hidden_size(), n);
      Matrix<Scalar> projections(blocks.front().projection_size(), n);
      embed(events, embedded, inputs);
      blocks.front().project_inputs(inputs, projections);
      for (std::uint32_t event = 0; event < events.size(); ++event) {
        linalg::copy(ConstMatrixRef<Scalar>(inputs).col(event), state.hidden);
        blocks.front().step_projected(projections, {&event, 1}, state.blocks.front());
        step_further(state.hidden, state);
      }
    } else {
      for (std::size_t event = 0; event < events.size(); ++event) step(events.subspan(event, 1), state);
    }
  }

  /// scores (items × columns) := the score of every item from the output of a state. Allocates nothing for one column.
  void score(ConstMatrixRef<Scalar> output, MatrixRef<Scalar> scores) const {
    head.score(output_vectors(), output, scores);
  }

 private:
  using Part = typename Cache::Part;

  /// Calls function(vectors) for the item tables that are made of features too.
  template <class Function>
  void for_each_content(Function&& function) {
    if constexpr (requires { input.item_vectors.features(); })
      if (input.item_vectors.features() > 0) function(input.item_vectors);
    if (own_output_vectors.features() > 0) function(own_output_vectors);
    if constexpr (requires { head.features(); })
      if (head.features() > 0) function(head);
  }

  static Head make_head(Index items, const RecommenderConfig& config) {
    if constexpr (requires(Head & own) { own.features(); })
      return Head(items, config.item_features);
    else
      return Head(items);
  }

  /// From the events of a part to what the head reads.
  void forward(const SequenceBatch& batch, Part& part) const {
    const Index columns = batch.steps.columns();
    part.hidden.resize(blocks.size() + 1);
    part.blocks.resize(blocks.size());
    auto embedded = part.embedded.resize(embedding_size(), columns);
    input.forward(batch.events(), batch.dropout_seeds, part.input, embedded);
    if (projects()) input_projection.forward(embedded, part.hidden[0].resize(hidden_size(), columns));
    for (std::size_t k = 0; k < blocks.size(); ++k)
      blocks[k].forward(input_of_block(k, part), batch.steps, batch.dropout_seeds, part.blocks[k],
                        part.hidden[k + 1].resize(hidden_size(), columns));
    if (projects())
      output_projection.forward(part.hidden.back().view(), part.projected.resize(embedding_size(), columns));
    part.d_projected.resize(embedding_size(), columns);
    if (!question_time.is_used()) return;
    linalg::copy(output_of(part), part.timeless.resize(embedding_size(), columns));
    question_time.apply(batch.questions, output_of(part));
  }

  typename Buffer<Scalar>::View input_of_block(std::size_t k, Part& part) const {
    return k == 0 && !projects() ? part.embedded.view() : part.hidden[k].view();
  }
  typename Buffer<Scalar>::View output_of(Part& part) const {
    return projects() ? part.projected.view() : part.hidden.back().view();
  }
  /// After `backward`: the gradient of the embedded events.
  typename Buffer<Scalar>::View d_embedded_of(Part& part) const {
    return projects() ? part.d_input.view() : part.hidden[1].view();
  }

  /// The loss of all parts, whose gradient it leaves in their d_projected.
  double head_loss(std::span<const SequenceBatch> batch, const ItemLossRef<Scalar>& loss, Cache& cache,
                   NextItemNetwork& gradients, ThreadPool& pool, const SampledItems* sampled) const {
    auto& d_vectors =
        own_output_vectors.count() == 0 ? gradients.input.item_vectors.table : gradients.own_output_vectors.table;
    const auto labels_of = [&](const SequenceBatch& part) {
      return ItemLabels{part.labels_per_column, part.labels, part.weights, part.excluded, sampled};
    };
    if constexpr (requires { typename Head::Part; }) {
      std::vector<typename Head::Part> parts;
      for (std::size_t k = 0; k < batch.size(); ++k)
        if (batch[k].steps.columns() > 0)
          parts.push_back({output_of(cache.parts[k]), labels_of(batch[k]), cache.parts[k].d_projected.view()});
      return head.loss_and_gradient(loss, output_vectors(), parts, cache.head, d_vectors, gradients.head, pool);
    } else {
      double sum = 0;
      for (std::size_t k = 0; k < batch.size(); ++k) {
        if (batch[k].steps.columns() == 0) continue;
        const auto h = output_of(cache.parts[k]);
        const ItemLabels labels = labels_of(batch[k]);
        auto d_h = cache.parts[k].d_projected.view();
        if constexpr (requires {
                        head.loss_and_gradient(loss, output_vectors(), h, batch[k].steps, labels, cache.head, d_vectors,
                                               gradients.head, d_h);
                      })
          sum += head.loss_and_gradient(loss, output_vectors(), h, batch[k].steps, labels, cache.head, d_vectors,
                                        gradients.head, d_h);
        else
          sum += head.loss_and_gradient(loss, output_vectors(), h, labels, cache.head, d_vectors, gradients.head, d_h);
      }
      return sum;
    }
  }

  /// From the gradient of what the head reads to that of the embedded events; adds to all gradients but the input's.
  void backward(const SequenceBatch& batch, Part& part, NextItemNetwork& gradients) const {
    const Index columns = batch.steps.columns();
    if (columns == 0) return;
    if (question_time.is_used())
      question_time.backward(batch.questions, part.timeless.view(), gradients.question_time, part.d_projected.view());
    auto d_output = projects() ? part.d_hidden.resize(hidden_size(), columns) : part.d_projected.view();
    if (projects())
      output_projection.backward(part.hidden.back().view(), part.d_projected.view(), gradients.output_projection,
                                 d_output);
    for (std::size_t k = blocks.size(); k-- > 0;) {
      // The block's own output has been read for the last time: its place takes the gradient of its input.
      auto d_input = part.hidden[k + 1].view();
      blocks[k].backward(input_of_block(k, part), batch.steps, batch.dropout_seeds, part.blocks[k], d_output,
                         gradients.blocks[k], d_input);
      new (&d_output) typename Buffer<Scalar>::View(d_input);
    }
    if (projects())
      input_projection.backward(part.embedded.view(), d_output, gradients.input_projection,
                                part.d_input.resize(embedding_size(), columns));
    if constexpr (has_shared_input)
      input.backward_to_vectors(batch.events(), batch.dropout_seeds, part.input, d_embedded_of(part), gradients.input);
  }

  /// Whether the events' gradients can be taken to the item vectors apart from all else: see ItemInput.
  static constexpr bool has_shared_input =
      requires(const Input& i, const History& events, std::span<const std::uint64_t> seeds,
               const typename Input::Cache& c, MatrixRef<Scalar> d, Input& g) {
    i.backward_to_vectors(events, seeds, c, d, g);
  };

  void add_input_gradients(std::span<const SequenceBatch> batch, Cache& cache, NextItemNetwork& gradients,
                           ThreadPool& pool) const {
    if constexpr (has_shared_input) {
      const std::size_t ranges = pool.threads() == 1 ? 1 : 4 * pool.threads();
      pool.run(ranges, [&](std::size_t range) {
        const auto end_of = [&](std::size_t r) {
          return static_cast<std::uint32_t>(static_cast<std::size_t>(input.item_vectors.count()) * r / ranges);
        };
        for (std::size_t k = 0; k < batch.size(); ++k)
          if (batch[k].steps.columns() > 0)
            input.item_vectors.backward(batch[k].inputs, d_embedded_of(cache.parts[k]), gradients.input.item_vectors,
                                        end_of(range), end_of(range + 1));
      });
    } else {
      for (std::size_t k = 0; k < batch.size(); ++k)
        if (batch[k].steps.columns() > 0)
          input.backward(batch[k].events(), batch[k].dropout_seeds, cache.parts[k].input, d_embedded_of(cache.parts[k]),
                         gradients.input);
    }
  }

  bool projects() const { return input_projection.weight.size() > 0; }

  /// The step behind the first block's recurrence, up to the last one's.
  void step_further(MatrixRef<Scalar> hidden, State& state) const {
    for (std::size_t k = 1; k < blocks.size(); ++k) {
      blocks[k - 1].compute_output(hidden, state.blocks[k - 1]);
      blocks[k].step_recurrent(hidden, state.blocks[k]);
    }
  }

  /// hidden (hidden size × events) := the input of the first block. `embedded`: scratch, embedding size × events.
  void embed(const History& events, MatrixRef<Scalar> embedded, MatrixRef<Scalar> hidden) const {
    input.embed(events, embedded);
    if (projects())
      input_projection.forward(embedded, hidden);
    else
      linalg::copy(embedded, hidden);
  }

  /// The columns of state.hidden that belong to the events, with the input of the first block.
  MatrixRef<Scalar> embed(const History& events, State& state) const {
    const auto n = static_cast<Index>(events.size());
    const MatrixRef<Scalar> hidden = MatrixRef<Scalar>(state.hidden).leftCols(n);
    embed(events, MatrixRef<Scalar>(state.embedded).leftCols(n), hidden);
    return hidden;
  }
};

}  // namespace lstmrec

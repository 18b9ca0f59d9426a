#pragma once

#include <cstddef>
#include <cstdint>
#include <lstmrec/core/buffer.hpp>
#include <lstmrec/core/packed_steps.hpp>
#include <lstmrec/core/products.hpp>
#include <lstmrec/nn/dropout.hpp>
#include <lstmrec/nn/embedding.hpp>
#include <lstmrec/nn/initialisers.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <lstmrec/nn/recurrent.hpp>
#include <lstmrec/ratings/batch.hpp>

namespace lstmrec {

/// Predicts how a user rates an item from the user's visible ratings, as a correction of their FoldInBias.
///
///     x = dropout(V eᵢ ∘ G eₗ)                   a rated event: item i, level l of the rating
///     h = dropout(lstm([x; L eₗ; gap; residual]))
///     y = [x ∘ (1 + ρ A h); ρ a·h]               what the event counts for, which its past decides; ρ = 0.1
///     [s; β] = c + Σ y / √n                      user state after n events: taste and generosity
///     r̂(u, i) = baseline + b_u + b_i + β + (s + p_u)ᵀ qᵢ
///
/// The sum over the rated items is that of Koren, "Factorization meets the neighborhood" (SVD++), 2008, eq. 15, whose
/// items count alike; here a recurrent layer says how much. A user without training ratings has b_u = 0 and p_u = 0 and
/// is known by the state alone; an item without any has b_i = 0 and zero vectors. b_u and b_i are corrections to the
/// baseline's, zero at the start and decaying to it. ρ slows the gates down: Adam moves every weight by about the same,
/// and gates that learn as fast as the vectors fit the few users of a small log by heart.
/// Shapes: V, G, L, P, Q have a column of `size` numbers an index; [A; a] is (size + 1) × hidden.
template <class Scalar_ = float>
struct HistoryRatingNetwork {
  using Scalar = Scalar_;
  static constexpr Scalar gate_speed = Scalar(0.1);  ///< ρ.

  struct Cache {
    Buffer<Scalar> input;        ///< [x; L eₗ; gap; residual].
    Buffer<Scalar> hidden;       ///< h.
    Buffer<Scalar> gates;        ///< 1 + ρ A h, and ρ a·h in the last row.
    Buffer<Scalar> sums;         ///< Σ y up to each column.
    Buffer<Scalar> tastes;       ///< [s + p; β] of every target.
    Buffer<Scalar> predictions;  ///< r̂ of every target, one row.
    Buffer<Scalar> d_tastes, d_sums, d_hidden, d_input;
    typename Lstm<Scalar>::Cache lstm;
  };

  Embedding<Scalar> event_vectors;  ///< V.
  Embedding<Scalar> level_gains;    ///< G.
  Embedding<Scalar> level_vectors;  ///< L.
  Lstm<Scalar> lstm;
  Matrix<Scalar> gate_weight;      ///< [A; a].
  Vector<Scalar> start;            ///< c, size + 1.
  Embedding<Scalar> item_vectors;  ///< Q.
  Embedding<Scalar> user_vectors;  ///< P.
  Vector<Scalar> item_bias;        ///< b_i.
  Vector<Scalar> user_bias;        ///< b_u.
  Dropout input_dropout, state_dropout;

  HistoryRatingNetwork() = default;
  HistoryRatingNetwork(Index users, Index items, Index levels, Index size, Index hidden, double dropout)
      : event_vectors(items, size),
        level_gains(levels, size),
        level_vectors(levels, size),
        lstm(2 * size + 2, hidden),
        gate_weight(Matrix<Scalar>::Zero(size + 1, hidden)),
        start(Vector<Scalar>::Zero(size + 1)),
        item_vectors(items, size),
        user_vectors(users, size),
        item_bias(Vector<Scalar>::Zero(items)),
        user_bias(Vector<Scalar>::Zero(users)),
        input_dropout{dropout, 0},
        state_dropout{dropout, 1} {}

  Index size() const { return item_vectors.size(); }
  Index hidden_size() const { return lstm.hidden_size(); }

  /// The gates are zero, so that the start is SVD++'s sum with small random vectors; of the level gains, those of low
  /// ratings are negative.
  void initialise(Random& random) {
    event_vectors.initialise(random, 0.1);
    level_gains.initialise(random, 0.2);
    level_vectors.initialise(random, 1);
    const auto levels = static_cast<Scalar>(level_gains.count());
    for (Index level = 0; level < level_gains.count(); ++level)  // from −2 to 2
      level_gains.table.col(level).array() +=
          levels < 2 ? Scalar(1) : Scalar(4) * static_cast<Scalar>(level) / (levels - 1) - Scalar(2);
    lstm.initialise(random);
    gate_weight.setZero();
    start.setZero();
    item_vectors.initialise(random, 0.1);
    user_vectors.initialise(random, 0.01);
    item_bias.setZero();
    user_bias.setZero();
  }

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... networks) {
    visit_member(visitor, "event_vectors", networks.event_vectors...);
    visit_member(visitor, "level_gains", networks.level_gains...);
    visit_member(visitor, "level_vectors", networks.level_vectors...);
    visit_member(visitor, "lstm", networks.lstm...);
    visitor("gate_weight", ParameterKind::weight, networks.gate_weight...);
    visitor("start", ParameterKind::bias, networks.start...);
    visit_member(visitor, "item_vectors", networks.item_vectors...);
    visit_member(visitor, "user_vectors", networks.user_vectors...);
    visitor("item_bias", ParameterKind::weight, networks.item_bias...);
    visitor("user_bias", ParameterKind::weight, networks.user_bias...);
  }

  /// cache.predictions (1 × targets) := r̂ of every target.
  void forward(const RatingBatch& batch, Cache& cache) const {
    const Index columns = batch.steps.columns(), F = size();
    auto x = cache.input.resize(lstm.input_size(), columns);
    for (Index j = 0; j < columns; ++j) {
      const auto k = static_cast<std::size_t>(j);
      Scalar* input = x.col(j).data();
      linalg::flat(input, F) =
          linalg::flat(event_vectors.table.col(batch.items[k])) * linalg::flat(level_gains.table.col(batch.levels[k]));
      linalg::flat(input + F, F) = linalg::flat(level_vectors.table.col(batch.levels[k]));
      input[2 * F] = static_cast<Scalar>(batch.gaps[k]);
      input[2 * F + 1] = static_cast<Scalar>(batch.residuals[k]);
    }
    input_dropout.apply(batch.keys, x.topRows(F));
    auto hidden = cache.hidden.resize(hidden_size(), columns);
    lstm.forward(x, batch.steps, cache.lstm, hidden);
    state_dropout.apply(batch.keys, hidden);

    auto gates = cache.gates.resize(F + 1, columns);
    linalg::product(gate_weight, hidden, gates);
    linalg::flat(gates) *= gate_speed;
    auto sums = cache.sums.resize(F + 1, columns);
    for (Index j = 0; j < columns; ++j) {
      linalg::flat(gates.col(j).data(), F) += Scalar(1);
      linalg::flat(sums.col(j)) = linalg::flat(gates.col(j));
      linalg::flat(sums.col(j).data(), F) *= linalg::flat(x.col(j).data(), F);
    }
    for (Index step = 1; step < batch.steps.steps(); ++step)
      linalg::flat(sums.middleCols(batch.steps.begin(step), batch.steps.alive(step))) +=
          linalg::flat(sums.middleCols(batch.steps.begin(step - 1), batch.steps.alive(step)));

    auto tastes = cache.tastes.resize(F + 1, batch.targets());
    auto predictions = cache.predictions.resize(1, batch.targets());
    for (Index j = 0; j < batch.targets(); ++j) {
      const auto k = static_cast<std::size_t>(j);
      const auto user = batch.target_users[k], item = batch.target_items[k];
      auto taste_and_bias = linalg::flat(tastes.col(j)), taste = linalg::flat(tastes.col(j).data(), F);
      taste_and_bias = linalg::flat(start);
      if (batch.after[k] != RatingBatch::none)
        taste_and_bias += static_cast<Scalar>(batch.scales[k]) * linalg::flat(sums.col(batch.after[k]));
      if (user != unknown_user) taste += linalg::flat(user_vectors.table.col(user));
      predictions(0, j) = static_cast<Scalar>(batch.baselines[k]) + item_bias(item) +
                          (user == unknown_user ? Scalar(0) : user_bias(user)) + taste_and_bias(F) +
                          (taste * linalg::flat(item_vectors.table.col(item))).sum();
    }
  }

  /// One training pass: returns the squared error divided by `count` (the targets of all shards of a batch together)
  /// and adds its gradients.
  double forward_backward(const RatingBatch& batch, Index count, Cache& cache, HistoryRatingNetwork& gradients) const {
    forward(batch, cache);
    const Index columns = batch.steps.columns(), F = size();
    auto x = cache.input.view(), hidden = cache.hidden.view(), gates = cache.gates.view(), tastes = cache.tastes.view();
    auto error = cache.predictions.view();
    for (Index j = 0; j < batch.targets(); ++j)
      error(0, j) -= static_cast<Scalar>(batch.ratings[static_cast<std::size_t>(j)]);
    const double loss = static_cast<double>(linalg::flat(error).square().sum()) / static_cast<double>(count);
    linalg::flat(error) *= Scalar(2) / static_cast<Scalar>(count);

    // r̂ = baseline + b_u + b_i + β + (s + p)ᵀ q,  [s; β] = c + sums / √n
    auto d_sums = cache.d_sums.resize(F + 1, columns);
    d_sums.setZero();
    auto d_tastes = cache.d_tastes.resize(F + 1, batch.targets());
    for (Index j = 0; j < batch.targets(); ++j) {
      const auto k = static_cast<std::size_t>(j);
      const auto user = batch.target_users[k], item = batch.target_items[k];
      auto d_both = linalg::flat(d_tastes.col(j)), d = linalg::flat(d_tastes.col(j).data(), F);
      d = error(0, j) * linalg::flat(item_vectors.table.col(item));
      d_both(F) = error(0, j);
      linalg::flat(gradients.item_vectors.table.col(item)) += error(0, j) * linalg::flat(tastes.col(j).data(), F);
      gradients.item_bias(item) += error(0, j);
      if (user != unknown_user) {
        linalg::flat(gradients.user_vectors.table.col(user)) += d;
        gradients.user_bias(user) += error(0, j);
      }
      if (batch.after[k] != RatingBatch::none)
        linalg::flat(d_sums.col(batch.after[k])) += static_cast<Scalar>(batch.scales[k]) * d_both;
    }
    gradients.start += d_tastes.rowwise().sum();
    // sums(t) = y(t) + sums(t − 1): what is left in d_sums is the gradient of y
    for (Index step = batch.steps.steps(); step-- > 1;)
      linalg::flat(d_sums.middleCols(batch.steps.begin(step - 1), batch.steps.alive(step))) +=
          linalg::flat(d_sums.middleCols(batch.steps.begin(step), batch.steps.alive(step)));

    // y = [x ∘ (1 + ρ A h); ρ a·h]: d_sums becomes the gradient of [A; a] h, and gates that of x
    auto d_hidden = cache.d_hidden.resize(hidden_size(), columns);
    auto d_x = cache.d_input.resize(x.rows(), columns);
    for (Index j = 0; j < columns; ++j) {
      auto d = linalg::flat(d_sums.col(j).data(), F);
      linalg::flat(gates.col(j).data(), F) *= d;
      d *= linalg::flat(x.col(j).data(), F);
    }
    linalg::flat(d_sums) *= gate_speed;
    linalg::add_product_transposed(d_sums, hidden, gradients.gate_weight);
    linalg::transposed_product(gate_weight, d_sums, d_hidden);
    state_dropout.apply(batch.keys, d_hidden);
    lstm.backward(x, batch.steps, cache.lstm, d_hidden, gradients.lstm, d_x);
    for (Index j = 0; j < columns; ++j) linalg::flat(d_x.col(j).data(), F) += linalg::flat(gates.col(j).data(), F);
    input_dropout.apply(batch.keys, d_x.topRows(F));
    for (Index j = 0; j < columns; ++j) {
      const auto item = batch.items[static_cast<std::size_t>(j)], level = batch.levels[static_cast<std::size_t>(j)];
      const auto d = linalg::flat(d_x.col(j).data(), F);
      linalg::flat(gradients.event_vectors.table.col(item)) += d * linalg::flat(level_gains.table.col(level));
      linalg::flat(gradients.level_gains.table.col(level)) += d * linalg::flat(event_vectors.table.col(item));
      linalg::flat(gradients.level_vectors.table.col(level)) += linalg::flat(d_x.col(j).data() + F, F);
    }
    return loss;
  }
};

}  // namespace lstmrec

/// A loss of one's own, without an edit to the library: fit() takes any object that satisfies ItemLoss.
///
/// Here it is that of Bayesian personalised ranking (Rendle et al., 2009), which asks of a label only that it scores
/// higher than other items; where the original draws one negative, this takes all. The program checks the gradient
/// against differences, trains with both losses, and saves and serves what its own has trained.
/// Usage, from the repository's root: own_loss [MovieLens release [file of the model]]

#include <cstddef>
#include <exception>
#include <filesystem>
#include <iostream>
#include <lstmrec/lstmrec.hpp>
#include <lstmrec/nn.hpp>
#include <type_traits>
#include <vector>

using namespace lstmrec;

struct PairwiseRanking {
  /// Sums −w log σ(z_label − z_j) over a column's labels, w their weights, and all rows j; the gradient takes the place
  /// of the logits (rows × columns). Excluded items score −1e30, so that they add nothing to either.
  template <class Logits>
  double operator()(Logits&& logits, const LogitLabels& labels) const {
    using Scalar = typename std::remove_reference_t<Logits>::Scalar;
    using Array = Eigen::Array<Scalar, Eigen::Dynamic, 1>;
    double loss = 0;
    for (Index column = 0; column < logits.cols(); ++column) {
      // Sampled negatives come shifted for a softmax; pairs want the scores themselves.
      Array z = logits.col(column).array();
      for (Index row = 0; row < z.size(); ++row) z(row) -= static_cast<Scalar>(labels.shift(row));
      auto gradient = logits.col(column).array();
      gradient = Scalar(0);
      for (std::size_t k = 0; k < labels.per_column; ++k) {
        const std::uint32_t label = labels.rows_of(column)[k];
        const auto weight = static_cast<Scalar>(labels.weights_of(column)[k]);
        if (weight == 0) continue;  // no such label
        const Array ahead = z - z(label);
        // −log σ(−x) = max(x, 0) + log(1 + e^−|x|), which doesn't overflow
        loss += static_cast<double>(weight * (ahead.max(Scalar(0)) + (-ahead.abs()).exp().log1p()).sum());
        const Array wrong = weight * ahead.logistic();  // how much each item should fall
        gradient += wrong;
        gradient(label) -= wrong.sum();
      }
    }
    return loss;
  }
};
static_assert(ItemLoss<PairwiseRanking, float> && ItemLoss<PairwiseRanking, double>);

/// The largest difference between the loss's gradient and central differences, for two columns and a few labels.
GradientDifference check_loss() {
  const std::vector<std::uint32_t> rows{3, 0, 5, 1};
  const std::vector<float> weights{0.5f, 0.25f, 0.7f, 0};
  const LogitLabels labels{2, rows, weights, {}, {}, {}};
  Matrix<double> logits(6, 2);
  Random random(1);
  for (double& z : logits.reshaped()) z = random.normal();
  Matrix<double> gradient = logits;
  PairwiseRanking()(gradient, labels);
  return check_gradient("logits", logits, gradient, [&] {
    Matrix<double> copy = logits;
    return PairwiseRanking()(copy, labels);
  });
}

int main(int argc, char** argv) try {
  const auto difference = check_loss();
  std::cout << "gradient and differences agree to " << difference.relative << '\n';
  if (!(difference.relative < 1e-7)) return 1;

  const auto split = leave_one_out(build_sequences(read_movielens(argc > 1 ? argv[1] : "data/sample")));
  const RecommenderConfig config{.embedding_size = 32, .hidden_size = 32, .training = {.epochs = 8}};
  const auto softmax = fit(split, config).recommender;
  const auto pairwise = fit(split, config, {}, PairwiseRanking()).recommender;
  const std::vector<NamedEvaluation> rows{{"softmax", evaluate(softmax, split, split.test)},
                                          {"pairwise", evaluate(pairwise, split, split.test)}};
  write_table(std::cout, rows);

  const std::filesystem::path path = argc > 2 ? argv[2] : "own_loss.safetensors";
  save(pairwise, path);
  const auto loaded = load_recommender(path);
  Session session(loaded);
  session.observe(loaded.item_ids().id(0));
  for (const auto& [item, title, score] : session.top_n(3)) std::cout << title << '\n';
} catch (const std::exception& e) {
  std::cerr << "own_loss: " << e.what() << '\n';
  return 1;
}

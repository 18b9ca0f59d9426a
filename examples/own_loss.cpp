/// A loss of one's own, without an edit to the library: fit() takes any object that satisfies ItemLoss.
///
/// Here it is that of Bayesian personalised ranking (Rendle et al., 2009), which asks of a target only that it scores
/// higher than other items; of the original's random negatives this takes all. The program checks the gradient against
/// differences, then trains with both losses. Usage, from the repository's root: own_loss [MovieLens release]

#include <cstddef>
#include <exception>
#include <iostream>
#include <lstmrec/lstmrec.hpp>
#include <type_traits>
#include <vector>

using namespace lstmrec;

struct PairwiseRanking {
  /// Sums −w log σ(z_target − z_j) over a column's targets, w their weights, and all items j; the gradient takes the
  /// place of the logits (items × columns). Excluded items score −1e30, so that they add nothing to either.
  template <class Logits>
  double operator()(Logits&& logits, const ItemTargets& targets) const {
    using Scalar = typename std::remove_reference_t<Logits>::Scalar;
    using Array = Eigen::Array<Scalar, Eigen::Dynamic, 1>;
    double loss = 0;
    for (Index column = 0; column < logits.cols(); ++column) {
      const Array z = logits.col(column).array();
      auto gradient = logits.col(column).array();
      gradient = Scalar(0);
      for (std::size_t k = 0; k < targets.per_column; ++k) {
        const std::uint32_t target = targets.items_of(column)[k];
        const auto weight = static_cast<Scalar>(targets.weights_of(column)[k]);
        if (weight == 0) continue;  // no such target
        const Array ahead = z - z(target);
        // −log σ(−x) = max(x, 0) + log(1 + e^−|x|), which doesn't overflow
        loss += static_cast<double>(weight * (ahead.max(Scalar(0)) + (-ahead.abs()).exp().log1p()).sum());
        const Array wrong = weight * ahead.logistic();  // how much each item should fall
        gradient += wrong;
        gradient(target) -= wrong.sum();
      }
    }
    return loss;
  }
};
static_assert(ItemLoss<PairwiseRanking, float> && ItemLoss<PairwiseRanking, double>);

/// The largest difference between the loss's gradient and central differences, for two columns and a few targets.
GradientDifference check_loss() {
  const std::vector<std::uint32_t> items{3, 0, 5, 1};
  const std::vector<float> weights{0.5f, 0.25f, 0.7f, 0};
  const ItemTargets targets{.per_column = 2, .items = items, .weights = weights, .excluded = {}};
  Matrix<double> logits(6, 2);
  Random random(1);
  for (double& z : logits.reshaped()) z = random.normal();
  Matrix<double> gradient = logits;
  PairwiseRanking()(gradient, targets);
  return check_gradient("logits", logits, gradient, [&] {
    Matrix<double> copy = logits;
    return PairwiseRanking()(copy, targets);
  });
}

int main(int argc, char** argv) try {
  const auto difference = check_loss();
  std::cout << "gradient and differences agree to " << difference.relative << '\n';
  if (!(difference.relative < 1e-7)) return 1;

  const auto split = leave_one_out(sequences(read_movielens(argc > 1 ? argv[1] : "data/sample")));
  const RecommenderConfig config{.embedding_size = 32, .hidden_size = 32, .epochs = 8};
  const auto figures = [&](const Recommender& recommender) { return evaluate(recommender, split, split.test); };
  const std::vector<NamedEvaluation> rows{{"softmax", figures(fit(split, config).recommender)},
                                          {"pairwise", figures(fit(split, config, {}, PairwiseRanking()).recommender)}};
  write_table(std::cout, rows);
} catch (const std::exception& e) {
  std::cerr << "own_loss: " << e.what() << '\n';
  return 1;
}

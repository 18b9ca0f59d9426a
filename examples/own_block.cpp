/// A block of one's own, without an edit to the library: a network takes any type that satisfies NetworkBlock, and fit,
/// save, load, sessions and evaluation work for it.
///
/// Here it is the simplest recurrence that learns anything, a decaying sum of what has been seen, with a decay a unit:
///
///     s = σ(a) ∘ s⁻ + x        output = x + tanh(s)
///
/// The program checks the gradient against differences, trains, and saves and serves the result.
/// Usage, from the repository's root: own_block [MovieLens release [file of the model]]

#include <cmath>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <iostream>
#include <lstmrec/nn.hpp>
#include <lstmrec/own_network.hpp>
#include <span>
#include <vector>

using namespace lstmrec;

template <class Scalar_ = float>
struct DecayingSum {
  using Scalar = Scalar_;
  struct Cache {
    Matrix<Scalar> sums;    ///< s, size × columns.
    Matrix<Scalar> d_sums;  ///< Scratch.
  };
  struct State {
    Matrix<Scalar> sum;  ///< s.
  };

  Vector<Scalar> decay;  ///< a.

  DecayingSum() = default;
  DecayingSum(Index size, const RecommenderConfig&, std::uint64_t) : decay(Vector<Scalar>::Zero(size)) {}
  void initialise(Random&) { decay.setOnes(); }

  template <class Visitor, class... Same>
  static void visit(Visitor& visitor, Same&... blocks) {
    visitor("decay", ParameterKind::bias, blocks.decay...);
  }

  void forward(ConstMatrixRef<Scalar> x, const PackedSteps& steps, std::span<const std::uint64_t>, Cache& cache,
               MatrixRef<Scalar> output) const {
    cache.sums = x;
    for (Index step = 1; step < steps.steps(); ++step)
      cache.sums.middleCols(steps.begin(step), steps.alive(step)) +=
          kept().asDiagonal() * cache.sums.middleCols(steps.begin(step - 1), steps.alive(step));
    output = x.array() + cache.sums.array().tanh();
  }

  void backward(ConstMatrixRef<Scalar>, const PackedSteps& steps, std::span<const std::uint64_t>, Cache& cache,
                MatrixRef<Scalar> d_output, DecayingSum& gradients, MatrixRef<Scalar> d_input) const {
    // output = x + tanh(s)
    Matrix<Scalar>& d = cache.d_sums;
    d = d_output.array() * (1 - cache.sums.array().tanh().square());
    // s = σ(a) ∘ s⁻ + x
    for (Index step = steps.steps() - 1; step > 0; --step) {
      const auto later = d.middleCols(steps.begin(step), steps.alive(step));
      const auto before = cache.sums.middleCols(steps.begin(step - 1), steps.alive(step));
      gradients.decay.array() +=
          (later.array() * before.array()).rowwise().sum() * kept().array() * (1 - kept().array());
      d.middleCols(steps.begin(step - 1), steps.alive(step)) += kept().asDiagonal() * later;
    }
    d_input = d_output + d;
  }

  State initial_state(Index columns) const {
    State state;
    state.sum.setZero(decay.size(), columns);
    return state;
  }
  void step_recurrent(ConstMatrixRef<Scalar> x, State& state) const {
    auto sum = state.sum.leftCols(x.cols());
    sum = kept().asDiagonal() * sum + x;
  }
  void compute_output(MatrixRef<Scalar> x, State& state) const {
    x.array() += state.sum.leftCols(x.cols()).array().tanh();
  }
  template <class SomeState, class Visitor>
  static void visit_state(SomeState& state, Visitor&& visitor) {
    visitor(state.sum);
  }

 private:
  Vector<Scalar> kept() const { return decay.array().logistic(); }
};
static_assert(NetworkBlock<DecayingSum<float>>);

/// The largest difference between the block's gradient and central differences, over ragged sequences.
double check_block() {
  const std::vector<Index> lengths{5, 4, 2};
  const PackedSteps steps(lengths);
  DecayingSum<double> block(3, {}, 0), gradients(3, {}, 0);
  Random random(1);
  Matrix<double> x(3, steps.columns()), weights(3, steps.columns()), output(3, steps.columns()), d_x = output;
  for (double& number : x.reshaped()) number = random.normal();
  for (double& number : weights.reshaped()) number = random.normal();
  for (double& number : block.decay) number = random.normal();
  DecayingSum<double>::Cache cache;
  const auto loss = [&] {
    block.forward(x, steps, {}, cache, output);
    return output.cwiseProduct(weights).sum();
  };
  loss();
  Matrix<double> d_output = weights;
  block.backward(x, steps, {}, cache, d_output, gradients, d_x);
  return std::max(check_gradients(block, gradients, loss).relative, check_gradient("x", x, d_x, loss).relative);
}

int main(int argc, char** argv) try {
  const double difference = check_block();
  std::cout << "gradient and differences agree to " << difference << '\n';
  if (!(difference < 1e-7)) return 1;

  using Network = NextItemNetwork<float, DecayingSum<float>>;
  const auto split = leave_one_out(build_sequences(read_movielens(argc > 1 ? argv[1] : "data/sample")));
  const auto recommender =
      fit<Network>(split, {.embedding_size = 32, .hidden_size = 32, .training = {.epochs = 8}}).recommender;
  std::cout << evaluate(recommender, split, split.test, {.cutoffs = {10}}) << '\n';

  const std::filesystem::path path = argc > 2 ? argv[2] : "own_block.safetensors";
  save(recommender, path);
  const auto loaded = load_recommender<Network>(path);
  BasicSession session(loaded);
  session.observe(loaded.item_ids().id(0));
  for (const auto& [item, title, score] : session.top_n(3)) std::cout << title << '\n';
} catch (const std::exception& e) {
  std::cerr << "own_block: " << e.what() << '\n';
  return 1;
}

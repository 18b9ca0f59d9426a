#pragma once

#include <cstdint>
#include <lstmrec/own_network.hpp>
#include <span>

namespace own_block {

using namespace lstmrec;

/// The simplest recurrence that learns anything, a decaying sum of what has been seen, with a decay a unit:
///
///     s = σ(a) ∘ s⁻ + x        output = x + tanh(s)
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

}  // namespace own_block

#include <cstdint>
#include <lstmrec/nn/attentive.hpp>
#include <lstmrec/nn/item_head.hpp>
#include <lstmrec/nn/recurrent_block.hpp>
#include <vector>

#include "throughput.hpp"

using namespace lstmrec;

namespace {

Matrix<float> random_matrix(Index rows, Index columns) {
  Matrix<float> matrix(rows, columns);
  Random random(1);
  fill_normal(matrix, 1.0, random);
  return matrix;
}

std::string units(Index size) { return std::to_string(size) + " units"; }

// 64 sequences of 100 steps.
const PackedSteps steps{std::vector<Index>(64, 100)};

template <class Cell>
void measure_step(const std::string& name, Cell cell) {
  Random random(1);
  cell.initialise(random);
  auto state = cell.initial_state();
  const Vector<float> x = random_matrix(cell.input_size(), 1);
  measure(name, {1, 2.0 * static_cast<double>(cell.input_weight.size() + cell.recurrent_weight.size())}, [&] {
    cell.step(x, state);
    return state.hidden(0);
  });
}

}  // namespace

// The limit of everything below. C = A B with A rows × depth; "packed" where A is the same for many products.
TEST_CASE("Matrix products, and Eigen's own of the same shapes", "[!benchmark]") {
  struct Shape {
    std::string name;
    Index rows, columns, depth;
  };
  std::vector<Shape> shapes = {{"2048 x 2048 x 2048", 2048, 2048, 2048}};
  for (const Index size : {64, 128, 256}) {
    shapes.push_back({"logits of 128 events, 3416 items, " + units(size), 3416, 128, size});
    shapes.push_back({"recurrent product of 12 sequences, " + units(size), 4 * size, 12, size});
    shapes.push_back({"gradient of input weights from 3000 events, " + units(size), 4 * size, size, 3000});
  }
  for (const auto& [name, rows, columns, depth] : shapes) {
    const Matrix<float> a = random_matrix(rows, depth), b = random_matrix(depth, columns);
    Matrix<float> c(rows, columns);
    PackedMatrix<float> packed;
    packed.pack(a);
    const Work work{1, 2.0 * static_cast<double>(rows * columns * depth), "products"};
    measure(name, work, [&] {
      linalg::product(a, b, c);
      return c(0, 0);
    });
    measure(name + ", packed", work, [&] {
      linalg::product(packed, b, c);
      return c(0, 0);
    });
    measure(name + ", Eigen", work, [&] {
      c.noalias() = a * b;
      return c(0, 0);
    });
  }
}

TEST_CASE("Cell step", "[!benchmark]") {
  measure_step("step, 64 units, fixed size", LstmCell<float, 64, 64>());
  for (const Index size : {64, 128, 256}) measure_step("step, " + units(size), LstmCell<float>(size, size));
}

TEST_CASE("LSTM layer, 64 sequences of 100 steps", "[!benchmark]") {
  for (const Index size : {64, 128, 256}) {
    Lstm<float> layer(size, size);
    Random random(1);
    layer.initialise(random);
    const Matrix<float> x = random_matrix(size, steps.columns());
    Matrix<float> hidden(size, steps.columns()), d_hidden = random_matrix(size, steps.columns()), d_x = x;
    auto gradients = zeros_like(layer);
    Lstm<float>::Cache cache;
    const auto events = static_cast<double>(steps.columns());
    const double flop = 2.0 * events * static_cast<double>(8 * size * size);
    measure("forward, " + units(size), {events, flop}, [&] {
      layer.forward(x, steps, cache, hidden);
      return hidden(0, 0);
    });
    measure("forward and backward, " + units(size), {events, 3 * flop}, [&] {
      layer.forward(x, steps, cache, hidden);
      layer.backward(x, steps, cache, d_hidden, gradients, d_x);
      return d_x(0, 0);
    });
  }
}

TEST_CASE("Residual recurrent block, 64 sequences of 100 steps", "[!benchmark]") {
  for (const Index size : {64, 128, 256})
    for (const Index window : {0, 50}) {
      using Layer = Attentive<Lstm<float>>;
      RecurrentBlock<Layer> block({{size, size}, window}, 4 * size, 0.3, 0);
      Random random(1);
      block.initialise(random);
      const std::vector<std::uint64_t> dropout_seeds(static_cast<std::size_t>(steps.columns()), 1);
      const Matrix<float> x = random_matrix(size, steps.columns()), d_output = random_matrix(size, steps.columns());
      Matrix<float> output(size, steps.columns()), d = d_output, d_x = x;
      auto gradients = zeros_like(block);
      RecurrentBlock<Layer>::Cache cache;
      const auto events = static_cast<double>(steps.columns());
      // The products with states: a step sees `window` of them in two products.
      const auto weights =
          static_cast<double>(16 * size * size + (window > 0 ? 2 * size * size + 2 * window * size : 0));
      const std::string name = units(size) + (window > 0 ? ", attention to 50 states" : "");
      measure("forward and backward, " + name, {events, 6.0 * events * weights}, [&] {
        d = d_output;
        block.forward(x, steps, dropout_seeds, cache, output);
        block.backward(x, steps, dropout_seeds, cache, d, gradients, d_x);
        return d_x(0, 0);
      });

      auto state = block.initial_state(1);
      Vector<float> event = x.col(0);
      for (Index k = 0; k < window; ++k) block.step_recurrent(event, state);
      measure("one event of a stream, " + name, {1, 0}, [&] {
        block.step_recurrent(event, state);
        return 0;
      });
      measure("its output, " + name, {1, 0}, [&] {
        event = x.col(1);
        block.compute_output(event, state);
        return event(0);
      });
    }
}

TEST_CASE("Item head: logits, softmax, loss and gradients over 3416 items", "[!benchmark]") {
  constexpr Index items = 3416, columns = 2048;
  for (const Index size : {64, 128, 256}) {
    const ItemHead<float> head(items);
    const Matrix<float> vectors = 0.02f * random_matrix(size, items), h = random_matrix(size, columns);
    Matrix<float> d_vectors = Matrix<float>::Zero(size, items), d_h(size, columns);
    const std::vector<std::uint32_t> labels(columns, 7);
    const std::vector<float> weights(columns, 1.0f / columns);
    auto gradients = zeros_like(head);
    ItemHead<float>::Cache cache;
    measure("head, " + units(size), {columns, 6.0 * columns * static_cast<double>(items * size)}, [&] {
      return head.loss_and_gradient(SoftmaxCrossEntropy{}, vectors, h, {1, labels, weights, {}}, cache, d_vectors,
                                    gradients, d_h);
    });
  }
}

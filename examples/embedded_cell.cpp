/// A cell of fixed sizes inside a program that wants nothing else of the library: no data, no trainer, no heap.
///
/// It reads eight sensor values a step and keeps a state of sixteen units; a second layer would take `state.hidden` as
/// its input. Its weights come from a training elsewhere; here a generator stands in for them.

#include <cstdio>
#include <lstmrec/nn/lstm_cell.hpp>

int main() {
  lstmrec::LstmCell<float, 8, 16> cell;  // all parameters live inside the object, here on the stack
  lstmrec::Random random(1);
  lstmrec::for_each_parameter(
      [&](auto& parameter) {
        for (float& weight : parameter.reshaped()) weight = static_cast<float>(random.uniform(-0.5, 0.5));
      },
      cell);

  auto state = cell.initial_state();
  Eigen::Matrix<float, 8, 1> sensors;
  for (int step = 0; step < 100; ++step) {
    for (float& value : sensors) value = static_cast<float>(random.uniform(-1, 1));
    cell.step(sensors, state);
  }
  std::printf("%zu bytes of parameters, %zu of state; after 100 steps h =", sizeof cell, sizeof state);
  for (const float h : state.hidden) std::printf(" %.3f", static_cast<double>(h));
  std::printf("\n");
}

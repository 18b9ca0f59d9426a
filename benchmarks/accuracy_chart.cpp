// Draws the chart of accuracy in the README:
//
//     accuracy_chart benchmarks/accuracy.tsv benchmarks/accuracy.svg
//
// The table holds a line a bar: name, NDCG@10, origin (own, published or baseline) and note, separated by tabs.

#include "accuracy_chart.hpp"

#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: accuracy_chart TABLE.tsv PICTURE.svg\n";
    return 2;
  }
  try {
    std::ifstream table(argv[1]);
    if (!table) throw std::runtime_error("cannot be read");
    const auto bars = benchmark::read_accuracy_table(table);
    std::ofstream picture(argv[2]);
    benchmark::write_accuracy_chart(picture, bars);
    if (!picture.flush()) {
      std::cerr << "accuracy_chart: cannot write " << argv[2] << '\n';
      return 1;
    }
  } catch (const std::exception& error) {
    std::cerr << "accuracy_chart: " << argv[1] << ": " << error.what() << '\n';
    return 1;
  }
}

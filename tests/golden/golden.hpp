#pragma once

#include <algorithm>
#include <fstream>
#include <limits>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// A file of named matrices, written by generate_torch.py.
class Golden {
 public:
  using Matrix = lstmrec::Matrix<double>;

  explicit Golden(const std::string& name) : name_(name) {
    std::ifstream file(LSTMREC_SOURCE_DIR "/tests/golden/" + name);
    std::string key;
    for (lstmrec::Index rows = 0, columns = 0; file >> key >> rows >> columns;) {
      Matrix matrix(rows, columns);
      for (double& entry : matrix.reshaped())
        if (!(file >> entry)) throw std::runtime_error(name + ": " + key + " ends early");
      matrices_.emplace(key, std::move(matrix));
    }
    if (matrices_.empty()) throw std::runtime_error(name + " cannot be read");
  }

  const Matrix& operator[](const std::string& key) const {
    const auto found = matrices_.find(key);
    if (found == matrices_.end()) throw std::runtime_error(name_ + " has no " + key);
    return found->second;
  }

  double number(const std::string& key) const { return (*this)[key](0, 0); }

  /// All entries of a matrix, column after column.
  template <class T>
  std::vector<T> list(const std::string& key) const {
    std::vector<T> numbers;
    for (const double entry : (*this)[key].reshaped()) numbers.push_back(static_cast<T>(entry));
    return numbers;
  }

  /// Sets a layer's parameters to the matrices `prefix` + name.
  template <class Layer>
  void load(const std::string& prefix, Layer& layer) const {
    lstmrec::for_each_named_parameter(
        [&](const std::string& name, auto& parameter) {
          if (parameter.size() == 0) return;
          const Matrix& matrix = (*this)[prefix + name];
          if (matrix.rows() != parameter.rows() || matrix.cols() != parameter.cols())
            throw std::runtime_error(name_ + ": " + prefix + name + " has another shape");
          parameter = matrix;
        },
        layer);
  }

  /// The largest distance between an entry of a layer's parameters and that of the matrices `prefix` + name.
  template <class Layer>
  double distance(const std::string& prefix, const Layer& layer) const {
    double largest = 0;
    lstmrec::for_each_named_parameter(
        [&](const std::string& name, const auto& parameter) {
          if (parameter.size() > 0) largest = std::max(largest, distance_to(prefix + name, parameter));
        },
        layer);
    return largest;
  }

  /// The same for one matrix; infinite if an entry is NaN.
  template <class Derived>
  double distance_to(const std::string& key, const Eigen::MatrixBase<Derived>& matrix) const {
    const Matrix difference = (*this)[key] - matrix;
    return difference.hasNaN() ? std::numeric_limits<double>::infinity() : difference.cwiseAbs().maxCoeff();
  }

 private:
  std::string name_;
  std::map<std::string, Matrix> matrices_;
};

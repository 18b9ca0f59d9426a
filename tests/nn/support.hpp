#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <lstmrec/core/matrix.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/nn/initialisers.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <vector>

/// Five sequences, ragged, six steps.
inline const std::vector<lstmrec::Index> ragged_lengths = {6, 4, 4, 2, 1};

/// Largest relative difference between a gradient and central differences in double.
inline constexpr double gradient_tolerance = 1e-7;

template <class Scalar = double>
lstmrec::Matrix<Scalar> random_matrix(lstmrec::Index rows, lstmrec::Index columns, std::uint64_t seed) {
  lstmrec::Matrix<Scalar> matrix(rows, columns);
  lstmrec::Random random(seed);
  lstmrec::fill_normal(matrix, 1.0, random);
  return matrix;
}

template <class Layer>
void randomise(Layer& layer, std::uint64_t seed) {
  lstmrec::Random random(seed);
  lstmrec::for_each_parameter([&](auto& parameter) { lstmrec::fill_normal(parameter, 0.5, random); }, layer);
}

/// What an output is filled with before it is to be overwritten.
inline lstmrec::Matrix<double> filled_with_nan(lstmrec::Index rows, lstmrec::Index columns) {
  return lstmrec::Matrix<double>::Constant(rows, columns, std::numeric_limits<double>::quiet_NaN());
}

/// Backward has to add to the gradients: they begin at one everywhere, which is taken off again before the comparison.
template <class Layer>
Layer ones_like(const Layer& layer) {
  Layer ones = layer;
  lstmrec::for_each_parameter([](auto& parameter) { parameter.setOnes(); }, ones);
  return ones;
}

template <class Layer>
void subtract_ones(Layer& layer) {
  lstmrec::for_each_parameter([](auto& parameter) { parameter.array() -= 1.0; }, layer);
}

/// The seeds of dropout masks, one a column.
inline std::vector<std::uint64_t> some_keys(lstmrec::Index columns, std::uint64_t seed = 7) {
  std::vector<std::uint64_t> keys;
  for (lstmrec::Index column = 0; column < columns; ++column) keys.push_back(lstmrec::mix_seed(seed, column));
  return keys;
}

/// The largest distance between two entries; infinite if there is a NaN.
template <class A, class B>
double distance(const A& a, const B& b) {
  if (a.size() == 0) return 0;
  const lstmrec::Matrix<double> difference = a.template cast<double>() - b.template cast<double>();
  return difference.hasNaN() ? std::numeric_limits<double>::infinity() : difference.cwiseAbs().maxCoeff();
}

/// The same over all parameters of two layers of one shape.
template <class A, class B>
double parameter_distance(const A& a, const B& b) {
  double largest = 0;
  lstmrec::for_each_parameter([&](const auto& p, const auto& q) { largest = std::max(largest, distance(p, q)); }, a, b);
  return largest;
}

/// The Euclidean norm of all parameters together.
template <class Layer>
double parameter_norm(const Layer& layer) {
  double sum = 0;
  for (const auto& view : lstmrec::parameter_views(layer))
    sum += static_cast<double>(lstmrec::linalg::flat(view.data, view.size()).square().sum());
  return std::sqrt(sum);
}

/// Whether all bits of two layers' parameters agree.
template <class Layer>
bool same_bits(const Layer& a, const Layer& b) {
  bool same = true;
  lstmrec::for_each_parameter(
      [&](const auto& p, const auto& q) {
        same = same && std::equal(p.data(), p.data() + p.size(), q.data(), q.data() + q.size());
      },
      a, b);
  return same;
}

#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/matrix.hpp>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace lstmrec {

// The parameters protocol.
//
// A layer is a plain struct: its parameters as Eigen matrices, and formulas as const member functions. Its gradients,
// an optimiser's moments and an averaged copy are further objects of the same struct. It lists its parameters once:
//
//     struct Dense {
//       Matrix<float> weight; Vector<float> bias;
//       template <class Visitor, class... Same>
//       static void visit(Visitor& visitor, Same&... layers) {
//         visitor("weight", Kind::weight, layers.weight...);
//         visitor("bias", Kind::bias, layers.bias...);
//       }
//     };
//
// so that one visitor walks any number of equally shaped layers in step: one for zeroing, two for a sum, four for Adam.
// A layer that holds others passes them on with visit_member; names nest as in `blocks.0.lstm.bias`.

/// What an optimiser may do to a parameter. Weights decay, biases and gains do not. Tables are weights, and table
/// biases are biases, with one column or entry an index, of which a batch may touch only a few.
enum class Kind { weight, bias, table, table_bias };

inline bool decays(Kind kind) { return kind == Kind::weight || kind == Kind::table; }

/// Visits a member that is itself a layer.
template <class Visitor, class First, class... Rest>
void visit_member(Visitor& visitor, const char* name, First& first, Rest&... rest) {
  if constexpr (requires { visitor.enter(std::string()); }) visitor.enter(name);
  std::remove_const_t<First>::visit(visitor, first, rest...);
  if constexpr (requires { visitor.leave(); }) visitor.leave();
}

/// Visits a member that is a vector of layers, of the same size in every object.
template <class Visitor, class First, class... Rest>
void visit_members(Visitor& visitor, const char* name, First& first, Rest&... rest) {
  assert(((rest.size() == first.size()) && ...));
  for (std::size_t i = 0; i < first.size(); ++i) {
    if constexpr (requires { visitor.enter(std::string()); }) visitor.enter(name + ("." + std::to_string(i)));
    std::remove_const_t<typename std::remove_const_t<First>::value_type>::visit(visitor, first[i], rest[i]...);
    if constexpr (requires { visitor.leave(); }) visitor.leave();
  }
}

/// Calls function(parameter...) for every parameter of equally shaped layers.
template <class Function, class First, class... Rest>
void for_each_parameter(Function&& function, First& first, Rest&... rest) {
  auto visitor = [&](const char*, Kind, auto&... parameters) { function(parameters...); };
  std::remove_const_t<First>::visit(visitor, first, rest...);
}

namespace detail {

template <class Function>
struct NamedVisitor {
  Function& function;
  std::string prefix;
  std::vector<std::size_t> lengths;

  void enter(const std::string& name) {
    lengths.push_back(prefix.size());
    prefix += name + ".";
  }
  void leave() {
    prefix.resize(lengths.back());
    lengths.pop_back();
  }
  template <class... Parameters>
  void operator()(const char* name, Kind, Parameters&... parameters) {
    function(prefix + name, parameters...);
  }
};

}  // namespace detail

/// Calls function(name, parameter...) with full names such as `blocks.0.lstm.bias`.
template <class Function, class First, class... Rest>
void for_each_named_parameter(Function&& function, First& first, Rest&... rest) {
  detail::NamedVisitor<std::remove_reference_t<Function>> visitor{function, {}, {}};
  std::remove_const_t<First>::visit(visitor, first, rest...);
}

namespace detail {

template <class Layer>
using BlockOf =
    std::conditional_t<std::is_const_v<Layer>, ConstValues<typename Layer::Scalar>, Values<typename Layer::Scalar>>;

/// Calls add(begin, count) for the blocks of so many numbers.
template <class Add>
void cut_into_blocks(Index numbers, Add&& add) {
  constexpr Index size = 2048;
  for (Index begin = 0; begin < numbers; begin += size) add(begin, std::min(size, numbers - begin));
}

}  // namespace detail

/// All parameters of equally shaped layers in blocks of a few thousand numbers, each (kind, block of every layer...):
///
///     for (auto& [kind, weight, gradient] : parameter_blocks(layer, gradients)) weight -= 0.1f * gradient;
///
/// A block stays in the nearest caches, so an update that reads it twice reads memory once; and threads can share them.
template <class First, class... Rest>
auto parameter_blocks(First& first, Rest&... rest) {
  std::vector<std::tuple<Kind, detail::BlockOf<First>, detail::BlockOf<Rest>...>> blocks;
  auto visitor = [&](const char*, Kind kind, auto& parameter, auto&... same) {
    assert(((same.size() == parameter.size()) && ...));
    detail::cut_into_blocks(parameter.size(), [&](Index begin, Index count) {
      blocks.emplace_back(kind, detail::BlockOf<First>(parameter.data() + begin, count),
                          detail::BlockOf<Rest>(same.data() + begin, count)...);
    });
  };
  std::remove_const_t<First>::visit(visitor, first, rest...);
  return blocks;
}

/// The same where the first layer's tables hold only some columns of the others': its column j is their column
/// columns[j], and further columns it may have are left out. Each block is (kind, column in the others, block of every
/// layer...), a table's one column; what has no columns comes in blocks as above.
template <class Part, class... Whole>
auto touched_blocks(std::span<const std::uint32_t> columns, Part& part, Whole&... wholes) {
  std::vector<std::tuple<Kind, std::uint32_t, detail::BlockOf<Part>, detail::BlockOf<Whole>...>> blocks;
  auto visitor = [&](const char*, Kind kind, auto& parameter, auto&... same) {
    const auto add = [&](std::uint32_t column, Index begin, Index begin_whole, Index count) {
      blocks.emplace_back(kind, column, detail::BlockOf<Part>(parameter.data() + begin, count),
                          detail::BlockOf<Whole>(same.data() + begin_whole, count)...);
    };
    if (kind == Kind::table || kind == Kind::table_bias) {
      if (parameter.size() == 0) return;  // a network without this table
      const Index size = kind == Kind::table ? parameter.rows() : 1;
      for (std::size_t j = 0; j < columns.size(); ++j)
        add(columns[j], static_cast<Index>(j) * size, columns[j] * size, size);
    } else {
      detail::cut_into_blocks(parameter.size(), [&](Index begin, Index count) { add(0, begin, begin, count); });
    }
  };
  std::remove_const_t<Part>::visit(visitor, part, wholes...);
  return blocks;
}

/// Makes room for at least so many columns in every table of a layer; what they hold is then unspecified.
template <class Layer>
void reserve_columns(Layer& layer, Index columns) {
  auto visitor = [&](const char*, Kind kind, auto& parameter) {
    if constexpr (requires { parameter.resize(Index(), Index()); }) {
      if (parameter.size() == 0) return;
      if (kind == Kind::table && parameter.cols() < columns) parameter.resize(parameter.rows(), columns);
      if (kind == Kind::table_bias && parameter.rows() < columns) parameter.resize(columns, 1);
    }
  };
  Layer::visit(visitor, layer);
}

/// Sets every parameter to zero.
template <class Layer>
void set_zero(Layer& layer) {
  for_each_parameter([](auto& parameter) { values(parameter).setZero(); }, layer);
}

/// A layer of the same shape with all parameters zero: empty gradients.
template <class Layer>
Layer zeros_like(const Layer& layer) {
  Layer zeros = layer;
  set_zero(zeros);
  return zeros;
}

/// The number of scalars in a layer's parameters.
template <class Layer>
Index parameter_count(const Layer& layer) {
  Index count = 0;
  for_each_parameter([&](const auto& parameter) { count += parameter.size(); }, layer);
  return count;
}

/// The Euclidean norm of all parameters together.
template <class Layer>
double parameter_norm(const Layer& layer) {
  double sum = 0;
  for_each_parameter([&](const auto& parameter) { sum += static_cast<double>(values(parameter).square().sum()); },
                     layer);
  return std::sqrt(sum);
}

/// Copies between layers of the same shapes and different types: fixed to run-time sizes, float to double.
template <class To, class From>
void copy_parameters(To& to, const From& from) {
  for_each_parameter(
      [](auto& a, const auto& b) { a = b.template cast<typename std::remove_reference_t<decltype(a)>::Scalar>(); }, to,
      from);
}

}  // namespace lstmrec

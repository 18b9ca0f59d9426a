#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/matrix.hpp>
#include <span>
#include <string>
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
//         visitor("weight", ParameterKind::weight, layers.weight...);
//         visitor("bias", ParameterKind::bias, layers.bias...);
//       }
//     };
//
// so that one visitor walks any number of equally shaped layers in step, as copy_parameters does. What treats all
// numbers alike (zeroing, Adam, files) is written on parameter_views.
// A layer that holds others passes them on with visit_member; names nest as in `blocks.0.lstm.bias`.

/// The kind of a parameter. An optimiser lets weights and embeddings decay, and neither biases nor gains. The item
/// kinds have one column or entry an item of the catalogue, and a batch may touch a few of them only; the feature kinds
/// have one a feature of items; an `embedding` is a table of anything else, such as users.
enum class ParameterKind { weight, bias, embedding, item_embedding, item_bias, feature_embedding, feature_bias };
inline bool has_weight_decay(ParameterKind kind) {
  return kind != ParameterKind::bias && kind != ParameterKind::item_bias && kind != ParameterKind::feature_bias;
}
inline bool is_by_feature(ParameterKind kind) {
  return kind == ParameterKind::feature_embedding || kind == ParameterKind::feature_bias;
}
inline bool is_by_item(ParameterKind kind) {
  return kind == ParameterKind::item_embedding || kind == ParameterKind::item_bias;
}

/// Visits a member that is itself a layer.
template <class Visitor, class First, class... Rest>
void visit_member(Visitor& visitor, const char* name, First& first, Rest&... rest) {
  if constexpr (requires { visitor.enter(name, 0); }) visitor.enter(name, -1);
  std::remove_const_t<First>::visit(visitor, first, rest...);
  if constexpr (requires { visitor.leave(); }) visitor.leave();
}

/// Visits a member that is a vector of layers, of the same size in every object.
template <class Visitor, class First, class... Rest>
void visit_members(Visitor& visitor, const char* name, First& first, Rest&... rest) {
  assert(((rest.size() == first.size()) && ...));
  for (std::size_t i = 0; i < first.size(); ++i) {
    if constexpr (requires { visitor.enter(name, 0); }) visitor.enter(name, static_cast<int>(i));
    std::remove_const_t<typename std::remove_const_t<First>::value_type>::visit(visitor, first[i], rest[i]...);
    if constexpr (requires { visitor.leave(); }) visitor.leave();
  }
}

/// Calls function(parameter...) for every parameter of equally shaped layers, as Eigen matrices of any sizes.
template <class Function, class First, class... Rest>
void for_each_parameter(Function&& function, First& first, Rest&... rest) {
  auto visitor = [&](const char*, ParameterKind, auto&... parameters) { function(parameters...); };
  std::remove_const_t<First>::visit(visitor, first, rest...);
}

/// One parameter of a layer, borrowed: rows × columns numbers, column after column.
template <class Scalar>
struct ParameterView {
  ParameterKind kind = ParameterKind::weight;
  Scalar* data = nullptr;
  Index rows = 0, columns = 0;
  bool is_vector = false;  ///< Of one column, whatever its size: a bias or a gain.
  std::string name = {};   ///< Such as `blocks.0.recurrent.bias`; empty where nobody asked for names.

  Index size() const { return rows * columns; }
  auto matrix() const {
    using Plain = Matrix<std::remove_const_t<Scalar>>;
    return Eigen::Map<std::conditional_t<std::is_const_v<Scalar>, const Plain, Plain>>(data, rows, columns);
  }
  /// The numbers that belong to one item or feature, where the kind is by these.
  Index size_of_one() const {
    return kind == ParameterKind::item_embedding || kind == ParameterKind::feature_embedding ? rows : 1;
  }

  operator ParameterView<const Scalar>() const requires(!std::is_const_v<Scalar>) {
    return {kind, data, rows, columns, is_vector, name};
  }
};

namespace detail {

template <class Layer>
using ScalarOf = std::conditional_t<std::is_const_v<Layer>, const typename Layer::Scalar,
                                    typename std::remove_const_t<Layer>::Scalar>;

/// The one visitor that all of training, files and serving share, so that a network's `visit` is compiled once for it.
template <class Scalar>
struct ParameterCollector {
  bool wants_names = false;
  std::vector<ParameterView<Scalar>> views = {};
  std::string prefix = {};
  std::vector<std::size_t> lengths = {};

  void enter(const char* name, int number) {
    if (!wants_names) return;
    lengths.push_back(prefix.size());
    prefix += name;
    if (number >= 0) prefix += "." + std::to_string(number);
    prefix += ".";
  }
  void leave() {
    if (!wants_names) return;
    prefix.resize(lengths.back());
    lengths.pop_back();
  }
  template <class Parameter>
  void operator()(const char* name, ParameterKind kind, Parameter& parameter) {
    add(name, {kind,
               parameter.data(),
               parameter.rows(),
               parameter.cols(),
               std::remove_const_t<Parameter>::ColsAtCompileTime == 1,
               {}});
  }
  void add(const char* name, ParameterView<Scalar> view) {
    if (wants_names) view.name = prefix + name;
    views.push_back(std::move(view));
  }
};

}  // namespace detail

/// All parameters of a layer, in a fixed order. What is done to all of them (zeroing, an optimiser's step, a file) is
/// written on these and compiled once, not for every layer.
template <class Layer>
std::vector<ParameterView<detail::ScalarOf<Layer>>> parameter_views(Layer& layer, bool with_names = false) {
  using Plain = std::remove_const_t<Layer>;
  detail::ParameterCollector<typename Plain::Scalar> collector{with_names};
  Plain::visit(collector, const_cast<Plain&>(layer));  // compiled once; the views of a const layer are const again
  if constexpr (std::is_const_v<Layer>)
    return {collector.views.begin(), collector.views.end()};
  else
    return std::move(collector.views);
}

/// Calls function(name, parameter...) for every parameter of equally shaped layers, as maps of matrices, with full
/// names such as `blocks.0.recurrent.bias`.
template <class Function, class First, class... Rest>
void for_each_named_parameter(Function&& function, First& first, Rest&... rest) {
  const auto views = parameter_views(first, true);
  const auto call = [&](std::size_t k, const auto&... others) {
    const auto with_maps = [&](auto... maps) { function(views[k].name, maps...); };
    with_maps(views[k].matrix(), others[k].matrix()...);
  };
  const auto call_all = [&](const auto&... others) {
    for (std::size_t k = 0; k < views.size(); ++k) call(k, others...);
  };
  call_all(parameter_views(rest)...);
}

/// A run of a parameter's numbers. A block stays in the nearest caches, so an update that reads it twice reads memory
/// once; and threads can share the blocks.
struct ParameterBlock {
  ParameterKind kind = ParameterKind::weight;
  std::size_t parameter = 0;   ///< Its place among the views.
  Index begin = 0, count = 0;  ///< Its numbers.
  /// Where only some items' columns are meant: the item, and where its numbers begin in the whole table.
  std::uint32_t item = 0;
  Index begin_whole = 0;

  /// The block's numbers in a layer of the same shape.
  template <class Scalar>
  Scalar* of(const std::vector<ParameterView<Scalar>>& views) const {
    return views[parameter].data + begin;
  }
  /// Its numbers in a layer that holds the tables of all items.
  template <class Scalar>
  Scalar* of_whole(const std::vector<ParameterView<Scalar>>& views) const {
    return views[parameter].data + begin_whole;
  }
};

namespace detail {

inline void cut_into_blocks(ParameterKind kind, std::size_t parameter, Index size,
                            std::vector<ParameterBlock>& blocks) {
  constexpr Index most = 2048;
  for (Index begin = 0; begin < size; begin += most)
    blocks.push_back({kind, parameter, begin, std::min(most, size - begin), 0, begin});
}

}  // namespace detail

/// All parameters in blocks of a few thousand numbers.
///
///     const auto w = parameter_views(layer), g = parameter_views(gradients);
///     for (const auto& block : parameter_blocks(w))
///       for (Index k = 0; k < block.count; ++k) block.of(w)[k] -= 0.1f * block.of(g)[k];
template <class Scalar>
std::vector<ParameterBlock> parameter_blocks(const std::vector<ParameterView<Scalar>>& views) {
  std::vector<ParameterBlock> blocks;
  for (std::size_t k = 0; k < views.size(); ++k) detail::cut_into_blocks(views[k].kind, k, views[k].size(), blocks);
  return blocks;
}

/// The blocks of a layer whose item tables hold the columns of some items only: its column j is items[j], and further
/// columns it may have are ignored. Item tables come in blocks of one item, other parameters as above.
template <class Scalar>
std::vector<ParameterBlock> sparse_parameter_blocks(const std::vector<ParameterView<Scalar>>& part,
                                                    std::span<const std::uint32_t> items) {
  std::vector<ParameterBlock> blocks;
  for (std::size_t k = 0; k < part.size(); ++k) {
    if (!is_by_item(part[k].kind)) {
      detail::cut_into_blocks(part[k].kind, k, part[k].size(), blocks);
    } else if (part[k].size() > 0) {  // else a network without this table
      const Index size = part[k].size_of_one();
      for (std::size_t j = 0; j < items.size(); ++j)
        blocks.push_back({part[k].kind, k, static_cast<Index>(j) * size, size, items[j], items[j] * size});
    }
  }
  return blocks;
}

/// Makes room for at least so many items in every item table of a layer; what they hold is then unspecified.
template <class Layer>
void reserve_items(Layer& layer, Index items) {
  auto visitor = [&](const char*, ParameterKind kind, auto& parameter) {
    if constexpr (requires { parameter.resize(Index(), Index()); }) {
      if (parameter.size() == 0) return;
      if (kind == ParameterKind::item_embedding && parameter.cols() < items) parameter.resize(parameter.rows(), items);
      if (kind == ParameterKind::item_bias && parameter.rows() < items) parameter.resize(items, 1);
    }
  };
  Layer::visit(visitor, layer);
}

/// The layer without its tables of items and of their features, whose sizes become 0.
template <class Layer>
Layer without_item_tables(Layer layer) {
  auto visitor = [&](const char*, ParameterKind kind, auto& parameter) {
    if constexpr (requires { parameter.resize(Index(), Index()); }) {
      if (kind == ParameterKind::item_embedding || kind == ParameterKind::feature_embedding)
        parameter.resize(parameter.rows(), 0);
      if (kind == ParameterKind::item_bias || kind == ParameterKind::feature_bias) parameter.resize(0, 1);
    }
  };
  Layer::visit(visitor, layer);
  return layer;
}

/// Sets every parameter to zero.
template <class Layer>
void set_zero(Layer& layer) {
  for (const auto& view : parameter_views(layer)) std::fill_n(view.data, view.size(), typename Layer::Scalar(0));
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
  for (const auto& view : parameter_views(layer)) count += view.size();
  return count;
}

/// Copies between layers of the same shapes and different types: fixed to run-time sizes, float to double.
template <class To, class From>
void copy_parameters(To& to, const From& from) {
  for_each_parameter(
      [](auto& a, const auto& b) { a = b.template cast<typename std::remove_reference_t<decltype(a)>::Scalar>(); }, to,
      from);
}

}  // namespace lstmrec

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/error.hpp>
#include <lstmrec/io/tensor_reader.hpp>
#include <lstmrec/io/tensor_writer.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace lstmrec {

namespace detail {

/// A parameter's shape as a tensor: [columns, rows], or [rows] of a vector.
template <class Scalar>
std::vector<std::uint64_t> tensor_shape(const ParameterView<Scalar>& view) {
  const auto rows = static_cast<std::uint64_t>(view.rows), columns = static_cast<std::uint64_t>(view.columns);
  if (view.is_vector) return {rows};
  return {columns, rows};
}

/// Throws std::invalid_argument where a number is not finite.
template <class Scalar>
void expect_finite(const ParameterView<Scalar>& view) {
  if (!std::all_of(view.data, view.data + view.size(), [](Scalar number) { return std::isfinite(number); }))
    fail<std::invalid_argument>({view.name, ": expected finite numbers"});
}

}  // namespace detail

/// Throws std::invalid_argument unless the parameters of two networks have the same shapes.
template <class Network>
void expect_same_shapes(const Network& network, const Network& expected) {
  const auto found = parameter_views(network, true), wanted = parameter_views(expected, true);
  for (std::size_t k = 0; k < std::max(found.size(), wanted.size()); ++k) {
    if (found.size() != wanted.size() || detail::tensor_shape(found[k]) != detail::tensor_shape(wanted[k]))
      detail::fail<std::invalid_argument>(
          {"the network's ", k < found.size() ? found[k].name : wanted[k].name, " has another size than it must have"});
  }
}

/// Adds a network's parameters to a file as `<prefix><name>`, those of layers that it does not have left out. Throws
/// std::invalid_argument where a number is not finite: the file could not be read back.
template <class Network>
void put_network(TensorWriter& file, const std::string& prefix, const Network& network) {
  for (const auto& view : parameter_views(network, true)) {
    detail::expect_finite(view);
    if (view.size() > 0)
      file.put(prefix + view.name, detail::tensor_shape(view),
               std::span(view.data, static_cast<std::size_t>(view.size())));
  }
}

/// Throws ModelFileError unless a file holds every parameter of a network with as many items as said and none beside
/// them. `shape`: such a network of one item, so that nothing of the size of the catalogue is made before the file is
/// known to fit.
template <class Network>
void expect_network(const TensorReader& file, const std::string& prefix, const Network& shape, std::uint64_t items) {
  const auto views = parameter_views(shape, true);
  for (const auto& view : views) {
    if (view.size() == 0) continue;
    auto expected = detail::tensor_shape(view);
    if (is_by_item(view.kind)) expected.front() = items;
    file.expect_shape(prefix + view.name, expected);
  }
  for (const auto& [name, tensor] : file.header().tensors) {
    if (!name.starts_with(prefix)) continue;
    bool is_known = false;
    for (const auto& view : views)
      is_known = is_known || (view.size() > 0 && name.compare(prefix.size(), name.npos, view.name) == 0);
    if (!is_known)
      detail::fail<ModelFileError>({file.path(), ": ", name, ": the configuration's network has no such parameter"});
  }
}

/// Fills a network's parameters, which have their sizes already. Throws ModelFileError where a tensor's shape or type
/// is another, or a number is not finite.
template <class Network>
void get_network(TensorReader& file, const std::string& prefix, Network& network) {
  for (const auto& view : parameter_views(network, true)) {
    if (view.size() == 0) continue;
    file.expect_shape(prefix + view.name, detail::tensor_shape(view));
    file.get_into(prefix + view.name, std::span(view.data, static_cast<std::size_t>(view.size())));
    check_read(file, prefix, [&] { detail::expect_finite(view); });
  }
}

}  // namespace lstmrec

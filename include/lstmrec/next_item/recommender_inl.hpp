#pragma once

/// The bodies of recommender.hpp.

#include <algorithm>
#include <cstring>
#include <lstmrec/core/random.hpp>
#include <lstmrec/next_item/recommender.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <stdexcept>
#include <utility>

namespace lstmrec {

template <class Network>
void BasicRecommender<Network>::set_network(Network network) {
  std::swap(parts_.network, network);
  try {
    check();
  } catch (...) {
    std::swap(parts_.network, network);
    throw;
  }
  input_projections_.resize(0, 0);
  make_fingerprint();
}

template <class Network>
void BasicRecommender<Network>::cache_input_projections() {
  if constexpr (Network::has_input_projections)
    if (items() > 0) input_projections_ = parts_.network.input_projections();
}

template <class Network>
void BasicRecommender<Network>::check() const {
  const auto expect = [](bool holds, const char* rule) {
    if (!holds) detail::fail<std::invalid_argument>({"a recommender's parts must belong together: ", rule});
  };
  const auto items = static_cast<std::size_t>(parts_.network.items());
  expect(items > 0, "the network knows no items");
  expect(parts_.item_ids.size() == items, "one id an item");
  expect(parts_.catalogue.size() == items, "one catalogue entry an item");
  expect(parts_.item_counts.size() == items, "one count an item");
  expect(parts_.markov.items() == 0 || static_cast<std::size_t>(parts_.markov.items()) == items,
         "a Markov chain of the same items");
  try {
    parts_.markov.check();
  } catch (const std::invalid_argument& error) {
    expect(false, detail::message({"the Markov chain's ", error.what()}).c_str());
  }
  expect(!(parts_.config.markov_weight > 0) || parts_.markov.items() > 0, "a Markov weight above 0 needs a chain");
  const SessionKnn& knn = parts_.session_knn;
  expect(knn.items() == 0 || static_cast<std::size_t>(knn.items()) == items, "session kNN of the same items");
  expect(knn.items() == 0 || knn.is_indexed(), "session kNN of which `index` has been called");
  try {
    knn.check();
  } catch (const std::invalid_argument& error) {
    expect(false, detail::message({"the sessions' ", error.what()}).c_str());
  }
  expect(!(parts_.config.session_knn_weight > 0) || knn.items() > 0, "a weight of session kNN needs sessions");
  try {
    parts_.memory.check(items);
  } catch (const std::invalid_argument& error) {
    expect(false, detail::message({"the memory's ", error.what()}).c_str());
  }
  const Network shape(1, parts_.config);
  expect(parts_.network.blocks.size() == shape.blocks.size(), "as many blocks as the configuration says");
  const auto found = parameter_views(parts_.network), expected = parameter_views(shape);
  bool same = found.size() == expected.size();
  for (std::size_t k = 0; same && k < found.size(); ++k) {
    Index rows = expected[k].rows, columns = expected[k].columns;  // of one item
    if (found[k].size() > 0 && found[k].kind == ParameterKind::item_embedding) columns *= parts_.network.items();
    if (found[k].kind == ParameterKind::item_bias) rows *= parts_.network.items();
    same = found[k].rows == rows && found[k].columns == columns;
  }
  const auto state_size = [](const Network& network) {  // tells cells apart whose parameters have the same shapes
    auto state = network.initial_state();
    Index size = 0;
    Network::visit_state(state, [&](const auto& matrix) { size += matrix.size(); });
    return size;
  };
  expect(same && state_size(parts_.network) == state_size(shape), "a network of the sizes that the configuration says");
}

template <class Network>
void BasicRecommender<Network>::make_fingerprint() {
  std::uint64_t hash =
      mix_seed(items(), parts_.config.hidden_size, parts_.config.embedding_size, parts_.network.blocks.size());
  const auto add = [&](float number) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &number, sizeof bits);
    hash = mix_seed(hash, bits);
  };
  for (const auto& view : parameter_views(parts_.network)) {
    const Index size = view.size(), count = view.kind == ParameterKind::item_bias ? size : std::min<Index>(16, size);
    for (Index i = 0; i < count; ++i) add(view.data[i * size / count]);
  }
  if (uses_markov()) hash = mix_seed(hash, parts_.markov.transitions.items.size());
  if (uses_session_knn()) hash = mix_seed(hash, parts_.session_knn.sequence_items.size());
  fingerprint_ = hash;
}

template <class Network>
Matrix<float> BasicRecommender<Network>::outputs(std::span<const History> histories) const {
  return scorer().outputs(histories);
}
template <class Network>
void BasicRecommender<Network>::score_tile(std::span<const History> histories, const Matrix<float>& outputs,
                                           Index first, MatrixRef<float> scores) const {
  scorer().score_tile(histories, outputs, first, scores);
}
template <class Network>
void BasicRecommender<Network>::score(std::span<const History> histories, MatrixRef<float> scores) const {
  scorer().score(histories, scores);
}

}  // namespace lstmrec

#pragma once

/// The bodies of recommender.hpp.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <lstmrec/core/alias_table.hpp>
#include <lstmrec/core/random.hpp>
#include <lstmrec/core/ridge.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <lstmrec/next_item/recommender.hpp>
#include <lstmrec/nn/parameters.hpp>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

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
  parts_.states_of = 0;
  make_fingerprint();
}

namespace detail {

/// A network with room for further items, whose own parts are what a ridge regression on the features of the known
/// items makes of theirs; rarer items count less. `rows`: a row an item, the known ones first. `features`: how many
/// there are.
template <class Network>
Network with_more_items(const Network& network, const RecommenderConfig& config, const FeatureRows& rows,
                        Index features, std::span<const std::uint32_t> item_counts) {
  const std::size_t items = rows.rows(), known = static_cast<std::size_t>(network.items());
  Network larger(static_cast<Index>(items), config);
  FeatureRows known_rows;
  std::vector<double> weights;
  for (std::size_t item = 0; item < known; ++item) {
    for (std::size_t k = 0; k < rows[item].size(); ++k) known_rows.push(rows[item].features[k], rows[item].values[k]);
    known_rows.end_row();
    weights.push_back(item_counts[item] / (item_counts[item] + 10.0));
  }
  const auto from = parameter_views(network);
  const auto to = parameter_views(larger);
  for (std::size_t k = 0; k < to.size(); ++k) {
    std::copy_n(from[k].data, from[k].size(), to[k].data);
    if (!is_by_item(to[k].kind) || to[k].size() == 0 || known == items) continue;
    const Index size = to[k].size_of_one();
    using Table = Matrix<typename Network::Scalar>;
    Matrix<double> own = Eigen::Map<const Table>(from[k].data, size, static_cast<Index>(known)).template cast<double>();
    const Vector<double> mean = own.rowwise().mean();
    own.colwise() -= mean;
    const Matrix<double> map = ridge(known_rows, weights, own, features, 1);
    for (std::size_t item = known; item < items; ++item) {
      Vector<double> guess = mean;
      for (std::size_t f = 0; f < rows[item].size(); ++f)
        guess += static_cast<double>(rows[item].values[f]) * map.col(rows[item].features[f]);
      Eigen::Map<Table>(to[k].data, size, static_cast<Index>(items)).col(static_cast<Index>(item)) =
          guess.cast<typename Network::Scalar>();
    }
  }
  return larger;
}

/// Returns the bias of the items from `known` on with which they take a part of `share` of the first ten places
/// together, on average over histories of one event.
template <class Network>
float bias_of_new_items(const BasicRecommender<Network>& recommender, Index known, double share) {
  constexpr std::size_t places = 10;
  const Index items = recommender.items();
  const auto known_items = static_cast<std::size_t>(known);
  if (items == known || known_items <= places) return 0;
  std::vector<double> frequencies(recommender.item_counts().begin(),
                                  recommender.item_counts().begin() + static_cast<std::ptrdiff_t>(known_items));
  for (double& each : frequencies) each += 1e-3;  // where nothing has been counted, all are as frequent
  const AliasTable distribution(frequencies);
  const auto lists = std::clamp<std::size_t>((std::size_t{1} << 24) / static_cast<std::size_t>(items), 16, 512);
  auto scorer = recommender.scorer();
  scorer.session_knn_weight = 0;  // which mixes in probabilities of known items alone
  Random random(1);
  Matrix<float> scores(items, 1);
  const auto added = static_cast<std::size_t>(items - known), most = std::min(places, added);
  std::vector<float> known_best, new_best, all;  // of every list, best first
  const auto keep_best = [&](std::size_t count, std::vector<float>& best) {
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end(), std::greater<>());
    best.insert(best.end(), all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count));
  };
  for (std::size_t list = 0; list < lists; ++list) {
    const std::uint32_t item = distribution.draw(random);
    const History history({&item, 1});
    scorer.score({&history, 1}, scores);
    all.assign(scores.data(), scores.data() + known);
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(item));
    keep_best(places, known_best);
    all.assign(scores.data() + known, scores.data() + items);
    keep_best(most, new_best);
  }
  const auto listed = [&](float bias) {
    std::size_t count = 0;
    for (std::size_t list = 0; list < lists; ++list)
      for (std::size_t k = 0; k < most;
           ++k)  // the k-th of the new ones is listed if places − k known ones are not before
        count += new_best[list * most + k] + bias > known_best[list * places + places - 1 - k];
    return count;
  };
  const double wanted =
      std::min(share * static_cast<double>(places), static_cast<double>(most)) * static_cast<double>(lists);
  const auto [lowest_known, highest_known] = std::minmax_element(known_best.begin(), known_best.end());
  const auto [lowest_new, highest_new] = std::minmax_element(new_best.begin(), new_best.end());
  float low = *lowest_known - *highest_new - 1, high = *highest_known - *lowest_new + 1;  // none, and all
  for (int k = 0; k < 40; ++k) {
    const float middle = low + (high - low) / 2;
    (static_cast<double>(listed(middle)) > wanted ? high : low) = middle;
  }
  return low;
}

}  // namespace detail

template <class Network>
void BasicRecommender<Network>::add_items(const std::vector<CatalogueItem>& rows, double share) {
  if (items() == 0) throw std::invalid_argument("a recommender that knows no items can't take in more");
  if (share != -1 && !(share >= 0 && share <= 1))
    detail::fail<std::invalid_argument>({"the share of new items must be -1 or in [0, 1], got ", share});
  const Index known = items();
  Parts parts = parts_;
  parts.states_of = fingerprint_;
  ThreadPool one(1);
  const auto add_content = [&](Network& network, float sign) {
    if (parts.features.size() > 0) network.add_content(parts.features.rows(parts.catalogue), {}, one, sign);
  };
  add_content(parts.network, -1);
  for (const CatalogueItem& row : rows) {
    const std::uint32_t item = parts.item_ids.add(row.id);
    parts.catalogue.resize(parts.item_ids.size());
    if (!row.info.title.empty() || !row.info.genres.empty()) parts.catalogue[item] = row.info;
  }
  const std::size_t all = parts.item_ids.size();
  // A model that was trained without features knows how its items' vectors go with them all the same.
  const ItemFeatures features =
      parts.features.size() > 0
          ? parts.features
          : find_item_features(parts.catalogue, {.title_words = parts.config.title_words, .most = most_item_features});
  parts.network = detail::with_more_items(parts.network, parts.config, features.rows(parts.catalogue),
                                          static_cast<Index>(features.size()), parts.item_counts);
  add_content(parts.network, 1);
  parts.item_counts.resize(all, 0);
  if (parts.markov.items() > 0) parts.markov = merged(parts.markov, MarkovChain(), parts.item_counts);
  if (parts.session_knn.items() > 0) {
    parts.session_knn.counts = parts.item_counts;
    parts.session_knn.index();
  }
  BasicRecommender larger(std::move(parts));
  if constexpr (requires { larger.parts_.network.head.bias(0); }) {
    const Index added = larger.items() - known;
    if (share < 0) share = static_cast<double>(added) / static_cast<double>(larger.items());
    const float bias = detail::bias_of_new_items(larger, known, share);
    larger.parts_.network.head.bias.tail(added).array() += bias;
  }
  *this = std::move(larger);
}

template <class Network>
std::vector<RawId> BasicRecommender<Network>::withdraw_items(const std::vector<RawId>& ids) {
  std::vector<RawId> unknown;
  std::vector<std::uint32_t> withdrawn = parts_.withdrawn;
  for (const RawId& id : ids)
    if (const auto item = parts_.item_ids.find(id))
      withdrawn.push_back(*item);
    else
      unknown.push_back(id);
  std::sort(withdrawn.begin(), withdrawn.end());
  withdrawn.erase(std::unique(withdrawn.begin(), withdrawn.end()), withdrawn.end());
  parts_.withdrawn = std::move(withdrawn);
  return unknown;
}

template <class Network>
void BasicRecommender<Network>::restore_items(const std::vector<RawId>& ids) {
  for (const RawId& id : ids)
    if (const auto item = parts_.item_ids.find(id)) std::erase(parts_.withdrawn, *item);
}

template <class Network>
void BasicRecommender<Network>::cache_input_projections() {
  if constexpr (Network::has_input_projections)
    if (items() > 0 && !parts_.network.reads_context()) input_projections_ = parts_.network.input_projections();
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
  detail::check_withdrawn(parts_.withdrawn, items);
  try {
    parts_.memory.check(items);
  } catch (const std::invalid_argument& error) {
    expect(false, detail::message({"the memory's ", error.what()}).c_str());
  }
  expect(parts_.features.size() == static_cast<std::size_t>(parts_.config.item_features),
         "as many features of items as the configuration says");
  expect(parts_.context.inputs() == parts_.config.context_inputs(), "the context that the configuration says");
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
  fingerprint_ = parts_.states_of;
  if (fingerprint_ != 0) return;
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
  if (parts_.config.attention_window > 0) hash = mix_seed(hash, parts_.config.attention_window);
  if (parts_.context.hash() != 0) hash = mix_seed(hash, parts_.context.hash());
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

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <lstmrec/baselines/markov.hpp>
#include <lstmrec/baselines/session_knn.hpp>
#include <lstmrec/core/compiled.hpp>
#include <lstmrec/data/catalogue_item.hpp>
#include <lstmrec/data/event.hpp>
#include <lstmrec/data/event_context.hpp>
#include <lstmrec/data/item_features.hpp>
#include <lstmrec/data/trained_on.hpp>
#include <lstmrec/data/vocabulary.hpp>
#include <lstmrec/next_item/config.hpp>
#include <lstmrec/next_item/network.hpp>
#include <lstmrec/next_item/network_scorer.hpp>
#include <lstmrec/next_item/replay_memory.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace lstmrec {

/// The parts of a recommender. Ids, catalogue and counts have an entry an item, in the network's order.
template <class Network>
struct RecommenderParts {
  RecommenderConfig config;  ///< Its markov_weight and session_knn_weight are those in use.
  Network network;
  Vocabulary item_ids;                     ///< Raw id ↔ the network's index.
  std::vector<ItemInfo> catalogue;         ///< Titles and genres where the data had them.
  std::vector<std::uint32_t> item_counts;  ///< Events in training: what is recommended for no history.
  MarkovChain markov = {};                 ///< Empty where the weight is 0.
  SessionKnn session_knn = {};             ///< Empty where its weight is 0.
  ItemFeatures features = {};              ///< Of which item vectors are made; empty where there are none.
  EventContext context = {};               ///< What the network reads of events beside their items.
  ReplayMemory memory = {};                ///< For updates; empty where config.memory_sequences is 0.
  TrainedOn trained_on = {};
  std::vector<std::uint32_t> withdrawn = {};  ///< Items that are not recommended, in ascending order.
  std::uint64_t states_of = 0;  ///< Fingerprint of the recommender whose users' states go on here; 0: its own.
};

namespace detail {

/// Throws std::invalid_argument unless these are some of so many items, in ascending order.
inline void check_withdrawn(const std::vector<std::uint32_t>& withdrawn, std::size_t items) {
  for (std::size_t k = 0; k < withdrawn.size(); ++k)
    if (withdrawn[k] >= items || (k > 0 && withdrawn[k] <= withdrawn[k - 1]))
      fail<std::invalid_argument>(
          {"withdrawn: expected numbers below ", items, ", each above the one before, found ", withdrawn[k]});
}

}  // namespace detail

/// A trained next-item network together with its vocabulary: what is saved, loaded, evaluated and served. A Scorer.
///
///     score(j) = network's score(j) + w · log(decayed Markov score(j)),   w = markov_weight()
///
/// The Markov chain knows pairs of items that are too rare for the network to learn; where there are many events of
/// each item, w is 0 and there is no chain. Where it helps, most of all with visits, the probabilities of session kNN
/// are mixed with those of these scores (session_knn_mixture.hpp).
///
///     const Recommender recommender = fit(split).recommender;       // or load_recommender(path)
///     recommender.config().hidden_size;
///
/// Its parts agree with each other at all times. Const functions may be called by any number of threads at once.
/// `Network` is a NextItemNetwork of any parts.
template <class Network_>
class BasicRecommender {
 public:
  using Network = Network_;
  using Parts = RecommenderParts<Network>;

  /// Knows no items.
  BasicRecommender() = default;

  /// Throws std::invalid_argument where the parts do not belong together, ConfigError on a bad configuration. A
  /// weight of −1, which training would have chosen, becomes 0.
  explicit BasicRecommender(Parts parts) : parts_(std::move(parts)) {
    parts_.config.markov_weight = markov_weight();
    parts_.config.item_knn_weight = std::max(0.0, parts_.config.item_knn_weight);
    parts_.config.session_knn_weight = session_knn_weight();
    if (parts_.config.item_features < 0)
      parts_.config.item_features = static_cast<std::int64_t>(parts_.features.size());
    check();
    make_fingerprint();
  }

  const RecommenderConfig& config() const& { return parts_.config; }
  const Network& network() const& { return parts_.network; }
  const Vocabulary& item_ids() const& { return parts_.item_ids; }
  const std::vector<ItemInfo>& catalogue() const& { return parts_.catalogue; }
  const std::vector<std::uint32_t>& item_counts() const& { return parts_.item_counts; }
  const MarkovChain& markov() const& { return parts_.markov; }
  const SessionKnn& session_knn() const& { return parts_.session_knn; }
  const ItemFeatures& features() const& { return parts_.features; }
  const EventContext& context() const& { return parts_.context; }
  const ReplayMemory& memory() const& { return parts_.memory; }
  const TrainedOn& trained_on() const& { return parts_.trained_on; }
  /// The indices of items that are not recommended, in ascending order.
  const std::vector<std::uint32_t>& withdrawn() const& { return parts_.withdrawn; }
  /// The parts of a recommender that is about to be destroyed are handed over, not lent.
  RecommenderConfig config() && { return std::move(parts_.config); }
  Network network() && { return std::move(parts_.network); }
  Vocabulary item_ids() && { return std::move(parts_.item_ids); }
  std::vector<ItemInfo> catalogue() && { return std::move(parts_.catalogue); }
  std::vector<std::uint32_t> item_counts() && { return std::move(parts_.item_counts); }
  MarkovChain markov() && { return std::move(parts_.markov); }
  SessionKnn session_knn() && { return std::move(parts_.session_knn); }
  ItemFeatures features() && { return std::move(parts_.features); }
  EventContext context() && { return std::move(parts_.context); }
  ReplayMemory memory() && { return std::move(parts_.memory); }
  TrainedOn trained_on() && { return parts_.trained_on; }
  std::vector<std::uint32_t> withdrawn() && { return std::move(parts_.withdrawn); }

  /// See RecommenderParts.
  std::uint64_t states_of() const { return parts_.states_of; }

  Index items() const { return parts_.network.items(); }
  double markov_weight() const { return std::max(0.0, parts_.config.markov_weight); }
  bool uses_markov() const { return markov_weight() > 0; }
  double session_knn_weight() const { return std::max(0.0, parts_.config.session_knn_weight); }
  bool uses_session_knn() const { return session_knn_weight() > 0; }
  /// Whether the items of a history are left out of its lists.
  bool exclude_seen() const { return parts_.config.exclude_seen.value_or(true); }

  /// Throws std::invalid_argument where there is no Markov chain to weigh, or on a weight below 0.
  void set_markov_weight(double weight) {
    if (!(weight >= 0) || (weight > 0 && parts_.markov.items() == 0))
      detail::fail<std::invalid_argument>(
          {"a Markov weight above 0 needs a Markov chain, and none is below 0; got ", weight});
    parts_.config.markov_weight = weight;
    parts_.states_of = 0;
    make_fingerprint();
  }

  /// The recommender with another weight of the Markov chain: 0 is the network alone.
  BasicRecommender with_markov_weight(double weight) const {
    BasicRecommender other = *this;
    other.set_markov_weight(weight);
    return other;
  }

  /// Throws std::invalid_argument where there are no sessions to weigh, or on a weight outside [0, 1).
  void set_session_knn_weight(double weight) {
    if (!(weight >= 0 && weight < 1) || (weight > 0 && parts_.session_knn.items() == 0))
      detail::fail<std::invalid_argument>(
          {"a weight of session kNN must be in [0, 1), and needs sessions to be above 0; got ", weight});
    parts_.config.session_knn_weight = weight;
    parts_.states_of = 0;
    make_fingerprint();
  }

  /// The recommender without Markov chain and session kNN.
  BasicRecommender network_alone() const {
    BasicRecommender other = *this;
    other.set_markov_weight(0);
    other.set_session_knn_weight(0);
    return other;
  }

  /// Takes in items that come without any event. Each is recommended at once beside the others, by the vector that its
  /// features (categories, words of the title) give it: the sum of the features' own vectors, where the recommender was
  /// trained with them (RecommenderConfig::item_features), and of what a ridge regression makes of the known items' own
  /// parts. The next `update` learns the items. What a row says of an item that is known replaces what was known of it.
  ///
  ///     recommender.add_items({{RawId(5001), {.title = "New Toy (2026)", .genres = {"Puzzles"}}}});
  ///
  /// Nothing in a log says how often new items should be listed, so a bias sees to it that in the first ten places
  /// after histories of one event, drawn by how frequent their items are, they take a part of `share` together; −1: as
  /// large a part as they are of all items. Session kNN, which knows no new items, then leaves them less.
  ///
  /// Users' states stay valid, so items have to be added to the recommender that was served last: two that got other
  /// items from the same one number these alike. Rankers and candidates made before don't stay valid. Cached input
  /// projections are dropped. Throws std::invalid_argument where the recommender knows no items or on another share
  /// above 1 or below 0; a call that throws changes nothing. Cost: a copy of the recommender, 100 passes over the
  /// features of all items for each item table, on one thread, with a few numbers for each of features × embedding size
  /// in memory, and up to 512 lists.
  void add_items(const std::vector<CatalogueItem>& rows, double share = -1);

  /// Takes items out of all lists of rankers and candidates that are made from now on, whatever these allow; they stay
  /// in users' histories, and evaluations rank them as before. Ids that are unknown are ignored, and returned.
  std::vector<RawId> withdraw_items(const std::vector<RawId>& ids);
  /// Lists them again.
  void restore_items(const std::vector<RawId>& ids);

  /// Takes other weights of the same shapes; cached input projections are dropped. Throws std::invalid_argument on
  /// other shapes.
  void set_network(Network network);

  /// Makes the events of sessions and evaluations cheaper by what the first layer computes of an item alone, for 16
  /// hidden × items bytes (14 MB at 256 units and 3416 items). Not saved. Does nothing where the network's input or
  /// first block looks at more than the item, as with times or ratings as inputs.
  void cache_input_projections();
  /// Empty, or what cache_input_projections has computed.
  const Matrix<float>& input_projections() const& { return input_projections_; }
  Matrix<float> input_projections() && { return std::move(input_projections_); }

  /// Borrows the recommender.
  NetworkScorer<Network> scorer() const& {
    return {.network = &parts_.network,
            .input_projections = input_projections_.size() > 0 ? &input_projections_ : nullptr,
            .context = &parts_.context,
            .item_counts = parts_.item_counts,
            .markov = &parts_.markov,
            .markov_weight = markov_weight(),
            .session_knn = &parts_.session_knn,
            .session_knn_weight = session_knn_weight(),
            .numbering = parts_.item_ids.fingerprint()};
  }
  NetworkScorer<Network> scorer() const&& = delete;

  /// The TiledScorer's functions: see NetworkScorer. The histories' item indices are this recommender's: those of the
  /// sequences it was trained on, or of sequences brought to its vocabulary (align_items). Throws std::invalid_argument
  /// on histories of sequences that number their items otherwise.
  Matrix<float> outputs(std::span<const History> histories) const;
  void score_tile(std::span<const History> histories, const Matrix<float>& outputs, Index first,
                  MatrixRef<float> scores) const;
  void score(std::span<const History> histories, MatrixRef<float> scores) const;

  /// Tells recommenders apart, but for items that were added later: a hash of their sizes, of the items' biases, of 16
  /// numbers of every parameter, which initialisation and training have moved, and of the Markov chain and the sessions
  /// in use.
  std::uint64_t fingerprint() const { return fingerprint_; }

 private:
  void check() const;

  void make_fingerprint();

  Parts parts_;
  Matrix<float> input_projections_;
  std::uint64_t fingerprint_ = 0;
};

using Recommender = BasicRecommender<NextItemNetwork<float>>;

}  // namespace lstmrec

#ifdef LSTMREC_COMPILED
extern template class lstmrec::BasicRecommender<lstmrec::NextItemNetwork<float>>;
#else
#include <lstmrec/next_item/recommender_inl.hpp>
#endif

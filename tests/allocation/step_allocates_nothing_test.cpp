// The streaming step and the scoring of one user allocate nothing. Two witnesses: Eigen refuses to allocate, and
// `operator new` is counted, so this is a program of its own.
#define EIGEN_RUNTIME_NO_MALLOC
#define eigen_assert(condition) ((condition) ? void() : throw std::logic_error("Eigen: " #condition))

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <stdexcept>

namespace {
std::atomic<std::size_t> allocations = 0;
}

// GCC inlines the replacement of delete, but not that of new, and then takes the pair for a mistake.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

void* operator new(std::size_t size) {
  ++allocations;
  if (void* block = std::malloc(size)) return block;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t) noexcept { std::free(block); }

#include <cstdint>
#include <lstmrec/data/event.hpp>
#include <lstmrec/next_item/network.hpp>
#include <lstmrec/next_item/ranker.hpp>
#include <lstmrec/next_item/session.hpp>
#include <lstmrec/nn/any_cell.hpp>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

namespace {

/// The calls of operator new in function(), with Eigen forbidden to allocate: then it throws.
template <class Function>
std::size_t allocations_in(Function&& function) {
  const std::size_t before = allocations;
  Eigen::internal::set_is_malloc_allowed(false);
  try {
    function();
  } catch (...) {
    Eigen::internal::set_is_malloc_allowed(true);
    throw;
  }
  Eigen::internal::set_is_malloc_allowed(true);
  return allocations - before;
}

/// An untrained recommender of 3416 items.
Recommender recommender_of(const RecommenderConfig& config, bool with_markov) {
  RecommenderParts<NextItemNetwork<float>> parts;
  parts.config = config;
  parts.network = NextItemNetwork<float>(3416, config);
  Random random(1);
  parts.network.initialise(random);
  for (int id = 0; id < 3416; ++id) parts.item_ids.add(id * 3000);
  parts.catalogue.assign(3416, {"A title that is too long for the small-string optimisation", {}});
  parts.item_counts.assign(3416, 1);
  parts.config.markov_weight = with_markov ? 1 : 0;
  if (with_markov) {
    for (std::uint32_t item = 0; item < 3416; ++item) {
      for (std::uint32_t k = 0; k < 50; ++k) parts.markov.transitions.push(std::min(item, 3416u - 50) + k, 1);
      parts.markov.transitions.end_row();
      parts.markov.totals.push_back(50);
    }
    parts.markov.popularity = Popularity(parts.item_counts);
  }
  return Recommender(std::move(parts));
}

void check_network(const RecommenderConfig& config, Index items) {
  NextItemNetwork<float> network(items, config);
  Random random(1);
  network.initialise(random);
  auto state = network.initial_state();
  Vector<float> scores(items);
  CHECK(allocations_in([&] {
          for (std::uint32_t item = 0; item < 3; ++item) {
            network.step(History({&item, 1}), state);
            network.compute_output(state);
            network.score(state.output, scores);
          }
        }) == 0);
  CHECK(scores.allFinite());
}

template <class Fixed, class Dynamic>
void check_cell(Fixed fixed, Dynamic dynamic) {
  randomise(fixed, 1);
  randomise(dynamic, 1);
  auto fixed_state = fixed.initial_state();
  auto dynamic_state = dynamic.initial_state();
  const Eigen::Matrix<float, 8, 1> x = Eigen::Matrix<float, 8, 1>::Ones();
  const Matrix<float> columns = random_matrix<float>(300, 3, 1);
  CHECK(allocations_in([&] {
          for (Index step = 0; step < 3; ++step) {
            fixed.step(x, fixed_state);
            dynamic.step(columns.col(step), dynamic_state);
          }
        }) == 0);
  CHECK(fixed_state.hidden.allFinite());
  CHECK(dynamic_state.hidden.allFinite());
}

}  // namespace

TEST_CASE("The witnesses see an allocation by Eigen and one by operator new") {
  CHECK_THROWS_AS(allocations_in([] { Vector<float>::Zero(10).eval(); }), std::logic_error);
  static int* volatile escaped;  // so that the compiler can't leave the pair out
  CHECK(allocations_in([] { escaped = new int; }) == 1);
  delete escaped;
}

TEST_CASE("LstmCell: a step allocates nothing, fixed or run-time sizes") {
  check_cell(LstmCell<float, 8, 16>(), LstmCell<float>(300, 500));
}

TEST_CASE("GruCell, SlstmCell and AnyCell: a step allocates nothing, fixed or run-time sizes") {
  check_cell(GruCell<float, 8, 16>(), GruCell<float>(300, 500));
  check_cell(SlstmCell<float, 8, 16>(), SlstmCell<float>(300, 500));
  for (const CellKind kind : {CellKind::lstm, CellKind::gru, CellKind::slstm})
    check_cell(AnyCell<float>(8, 16, {kind}), AnyCell<float>(300, 500, {kind}));
}

TEST_CASE("A fixed LstmCell with its state needs no heap at all") {
  CHECK(allocations_in([] {
          LstmCell<float, 8, 16> cell;
          cell.bias.setOnes();
          auto state = cell.initial_state();
          cell.step(Eigen::Matrix<float, 8, 1>::Ones().eval(), state);
          if (!(state.hidden(0) > 0)) throw std::runtime_error("no step was taken");
        }) == 0);
}

TEST_CASE("NextItemNetwork: step and score of one user allocate nothing, also where 128 KiB are not enough") {
  check_network({.embedding_size = 256, .hidden_size = 256}, 5000);
  check_network({.embedding_size = 33, .hidden_size = 65, .blocks = 2, .tied_vectors = false}, 40001);
  check_network({.embedding_size = 33, .hidden_size = 65, .blocks = 2, .attention_window = 2}, 5000);
}

TEST_CASE("NextItemNetwork: step and score allocate nothing with any cell in any block") {
  for (const CellKind cell : {CellKind::gru, CellKind::slstm})
    for (const BlockKind block : {BlockKind::residual, BlockKind::plain})
      check_network({.embedding_size = 33, .hidden_size = 65, .cell = cell, .block = block, .blocks = 2}, 5000);
}

TEST_CASE("Session: observing up to 256 items and a list allocate nothing once a list of that length has been made") {
  Recommender recommender =
      recommender_of({.embedding_size = 32, .hidden_size = 48, .blocks = 2, .attention_window = GENERATE(0, 4)},
                     GENERATE(false, true));
  if (GENERATE(false, true)) recommender.cache_input_projections();
  Session session(recommender);
  const Candidates candidates(recommender, {.block = {3000, 6000}});
  session.top_n(10);
  CHECK(allocations_in([&] {
          for (int id = 0; id < 300; ++id) {
            session.observe(id % 256 * 3000);
            session.observe_if_known(7);
            session.top_n(10);
            session.top_n(5, candidates);
          }
        }) == 0);
  CHECK(session.events() == 300);
}

TEST_CASE("Ranker: the events and lists of known users allocate nothing, while their lists of items need not grow") {
  const Recommender recommender =
      recommender_of({.embedding_size = 32, .hidden_size = 48, .attention_window = 4}, GENERATE(false, true));
  Ranker ranker(recommender);
  std::vector<UserState> users(3);
  for (UserState& user : users) {
    ranker.observe(user, 0);
    user.seen.reserve(128);
    ranker.top_n(user, 10);
  }
  CHECK(allocations_in([&] {
          for (int id = 0; id < 100; ++id)
            for (UserState& user : users) {
              ranker.observe(user, id * 3000);
              ranker.observe_if_known(user, 7);
              ranker.top_n(user, 10);
            }
        }) == 0);
  for (const UserState& user : users) CHECK(user.events == 101);
}

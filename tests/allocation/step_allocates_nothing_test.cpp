// The streaming step and the scoring of one user allocate nothing. Two witnesses: Eigen refuses to allocate, and
// `operator new` is counted, so this is a program of its own.
#define EIGEN_RUNTIME_NO_MALLOC
#define eigen_assert(condition) ((condition) ? void() : throw std::logic_error("Eigen: " #condition))

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
#include <lstmrec/model/next_item_network.hpp>
#include <lstmrec/nn/lstm_cell.hpp>
#include <lstmrec/serve/session.hpp>
#include <span>

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

void check_network(const RecommenderConfig& config, Index items) {
  NextItemNetwork<float> network(items, config);
  Random random(1);
  network.initialise(random);
  auto state = network.initial_state();
  Vector<float> scores(items);
  CHECK(allocations_in([&] {
          for (std::uint32_t item = 0; item < 3; ++item) {
            network.step(std::span<const std::uint32_t>(&item, 1), state);
            network.read_out(state);
            network.score(state.output, scores);
          }
        }) == 0);
  CHECK(scores.allFinite());
}

}  // namespace

TEST_CASE("The witnesses see an allocation by Eigen and one by operator new") {
  CHECK_THROWS_AS(allocations_in([] { Vector<float>::Zero(10).eval(); }), std::logic_error);
  static int* volatile escaped;  // so that the compiler can't leave the pair out
  CHECK(allocations_in([] { escaped = new int; }) == 1);
  delete escaped;
}

TEST_CASE("LstmCell: a step allocates nothing, fixed or run-time sizes") {
  LstmCell<float, 8, 16> fixed;
  LstmCell<float> dynamic(300, 500);
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
  CHECK(dynamic_state.hidden.allFinite());
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
  check_network({.embedding_size = 33, .hidden_size = 65, .layers = 2, .tied_vectors = false}, 40001);
}

TEST_CASE("Session: observing and a list allocate nothing once a list of that length has been made") {
  Recommender recommender;
  recommender.config = {.embedding_size = 32, .hidden_size = 48, .layers = 2};
  recommender.network = NextItemNetwork<float>(3416, recommender.config);
  Random random(1);
  recommender.network.initialise(random);
  for (int id = 0; id < 3416; ++id) recommender.item_ids.add(id * 3000);
  recommender.catalogue.assign(3416, {"A title that is too long for the small-string optimisation", {}});
  recommender.item_counts.assign(3416, 1);
  if (GENERATE(false, true)) recommender.prepare_sessions();
  if (GENERATE(false, true)) {
    recommender.config.counts_weight = 1;
    for (std::uint32_t item = 0; item < 3416; ++item) {
      for (std::uint32_t k = 0; k < 50; ++k) recommender.counts.transitions.push((item + k) % 3416, 1);
      recommender.counts.transitions.end_row();
      recommender.counts.totals.push_back(50);
    }
    recommender.counts.popularity = Popularity(recommender.item_counts);
  }
  Session session(recommender);
  const Candidates candidates(recommender, {.block = {3000, 6000}});
  session.top_n(10);
  CHECK(allocations_in([&] {
          for (int id = 0; id < 300; ++id) {
            session.observe(id * 3000);
            session.observe_if_known(7);
            session.top_n(10);
            session.top_n(5, candidates);
          }
        }) == 0);
  CHECK(session.events() == 300);
}

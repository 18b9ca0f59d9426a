// A training hands out its gradients, which can be summed with those of other processes, and all of its state.
#include <algorithm>
#include <any>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/next_item/fit.hpp>
#include <lstmrec/next_item/training_step.hpp>
#include <set>
#include <span>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "eval/small_split.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

namespace {

using FloatNetwork = NextItemNetwork<float>;
using Gradients = std::span<const std::span<float>>;

/// Users without any taste, of 20 items.
Split state_noise(std::size_t users = 40) {
  Random random(1);
  std::vector<std::vector<std::uint32_t>> events(users);
  for (auto& list : events)
    for (int k = 0; k < 8; ++k) list.push_back(static_cast<std::uint32_t>(random.below(20)));
  return split_of(events, 20);
}

RecommenderConfig state_config() {
  return {.embedding_size = 8,
          .hidden_size = 12,
          .blocks = 2,
          .feed_forward_factor = 2,
          .dropout = 0.2,
          .markov_weight = 0,
          .exclude_seen = false,
          .target_horizon = 2,
          .sampled_negatives = 0,
          .window = 5,
          .training = {.epochs = 2, .batch_size = 8, .learning_rate = 0.01, .ema_decay = 0.9, .shards = 3}};
}

FloatNetwork network_after(const Split& split, const RecommenderConfig& config, const FitOptions& options) {
  return fit(split, config, options).recommender.network();
}

/// Copies of all values that visit_state shows of a training.
std::vector<std::any> state_of(const NetworkTraining<FloatNetwork>& training) {
  std::vector<std::any> state;
  NetworkTraining<FloatNetwork>::visit_state(training,
                                             [&](const std::string&, const auto& value) { state.emplace_back(value); });
  return state;
}

void put_back(const std::vector<std::any>& state, NetworkTraining<FloatNetwork>& training) {
  std::size_t next = 0;
  NetworkTraining<FloatNetwork>::visit_state(training, [&](const std::string&, auto& value) {
    value = std::any_cast<std::remove_cvref_t<decltype(value)>>(state.at(next++));
  });
  REQUIRE(next == state.size());
}

/// A training of the subsequences of `noise` with all that it borrows, to be taken on batch by batch.
struct Training {
  const Split& split;
  RecommenderConfig config;
  std::vector<std::uint32_t> counts = training_counts(split);
  BatchBuilder batches{
      split,
      {static_cast<std::uint32_t>(config.target_horizon), config.target_decay, config.exclude_seen.value_or(true)}};
  std::vector<Subsequence> parts = cut_subsequences(split, static_cast<std::uint32_t>(config.window), 1);
  SoftmaxCrossEntropy loss;
  FeatureRows no_features;
  detail::NextItemSteps<FloatNetwork> steps;

  Training(const Split& data, const RecommenderConfig& chosen, std::uint64_t seed)
      : split(data),
        config(chosen),
        steps(initial(chosen, seed), batches, config, counts, no_features, loss, {.threads = 2}) {}

  static FloatNetwork initial(const RecommenderConfig& config, std::uint64_t seed) {
    FloatNetwork network(20, config);
    Random random(seed);
    network.initialise(random);
    return network;
  }

  /// Takes the steps begin … end − 1.
  void run(std::size_t begin, std::size_t end) {
    for (std::size_t step = begin; step < end; ++step) {
      auto chosen = std::vector<Subsequence>(parts.begin() + static_cast<std::ptrdiff_t>(4 * (step % 10)),
                                             parts.begin() + static_cast<std::ptrdiff_t>(4 * (step % 10) + 4));
      std::size_t predictions = 0;
      for (const Subsequence& part : chosen) predictions += batches.predictions(part);
      steps.step(chosen, predictions, 0.01 / static_cast<double>(1 + step), step / 10, step % 10);
    }
  }
};

}  // namespace

TEST_CASE("reduce_gradients: sees all gradients of every batch, always in the same blocks") {
  const Split split = state_noise();
  RecommenderConfig config = state_config();
  config.tied_vectors = false;
  std::set<std::vector<std::pair<const float*, std::size_t>>> layouts;
  std::size_t calls = 0, numbers = 0, batches = 0;
  double largest = 0;
  FitOptions options{.threads = 2};
  options.progress = [&](const TrainingProgress& p) { batches += !p.epoch_ended; };
  options.reduce_gradients = [&](Gradients gradients) {
    ++calls;
    numbers = 0;
    std::vector<std::pair<const float*, std::size_t>> layout;
    for (const auto& block : gradients) {
      layout.emplace_back(block.data(), block.size());
      numbers += block.size();
      for (const float number : block) largest = std::max(largest, std::abs(static_cast<double>(number)));
    }
    layouts.insert(layout);
  };
  const FloatNetwork network = network_after(split, config, options);
  CHECK(calls == batches);
  CHECK(calls == 10);
  CHECK(numbers == static_cast<std::size_t>(parameter_count(network)));
  CHECK(layouts.size() == 1);
  CHECK(largest > 0);
}

TEST_CASE("reduce_gradients: one that changes nothing changes no bit, clipped or not") {
  const Split split = state_noise(60);
  RecommenderConfig config = state_config();
  config.hidden_size = 96;  // so that some parameters are many blocks of an update
  config.blocks = 1;
  for (const double clip_norm : {1e6, 0.05}) {
    config.training.clip_norm = clip_norm;
    const FloatNetwork alone = network_after(split, config, {.threads = 2});
    CHECK(same_bits(network_after(split, config, {.threads = 2, .reduce_gradients = [](Gradients) {}}), alone));
    const auto add_nothing = [](Gradients gradients) {
      for (const auto& block : gradients)
        for (float& number : block) number += 0;
    };
    CHECK(same_bits(network_after(split, config, {.threads = 1, .reduce_gradients = add_nothing}), alone));
  }
}

TEST_CASE("reduce_gradients: one that changes nothing changes no bit of the optimiser's state either") {
  RecommenderConfig config = state_config();
  config.hidden_size = 96;  // so that some parameters are many blocks of an update
  config.blocks = 1;
  const FloatNetwork initial = Training::initial(config, 1);
  // All gradients are clipped, so the norm that is taken after the hook matters to the last bit.
  NetworkTraining<FloatNetwork> alone(initial, {}, 0.9, 0.05), hooked(initial, {}, 0.9, 0.05);
  hooked.reduce_gradients = [](Gradients) {};
  ThreadPool pool(2);
  std::vector<FloatNetwork> drawn(2, initial);
  randomise(drawn[0], 1);
  randomise(drawn[1], 2);
  for (std::size_t step = 0; step < 40; ++step) {
    for (FloatNetwork& part : drawn) for_each_parameter([](auto& gradient) { gradient *= 0.97f; }, part);
    auto gradients = drawn, same_gradients = drawn;
    alone.step(gradients, 1, 0.01, 0, step, pool);
    hooked.step(same_gradients, 1, 0.01, 0, step, pool);
  }
  const auto a = state_of(alone), b = state_of(hooked);
  REQUIRE(a.size() == b.size());
  std::size_t networks = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    if (a[k].type() != typeid(FloatNetwork)) continue;
    CHECK(same_bits(std::any_cast<const FloatNetwork&>(a[k]), std::any_cast<const FloatNetwork&>(b[k])));
    ++networks;
  }
  CHECK(networks == 4);  // weights, two moments, average
}

TEST_CASE("reduce_gradients: what it changes is what the optimiser reads, and what is clipped") {
  const Split split = state_noise();
  RecommenderConfig config = state_config();
  config.training.epochs = 1;
  const auto doubled = [](Gradients gradients) {
    for (const auto& block : gradients)
      for (float& number : block) number *= 2;
  };
  const auto nothing = [](Gradients gradients) {
    for (const auto& block : gradients) std::fill(block.begin(), block.end(), 0.0f);
  };
  config.training.clip_norm = 1e6;
  const FloatNetwork alone = network_after(split, config, {});
  CHECK_FALSE(same_bits(network_after(split, config, {.reduce_gradients = doubled}), alone));
  // Gradients that are always clipped are the same once doubled, to rounding.
  config.training.clip_norm = 1e-4;
  const FloatNetwork clipped = network_after(split, config, {});
  CHECK(parameter_distance(network_after(split, config, {.reduce_gradients = doubled}), clipped) < 1e-3);
  // Without any gradient the weights stay.
  config.training.epochs = 0;
  const FloatNetwork initial = network_after(split, config, {});
  config.training.epochs = 1;
  CHECK(parameter_distance(network_after(split, config, {.reduce_gradients = nothing}), initial) < 1e-6);
}

TEST_CASE("reduce_gradients: what is not finite ends in TrainingDiverged") {
  const auto spoil = [](Gradients gradients) { gradients.front().front() = std::numeric_limits<float>::infinity(); };
  CHECK_THROWS_AS(fit(state_noise(), state_config(), {.reduce_gradients = spoil}), TrainingDiverged);
}

TEST_CASE("reduce_gradients: refused with sampled negatives, whose gradients have other columns in each process") {
  RecommenderConfig config = state_config();
  config.sampled_negatives = 5;
  CHECK_THROWS_AS(fit(state_noise(), config, {.reduce_gradients = [](Gradients) {}}), ConfigError);
}

TEST_CASE("Training state: put into a fresh training, which goes on to the same bits") {
  const Split split = state_noise();
  RecommenderConfig config = state_config();
  config.sampled_negatives = GENERATE(0, 6);
  config.training.ema_decay = GENERATE(0.9, 0.0);
  config.training.weight_decay = 0.01;
  Training undisturbed(split, config, 1), until(split, config, 1), after(split, config, 2);
  undisturbed.run(0, 23);
  until.run(0, 9);
  put_back(state_of(until.steps.training), after.steps.training);
  after.run(9, 23);
  for (Training* training : {&undisturbed, &after}) training->steps.training.catch_up();
  CHECK(same_bits(after.steps.training.network(), undisturbed.steps.training.network()));
  CHECK(same_bits(after.steps.training.averaged(), undisturbed.steps.training.averaged()));

  std::set<std::string> names;
  NetworkTraining<FloatNetwork>::visit_state(after.steps.training,
                                             [&](const std::string& name, auto&) { names.insert(name); });
  CHECK(names.size() == state_of(after.steps.training).size());  // so that a file can hold them

  // With the network alone put back it goes on otherwise, so the rest of the state matters.
  Training network_only(split, config, 2);
  const auto state = state_of(until.steps.training);
  NetworkTraining<FloatNetwork>::visit_state(network_only.steps.training, [&](const std::string& name, auto& value) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, FloatNetwork>)
      if (name == "network") value = std::any_cast<FloatNetwork>(state.front());
  });
  REQUIRE(same_bits(network_only.steps.training.network(), until.steps.training.network()));
  network_only.run(9, 23);
  CHECK_FALSE(same_bits(network_only.steps.training.network(), undisturbed.steps.training.network()));
}

TEST_CASE("Training state: the same for any number of steps before") {
  const Split split = state_noise();
  const RecommenderConfig config = state_config();
  Training undisturbed(split, config, 1);
  undisturbed.run(0, 6);
  for (const std::size_t steps : {std::size_t{0}, std::size_t{1}, std::size_t{5}, std::size_t{6}}) {
    Training until(split, config, 1), after(split, config, 3);
    until.run(0, steps);
    put_back(state_of(until.steps.training), after.steps.training);
    after.run(steps, 6);
    CHECK(same_bits(after.steps.training.network(), undisturbed.steps.training.network()));
    CHECK(same_bits(after.steps.training.averaged(), undisturbed.steps.training.averaged()));
  }
}

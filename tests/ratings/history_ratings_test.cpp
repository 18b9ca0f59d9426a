#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/data/movielens.hpp>
#include <lstmrec/next_item/model_file.hpp>
#include <lstmrec/nn/gradient_check.hpp>
#include <lstmrec/ratings/best_unrated.hpp>
#include <lstmrec/ratings/fit.hpp>
#include <lstmrec/ratings/model_file.hpp>
#include <span>
#include <sstream>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "../data/temporary_folder.hpp"
#include "../data/thrown.hpp"
#include "catch.hpp"
#include "io/tensor_file.hpp"
#include "real_data.hpp"

using namespace lstmrec;

namespace {

/// Two tastes: users of one like even items and those of the other odd ones.
RatingSplit two_tastes() {
  Random random(1);
  std::vector<std::tuple<int, int, int, float>> rows;
  for (int user = 0; user < 80; ++user)
    for (int k = 0; k < 30; ++k) {
      const int item = static_cast<int>(random.below(40));
      rows.emplace_back(user, item, 100 * k, (item + user) % 2 == 0 ? 5.0f : static_cast<float>(1 + random.below(2)));
    }
  return split_ratings_random(build_sequences(make_interactions(rows), {.keep_repeats = false}));
}

const HistoryRatingConfig small{.vector_size = 4,
                                .hidden_size = 6,
                                .refit = false,
                                .training = {.epochs = 30, .learning_rate = 1e-2, .weight_decay = 0.01}};

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("History rating network: gradients agree with differences") {
  const RatingSplit split = two_tastes();
  const RatingBias baseline(split);
  const FoldInBias bias(baseline, 15);
  const RatingLevels levels = RatingLevels::of(split.sequences.events.ratings);
  const auto events = [&](std::size_t user, std::size_t first, std::size_t count) {
    const History part = split.sequences[user].subspan(first, count);
    return std::vector<Event>(part.begin(), part.end());
  };
  // Histories of 6, 3, 4, 1 and no events; one user is unknown.
  const std::vector<RatingQuery> cases{{0, events(0, 0, 6), events(0, 6, 2)},
                                       {1, events(1, 0, 3), events(1, 3, 3)},
                                       {unknown_user, events(2, 0, 4), events(2, 4, 1)},
                                       {3, events(3, 0, 1), events(3, 1, 2)},
                                       {4, {}, events(4, 0, 2)}};
  const std::vector<std::uint64_t> keys{1, 2, 3, 4, 5};
  RatingBatch batch;
  batch.fill(cases, bias, levels, keys);
  REQUIRE(batch.targets() == 10);
  CHECK(batch.steps.steps() == 6);

  HistoryRatingNetwork<double> network(5, static_cast<Index>(split.sequences.items.size()),
                                       static_cast<Index>(levels.size()), 3, 4, 0.3);
  Random random(1);
  for_each_parameter([&](auto& parameter) { fill_normal(parameter, 0.5, random); }, network);
  HistoryRatingNetwork<double>::Cache cache;
  auto gradients = zeros_like(network), unused = gradients;
  for_each_parameter([](auto& g) { g.setOnes(); }, gradients);
  network.forward_backward(batch, 10, cache, gradients);
  for_each_parameter([](auto& g) { g.array() -= 1.0; }, gradients);
  const auto loss = [&] { return network.forward_backward(batch, 10, cache, unused); };
  const auto difference = check_gradients(network, gradients, loss);
  INFO(difference.name << "(" << difference.row << ", " << difference.column << ")");
  CHECK(difference.relative < 1e-7);
}

TEST_CASE("Visible bias: with all training ratings visible it is the baseline") {
  RatingSplit split = two_tastes();
  const RatingBias baseline(split);
  const FoldInBias bias(baseline, 15);
  const RatingLevels levels = RatingLevels::of(split.sequences.events.ratings);
  for (Part& part : split.parts)
    if (part == Part::validation) part = Part::test;  // so that only training ratings are visible
  const auto cases = rating_queries(split, Part::test);
  RatingBatch batch;
  batch.fill(cases, bias, levels);
  const auto targets = asked_events(cases);
  double largest = 0;
  for (std::size_t k = 0; k < targets.size(); ++k) {
    const double expected = baseline.mean + baseline.item_bias[targets[k].item] + baseline.user_bias[targets[k].user];
    largest = std::max(largest, std::abs(expected - static_cast<double>(batch.baselines[k])));
  }
  CHECK(largest < 1e-5);
}

TEST_CASE("History rating model: learns two tastes that biases can't tell, of strangers too") {
  const RatingSplit split = two_tastes();
  const auto fit = fit_history_ratings(split, small);
  auto cases = rating_queries(split, Part::test);
  const auto targets = asked_events(cases);
  std::vector<float> biased;
  const RatingBias bias(split);
  for (const Event& event : targets) biased.push_back(static_cast<float>(bias.predict(event.user, event.item)));
  const double baseline = evaluate_ratings(biased, targets).rmse.value;
  CHECK(evaluate_ratings(fit.model.predict(cases), targets).rmse.value < baseline / 2);
  for (RatingQuery& one : cases) one.user = unknown_user;
  CHECK(evaluate_ratings(fit.model.predict(cases), targets).rmse.value < baseline / 2);

  const auto best = best_unrated(fit.model, unknown_user, split.sequences[0].first(10), 5);
  REQUIRE(best.size() == 5);
  for (const auto& item : best) {
    CHECK(item.item.integer() % 2 == 0);  // user 0 likes even items
    CHECK(item.rating <= 5);
  }
}

TEST_CASE("History rating model: the weights with the best validation are kept, without early stopping too") {
  const RatingSplit split = two_tastes();
  HistoryRatingConfig config = small;
  config.training.epochs = 6;
  config.training.learning_rate = 0.3;  // so high that the last epoch is not the best
  config.neighbours_weight = 0;
  const auto fit = fit_history_ratings(split, config);
  REQUIRE(fit.epochs.size() == 6);
  const auto best = std::min_element(fit.epochs.begin(), fit.epochs.end(), [](const auto& a, const auto& b) {
    return a.validation.value().rmse < b.validation.value().rmse;
  });
  CHECK(fit.best_epoch == best->epoch);
  const auto cases = rating_queries(split, Part::validation);
  CHECK(evaluate_ratings(fit.model.predict(cases), asked_events(cases)).rmse.value ==
        Approx(best->validation.value().rmse));
}

TEST_CASE("History rating model: stops early when validation gets no better") {
  HistoryRatingConfig config = small;
  config.training.epochs = 20;
  config.training.learning_rate = 0.3;
  config.training.patience = 2;
  const auto fit = fit_history_ratings(two_tastes(), config);
  CHECK(fit.epochs.size() < 20);
  CHECK(fit.epochs.size() == fit.best_epoch + 2);
}

TEST_CASE("History rating model: a refit is a training on both parts, with what the first has chosen") {
  const RatingSplit split = two_tastes(), all = with_validation_in_training(split);
  CHECK(std::count(split.parts.begin(), split.parts.end(), Part::validation) > 0);
  CHECK(std::count(all.parts.begin(), all.parts.end(), Part::validation) == 0);
  CHECK(std::count(all.parts.begin(), all.parts.end(), Part::test) ==
        std::count(split.parts.begin(), split.parts.end(), Part::test));
  HistoryRatingConfig config = small;
  config.training.epochs = 4;
  config.training.learning_rate = 0.1;  // so high that the last epoch is not the best
  const auto first = fit_history_ratings(split, config);
  REQUIRE(first.best_epoch < 4);
  HistoryRatingConfig chosen = config;
  chosen.training.epochs = static_cast<std::int64_t>(first.best_epoch);
  chosen.neighbours_weight = first.model.config.neighbours_weight;
  const auto expected = fit_history_ratings(all, chosen);

  config.refit = true;
  std::vector<std::size_t> numbers;
  std::size_t events = 0;
  const auto fit = fit_history_ratings(split, config, {.threads = 2, .progress = [&](const TrainingProgress& p) {
                                                         CHECK(p.epoch <= p.epochs);
                                                         CHECK(p.refit == (p.epoch > 4));
                                                         CHECK(p.events >= events);
                                                         events = p.events;
                                                         if (p.epoch_ended) numbers.push_back(p.epoch);
                                                       }});
  const auto cases = rating_queries(split, Part::test);
  CHECK(fit.model.score(cases) == expected.model.score(cases));
  CHECK(fit.model.score(cases) != first.model.score(cases));
  CHECK(fit.model.config.training.epochs == 4);
  CHECK(fit.model.config.neighbours_weight == first.model.config.neighbours_weight);
  CHECK(fit.best_epoch == first.best_epoch);
  CHECK((fit.refitted && !first.refitted));
  REQUIRE(fit.epochs.size() == 4 + first.best_epoch);
  REQUIRE(numbers.size() == fit.epochs.size());
  for (std::size_t k = 0; k < fit.epochs.size(); ++k) {
    CHECK(fit.epochs[k].epoch == k + 1);
    CHECK(numbers[k] == k + 1);
    CHECK(fit.epochs[k].validation.has_value() == (k < 4));
  }

  std::stop_source stop;
  const auto stopped = fit_history_ratings(split, config,
                                           {.threads = 1,
                                            .progress =
                                                [&](const TrainingProgress& p) {
                                                  if (p.epoch == 5) stop.request_stop();
                                                },
                                            .stop = stop.get_token()});
  CHECK((stopped.stopped && !stopped.refitted));
  CHECK(stopped.epochs.size() == 5);
  CHECK(stopped.model.score(cases) == first.model.score(cases));

  CHECK(fit_history_ratings(all, config).epochs.size() == 4);  // nothing to refit
}

TEST_CASE("History rating model: goes on from a checkpoint to the same bits, of the refit too") {
  const RatingSplit split = two_tastes();
  HistoryRatingConfig config = small;
  config.training.epochs = 3;
  config.training.batch_size = 16;
  config.refit = true;
  const auto undisturbed = fit_history_ratings(split, config);
  const auto cases = rating_queries(split, Part::test);
  std::size_t interruptions = 0;
  for (std::size_t count = 1;; count += 3) {
    const TemporaryFolder folder;
    FitOptions options{.threads = 1};
    options.checkpoint = {.folder = folder.path(), .resume = true};
    std::size_t calls = 0;
    options.progress = [&](const TrainingProgress&) {
      if (++calls == count) throw std::out_of_range("x");
    };
    try {
      fit_history_ratings(split, config, options);
      break;
    } catch (const TrainingInterrupted<HistoryRatingModel>& interruption) {
      ++interruptions;
      CHECK_THROWS_AS(interruption.rethrow_cause(), std::out_of_range);
      CHECK(interruption.model().score(cases).size() == undisturbed.model.score(cases).size());
    }
    options.progress = {};
    const auto resumed = fit_history_ratings(split, config, options);
    CHECK(resumed.model.score(cases) == undisturbed.model.score(cases));
    CHECK(resumed.epochs.size() == undisturbed.epochs.size());
    CHECK(resumed.refitted);
  }
  CHECK(interruptions > 8);
}

TEST_CASE("History rating model: without training ratings a user is a stranger and an item's vectors are 0") {
  RatingSplit split = two_tastes();
  for (std::size_t k = 0; k < split.parts.size(); ++k) {
    const Event& event = split.sequences.events[k];
    if (event.user == 3 || event.item == 5) split.parts[k] = Part::test;
  }
  HistoryRatingConfig config = small;
  config.training.epochs = 2;
  config.training.weight_decay = 0;  // which would bring them near 0
  const auto model = fit_history_ratings(split, config).model;
  const auto& network = model.network;
  CHECK(network.user_vectors.table.col(3).isZero(0));
  CHECK(network.user_bias(3) == 0);
  CHECK_FALSE(network.user_vectors.table.col(4).isZero(0));
  CHECK(network.item_vectors.table.col(5).isZero(0));
  CHECK(network.event_vectors.table.col(5).isZero(0));
  CHECK(network.item_bias(5) == 0);
  auto cases = rating_queries(split, Part::test);
  std::erase_if(cases, [](const RatingQuery& one) { return one.user != 3; });
  REQUIRE(cases.size() == 1);
  const auto known = model.score(cases);
  cases[0].user = unknown_user;
  CHECK(model.score(cases) == known);
}

TEST_CASE("History rating model: what is not visible changes no prediction") {
  const RatingSplit split = two_tastes();
  const auto model = fit_history_ratings(split, {.vector_size = 4, .hidden_size = 6, .training = {.epochs = 2}}).model;
  auto cases = rating_queries(split, Part::test);
  const auto before = model.predict(cases);
  for (RatingQuery& one : cases)
    for (Event& target : one.asked) target.rating = 1;  // the answer
  CHECK(model.predict(cases) == before);
}

TEST_CASE(
    "History rating model: the same seed gives the same file for any number of threads; a loaded one predicts alike") {
  const RatingSplit split = two_tastes();
  HistoryRatingConfig config = small;
  config.training.epochs = 3;
  config.training.shards = 3;
  config.neighbours_weight = 0.3;
  config.refit = true;
  const TemporaryFolder folder;
  const auto one = fit_history_ratings(split, config, {.threads = 1}).model;
  save(one, folder.path() / "one");
  save(fit_history_ratings(split, config, {.threads = 3}).model, folder.path() / "three");
  CHECK(read_file(folder.path() / "one") == read_file(folder.path() / "three"));
  config.training.seed = 2;
  save(fit_history_ratings(split, config).model, folder.path() / "other");
  CHECK(read_file(folder.path() / "one") != read_file(folder.path() / "other"));

  const auto loaded = load_history_rating_model(folder.path() / "one");
  REQUIRE(loaded.uses_neighbours());
  const auto cases = rating_queries(split, Part::test);
  CHECK(loaded.predict(cases) == one.predict(cases));
  save(loaded, folder.path() / "again");
  CHECK(read_file(folder.path() / "one") == read_file(folder.path() / "again"));
  CHECK_THROWS_AS(load_recommender(folder.path() / "one"), ModelFileError);
}

TEST_CASE("History rating model: neighbours beside the network, of strangers too") {
  const RatingSplit split = two_tastes();
  HistoryRatingConfig config = small;
  config.training.epochs = 2;
  config.neighbours_weight = 0.75;
  const auto model = fit_history_ratings(split, config).model;
  REQUIRE(model.config.neighbours_weight == 0.75);
  auto network = model;
  network.config.neighbours_weight = 0;
  auto cases = rating_queries(split, Part::test);
  for (const bool known : {true, false}) {
    if (!known)
      for (RatingQuery& one : cases) one.user = unknown_user;
    const auto mixed = model.score(cases), alone = network.score(cases);
    const auto neighbours = model.neighbours.ratings(cases, model.bias);
    std::size_t moved = 0;
    for (std::size_t k = 0; k < mixed.size(); ++k) {
      CHECK(mixed[k] == neighbours[k].blend(static_cast<double>(alone[k]), 0.75));
      if (mixed[k] != alone[k]) ++moved;
    }
    CHECK(moved > mixed.size() / 2);
  }
  const std::vector<RatingQuery> nothing_visible{{unknown_user, {}, {Event{.item = 3}}}};
  CHECK(model.score(nothing_visible) == network.score(nothing_visible));
}

TEST_CASE("History rating model: the neighbours' weight is the best on validation, and 0 keeps none") {
  const RatingSplit split = two_tastes();
  HistoryRatingConfig config = small;
  config.training.epochs = 2;  // the network knows little yet
  const auto model = fit_history_ratings(split, config).model;
  REQUIRE(model.config.neighbours_weight > 0);
  CHECK(model.neighbours.similarities.rows() == split.sequences.items.size());
  const auto validation = rating_queries(split, Part::validation);
  const auto error_with = [&](double weight) {
    auto other = model;
    other.config.neighbours_weight = weight;
    return evaluate_ratings(other.predict(validation), asked_events(validation), {.bootstrap_samples = 0}).rmse.value;
  };
  for (const double weight : {0.0, 0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0})
    CHECK(error_with(model.config.neighbours_weight) <= error_with(weight) + 1e-6);

  config.neighbours_weight = 0;
  const auto without = fit_history_ratings(split, config).model;
  CHECK(!without.uses_neighbours());
  CHECK(without.neighbours.similarities.rows() == 0);
  const TemporaryFolder folder;
  save(without, folder.path() / "model");
  const auto loaded = load_history_rating_model(folder.path() / "model");
  CHECK(loaded.predict(validation) == without.predict(validation));
  CHECK(loaded.neighbours.similarities.rows() == 0);

  RatingSplit unvalidated = split;
  std::replace(unvalidated.parts.begin(), unvalidated.parts.end(), Part::validation, Part::train);
  config.neighbours_weight = -1;
  CHECK(fit_history_ratings(unvalidated, config).model.config.neighbours_weight == 0);

  auto nothing_to_say = model;
  nothing_to_say.config.neighbours_weight = 0;
  for (float& similarity : nothing_to_say.neighbours.similarities.values) similarity = 0;
  CHECK(choose_neighbours_weight(nothing_to_say, validation) == 0);
}

TEST_CASE("History rating model: the neighbours' weight is chosen after a stop too") {
  std::stop_source stop;
  stop.request_stop();
  const auto fit = fit_history_ratings(two_tastes(), small, {.threads = 1, .progress = {}, .stop = stop.get_token()});
  CHECK(fit.stopped);
  CHECK(fit.epochs.size() == 1);
  CHECK(fit.model.uses_neighbours());  // after one batch the network knows nothing
}

TEST_CASE("History rating model: neighbours in a file that do not fit are named") {
  const RatingSplit split = two_tastes();
  const TemporaryFolder folder;
  save(fit_history_ratings(split,
                           {.vector_size = 2, .hidden_size = 2, .neighbours_weight = 1, .training = {.epochs = 0}})
           .model,
       folder.path() / "model");
  const auto message_after = [&](auto&& change) {
    TensorFile file = read_tensor_file(folder.path() / "model");
    change(file);
    write_tensor_file(folder.path() / "changed", file);
    return thrown<ModelFileError>([&] { load_history_rating_model(folder.path() / "changed"); });
  };
  using F = TensorFile&;
  const auto with_items = [](F f, auto&& change) {
    auto items = f.get<std::uint32_t>("neighbours.items");
    change(items);
    f.put("neighbours.items", {items.size()}, std::span<const std::uint32_t>(items));
  };
  const auto with_values = [](F f, float value) {
    auto values = f.get<float>("neighbours.values");
    values.back() = value;
    f.put("neighbours.values", {values.size()}, std::span<const float>(values));
  };
  CHECK(contains(message_after([](F f) { f.tensors.erase("neighbours.offsets"); }), "neighbours.offsets is missing"));
  CHECK(contains(message_after([](F f) { f.tensors.erase("neighbours.items"); }), "neighbours.items is missing"));
  CHECK(contains(message_after([](F f) { f.tensors.erase("neighbours.values"); }), "neighbours.values is missing"));
  CHECK(contains(message_after([](F f) { f.metadata["config.neighbours_weight"] = "-0.5"; }),
                 "neighbours_weight must be -1 or in [0, 1e6)"));
  CHECK(contains(message_after([](F f) { f.metadata["config.neighbours_weight"] = "nan"; }),
                 "neighbours_weight must be -1 or in [0, 1e6)"));
  CHECK(contains(message_after([&](F f) { with_items(f, [](auto& items) { items.pop_back(); }); }),
                 "neighbours.offsets: expected to rise from 0"));
  CHECK(contains(message_after([&](F f) { with_items(f, [](auto& items) { items.back() = 40; }); }),
                 "neighbours.items: expected numbers below 40, found 40"));
  CHECK(contains(message_after([&](F f) { with_items(f, [](auto& items) { std::swap(items[0], items[1]); }); }),
                 "neighbours.items: expected to rise within a row"));
  CHECK(contains(message_after([&](F f) { with_values(f, -1.f); }), "neighbours.values: expected finite numbers"));
  CHECK(contains(message_after([&](F f) { with_values(f, std::nanf("")); }), "neighbours.values: expected finite"));
}

TEST_CASE("History rating model: what could not be loaded again is not saved") {
  const auto whole =
      fit_history_ratings(two_tastes(),
                          {.vector_size = 2, .hidden_size = 2, .neighbours_weight = 1, .training = {.epochs = 0}})
          .model;
  const TemporaryFolder folder;
  const auto refusal_of = [&](auto&& change) {
    HistoryRatingModel model = whole;
    change(model);
    return thrown<std::invalid_argument>([&] { save(model, folder.path() / "model"); });
  };
  using M = HistoryRatingModel&;
  CHECK(refusal_of([](M) {}) == "");
  CHECK(refusal_of([](M m) { m.catalogue.emplace_back(); }) ==
        "items: expected a catalogue entry for each of 40 ids, found 41");
  CHECK(refusal_of([](M m) { m.bias.item_bias[0] = std::nan(""); }) == "bias.items: expected finite numbers");
  CHECK(refusal_of([](M m) { m.bias.highest = m.bias.lowest - 1; }) ==
        "bias.mean_lowest_highest: the lowest is above the highest");
  CHECK(refusal_of([](M m) { m.bias.user_regularisation = 3; }) ==
        "bias: expected the configuration's user_regularisation");
  CHECK(refusal_of([](M m) { m.neighbours = {}; }) == "neighbours.offsets: expected 40 rows, found 0");
  CHECK(refusal_of([](M m) { m.network.start(0) = std::nanf(""); }) == "start: expected finite numbers");
  CHECK(refusal_of([](M m) { m.network.user_vectors.table.resize(2, 3); }) ==
        "the network's user_vectors.table has another size than it must have");
  CHECK(refusal_of([](M m) {  // an item added by hand
          m.items.add("new");
          m.catalogue.emplace_back();
        }) == "bias.items: expected one number an item");
  CHECK_THROWS_AS(refusal_of([](M m) { m.config.dropout = 2; }), ConfigError);
}

TEST_CASE("History rating model: a file of an earlier version loads, predicts as it did, and is the same saved again") {
  const auto loaded = load_history_rating_model(LSTMREC_SOURCE_DIR "/tests/ratings/files/history_rating_3.safetensors");
  CHECK(loaded.config.neighbours_weight == 0.5);
  const std::vector<RatingQuery> queries{
      {0,
       {Event{.time = 0, .item = 1, .rating = 4}, Event{.time = 60, .item = 2, .rating = 1}},
       {Event{.item = 0}, Event{.item = 3}}},
      {unknown_user, {}, {Event{.item = 5}}}};
  const auto scores = loaded.score(queries);
  REQUIRE(scores.size() == 3);
  CHECK(scores[0] == Approx(3.421506f));  // as the version that wrote it printed them
  CHECK(scores[1] == Approx(3.468233f));
  CHECK(scores[2] == Approx(3.468438f));
  const TemporaryFolder folder;
  save(loaded, folder.path() / "again");
  CHECK(read_tensor_file(folder.path() / "again").tensors.contains("replay.ratings"));
  CHECK(load_history_rating_model(folder.path() / "again").score(queries) == scores);
}

TEST_CASE("History rating model: kept ratings are held against those that this build computes") {
  const auto model = fit_history_ratings(two_tastes(), {.vector_size = 2, .hidden_size = 2, .training = {.epochs = 1}});
  const TemporaryFolder folder;
  save(model.model, folder.path() / "model");
  TensorFile file = read_tensor_file(folder.path() / "model");
  auto ratings = file.get<float>("replay.ratings");
  REQUIRE(ratings.size() == 24);
  const auto load_with = [&](float change) {
    auto changed = ratings;
    changed[13] += change * 5;
    file.put("replay.ratings", {changed.size()}, std::span(changed));
    write_tensor_file(folder.path() / "changed", file);
    return load_history_rating_model(folder.path() / "changed");
  };
  CHECK_NOTHROW(load_with(1e-4f));
  CHECK(contains(thrown<ModelFileError>([&] { load_with(2e-3f); }), "replay.ratings: expected the score "));
}

TEST_CASE("History rating model: queries of one history are read in one pass, and predict as each alone does") {
  const RatingSplit split = split_ratings_by_time(two_tastes().sequences);
  const auto model =
      fit_history_ratings(split,
                          {.vector_size = 4, .hidden_size = 6, .neighbours_weight = .5, .training = {.epochs = 2}})
          .model;
  const auto shared = chronological_queries(split, Part::test);
  REQUIRE(shared.size() > 100);
  std::vector<RatingQuery> alone = shared;
  for (RatingQuery& query : alone) query.visible = std::vector<Event>(query.visible.begin(), query.visible.end());
  const auto expected = model.score(alone), together = model.score(shared);
  REQUIRE(expected.size() == shared.size());
  for (std::size_t k = 0; k < shared.size(); ++k) CHECK(together[k] == Approx(expected[k]).epsilon(1e-5));
  const auto neighbours = model.neighbours.ratings(shared, model.bias),
             each = model.neighbours.ratings(alone, model.bias);
  for (std::size_t k = 0; k < shared.size(); ++k) {
    CHECK(neighbours[k].baseline == each[k].baseline);
    CHECK(neighbours[k].similarity == each[k].similarity);
    CHECK(neighbours[k].residual == each[k].residual);
  }

  // All queries of a user are columns of one history, whatever their number and order.
  std::vector<RatingQuery> of_one_user;
  for (const RatingQuery& query : chronological_queries(split, Part::train))
    if (query.user == 3) of_one_user.push_back(query);
  REQUIRE(of_one_user.size() > 10);
  std::reverse(of_one_user.begin(), of_one_user.end());
  RatingBatch batch;
  batch.fill(of_one_user, model.bias, model.levels);
  CHECK(static_cast<std::size_t>(batch.steps.columns()) == of_one_user.front().visible.size());
  auto backwards = model.score(of_one_user);
  std::reverse(of_one_user.begin(), of_one_user.end());
  std::reverse(backwards.begin(), backwards.end());
  CHECK(model.score(of_one_user) == backwards);
}

TEST_CASE("History rating model: the sizes in a file are checked before memory is taken for them") {
  const TemporaryFolder folder;
  const HistoryRatingConfig untrained{
      .vector_size = 2, .hidden_size = 2, .neighbours_weight = 0, .training = {.epochs = 0}};
  save(fit_history_ratings(two_tastes(), untrained).model, folder.path() / "model");
  TensorFile file = read_tensor_file(folder.path() / "model");
  // No user, item or level, so that vectors of any size are in the file; the LSTM that reads them is not.
  file.metadata["config.vector_size"] = "65536";
  for (const std::string name : {"users", "items"}) {
    const std::vector<std::int64_t> start = {0};
    file.put(name + ".ids", {0}, std::span<const std::int64_t>());
    for (const std::string texts : {".titles", ".genres"}) {
      file.put(name + texts + ".text", {0}, std::span<const char>());
      file.put(name + texts + ".offsets", {1}, std::span(start));
    }
    file.put("network." + name.substr(0, 4) + "_vectors.table", {0, 65536}, std::span<const float>());
  }
  file.put("bias.items", {0}, std::span<const double>());
  file.put("levels", {0}, std::span<const float>());
  file.put("network.level_vectors.table", {0, 65536}, std::span<const float>());
  write_tensor_file(folder.path() / "changed", file);
  CHECK(contains(thrown<ModelFileError>([&] { load_history_rating_model(folder.path() / "changed"); }),
                 "network.lstm.input_weight: expected shape [131074, 8], found [6, 8]"));
}

TEST_CASE("History rating model: bad configurations and indices are refused") {
  const RatingSplit split = two_tastes();
  CHECK_THROWS_AS(fit_history_ratings(split, {.dropout = 1}), ConfigError);
  CHECK_THROWS_AS(fit_history_ratings(split, {.min_visible_fraction = 1}), ConfigError);
  CHECK_THROWS_AS(fit_history_ratings(split, {.neighbours_weight = -2}), ConfigError);
  const auto model = fit_history_ratings(split, {.vector_size = 2, .hidden_size = 2, .training = {.epochs = 0}}).model;
  CHECK_THROWS_AS(fit_history_ratings(split, {}, {.memory = 1}), ConfigError);
  CHECK_THROWS_AS(fit_history_ratings(split, {}, {.checkpoint = {.minutes = -1}}), ConfigError);
  CHECK_THROWS_AS(fit_history_ratings(split, {}, {.checkpoint = {.minutes = std::nan("")}}), ConfigError);
  CHECK(thrown<ConfigError>([&] { fit_history_ratings(split, {}, {.checkpoint = {.resume = true}}); }) ==
        "a training that resumes needs a folder of checkpoints");
  CHECK(thrown<DataError>([] { fit_history_ratings(RatingSplit{}); }) == "memory: there are no ratings to learn from");
  CHECK(best_unrated(HistoryRatingModel{}, unknown_user, {}, 3).empty());
  const std::vector<RatingQuery> unknown_item{{0, {}, {Event{.item = 1000}}}};
  CHECK_THROWS_AS(model.predict(unknown_item), std::out_of_range);
}

TEST_CASE("History rating model: the first official fold of ML-100K is predicted better than by biases") {
  const auto folder = real_data("ml-100k");
  if (!folder) return;
  const RatingSplit split =
      split_ratings_by_fold(build_sequences(read_movielens(*folder)), read_movielens(*folder / "u1.test"), .05);
  const auto cases = rating_queries(split, Part::test);
  const auto model = fit_history_ratings(split, {.training = {.epochs = 12}}).model;
  const auto targets = asked_events(cases);
  CHECK(targets.size() == 20000);
  CHECK(evaluate_ratings(model.predict(cases), targets).rmse.value < .94);  // biases have .960
}

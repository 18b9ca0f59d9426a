#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <lstmrec/data/fingerprint.hpp>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/io/available_memory.hpp>
#include <lstmrec/next_item/fit.hpp>
#include <lstmrec/next_item/fit_inl.hpp>  // draw_targets
#include <lstmrec/next_item/training_memory.hpp>
#include <numeric>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

#ifdef __linux__
#include <filesystem>
#include <iterator>
#endif

#include "../data/thrown.hpp"
#include "catch.hpp"
#include "eval/small_split.hpp"
#include "next_item/trained_recommender.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

namespace {

/// Users who walk round a circle of items from different places, for different lengths.
Split circle(std::uint32_t items, std::uint32_t users) {
  std::vector<std::vector<std::uint32_t>> events(users);
  for (std::uint32_t user = 0; user < users; ++user)
    for (std::uint32_t k = 0; k < 6 + user % 7; ++k) events[user].push_back((5 * user + k) % items);
  return split_of(events, items);
}

/// Users without any taste.
Split noise(std::uint32_t items, std::uint32_t users) {
  Random random(1);
  std::vector<std::vector<std::uint32_t>> events(users);
  for (auto& list : events)
    for (int k = 0; k < 8; ++k) list.push_back(static_cast<std::uint32_t>(random.below(items)));
  return split_of(events, items);
}

RecommenderConfig fit_config() {
  return {.embedding_size = 8,
          .hidden_size = 12,
          .blocks = 2,
          .feed_forward_factor = 2,
          .dropout = 0.2,
          .exclude_seen = false,
          .target_horizon = 2,
          .window = 5,
          .training = {.epochs = 3, .batch_size = 8, .learning_rate = 0.01, .ema_decay = 0.9, .shards = 3}};
}

/// A user's loss: softmax cross-entropy that becomes NaN at the call of a given number (of one thread).
struct FailingLoss {
  int* calls_left;
  double operator()(MatrixRef<float> logits, const LogitLabels& labels) const {
    const double loss = SoftmaxCrossEntropy{}(logits, labels);
    return --*calls_left < 0 ? std::numeric_limits<double>::quiet_NaN() : loss;
  }
};

/// Softmax cross-entropy with smoothed labels: a part of every label's weight goes to all items alike.
struct SmoothedLoss {
  float smoothing;
  double operator()(MatrixRef<float> logits, const LogitLabels& labels) const {
    double smooth = 0;
    Vector<float> weight(logits.cols());
    for (Index column = 0; column < logits.cols(); ++column) {
      weight(column) = 0;
      for (const float w : labels.weights_of(column)) weight(column) += w;
      smooth += static_cast<double>(weight(column)) *
                static_cast<double>(logits.col(column).maxCoeff() - logits.col(column).mean());
    }
    const double loss = SoftmaxCrossEntropy{}(logits, labels);
    // Only the gradient matters for what is learned.
    for (Index column = 0; column < logits.cols(); ++column)
      for (std::size_t k = 0; k < labels.per_column; ++k) {
        const float moved = smoothing * labels.weights_of(column)[k];
        logits(labels.rows_of(column)[k], column) += moved;
        logits.col(column).array() -= moved / static_cast<float>(logits.rows());
      }
    return loss + static_cast<double>(smoothing) * smooth;
  }
};

double hit_rate_at_1(const Recommender& recommender, const Split& split) {
  const EvaluateOptions options{.cutoffs = {1}, .exclude_seen = false, .threads = 1, .bootstrap_samples = 0};
  return evaluate(recommender, split, split.test, options).hr_at(1).value;
}

}  // namespace

TEST_CASE("fit: learns a walk round a circle") {
  const Split split = circle(11, 60);
  RecommenderConfig config = fit_config();
  config.training.epochs = 25;
  config.target_horizon = 1;
  config.training.patience = 0;
  const auto result = fit(split, config);
  CHECK(hit_rate_at_1(result.recommender, split) > 0.97);
  CHECK(result.epochs.size() == 25);
  CHECK(result.epochs.back().loss < 0.2);
  CHECK(result.epochs.front().loss > 1.5);

  // The recommender that comes out is complete.
  CHECK(result.recommender.items() == 11);
  CHECK(result.recommender.item_ids().size() == 11);
  CHECK(result.recommender.catalogue().size() == 11);
  CHECK(result.recommender.item_counts() == training_counts(split));
}

TEST_CASE("fit: a user's own loss learns it too") {
  const Split split = circle(11, 60);
  RecommenderConfig config = fit_config();
  config.training.epochs = 25;
  config.target_horizon = 1;
  const auto result = fit(split, config, {}, SmoothedLoss{0.1f});
  CHECK(hit_rate_at_1(result.recommender, split) > 0.97);
}

TEST_CASE("fit: sampled negatives learn it too") {
  const Split split = circle(40, 100);
  RecommenderConfig config = fit_config();
  config.sampled_negatives = 10;
  config.training.epochs = 25;
  config.target_horizon = 1;
  config.training.patience = 0;
  const auto result = fit(split, config);
  CHECK(hit_rate_at_1(result.recommender, split) > 0.97);
  CHECK(result.recommender.items() == 40);
  config.tied_vectors = false;
  CHECK(hit_rate_at_1(fit(split, config).recommender, split) > 0.97);
}

TEST_CASE("fit: the same seed gives the same bits for any number of threads") {
  const Split split = noise(20, 40);
  for (const std::int64_t shards : {2, 3}) {
    RecommenderConfig config = fit_config();
    config.training.shards = shards;
    config.sampled_negatives = shards == 2 ? 0 : 7;
    const auto one = fit(split, config, {.threads = 1}), two = fit(split, config, {.threads = 2});
    CHECK(same_bits(one.recommender.network(), two.recommender.network()));
    for (const std::size_t threads : {7, 8, 64})
      CHECK(same_bits(one.recommender.network(), fit(split, config, {.threads = threads}).recommender.network()));
    REQUIRE(one.epochs.size() == two.epochs.size());
    for (std::size_t epoch = 0; epoch < one.epochs.size(); ++epoch) {
      CHECK(one.epochs[epoch].loss == two.epochs[epoch].loss);
      CHECK(one.epochs[epoch].validation->ndcg10 == two.epochs[epoch].validation->ndcg10);
    }
    config.training.seed = 2;
    CHECK_FALSE(same_bits(one.recommender.network(), fit(split, config).recommender.network()));
  }
}

TEST_CASE("fit: shards cut the work and change no more than rounding") {
  const Split split = noise(20, 40);
  RecommenderConfig config = fit_config();
  config.training.epochs = 1;
  config.training.shards = 1;
  const auto one = fit(split, config);
  config.training.shards = 5;
  const auto five = fit(split, config);
  CHECK(one.epochs[0].loss == Approx(five.epochs[0].loss).epsilon(1e-5));
  config.training.shards = 50;  // more than windows in a batch
  CHECK(fit(split, config).epochs[0].loss == Approx(one.epochs[0].loss).epsilon(1e-5));
}

#ifdef __linux__
TEST_CASE("fit: one thread means that no thread is started") {
  const auto threads_now = [] {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
  };
  const auto before = threads_now();
  const Split split = noise(20, 40);
  std::ptrdiff_t most = 0;
  const auto watch = [&](const TrainingProgress&) { most = std::max(most, threads_now()); };
  fit(split, fit_config(), {.threads = 1, .progress = watch});
  CHECK(most == before);
  fit(split, fit_config(), {.threads = 2, .progress = watch});
  CHECK(most == before + 1);  // so the test can see one
}
#endif

TEST_CASE("fit: progress counts every event, batch and epoch") {
  const Split split = noise(20, 40);  // 40 users with 6 training events, so 5 inputs each and one window of 5
  RecommenderConfig config = fit_config();
  config.training.patience = 0;
  std::vector<TrainingProgress> seen;
  const auto result = fit(split, config, {.progress = [&](const TrainingProgress& p) { seen.push_back(p); }});
  REQUIRE(seen.size() == 3 * (5 + 1));
  for (std::size_t k = 0; k < seen.size(); ++k) {
    const auto& p = seen[k];
    const bool epoch_ended = k % 6 == 5;
    CHECK(p.epoch == k / 6 + 1);
    CHECK(p.epochs == 3);
    CHECK(p.batch == (epoch_ended ? 5 : k % 6 + 1));
    CHECK(p.batches == 5);
    CHECK(p.events == 40 * (p.batch + 5 * (p.epoch - 1)));
    CHECK(p.epoch_ended == epoch_ended);
    CHECK(p.validation.has_value() == epoch_ended);
    CHECK(std::isfinite(p.loss));
    CHECK(p.events_per_second > 0);
    CHECK(p.seconds_left >= 0);
  }
  CHECK(seen.back().seconds_left == Approx(0).margin(1e-9));
  CHECK(seen.back().loss == result.epochs.back().loss);
  CHECK_FALSE(result.stopped);
  CHECK(result.seconds > 0);
}

TEST_CASE("fit: negatives are sampled where there are many items, unless their number is given") {
  RecommenderConfig config = fit_config();
  config.training.epochs = 0;
  CHECK(fit(noise(20, 40), config).recommender.config().sampled_negatives == 0);
  CHECK(fit(noise(20001, 40), config).recommender.config().sampled_negatives == 2048);
  config.sampled_negatives = 0;
  CHECK(fit(noise(20001, 40), config).recommender.config().sampled_negatives == 0);
}

TEST_CASE("fit: the batch size follows from the number of windows unless it is given") {
  RecommenderConfig config = fit_config();
  config.training.epochs = 1;
  config.training.batch_size = 0;
  config.window = 1;
  const auto batch_size = [&](std::uint32_t users) {  // five windows each
    const auto result = fit(noise(20, users), config);
    CHECK(result.epochs.size() == 1);
    return result.recommender.config().training.batch_size;
  };
  CHECK(batch_size(40) == 8);
  CHECK(batch_size(1000) == 5000 / 384);
  CHECK(batch_size(5000) == 64);
}

TEST_CASE("fit: stops when asked to and keeps what it has") {
  const Split split = noise(20, 40);
  std::stop_source stop;
  std::size_t calls = 0;
  const auto result = fit(split, fit_config(),
                          {.progress =
                               [&](const TrainingProgress& p) {
                                 ++calls;
                                 if (p.epoch == 2 && p.batch == 2) stop.request_stop();
                               },
                           .stop = stop.get_token()});
  CHECK(result.stopped);
  CHECK(result.epochs.size() == 2);
  CHECK(calls == 6 + 3);
  CHECK(result.best_epoch > 0);
  Matrix<float> scores(20, 1);
  const std::vector<History> histories = {split.history(split.test[0])};
  result.recommender.score(histories, scores);
  CHECK(scores.allFinite());
}

TEST_CASE("fit: stops early when validation gets no better, and keeps the best weights") {
  const Split split = noise(20, 60);
  RecommenderConfig config = fit_config();
  config.training.epochs = 40;
  config.training.patience = 2;
  config.markov_weight = config.session_knn_weight = 0;  // so that the kept recommender is the one that was validated
  const auto result = fit(split, config);
  REQUIRE(result.epochs.size() < 40);
  CHECK(result.epochs.size() == result.best_epoch + 2);
  const double best = result.epochs[result.best_epoch - 1].validation->ndcg10;
  for (const auto& record : result.epochs) CHECK(record.validation->ndcg10 <= best);
  const EvaluateOptions options{.cutoffs = {10}, .exclude_seen = false, .threads = 1, .bootstrap_samples = 0};
  CHECK(evaluate(result.recommender, split, split.validation, options).ndcg_at(10).value == best);
}

TEST_CASE("fit: without validation targets the last epoch is kept") {
  Split split = noise(20, 40);
  split.validation.clear();
  const auto result = fit(split, fit_config());
  CHECK(result.best_epoch == 0);
  CHECK(result.epochs.size() == 3);
  CHECK_FALSE(result.epochs.back().validation);
  RecommenderConfig config = fit_config();
  config.training.epochs = 0;
  CHECK_FALSE(same_bits(result.recommender.network(), fit(split, config).recommender.network()));
}

TEST_CASE("fit: validates on at most so many targets, the same for a seed") {
  std::vector<Target> targets;
  for (std::uint32_t user = 0; user < 100; ++user) targets.push_back({user, 3});
  const auto drawn = detail::draw_targets(targets, 10, 1), again = detail::draw_targets(targets, 10, 1);
  REQUIRE(drawn.size() == 10);
  for (std::size_t k = 0; k < 10; ++k) {
    CHECK(drawn[k].user == again[k].user);
    if (k > 0) CHECK(drawn[k].user > drawn[k - 1].user);
  }
  CHECK(detail::draw_targets(targets, 0, 1).size() == 100);
  CHECK(detail::draw_targets(targets, 1000, 1).size() == 100);
}

TEST_CASE("fit: a loss that is not finite ends in TrainingDiverged that says where") {
  const Split split = noise(20, 40);
  RecommenderConfig config = fit_config();
  config.training.shards = 1;
  int calls_left = 14;  // a batch has 40 columns, of which the loss is given 32 and then 8; an epoch has 5 batches
  try {
    fit(split, config, {.threads = 1}, FailingLoss{&calls_left});
    FAIL("nothing thrown");
  } catch (const TrainingInterrupted<Recommender>& interruption) {
    const std::string message = interruption.what();
    CHECK(message.find("the training was interrupted: epoch 2, batch 3: loss nan, gradient norm ") == 0);
    CHECK_THROWS_AS(interruption.rethrow_cause(), TrainingDiverged);
  }
  calls_left = 0;
  CHECK_THROWS_AS(fit(split, config, {.threads = 1}, FailingLoss{&calls_left}), TrainingDiverged);
}

TEST_CASE("fit: a learning rate far too high ends in TrainingDiverged") {
  const Split split = noise(20, 40);
  RecommenderConfig config = fit_config();
  config.training.learning_rate = 1e3;
  config.training.weight_decay = 1;  // a step of decay turns every weight over and makes it a thousand times as large
  config.training.warmup = 0;
  config.training.epochs = 20;
  config.training.patience = 0;
  try {
    fit(split, config);
    FAIL("nothing thrown");
  } catch (const TrainingInterrupted<Recommender>& interruption) {
    CHECK_THROWS_AS(interruption.rethrow_cause(), TrainingDiverged);
  }
}

TEST_CASE("fit: bad configurations and splits without training events are refused") {
  RecommenderConfig config = fit_config();
  config.dropout = 1;
  CHECK_THROWS_AS(fit(noise(20, 4), config), ConfigError);
  Split split = noise(20, 4);
  for (auto& length : split.train_length) length = 1;
  try {
    fit(split, fit_config());
    FAIL("nothing thrown");
  } catch (const Error& error) {
    CHECK(error.what() == std::string("test: no user has two events to train on"));
  }
  CHECK(thrown<DataError>([] { fit(Split{}); }) == "memory: no user has two events to train on");
  CHECK(thrown<DataError>([] { fit(train_on_all({})); }) == "memory: no user has two events to train on");
  Split broken = noise(20, 4);
  broken.validation[0].position = 99;  // else it would be found after the first epoch
  CHECK(
      contains(thrown<std::invalid_argument>([&] { fit(broken, fit_config()); }), "the split does not hold together"));
}

TEST_CASE("fit: says what memory it needs, and refuses before the first step where there is less") {
  const Split split = noise(20, 40);
  RecommenderConfig config = fit_config();
  const TrainingMemory small_memory = training_memory(split, config);
  CHECK(small_memory.network > 0);
  CHECK(small_memory.markov_chain > 0);
  RecommenderConfig large = config;
  large.hidden_size = 512;
  large.markov_weight = 0;
  const TrainingMemory large_memory = training_memory(split, large);
  // Five copies of the weights in training: these, their average, the best, and two moments.
  const auto weights = static_cast<std::uint64_t>(parameter_count(NextItemNetwork<float>(20, large)));
  CHECK(large_memory.network == 5 * 4 * weights);
  CHECK(large_memory.markov_chain == 0);
  CHECK(large_memory.gradients > 2 * 4 * weights);
  // With sampled negatives the gradients are of the items that a batch meets.
  const Split many = noise(30000, 40);
  CHECK(training_memory(many, config).gradients < training_memory(many, config).network / 5);

  std::size_t batches = 0;
  const auto run = [&](std::uint64_t memory) {
    fit(split, large, {.progress = [&](const TrainingProgress&) { ++batches; }, .memory = memory});
  };
  const std::string message = thrown<ConfigError>([&] { run(1'000'000); });
  CHECK(contains(message, "training needs about " + memory_text(large_memory.total()) + " of memory, and 1 MB are "));
  CHECK(batches == 0);
  large.training.epochs = 0;
  run(large_memory.total());

  CHECK(memory_text(1'400'000) == "1 MB");
  CHECK(memory_text(999'000'000) == "999 MB");
  CHECK(memory_text(999'700'000) == "1.0 GB");
  CHECK(memory_text(9'960'000'000) == "10 GB");
  CHECK(memory_text(23'400'000'000) == "23 GB");
  if (const auto available = available_memory()) CHECK(*available > 0);
}

TEST_CASE("fit: repeats are no targets unless they are to be recommended, and weigh nothing in the loss") {
  RecommenderConfig config = fit_config();
  config.exclude_seen = true;
  const Split only_repeats = split_of({{1, 1, 1, 1, 1}, {2, 2, 2, 2}}, 3);
  try {
    fit(only_repeats, config);
    FAIL("nothing thrown");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("only repeats") != std::string::npos);
  }
  CHECK_NOTHROW(fit(only_repeats, fit_config()));

  std::vector<std::vector<std::uint32_t>> once(40), thrice(40);
  for (std::uint32_t user = 0; user < 40; ++user)
    for (std::uint32_t k = 0; k < 8; ++k) {
      once[user].push_back((7 * user + k) % 60);
      thrice[user].insert(thrice[user].end(), 3, once[user].back());
    }
  config.training.learning_rate = 1e-9;  // so that the loss stays about log(items)
  config.target_horizon = 1;
  config.training.epochs = 1;
  const double loss = fit(split_of(once, 60), config).epochs[0].loss;
  CHECK(loss == Approx(std::log(60)).epsilon(0.05));
  CHECK(fit(split_of(thrice, 60), config).epochs[0].loss == Approx(loss).epsilon(0.02));
}

TEST_CASE("fit: what is trained on all events has learned from the last ones") {
  const Split split = circle(20, 30);
  RecommenderConfig config = fit_config();
  const auto events = split.sequences.events.size();
  const auto result = fit(train_on_all(split.sequences), config);
  CHECK(result.best_epoch == 0);
  CHECK(result.epochs.size() == 3);
  const auto& counts = result.recommender.item_counts();
  CHECK(std::accumulate(counts.begin(), counts.end(), std::size_t{0}) == events);
  CHECK_FALSE(result.recommender.uses_markov());
}

namespace {

/// The circle with its items numbered from the last, of ids 25 … 5: next to circle(20, …), 20 … 25 are new, 0 … 4 gone.
Split other_items() {
  Split split = circle(21, 30);
  split.sequences.items = {};
  for (std::uint32_t item = 0; item < 21; ++item) split.sequences.items.add(RawId(25 - item));
  return split;
}

}  // namespace

TEST_CASE("warm_start: begins with the weights of before, item by item of the same id") {
  RecommenderConfig config = fit_config();
  config.tied_vectors = GENERATE(true, false);
  config.sampled_negatives = GENERATE(0, 4);
  const auto before = fit(circle(20, 30), config).recommender;
  const auto started = warm_start(before, other_items(), 0).recommender;
  const auto &network = started.network(), &known = before.network();
  for (std::uint32_t item = 0; item < 21; ++item) {
    const Index id = 25 - item;
    INFO("item " << id);
    const bool taken = id < 20;
    CHECK(network.input.item_vectors.table.col(item).norm() > 0);
    CHECK((taken && network.input.item_vectors.table.col(item) == known.input.item_vectors.table.col(id)) == taken);
    CHECK((taken && network.output_vectors().col(item) == known.output_vectors().col(id)) == taken);
    CHECK(network.head.bias(item) == (taken ? known.head.bias(id) : 0));
  }
  CHECK((known.head.bias.array() != 0).any());
  CHECK(network.blocks[1].recurrent.layer.cell.recurrent_weight ==
        known.blocks[1].recurrent.layer.cell.recurrent_weight);
  CHECK(network.output_projection.weight == known.output_projection.weight);
}

TEST_CASE("warm_start: goes on with the settings of before and keeps the last epoch") {
  RecommenderConfig config = fit_config();
  config.markov_weight = 0.5;
  config.training.patience = 1;
  const auto before = fit(circle(20, 60), config).recommender;
  const Split more = train_on_all(circle(20, 90).sequences);
  const auto result = warm_start(before, more, 3);
  CHECK(result.epochs.size() == 3);
  const RecommenderConfig& kept = result.recommender.config();
  CHECK(kept.training.epochs == 3);
  CHECK(kept.exclude_seen == false);
  CHECK(kept.dropout == 0.2);
  CHECK(kept.window == 5);
  CHECK(kept.training.patience == 1);
  CHECK(kept.markov_weight == 0.5);
  CHECK(result.recommender.uses_markov());
  CHECK(result.recommender.markov().items() == 20);

  // On noise, validation gets no better: that decides nothing here.
  const auto noisy = warm_start(before, noise(20, 60), 5);
  CHECK(noisy.epochs.size() == 5);
  CHECK(noisy.best_epoch == 5);
}

TEST_CASE("warm_start: an epoch on more of the same is better than the first of a training") {
  RecommenderConfig config = fit_config();
  config.sampled_negatives = GENERATE(0, 6);
  const auto before = fit(circle(20, 60), config).recommender;
  const Split more = circle(20, 90);
  config.training.epochs = 1;
  const auto warm = warm_start(before, more, 1), cold = fit(more, config);
  CHECK(warm.epochs[0].loss < 0.8 * cold.epochs[0].loss);
  CHECK(warm.epochs[0].validation->ndcg10 > cold.epochs[0].validation->ndcg10);
}

TEST_CASE("fit, warm_start: a recommender says what it has learned from, of earlier trainings too") {
  RecommenderConfig config = fit_config();
  config.training.epochs = 1;
  const Split split = circle(20, 30), all = train_on_all(split.sequences), more = circle(20, 40);
  const auto tested = fit(split, config).recommender, final_one = fit(all, config).recommender;
  CHECK(tested.trained_on() == trained_on(split));
  CHECK(final_one.trained_on() == trained_on(all));
  CHECK(final_one.trained_on().held_out == 0);
  CHECK(evaluate(tested, split, split.test).caveat == "");
  CHECK(evaluate(final_one, split, split.test).caveat.starts_with("no test: "));
  CHECK(warm_start(tested, more, 1).recommender.trained_on() == trained_on(more));
  CHECK(warm_start(final_one, more, 1).recommender.trained_on() == final_one.trained_on());
  CHECK(warm_start(final_one, train_on_all(more.sequences), 1).recommender.trained_on().events ==
        more.sequences.events.size());
  auto parts = parts_of(tested);  // of a file that does not say it
  CHECK_FALSE(warm_start(Recommender(std::move(parts)), more, 1).recommender.trained_on().is_known());
}

TEST_CASE("warm_start: needs a trained recommender that knows some of the items") {
  const Split split = circle(20, 30);
  CHECK_THROWS_AS(warm_start(Recommender{}, split), std::invalid_argument);
  RecommenderConfig config = fit_config();
  config.attention_window = 3;
  const auto before = fit(split, config).recommender;
  CHECK_THROWS_AS(warm_start(before, split, -1), ConfigError);
  Split others = split;
  others.sequences.items = {};
  for (std::uint32_t item = 0; item < 20; ++item) others.sequences.items.add(RawId(std::to_string(item) + "a"));
  CHECK_THROWS_AS(warm_start(before, others), Error);

  const auto refused = [&](auto change) {
    RecommenderConfig changed = before.config();
    change(changed);
    CHECK_THROWS_AS(warm_start(before, split, changed), ConfigError);
  };
  refused([](RecommenderConfig& c) { c.embedding_size = 16; });
  refused([](RecommenderConfig& c) { c.hidden_size = 8; });
  refused([](RecommenderConfig& c) { c.cell = CellKind::gru; });
  refused([](RecommenderConfig& c) { c.cell = CellKind::slstm; });
  refused([](RecommenderConfig& c) { c.block = BlockKind::plain; });
  refused([](RecommenderConfig& c) { c.blocks = 1; });
  refused([](RecommenderConfig& c) { c.blocks = 3; });
  refused([](RecommenderConfig& c) { c.feed_forward_factor = 0; });
  refused([](RecommenderConfig& c) { c.attention_window = 2; });
  refused([](RecommenderConfig& c) { c.attention_window = 5; });
  refused([](RecommenderConfig& c) { c.attention_window = 0; });
  refused([](RecommenderConfig& c) { c.tied_vectors = false; });
}

TEST_CASE("warm_start: takes other settings of the training, which are kept") {
  const auto before = fit(circle(20, 60), fit_config()).recommender;
  RecommenderConfig config = before.config();
  config.training.epochs = 1;
  config.training.learning_rate = 0.004;
  config.dropout = 0.1;
  config.window = 4;
  const auto result = warm_start(before, circle(20, 60), config);
  CHECK(result.epochs.size() == 1);
  CHECK(result.recommender.config().training.learning_rate == 0.004);
  CHECK(result.recommender.config().dropout == 0.1);
  CHECK(result.recommender.config().window == 4);
}

TEST_CASE("fit: what ends it after the first step arrives with what had been learned by then") {
  const Split split = noise(20, 40);
  RecommenderConfig config = fit_config();
  config.markov_weight = GENERATE(0.5, -1.0);
  config.training.epochs = 1;
  const Recommender of_one_epoch = fit(split, config).recommender;
  config.training.epochs = 3;
  std::size_t last_batch = 0;
  for (const std::size_t epoch : {1, 2, 3}) {
    try {
      fit(split, config, {.progress = [&](const TrainingProgress& p) {
            last_batch = p.batches;
            if (p.epoch == epoch && p.batch == 2) throw std::out_of_range("x");
          }});
      FAIL("nothing thrown");
    } catch (TrainingInterrupted<Recommender>& interruption) {
      CHECK(interruption.what() == std::string("the training was interrupted: x"));
      CHECK_THROWS_AS(interruption.rethrow_cause(), std::out_of_range);
      CHECK(interruption.record().epochs.size() == epoch - 1);
      const Recommender& model = interruption.model();
      CHECK(model.item_ids().size() == split.sequences.items.size());
      CHECK(model.markov_weight() == std::max(0.0, config.markov_weight));
      CHECK(model.uses_markov() == (config.markov_weight > 0));
      CHECK(evaluate(model, split, split.test).targets.size() == split.test.size());
      // The best epoch so far, of those whose validation is over.
      if (epoch > 1) CHECK(interruption.record().best_epoch >= 1);
    }
  }
  CHECK(last_batch > 2);
}

TEST_CASE("fit: ends within a batch of training or validation where it is told to terminate") {
  const Split split = noise(20, 400);
  RecommenderConfig config = fit_config();
  config.training.batch_size = 64;
  std::stop_source terminate;
  std::size_t batches = 0, last_batch = 0;
  const auto run = [&](std::size_t wanted) {
    terminate = std::stop_source();
    batches = 0;
    fit(split, config,
        {.threads = 1,
         .progress =
             [&](const TrainingProgress& p) {
               last_batch = p.batches;
               if (!p.epoch_ended && ++batches == wanted) terminate.request_stop();
             },
         .terminate = terminate.get_token()});
  };
  try {
    run(2);
    FAIL("nothing thrown");
  } catch (const TrainingInterrupted<Recommender>& interruption) {
    CHECK_THROWS_AS(interruption.rethrow_cause(), TrainingTerminated);
    CHECK(batches == 2);
    CHECK(interruption.record().epochs.empty());
    CHECK(interruption.model().items() == 20);
  }
  REQUIRE(last_batch > 2);

  // During validation: the loss of the last batch asks for it, so that the check after the batch comes first; the
  // scorer's own check is seen through a validation that begins with the request.
  const Recommender recommender = fit(split, config).recommender;
  const NetworkScorer<NextItemNetwork<float>> scorer = recommender.scorer();
  std::stop_source ended;
  ended.request_stop();
  const detail::TerminableScorer terminable{scorer, ended.get_token()};
  CHECK_THROWS_AS(terminable.outputs({}), TrainingTerminated);
}

TEST_CASE("fit: never sees anything but the training events") {
  Split split = noise(20, 40);
  split.validation.clear();
  const auto before = fit(split, fit_config());
  for (std::uint32_t user = 0; user < split.sequences.size(); ++user)
    for (std::size_t position = split.train_length[user]; position < split.sequences[user].size(); ++position) {
      std::uint32_t& item = split.sequences.events.items[split.sequences.offsets[user] + position];
      item = (item + 7) % 20;
    }
  CHECK(same_bits(before.recommender.network(), fit(split, fit_config()).recommender.network()));
}

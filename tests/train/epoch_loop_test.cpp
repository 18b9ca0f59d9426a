// The loop over epochs, with a task whose batches and validations are made up.
#include <cstddef>
#include <cstdint>
#include <lstmrec/nn/dense.hpp>
#include <lstmrec/train/epoch_loop.hpp>
#include <lstmrec/train/network_training.hpp>
#include <optional>
#include <stop_token>
#include <tuple>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "nn/item_tables.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

namespace {

using Network = Dense<float>;

/// Each batch pushes all weights up; the validations are given.
class ToyTask {
 public:
  /// `validations`: by epoch; none where there are no more.
  explicit ToyTask(std::vector<std::optional<ValidationFigures>> validations, double ema_decay = 0)
      : training_(Network(2, 3), {}, ema_decay, 1e9), validations_(std::move(validations)) {}

  NetworkTraining<Network>& training() { return training_; }

  std::size_t begin_epoch(std::size_t epoch) {
    CHECK(epoch == begun);
    ++begun;
    return batches_of(epoch);
  }

  BatchRecord run_batch(std::size_t epoch, std::size_t batch, double learning_rate) {
    CHECK(epoch + 1 == begun);
    rates.push_back(learning_rate);
    std::vector<Network> gradients(1, training_.network());
    for_each_parameter([](auto& parameter) { parameter.setConstant(-1); }, gradients.front());
    training_.step(gradients, 1.0, 0.01, epoch, batch, pool_);
    last = training_.averaged();
    if (stop_after == rates.size()) stop.request_stop();
    return record_of(epoch, batch);
  }

  std::optional<ValidationFigures> validate(const Network& network) {
    CHECK(same_bits(network, training_.averaged()));
    validated.push_back(network);
    return validated.size() <= validations_.size() ? validations_[validated.size() - 1] : std::nullopt;
  }

  /// Epochs differ in length, and batches in their numbers of predictions and events.
  static std::size_t batches_of(std::size_t epoch) { return 3 + epoch % 2; }
  static BatchRecord record_of(std::size_t epoch, std::size_t batch) {
    return {.loss = 1.0 / static_cast<double>(1 + epoch + batch), .predictions = 1 + batch, .events = 10 + batch};
  }

  std::size_t begun = 0;           ///< Epochs.
  std::vector<double> rates;       ///< By batch.
  std::vector<Network> validated;  ///< By epoch.
  Network last;                    ///< After the last batch.
  std::size_t stop_after = 0;      ///< A number of batches, all epochs together; 0: never.
  std::stop_source stop;

 private:
  NetworkTraining<Network> training_;
  std::vector<std::optional<ValidationFigures>> validations_;
  ThreadPool pool_{1};
};

std::vector<std::optional<ValidationFigures>> ndcg(const std::vector<double>& values) {
  std::vector<std::optional<ValidationFigures>> figures;
  for (const double value : values) {
    ValidationFigures some;
    some.ndcg10 = value;
    figures.emplace_back(some);
  }
  return figures;
}

std::vector<std::optional<ValidationFigures>> rmse(const std::vector<double>& values) {
  std::vector<std::optional<ValidationFigures>> figures;
  for (const double value : values) {
    ValidationFigures some;
    some.rmse = value;
    figures.emplace_back(some);
  }
  return figures;
}

double rate_of(std::int64_t step) { return 1 + static_cast<double>(step); }

struct Result {
  Network network;
  TrainingRecord record;
  std::vector<TrainingProgress> progress;
};

Result train(ToyTask& task, const EpochRules& rules) {
  Result result;
  FitOptions options;
  options.stop = task.stop.get_token();
  options.progress = [&](const TrainingProgress& progress) { result.progress.push_back(progress); };
  result.network = train_epochs<Network>(task, rules, options, result.record);
  return result;
}

}  // namespace

TEST_CASE("ValidationFigures: a higher NDCG or a lower RMSE is better, and equal ones are not") {
  const auto better = [](const auto& a, const auto& b) { return a.front()->better_than(*b.front()); };
  CHECK(better(ndcg({0.2}), ndcg({0.1})));
  CHECK_FALSE(better(ndcg({0.1}), ndcg({0.2})));
  CHECK_FALSE(better(ndcg({0.1}), ndcg({0.1})));
  CHECK(better(rmse({0.8}), rmse({0.9})));
  CHECK_FALSE(better(rmse({0.9}), rmse({0.8})));
  CHECK_FALSE(better(rmse({0.9}), rmse({0.9})));
}

TEST_CASE("ValidationFigures: of equal NDCGs the higher MRR decides") {
  const auto figures = [](double ndcg10, double mrr) {
    ValidationFigures some;
    some.ndcg10 = ndcg10;
    some.mrr = mrr;
    return some;
  };
  CHECK(figures(0.2, 0.15).better_than(figures(0.2, 0.1)));
  CHECK_FALSE(figures(0.2, 0.1).better_than(figures(0.2, 0.15)));
  CHECK_FALSE(figures(0.2, 0.1).better_than(figures(0.2, 0.1)));
  CHECK_FALSE(figures(0.1, 0.9).better_than(figures(0.2, 0.1)));
}

TEST_CASE("train_epochs: patience does not begin before a validation has hit a target") {
  ToyTask task(ndcg({0, 0, 0, 0, 0.1, 0.05, 0.04, 0.9}));
  const Result result = train(task, {.epochs = 8, .patience = 2, .learning_rate = rate_of});
  CHECK(task.begun == 7);
  CHECK(result.record.best_epoch == 5);
  ToyTask perfect(rmse({0, 0.1, 0.2, 0.3}));  // an RMSE of 0 is the best there is
  CHECK(train(perfect, {.epochs = 4, .patience = 2, .learning_rate = rate_of}).record.epochs.size() == 3);
}

TEST_CASE("train_epochs: keeps the weights of the best validation") {
  for (const double ema_decay : {0.0, 0.9}) {
    ToyTask task(ndcg({0.1, 0.5, 0.3, 0.5, 0.2}), ema_decay);
    const Result result = train(task, {.epochs = 5, .learning_rate = rate_of});
    REQUIRE(task.validated.size() == 5);
    CHECK(result.record.best_epoch == 2);  // the first of the equal ones
    CHECK(same_bits(result.network, task.validated[1]));
    CHECK_FALSE(same_bits(result.network, task.validated[3]));
    CHECK_FALSE(result.record.stopped);
    CHECK(result.record.seconds > 0);
    REQUIRE(result.record.epochs.size() == 5);
    for (std::size_t epoch = 0; epoch < 5; ++epoch) {
      CHECK(result.record.epochs[epoch].epoch == epoch + 1);
      REQUIRE(result.record.epochs[epoch].validation);
    }
    CHECK(result.record.epochs[1].validation->ndcg10 == 0.5);
    CHECK(result.record.epochs[2].validation->ndcg10 == 0.3);
  }
  ToyTask ratings(rmse({0.9, 0.8, 0.85}));
  CHECK(train(ratings, {.epochs = 3, .learning_rate = rate_of}).record.best_epoch == 2);
}

TEST_CASE("train_epochs: patience ends training after so many epochs without a better validation") {
  const std::vector<double> values = {0.1, 0.3, 0.2, 0.3, 0.4, 0.1, 0.4, 0.2, 0.9};
  for (const auto& [patience, epochs, best] :
       {std::tuple<std::size_t, std::size_t, std::size_t>{1, 3, 2}, {2, 4, 2}, {3, 8, 5}, {4, 9, 9}, {0, 9, 9}}) {
    CAPTURE(patience);
    ToyTask task(ndcg(values));
    const Result result = train(task, {.epochs = 9, .patience = patience, .learning_rate = rate_of});
    CHECK(task.begun == epochs);
    CHECK(result.record.epochs.size() == epochs);
    CHECK(result.record.best_epoch == best);
    CHECK(same_bits(result.network, task.validated[best - 1]));
    CHECK_FALSE(result.record.stopped);
  }
}

TEST_CASE("train_epochs: the last weights are kept where the rules say so, whatever the validations") {
  ToyTask task(ndcg({0.5, 0.4, 0.3, 0.2}));
  const Result result = train(task, {.epochs = 4, .patience = 1, .keep = Keep::last, .learning_rate = rate_of});
  CHECK(task.begun == 4);
  CHECK(result.record.best_epoch == 4);
  CHECK(same_bits(result.network, task.last));
  CHECK(result.record.epochs[2].validation->ndcg10 == 0.3);
}

TEST_CASE("train_epochs: without anything to validate on, all epochs run and the last weights are kept") {
  for (const double ema_decay : {0.0, 0.9}) {
    ToyTask task({}, ema_decay);
    const Result result = train(task, {.epochs = 4, .patience = 1, .learning_rate = rate_of});
    CHECK(task.begun == 4);
    CHECK(result.record.best_epoch == 0);
    CHECK(same_bits(result.network, task.last));
    for (const EpochRecord& epoch : result.record.epochs) CHECK_FALSE(epoch.validation);
  }
}

TEST_CASE("train_epochs: no epochs leave the network as it is") {
  ToyTask task(ndcg({0.5}));
  const Network before = task.training().network();
  const Result result = train(task, {.epochs = 0, .learning_rate = rate_of});
  CHECK(same_bits(result.network, before));
  CHECK(result.record.epochs.empty());
  CHECK(result.record.best_epoch == 0);
  CHECK(result.progress.empty());
}

TEST_CASE("train_epochs: a stop ends training after the batch, and what there is by then is validated") {
  // In epoch 2, after its second batch of four: better than before, or worse.
  for (const bool is_better : {true, false}) {
    ToyTask task(ndcg({0.3, is_better ? 0.4 : 0.2, 0.9}));
    task.stop_after = 5;
    const Result result = train(task, {.epochs = 9, .learning_rate = rate_of});
    CHECK(result.record.stopped);
    CHECK(task.rates.size() == 5);
    CHECK(task.begun == 2);
    REQUIRE(task.validated.size() == 2);
    CHECK(same_bits(task.validated[1], task.last));
    CHECK(result.record.best_epoch == (is_better ? 2u : 1u));
    CHECK(same_bits(result.network, task.validated[is_better ? 1 : 0]));
    REQUIRE(result.record.epochs.size() == 2);
    CHECK(result.progress.back().epoch_ended);
    CHECK(result.progress.back().epoch == 2);
    CHECK(result.progress.back().batch == 2);
    // Of the epoch that was cut short, the loss is that of its two batches.
    const BatchRecord first = ToyTask::record_of(1, 0), second = ToyTask::record_of(1, 1);
    CHECK(result.record.epochs[1].loss == Approx((first.loss + 2 * second.loss) / 3));
  }
  // Without validations what was trained is kept.
  ToyTask task({});
  task.stop_after = 2;
  const Result result = train(task, {.epochs = 9, .learning_rate = rate_of});
  CHECK(result.record.stopped);
  CHECK(same_bits(result.network, task.last));
  CHECK(result.record.best_epoch == 0);
}

TEST_CASE("train_epochs: a stop on the last batch of an epoch begins no other epoch") {
  ToyTask task(ndcg({0.3, 0.4}));
  task.stop_after = 3;
  const Result result = train(task, {.epochs = 9, .learning_rate = rate_of});
  CHECK(result.record.stopped);
  CHECK(task.begun == 1);
  CHECK(result.record.best_epoch == 1);
}

TEST_CASE("train_epochs: the learning rate goes by the number of the step, all epochs together") {
  ToyTask task({});
  train(task, {.epochs = 3, .learning_rate = rate_of});
  REQUIRE(task.rates.size() == 3 + 4 + 3);
  for (std::size_t step = 0; step < task.rates.size(); ++step) CHECK(task.rates[step] == 1 + static_cast<double>(step));
}

TEST_CASE("train_epochs: progress counts epochs, batches and events, after every batch and every epoch") {
  ToyTask task(ndcg({0.1, 0.2, 0.3}));
  const Result result = train(task, {.epochs = 3, .learning_rate = rate_of});
  std::size_t call = 0, events = 0;
  double seconds = 0;
  for (std::size_t epoch = 0; epoch < 3; ++epoch) {
    double loss_sum = 0;
    std::size_t predictions = 0;
    const std::size_t batches = ToyTask::batches_of(epoch);
    for (std::size_t batch = 0; batch <= batches; ++batch, ++call) {  // after the last batch, the epoch's end
      const bool is_end = batch == batches;
      if (!is_end) {
        const BatchRecord record = ToyTask::record_of(epoch, batch);
        events += record.events;
        loss_sum += record.loss * static_cast<double>(record.predictions);
        predictions += record.predictions;
      }
      REQUIRE(call < result.progress.size());
      const TrainingProgress& progress = result.progress[call];
      CHECK(progress.epoch == epoch + 1);
      CHECK(progress.epochs == 3);
      CHECK(progress.batch == (is_end ? batches : batch + 1));
      CHECK(progress.batches == batches);
      CHECK(progress.events == events);
      CHECK(progress.loss == Approx(loss_sum / static_cast<double>(predictions)));
      CHECK(progress.epoch_ended == is_end);
      CHECK(progress.validation.has_value() == is_end);
      CHECK_FALSE(progress.refit);
      CHECK(progress.events_per_second > 0);
      CHECK(progress.seconds >= seconds);
      seconds = progress.seconds;
      // What is left, at the speed so far.
      const double done =
          static_cast<double>(epoch) + static_cast<double>(progress.batch) / static_cast<double>(batches);
      CHECK(progress.seconds_left == Approx(progress.seconds * (3 - done) / done).margin(1e-12));
    }
    CHECK(result.record.epochs[epoch].loss == Approx(loss_sum / static_cast<double>(predictions)));
    CHECK(result.record.epochs[epoch].events_per_second == result.progress[call - 1].events_per_second);
    CHECK(result.progress[call - 1].validation->ndcg10 == result.record.epochs[epoch].validation->ndcg10);
  }
  CHECK(call == result.progress.size());
  CHECK(result.progress.back().seconds_left == Approx(0).margin(1e-12));
}

TEST_CASE("train_epochs: an epoch whose batches predict nothing has the loss 0") {
  struct EmptyTask : ToyTask {
    using ToyTask::ToyTask;
    BatchRecord run_batch(std::size_t epoch, std::size_t batch, double learning_rate) {
      ToyTask::run_batch(epoch, batch, learning_rate);
      return {};
    }
  } task(ndcg({}));
  TrainingRecord record;
  train_epochs<Network>(task, {.epochs = 1, .learning_rate = rate_of}, {}, record);
  CHECK(record.epochs.at(0).loss == 0);
}

TEST_CASE("train_epochs: the average is brought up to date before it is validated and kept") {
  using Tables = ItemTables<float>;
  /// Its batches touch one item after the other.
  struct SparseTask {
    NetworkTraining<Tables> training_;
    ThreadPool pool{1};
    std::vector<Tables> validated;

    explicit SparseTask(const Tables& initial) : training_(initial, {}, 0.9, 1e9, 4) {}
    NetworkTraining<Tables>& training() { return training_; }
    std::size_t begin_epoch(std::size_t) { return 4; }
    BatchRecord run_batch(std::size_t epoch, std::size_t batch, double learning_rate) {
      const std::vector<std::uint32_t> items = {static_cast<std::uint32_t>(batch)};
      Tables before(1, 3);
      before.vectors.table = training_.network().vectors.table.col(items[0]);
      before.head.bias = training_.network().head.bias.row(items[0]);
      std::vector<Tables> gradients(1, before);
      randomise(gradients[0], 10 * epoch + batch);
      training_.step(gradients, 1.0, learning_rate, epoch, batch, pool, {items, &before});
      return {.loss = 1, .predictions = 1, .events = 1};
    }
    std::optional<ValidationFigures> validate(const Tables& network) {
      validated.push_back(network);
      return std::nullopt;
    }
  };
  Tables initial(4, 3);
  randomise(initial, 1);
  SparseTask task(initial), by_hand(initial);
  TrainingRecord record;
  const Tables kept = train_epochs<Tables>(task, {.epochs = 2, .learning_rate = rate_of}, {}, record);
  for (std::size_t epoch = 0; epoch < 2; ++epoch) {
    for (std::size_t batch = 0; batch < 4; ++batch)
      by_hand.run_batch(epoch, batch, rate_of(static_cast<std::int64_t>(4 * epoch + batch)));
    CHECK_FALSE(same_bits(by_hand.training_.averaged(), task.validated.at(epoch)));
    by_hand.training_.catch_up();
    CHECK(same_bits(by_hand.training_.averaged(), task.validated.at(epoch)));
  }
  CHECK(same_bits(kept, task.validated.at(1)));
}

#include <cstddef>
#include <cstdint>
#include <lstmrec/eval/evaluate.hpp>
#include <lstmrec/next_item/batch_builder.hpp>
#include <lstmrec/next_item/batch_ranker.hpp>
#include <lstmrec/next_item/fit.hpp>
#include <lstmrec/next_item/model_file.hpp>
#include <lstmrec/next_item/network.hpp>
#include <lstmrec/next_item/session.hpp>
#include <lstmrec/next_item/update.hpp>
#include <lstmrec/next_item/update_inl.hpp>  // add_memory
#include <lstmrec/nn/gradient_check.hpp>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "../data/temporary_folder.hpp"
#include "../data/thrown.hpp"
#include "catch.hpp"
#include "network_checks.hpp"

using namespace lstmrec;

namespace {

constexpr ContextInputs all_inputs{.gaps = true, .hours = true, .ratings = true, .kinds = true, .question_time = true};

/// some_batch with any codes of all inputs, and of the time of the question.
SequenceBatch batch_with_context(bool excludes) {
  SequenceBatch batch = some_batch(excludes);
  const EventContext context(all_inputs, 1, {1, 2, 3}, {1, 2});
  Random random(9);
  const auto time = [&] { return static_cast<std::int64_t>(random.below(1'000'000)); };
  for (std::size_t column = 0; column < batch.inputs.size(); ++column) {
    std::uint32_t codes[EventContext::most_codes_of_event];
    context.write(time(), time(), static_cast<float>(random.below(4)), static_cast<std::uint32_t>(random.below(4)),
                  codes);
    batch.context.insert(batch.context.end(), codes, codes + context.codes_of_event());
    context.write_question(time(), time(), codes);
    batch.questions.insert(batch.questions.end(), codes, codes + EventContext::codes_of_question);
  }
  return batch;
}

RecommenderConfig network_config(std::int64_t embedding_size, std::int64_t blocks) {
  return {.embedding_size = embedding_size,
          .hidden_size = 4,
          .blocks = blocks,
          .feed_forward_factor = 2,
          .gap_inputs = true,
          .hour_inputs = true,
          .rating_inputs = true,
          .kind_inputs = true,
          .question_time = true};
}

constexpr int groups = 4, items_of_group = 3;

/// Users with 12 events. What comes next is of a group that an event says beside its item, in one of these ways: by the
/// rating that the user gave, by its kind, by the hour, by the gap before it, or, if `by_question`, by the gap after
/// it.
enum class Tells { rating, kind, hour, gap, next_gap };
Interactions telling_log(Tells tells, int users = 60, std::uint64_t seed = 1) {
  constexpr const char* kinds[groups] = {"view", "cart", "purchase", "like"};
  Random random(seed);
  Interactions log{.has_times = true, .has_ratings = true};
  for (int user = 0; user < users; ++user) {
    std::int64_t time = 100'000'000 + 86'400 * user;
    int group = 0;  // of the event
    for (int event = 0; event < 12; ++event) {
      const auto next = static_cast<int>(random.below(groups));
      const int item = group * items_of_group + static_cast<int>(random.below(items_of_group));
      const std::int64_t seconds[groups] = {10, 600, 7'200, 200'000};
      if (tells == Tells::gap) time += seconds[next];
      if (tells == Tells::next_gap) time += seconds[group];
      if (tells == Tells::hour) time = (time / 86'400 + 1) * 86'400 + next * 18'000;
      if (tells == Tells::rating || tells == Tells::kind) time += 1000;
      log.observe("user " + std::to_string(seed) + '-' + std::to_string(user), item, time,
                  tells == Tells::rating ? static_cast<float>(next + 1) : 3, 1,
                  kind_id(tells == Tells::kind ? kinds[next] : "view"));
      group = next;
    }
  }
  return log;
}

RecommenderConfig context_config() {
  return {.embedding_size = 16,
          .hidden_size = 16,
          .dropout = 0,
          .markov_weight = 0,
          .exclude_seen = false,
          .target_horizon = 1,
          .training = {.epochs = 12, .learning_rate = 0.02, .ema_decay = 0.9}};
}

RecommenderConfig reading(Tells tells) {
  RecommenderConfig config = context_config();
  config.gap_inputs = tells == Tells::gap;
  config.hour_inputs = tells == Tells::hour;
  config.rating_inputs = tells == Tells::rating;
  config.kind_inputs = tells == Tells::kind;
  config.question_time = tells == Tells::next_gap;
  return config;
}

Split telling_split(Tells tells) { return leave_one_out(build_sequences(telling_log(tells))); }

/// Everything read at once, for what has to work with all of it.
RecommenderConfig reading_all() {
  RecommenderConfig config = context_config();
  config.gap_inputs = config.hour_inputs = config.rating_inputs = config.kind_inputs = config.question_time = true;
  config.training.epochs = 3;
  return config;
}

}  // namespace

TEST_CASE("context: gradients of all inputs and of the time of the question, with three blocks and ragged sequences") {
  for (const std::int64_t embedding_size : {4, 3}) {
    NextItemNetwork<double> network(network_items, network_config(embedding_size, 3));
    randomise(network, 1);
    check_network_gradients(network, SoftmaxCrossEntropy{}, batch_with_context(true));
  }
}

TEST_CASE("context: steps give what a training pass gives") {
  for (const std::int64_t embedding_size : {4, 3}) {
    NextItemNetwork<double> network(network_items, network_config(embedding_size, 2));
    randomise(network, 2);
    check_step_against_forward(network, 1e-12, batch_with_context(false));
  }
}

TEST_CASE("context: what only the context tells is learned where it is read") {
  for (const Tells tells : {Tells::rating, Tells::kind, Tells::hour, Tells::gap, Tells::next_gap}) {
    CAPTURE(static_cast<int>(tells));
    const Split split = telling_split(tells);
    const auto ndcg = [&](const RecommenderConfig& config) {
      const auto recommender = fit(split, config).recommender;
      CHECK(recommender.context().codes_of_event() == config.context_inputs().count());
      return evaluate(recommender, split, split.test, {.cutoffs = {3}, .exclude_seen = false}).ndcg_at(3).value;
    };
    // Of 12 items the three of a group are equally likely: .71 is what anybody can reach, and .18 what chance does.
    CHECK(ndcg(context_config()) < 0.4);
    CHECK(ndcg(reading(tells)) > 0.55);
  }
}

TEST_CASE("context: sessions that are told of it rank as the evaluator, event by event and at once, after a file too") {
  const Split split = telling_split(Tells::gap);
  const auto trained = fit(split, reading_all()).recommender;
  const TemporaryFolder folder;
  save(trained, folder.path() / "model.safetensors");
  const auto recommender = load_recommender(folder.path() / "model.safetensors");
  CHECK(recommender.context().rating_levels() == std::vector<float>{3});
  CHECK(recommender.context().kinds() == std::vector<std::uint32_t>{kind_id("view")});
  CHECK(recommender.context().ticks_per_second() == 1);
  CHECK(recommender.fingerprint() == trained.fingerprint());
  for (std::size_t k = 0; k < split.test.size(); k += 7) {
    const History history = split.history(split.test[k]);
    REQUIRE(history.asked_at.has_value());
    Matrix<float> scores(recommender.items(), 1);
    recommender.score({&history, 1}, scores);
    Session step_by_step(recommender), at_once(recommender), in_parts(recommender);
    for (const Event& event : history)
      step_by_step.observe(split.sequences.items.id(event.item),
                           {.time = event.time, .rating = event.rating, .kind = "view"});
    at_once.observe_all(history);
    in_parts.observe_all(history.first(4));
    in_parts.observe_all(history.subspan(4));
    CHECK(step_by_step.state() == at_once.state());
    CHECK(step_by_step.state() == in_parts.state());
    Session restored(recommender);
    restored.restore(step_by_step.save());
    CHECK(restored.state() == step_by_step.state());
    const Question question{.time = history.asked_at};
    for (Session* session : {&step_by_step, &restored}) {
      const auto own = session->scores(question);
      for (Index item = 0; item < scores.rows(); ++item)
        CHECK(own[static_cast<std::size_t>(item)] == Approx(scores(item, 0)).margin(1e-4));
      const auto list = session->top_n(3, question);
      CHECK(list[0].score == Approx(scores.maxCoeff()).margin(1e-4));
    }
    std::vector<std::uint32_t> beyond{0, static_cast<std::uint32_t>(recommender.items())};
    CHECK_THROWS_AS(at_once.observe_all(History(beyond)), std::invalid_argument);
    History renumbered = history;
    ++renumbered.numbering;
    CHECK_THROWS_AS(at_once.observe_all(renumbered), std::invalid_argument);
    CHECK(step_by_step.state() == at_once.state());
    // Asked otherwise, a list is another, and asked again it is what it was.
    const std::vector<float> before(step_by_step.scores(question).begin(), step_by_step.scores(question).end());
    const std::vector<float> other(step_by_step.scores().begin(), step_by_step.scores().end());
    CHECK(before != other);
    const auto again = step_by_step.scores(question);
    CHECK(std::vector<float>(again.begin(), again.end()) == before);
  }
}

TEST_CASE("context: who is not told the time of a question gets lists as good as from a network that never is") {
  const Split split = telling_split(Tells::gap);
  RecommenderConfig config = reading(Tells::gap);
  const auto never = fit(split, config).recommender;
  config.question_time = true;
  const auto told = fit(split, config).recommender;
  const auto hits_of = [&](const Recommender& recommender) {
    int hits = 0;
    for (const Target target : split.test) {
      Session session(recommender);
      session.observe_all(split.history(target));
      for (const auto& [item, title, score] : session.top_n(3))
        hits += item == split.sequences.items.id(split.event(target).item);
    }
    return hits;
  };
  CHECK(hits_of(told) > 0.8 * hits_of(never));
}

TEST_CASE("context: the network is made by the configuration, the threads change no bit, and cached items are none") {
  const Split split = telling_split(Tells::rating);
  RecommenderConfig config = reading_all();
  config.training.epochs = 1;
  const auto one = fit(split, config, {.threads = 1}).recommender;
  auto three = fit(split, config, {.threads = 3}).recommender;
  CHECK(one.network().input.context.table == three.network().input.context.table);
  CHECK(one.network().question_time.gates.table == three.network().question_time.gates.table);
  CHECK(one.network().input.context.table.norm() > 0);
  CHECK(one.network().question_time.shifts.table.norm() > 0);
  three.cache_input_projections();
  CHECK(three.input_projections().size() == 0);
  config.sampled_negatives = 4;
  CHECK(fit(split, config).recommender.network().input.context.table.norm() > 0);
}

TEST_CASE("context: lists of many users are those of their sessions") {
  const Split split = telling_split(Tells::gap);
  const auto recommender = fit(split, reading_all()).recommender;
  std::vector<History> histories;
  for (const Target target : split.test) histories.push_back(split.history(target));
  const auto lists = BatchRanker(recommender).top_n(histories, 3, Candidates(recommender));
  std::size_t told = 0;
  for (std::size_t k = 0; k < histories.size(); ++k) {
    Session session(recommender);
    session.observe_all(histories[k]);
    const auto own = session.top_n(3, {.time = histories[k].asked_at});
    REQUIRE(lists[k].size() == own.size());
    for (std::size_t rank = 0; rank < 3; ++rank) CHECK(lists[k][rank].score == Approx(own[rank].score).margin(1e-4));
    Session unasked(recommender);
    unasked.observe_all(histories[k]);
    told += unasked.top_n(3)[0].score != own[0].score;
  }
  CHECK(told > histories.size() / 2);  // else the time of the question would have said nothing
}

TEST_CASE("context: data whose items are numbered otherwise are ranked as in the model's numbering") {
  const Interactions log = telling_log(Tells::next_gap);
  const Split split = leave_one_out(build_sequences(log));
  const auto recommender = fit(split, reading_all()).recommender;
  Interactions backwards{.has_times = true, .has_ratings = true};
  for (std::size_t row = log.events.size(); row-- > 0;)
    backwards.observe(log.users.id(log.events.users[row]).text(), log.items.id(log.events.items[row]).text(),
                      log.events.times[row], log.events.ratings[row], 1, log.events.kinds[row]);
  const Split other = leave_one_out(build_sequences(backwards));
  REQUIRE(other.sequences.items != split.sequences.items);
  for (const bool question_time : {false, true}) {
    const EvaluateOptions options{.cutoffs = {3}, .exclude_seen = false, .question_time = question_time};
    CHECK(evaluate(recommender, other, other.test, options).ndcg_at(3).value ==
          Approx(evaluate(recommender, split, split.test, options).ndcg_at(3).value));
  }
}

TEST_CASE("context: a training that was interrupted ends with the bits of one that was not") {
  const Split split = telling_split(Tells::kind);
  const auto undisturbed = fit(split, reading_all(), {.threads = 1}).recommender;
  const TemporaryFolder folder;
  FitOptions options{.threads = 1, .checkpoint = {.folder = folder.path() / "checkpoints", .resume = true}};
  std::size_t batches = 0;
  std::stop_source stop;
  options.stop = stop.get_token();
  options.progress = [&](const TrainingProgress& progress) {
    if (!progress.epoch_ended && ++batches == 5) stop.request_stop();
  };
  fit(split, reading_all(), options);
  REQUIRE(batches == 5);
  options.stop = {};
  CHECK(same_bits(fit(split, reading_all(), options).recommender.network(), undisturbed.network()));
  RecommenderConfig other = reading_all();
  other.hour_inputs = false;
  CHECK_THROWS_AS(fit(split, other, options), ConfigError);
}

TEST_CASE("context: an update and a warm start read what the model reads") {
  const Split split = telling_split(Tells::gap);
  RecommenderConfig config = reading_all();
  config.memory_sequences = 20;
  const auto before = fit(split, config).recommender;
  const Split next = leave_one_out(build_sequences(telling_log(Tells::gap, 30, 2)));
  const auto after = update(before, next, 2).recommender;
  CHECK(after.context().inputs() == all_inputs);
  CHECK(after.network().input.context.table != before.network().input.context.table);
  CHECK(warm_start(before, next, 1).recommender.context().rating_levels() == before.context().rating_levels());
  config.gap_inputs = false;
  CHECK_THROWS_AS(update(before, next, config), ConfigError);

  Interactions milliseconds = telling_log(Tells::gap, 30, 2);
  milliseconds.ticks_per_second = 1000;
  milliseconds.source = "today.csv";
  CHECK(thrown<DataError>([&] { update(before, leave_one_out(build_sequences(milliseconds)), 1); }) ==
        "today.csv: its times are in 1000 ticks a second, and those that the model has learned in 1");
}

TEST_CASE("context: an evaluation says whether the time of a target is known, and refuses times in other ticks") {
  const Split split = telling_split(Tells::next_gap);
  const auto recommender = fit(split, reading(Tells::next_gap)).recommender;
  const auto told = evaluate(recommender, split, split.test, {.cutoffs = {3}});
  const auto not_told = evaluate(recommender, split, split.test, {.cutoffs = {3}, .question_time = false});
  CHECK(contains(told.protocol, "; the model knows when each target happens"));
  CHECK(contains(not_told.protocol, "; the model does not know when a target happens"));
  CHECK(told.ndcg[0].value > not_told.ndcg[0].value + 0.2);
  const auto other = fit(split, context_config()).recommender;
  CHECK_FALSE(contains(evaluate(other, split, split.test, {.cutoffs = {3}}).protocol, "happens"));

  Interactions log = telling_log(Tells::next_gap);
  log.ticks_per_second = 1'000'000;
  log.source = "micro.csv";
  const Split microseconds = leave_one_out(build_sequences(log));
  CHECK(thrown<DataError>([&] { evaluate(recommender, microseconds, microseconds.test); }) ==
        "micro.csv: its times are in 1000000 ticks a second, and those that the model has learned in 1");
  CHECK(evaluate(other, microseconds, microseconds.test).users == 60);
}

TEST_CASE("context: what a log does not have cannot be read") {
  Interactions bare;
  for (int user = 0; user < 10; ++user)
    for (int item = 0; item < 5; ++item) bare.observe(user, item);
  const Split split = leave_one_out(build_sequences(bare));
  const auto message_of = [&](Tells tells) { return thrown<ConfigError>([&] { fit(split, reading(tells)); }); };
  CHECK(message_of(Tells::gap) == "gap_inputs is set, but memory has no times of events");
  CHECK(message_of(Tells::hour) == "hour_inputs is set, but memory has no times of events");
  CHECK(message_of(Tells::next_gap) == "question_time is set, but memory has no times of events");
  CHECK(message_of(Tells::kind) == "kind_inputs is set, but memory has no kinds of events");
  CHECK(message_of(Tells::rating) == "rating_inputs is set, but memory has no ratings of events");
}

TEST_CASE("context: who is told nothing of events gets lists as good as from a network that reads items only") {
  // Half of what comes next follows from the item, half from the gap.
  Interactions log = telling_log(Tells::gap, 400);
  for (std::size_t row = 1; row < log.events.size(); row += 2)
    if (log.events.users[row] == log.events.users[row - 1]) log.events.items[row] = log.events.items[row - 1];
  const Split split = leave_one_out(build_sequences(log));
  const auto hits_of = [&](const RecommenderConfig& config) {
    const auto recommender = fit(split, config).recommender;
    int hits = 0;
    for (const Target target : split.test) {
      Session session(recommender);
      for (const std::uint32_t item : split.history(target).items) session.observe(split.sequences.items.id(item));
      for (const auto& [item, title, score] : session.top_n(1))
        hits += item == split.sequences.items.id(split.event(target).item);
    }
    return hits;
  };
  const int never = hits_of(context_config()), untold = hits_of(reading(Tells::gap));
  CHECK(never > 200);
  CHECK(untold > 0.9 * never);
}

TEST_CASE("context: an own input meets finite numbers in an update, whose old sequences have no times") {
  const Split split = telling_split(Tells::gap);
  RecommenderConfig config = context_config();
  config.memory_sequences = 20;
  const auto before = fit(split, config).recommender;
  CHECK(before.memory().size() == 20);
  Split with_memory = leave_one_out(build_sequences(telling_log(Tells::gap, 5, 2)));
  detail::add_memory(before.memory(), with_memory);
  const BatchBuilder builder(with_memory, {.question_time = true}, EventContext(all_inputs, 1, {3}, {1}));
  auto parts = cut_subsequences(with_memory, 20, 1);
  SequenceBatch batch;
  builder.fill(parts, 1, 1, batch);
  for (const std::int64_t time : batch.times) CHECK(time >= 0);
  for (const float rating : batch.ratings) CHECK((rating == 0 || rating == 3));
  std::size_t unknown = 0;
  for (std::size_t column = 0; column < batch.inputs.size(); ++column)
    unknown += batch.context[5 * column + 1] == EventContext::gap_codes;  // the hour
  CHECK(unknown > batch.inputs.size() / 2);
}

TEST_CASE("context: batches have the codes of their events; one sequence and one question in eight are told nothing") {
  const Split split = telling_split(Tells::gap);
  const EventContext context({.gaps = true}, 1, {});
  const BatchBuilder builder(split, {.question_time = true}, context);
  auto parts = cut_subsequences(split, 4, 1);
  SequenceBatch batch;
  builder.fill(parts, 1, 1, batch);
  std::size_t column = 0, untold = 0, silent = 0;
  for (Index step = 0; step < batch.steps.steps(); ++step)
    for (Index alive = 0; alive < batch.steps.alive(step); ++alive, ++column) {
      const Subsequence& part = parts[static_cast<std::size_t>(alive)];
      const History history = split.train(part.user);
      const auto position = part.begin + static_cast<std::size_t>(step);
      std::uint32_t expected = 0, question[EventContext::codes_of_question];
      context.write(history, position, &expected);
      const bool is_told = batch.context[column] != 0 || position == 0;
      silent += is_told ? 0 : 1;
      CHECK((!is_told || batch.context[column] == expected));
      context.write_question(history.times[position + 1], history.times[position], question);
      const std::uint32_t* const found = &batch.questions[EventContext::codes_of_question * column];
      untold += found[0] == 0;
      CHECK((found[0] == 0 || (found[0] == question[0] && found[1] == question[1] && found[2] == question[2])));
    }
  CHECK(column == batch.inputs.size());
  CHECK(untold > column / 12);
  CHECK(untold < column / 6);
  CHECK(silent > 0);
  CHECK(silent < column / 4);
}

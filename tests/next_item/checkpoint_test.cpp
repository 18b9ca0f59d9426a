// A training that goes on from a checkpoint ends with the bits of one that was never interrupted.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <lstmrec/next_item/fit.hpp>
#include <lstmrec/next_item/model_file.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "../data/temporary_folder.hpp"
#include "../data/thrown.hpp"
#include "catch.hpp"
#include "eval/small_split.hpp"
#include "next_item/trained_recommender.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

namespace {

namespace fs = std::filesystem;

/// Users without any taste, of 20 items.
Split interrupted_noise(std::uint64_t seed = 1) {
  Random random(seed);
  std::vector<std::vector<std::uint32_t>> events(40);
  for (auto& list : events)
    for (int k = 0; k < 8; ++k) list.push_back(static_cast<std::uint32_t>(random.below(20)));
  return split_of(events, 20);
}

RecommenderConfig interrupted_config() {
  return {.embedding_size = 8,
          .hidden_size = 12,
          .blocks = 2,
          .feed_forward_factor = 2,
          .attention_window = 3,
          .dropout = 0.2,
          .exclude_seen = false,
          .target_horizon = 2,
          .window = 5,
          .training = {.epochs = 3, .batch_size = 8, .learning_rate = 0.01, .ema_decay = 0.9, .shards = 3}};
}

struct Enough {};

/// Trains until the `count`-th call of progress, which ends it as an exception of the user's would; returns whether it
/// came to that.
bool train_until(std::size_t count, const Split& split, const RecommenderConfig& config, FitOptions options) {
  std::size_t calls = 0;
  options.progress = [&](const TrainingProgress&) {
    if (++calls == count) throw Enough();
  };
  try {
    fit(split, config, options);
    return false;
  } catch (const TrainingInterrupted<Recommender>& interruption) {
    CHECK_THROWS_AS(interruption.rethrow_cause(), Enough);
    return true;
  }
}

std::string bytes_of(const Recommender& recommender) {
  const TemporaryFolder folder;
  save(recommender, folder.path() / "model");
  std::ifstream in(folder.path() / "model", std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files(fs::directory_iterator(folder), fs::directory_iterator{});
  std::sort(files.begin(), files.end());
  return files;
}

void check_same(const FitResult& resumed, const FitResult& undisturbed) {
  CHECK(bytes_of(resumed.recommender) == bytes_of(undisturbed.recommender));
  CHECK(resumed.best_epoch == undisturbed.best_epoch);
  REQUIRE(resumed.epochs.size() == undisturbed.epochs.size());
  for (std::size_t k = 0; k < resumed.epochs.size(); ++k) {
    CHECK(resumed.epochs[k].epoch == k + 1);
    CHECK(resumed.epochs[k].loss == undisturbed.epochs[k].loss);
    CHECK(resumed.epochs[k].validation.has_value() == undisturbed.epochs[k].validation.has_value());
    if (resumed.epochs[k].validation)
      CHECK(resumed.epochs[k].validation->ndcg10 == undisturbed.epochs[k].validation->ndcg10);
  }
}

}  // namespace

TEST_CASE("Checkpoints: a training ends with the same bits wherever it was interrupted and whoever goes on") {
  Split split = interrupted_noise();
  RecommenderConfig config = interrupted_config();
  config.sampled_negatives = GENERATE(0, 6);
  config.training.ema_decay = GENERATE(0.9, 0.0);
  config.training.patience = GENERATE(0, 1);
  if (config.training.patience == 0 && config.sampled_negatives == 0) split.validation.clear();
  const FitResult undisturbed = fit(split, config, {.threads = 1});
  std::size_t interruptions = 0;
  for (std::size_t count = 1;; ++count) {
    const TemporaryFolder folder;
    FitOptions options{.threads = 1 + count % 2};
    options.checkpoint = {.folder = folder.path() / "made", .resume = true};
    if (!train_until(count, split, config, options)) break;
    ++interruptions;
    train_until(3, split, config, options);  // and once more on the way
    options.threads = 1 + (count + 1) % 2;
    check_same(fit(split, config, options), undisturbed);
    check_same(fit(split, config, options), undisturbed);  // of one that has ended nothing is left to do
    CHECK(files_in(options.checkpoint.folder).size() <= 2);
  }
  CHECK(interruptions >= 10);
}

TEST_CASE("Checkpoints: written by the minute, by the epoch, at a stop, and two are kept") {
  const Split split = interrupted_noise();
  const RecommenderConfig config = interrupted_config();
  const TemporaryFolder folder;
  std::vector<std::string> written;
  std::size_t batches = 0;
  std::stop_source stop;
  const auto train = [&](CheckpointOptions checkpoint, std::size_t stop_after = 0) {
    batches = 0;
    written.clear();
    stop = std::stop_source();
    checkpoint.folder = folder.path() / "checkpoints";
    checkpoint.written = [&](const fs::path& path) {
      CHECK(fs::file_size(path) > 0);
      written.push_back(path.filename().string());
    };
    fs::remove_all(checkpoint.folder);
    fit(split, config,
        {.threads = 1,
         .progress =
             [&](const TrainingProgress& p) {
               if (!p.epoch_ended && ++batches == stop_after) stop.request_stop();
             },
         .stop = stop.get_token(),
         .checkpoint = checkpoint});
  };
  train({});
  CHECK(batches == 15);
  CHECK(written ==
        std::vector<std::string>{"checkpoint-5.safetensors", "checkpoint-10.safetensors", "checkpoint-15.safetensors"});
  CHECK(files_in(folder.path() / "checkpoints") ==
        std::vector<fs::path>{folder.path() / "checkpoints/checkpoint-10.safetensors",
                              folder.path() / "checkpoints/checkpoint-15.safetensors"});
  train({.epochs = 2});
  CHECK(written == std::vector<std::string>{"checkpoint-10.safetensors", "checkpoint-15.safetensors"});
  train({.epochs = 0});
  CHECK(written == std::vector<std::string>{"checkpoint-15.safetensors"});
  train({}, 7);
  CHECK(written == std::vector<std::string>{"checkpoint-5.safetensors", "checkpoint-7.safetensors"});
  CHECK(batches == 7);
  // How many of the later ones are written depends on how long writing takes.
  train({.minutes = 0, .epochs = 0});
  CHECK(written.front() == "checkpoint-1.safetensors");
  CHECK(written.back() == "checkpoint-15.safetensors");
  train({.minutes = 10, .epochs = 0});
  CHECK(written.size() == 1);
}

TEST_CASE("Checkpoints: the remains of a killed program go, and an unreadable newest one gives way to the one before") {
  const Split split = interrupted_noise();
  const RecommenderConfig config = interrupted_config();
  const FitResult undisturbed = fit(split, config);
  const TemporaryFolder folder;
  FitOptions options;
  options.checkpoint = {.folder = folder.path(), .resume = true};
  train_until(14, split, config, options);  // two epochs, their two reports, and two batches
  const fs::path before = folder.path() / "checkpoint-10.safetensors",
                 newest = folder.path() / "checkpoint-12.safetensors";
  REQUIRE(files_in(folder.path()) == std::vector<fs::path>{before, newest});
  folder.write("checkpoint-25.safetensors.partial-17", "half");
  folder.write("notes.txt", "mine");
  const std::string name = newest.filename().string();
  SECTION("whole") {}
  SECTION("cut short") { fs::resize_file(newest, fs::file_size(newest) / 2); }
  SECTION("no checkpoint at all") { folder.write(name, "something else"); }
  check_same(fit(split, config, options), undisturbed);
  CHECK(fs::exists(folder.path() / "notes.txt"));
  CHECK_FALSE(fs::exists(folder.path() / "checkpoint-25.safetensors.partial-17"));

  for (const auto& path : files_in(folder.path()))
    if (path.filename() != "notes.txt") folder.write(path.filename().string(), "something else");
  CHECK_THROWS_AS(fit(split, config, options), ModelFileError);
}

TEST_CASE("Checkpoints: of another training are refused, and no training begins over those of an earlier one") {
  const Split split = interrupted_noise();
  const RecommenderConfig config = interrupted_config();
  const TemporaryFolder folder;
  FitOptions options;
  options.checkpoint = {.folder = folder.path() / "a", .resume = true};
  train_until(5, split, config, options);
  const auto message = [&](const Split& data, const RecommenderConfig& other) {
    return thrown<ConfigError>([&] { fit(data, other, options); });
  };
  RecommenderConfig other = config;
  other.hidden_size = 16;
  CHECK(contains(message(split, other),
                 "checkpoint-5.safetensors: a checkpoint of another training: "
                 "config.hidden_size: expected \"16\", found \"12\""));
  other = config;
  other.training.seed = 2;
  CHECK(contains(message(split, other), "config.seed: expected \"2\", found \"1\""));
  CHECK(contains(message(interrupted_noise(2), config), "a checkpoint of another training: data: "));
  Split shorter = split;
  --shorter.train_length[3];
  CHECK(contains(message(shorter, config), "a checkpoint of another training: data: "));
  CHECK(message(split, config) == "");

  options.checkpoint.resume = false;
  CHECK(contains(message(split, config), "holds checkpoints of an earlier training"));
  options.checkpoint.folder = folder.path() / "b" / "c";
  CHECK(message(split, config) == "");
  folder.write("file", "");
  options.checkpoint.folder = folder.path() / "file";
  CHECK_THROWS_AS(fit(split, config, options), Error);
}

TEST_CASE("Checkpoints: a warm start goes on from its own and from no other's") {
  const Split split = interrupted_noise();
  const Recommender before(
      parts_of(fit(split, interrupted_config()).recommender));  // of which nobody knows what it has learned
  const FitResult undisturbed = warm_start(before, split);
  const TemporaryFolder folder;
  std::size_t calls = 0;
  FitOptions options;
  options.checkpoint = {.folder = folder.path(), .resume = true};
  options.progress = [&](const TrainingProgress&) {
    if (++calls == 7) throw Enough();
  };
  CHECK_THROWS_AS(warm_start(before, split, 2, options), TrainingInterrupted<Recommender>);
  Recommender other = before;
  NextItemNetwork<float> changed = before.network();
  changed.head.bias(0) += 1;
  other.set_network(changed);
  CHECK_THROWS_AS(warm_start(other, split, 2, options), ConfigError);
  Split shorter = split;
  --shorter.train_length[0];
  CHECK_THROWS_AS(warm_start(before, shorter, 2, options), ConfigError);
  check_same(warm_start(before, split, 2, options), undisturbed);
}

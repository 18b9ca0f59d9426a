#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <limits>
#include <lstmrec/data/vocabulary_tensors.hpp>
#include <lstmrec/io/tensor_reader.hpp>
#include <lstmrec/io/tensor_writer.hpp>
#include <lstmrec/next_item/model_file.hpp>
#include <lstmrec/next_item/presets.hpp>
#include <lstmrec/next_item/session.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <sys/stat.h>
#include <unistd.h>
#endif

#include "../data/temporary_folder.hpp"
#include "../data/thrown.hpp"
#include "catch.hpp"
#include "io/tensor_file.hpp"

using namespace lstmrec;

namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// The parts of an untrained recommender of a few items; `text_ids`: with ids of both kinds.
RecommenderParts<NextItemNetwork<float>> small_parts(bool tied = true, bool text_ids = false,
                                                     bool with_markov = false) {
  RecommenderParts<NextItemNetwork<float>> parts;
  parts.config = {.embedding_size = 3,
                  .hidden_size = tied ? 3 : 4,
                  .blocks = 2,
                  .feed_forward_factor = 2,
                  .dropout = 0.1234567890123,
                  .tied_vectors = tied,
                  .markov_weight = 0,
                  .training = {.learning_rate = 1.0 / 3, .seed = ~0ull}};
  for (int item = 0; item < 7; ++item)
    parts.item_ids.add(text_ids && item % 2 ? RawId("7 \"x\"\n" + std::to_string(item)) : RawId(10 - 3 * item));
  if (text_ids) parts.item_ids.add("10");  // a text that looks like the integer above
  const std::size_t items = parts.item_ids.size();
  parts.catalogue.resize(items);
  parts.catalogue[2] = {"Amélie, \"the\" film", {"Comedy", "Sci-Fi|Noir"}};
  parts.item_counts.assign(items, 0);
  parts.item_counts[3] = 4000000000u;
  parts.network = NextItemNetwork<float>(static_cast<Index>(items), parts.config);
  Random random(5);
  for_each_parameter([&](auto& parameter) { fill_normal(parameter, 1.0, random); }, parts.network);
  if (with_markov) {
    parts.config.markov_weight = 0.375;
    parts.markov.options = {.max_gap = 3, .smoothing = 1.0 / 3, .window = 7, .decay = 0.7, .popularity_weight = 1e-5};
    for (std::uint32_t item = 0; item < items; ++item) {
      for (std::uint32_t follower = 0; follower < item; ++follower)
        parts.markov.transitions.push(follower, 0.1f * static_cast<float>(follower + 1));
      parts.markov.transitions.end_row();
      parts.markov.totals.push_back(static_cast<float>(item));
    }
    parts.markov.popularity = Popularity(parts.item_counts);
  }
  return parts;
}

Recommender small_recommender(bool tied = true, bool text_ids = false, bool with_markov = false) {
  return Recommender(small_parts(tied, text_ids, with_markov));
}

/// The scores of all items after a history of some indices.
Vector<float> scores_after(const Recommender& recommender, const std::vector<std::uint32_t>& history) {
  Matrix<float> scores(recommender.items(), 1);
  const std::vector<History> histories = {History(history)};
  recommender.score(histories, scores);
  return scores.col(0);
}

/// What loading says of the folder's "model" after a change.
template <class Change>
std::string message_of_changed(const TemporaryFolder& folder, Change&& change) {
  TensorFile file = read_tensor_file(folder.path() / "model");
  change(file);
  const auto changed = folder.path() / "changed";
  write_tensor_file(changed, file);
  return thrown<ModelFileError>([&] { load_recommender(changed); });
}

}  // namespace

TEST_CASE("Model file: a loaded recommender is the saved one, and saves the same bytes") {
  const TemporaryFolder folder;
  for (const bool tied : {true, false})
    for (const bool text_ids : {true, false}) {
      const Recommender saved = small_recommender(tied, text_ids, tied);
      save(saved, folder.path() / "first");
      const Recommender loaded = load_recommender(folder.path() / "first");
      save(loaded, folder.path() / "second");
      CHECK(read_file(folder.path() / "first") == read_file(folder.path() / "second"));
      for_each_parameter([](const auto& a, const auto& b) { CHECK(a == b); }, saved.network(), loaded.network());
      CHECK(loaded.config().dropout == saved.config().dropout);
      CHECK(loaded.config().training.learning_rate == saved.config().training.learning_rate);
      CHECK(loaded.config().training.seed == saved.config().training.seed);
      CHECK(loaded.config().tied_vectors == tied);
      CHECK(loaded.item_counts() == saved.item_counts());
      CHECK(loaded.uses_markov() == tied);
      CHECK(loaded.markov().transitions.offsets == saved.markov().transitions.offsets);
      CHECK(loaded.markov().transitions.items == saved.markov().transitions.items);
      CHECK(loaded.markov().transitions.values == saved.markov().transitions.values);
      CHECK(loaded.markov().totals == saved.markov().totals);
      CHECK(loaded.markov().popularity.shares == saved.markov().popularity.shares);
      if (tied) {
        CHECK(scores_after(loaded, {3, 6}) == scores_after(saved, {3, 6}));
      }
      REQUIRE(loaded.item_ids().size() == saved.item_ids().size());
      for (std::uint32_t item = 0; item < saved.item_ids().size(); ++item)
        CHECK(loaded.item_ids().id(item) == saved.item_ids().id(item));
      CHECK(loaded.catalogue()[2].title == "Amélie, \"the\" film");
      CHECK(loaded.catalogue()[2].genres == std::vector<std::string>{"Comedy", "Sci-Fi|Noir"});
      CHECK(loaded.catalogue()[1].title.empty());
    }
}

TEST_CASE("Model file: a network without feed-forward parts is saved and loaded, too") {
  const TemporaryFolder folder;
  auto parts = small_parts();
  parts.config.feed_forward_factor = 0;
  parts.network = NextItemNetwork<float>(parts.network.items(), parts.config);
  Random random(5);
  parts.network.initialise(random);
  const Recommender saved(std::move(parts));
  save(saved, folder.path() / "model");
  const Recommender loaded = load_recommender(folder.path() / "model");
  for_each_parameter([](const auto& a, const auto& b) { CHECK(a == b); }, saved.network(), loaded.network());
}

TEST_CASE("Model file: a chain that is weighed but missing can't be saved, as no recommender has it") {
  auto parts = small_parts();
  parts.config.markov_weight = 0.5;
  CHECK_THROWS_AS(Recommender(parts), std::invalid_argument);
}

TEST_CASE("Model file: a chain that weighs nothing is not saved, and a weight to be chosen loads as none") {
  const TemporaryFolder folder;
  save(small_recommender(true, false, true).with_markov_weight(0), folder.path() / "model");
  CHECK(read_tensor_file(folder.path() / "model").tensors.count("counts.totals") == 0);
  CHECK(load_recommender(folder.path() / "model").markov().items() == 0);
  auto parts = small_parts();
  parts.config.markov_weight = -1;
  save(Recommender(std::move(parts)), folder.path() / "model");
  CHECK(load_recommender(folder.path() / "model").config().markov_weight == 0);
}

TEST_CASE("Model file: one of the version before loads, serves, and is the same once saved again") {
  const Recommender loaded = load_recommender(LSTMREC_SOURCE_DIR "/tests/next_item/files/recommender_2.safetensors");
  const RecommenderConfig& config = loaded.config();
  CHECK(config.embedding_size == 3);
  CHECK(config.hidden_size == 4);
  CHECK(config.feed_forward_factor == 1);
  CHECK(config.cell == CellKind::lstm);        // it knew no other
  CHECK(config.block == BlockKind::residual);  // nor this
  CHECK(config.blocks == 2);                   // layers
  CHECK(config.sampled_negatives == 7);        // negatives
  CHECK(config.target_horizon == 2);           // target_count
  CHECK(config.markov_weight == 0.5);          // counts_weight
  CHECK(config.exclude_seen == false);         // recommend_seen
  CHECK(config.training.ema_decay == 0.9);     // average_decay
  CHECK(config.training.epochs == 1);
  CHECK(config.training.batch_size == 9);
  REQUIRE(loaded.uses_markov());
  REQUIRE(loaded.items() > 4);

  Session session(loaded);
  for (const std::uint32_t item : {0u, 3u, 1u}) session.observe(loaded.item_ids().id(item));
  const auto list = session.top_n(5);
  REQUIRE(list.size() == 5);
  CHECK(list[0].item.is_integer());
  CHECK(std::isfinite(list[0].score));

  const TemporaryFolder folder;
  save(loaded, folder.path() / "first");
  const TensorFile file = read_tensor_file(folder.path() / "first");
  CHECK(file.metadata.at("format") == "lstmrec recommender 3");
  CHECK(file.metadata.at("config.sampled_negatives") == "7");
  CHECK(file.metadata.count("config.negatives") == 0);
  const Recommender again = load_recommender(folder.path() / "first");
  for (const auto& history : std::vector<std::vector<std::uint32_t>>{{}, {2}, {0, 3, 1, 3}})
    CHECK(scores_after(again, history) == scores_after(loaded, history));
  save(again, folder.path() / "second");
  CHECK(read_file(folder.path() / "first") == read_file(folder.path() / "second"));
}

TEST_CASE("Model file: a field that a file does not have keeps its default, as in files of versions without it") {
  const TemporaryFolder folder;
  save(small_recommender(), folder.path() / "model");
  TensorFile file = read_tensor_file(folder.path() / "model");
  for (const char* name : {"cell", "block", "dropout", "seed"})
    REQUIRE(file.metadata.erase("config." + std::string(name)) == 1);
  write_tensor_file(folder.path() / "changed", file);
  const Recommender loaded = load_recommender(folder.path() / "changed");
  CHECK(loaded.config().cell == CellKind::lstm);
  CHECK(loaded.config().block == BlockKind::residual);
  CHECK(loaded.config().dropout == RecommenderConfig().dropout);
  CHECK(loaded.config().training.seed == 1);
  CHECK(scores_after(loaded, {3, 6}) == scores_after(small_recommender(), {3, 6}));
}

TEST_CASE("Model file: the number of validation targets is read under its old name too, and saved under its new one") {
  const TemporaryFolder folder;
  save(small_recommender(), folder.path() / "model");
  TensorFile file = read_tensor_file(folder.path() / "model");
  REQUIRE(file.metadata.erase("config.validation_targets") == 1);
  file.metadata["config.validation_users"] = "17";
  write_tensor_file(folder.path() / "old", file);
  const Recommender loaded = load_recommender(folder.path() / "old");
  CHECK(loaded.config().validation_targets == 17);
  save(loaded, folder.path() / "new");
  file = read_tensor_file(folder.path() / "new");
  CHECK(file.metadata.at("config.validation_targets") == "17");
  CHECK(file.metadata.count("config.validation_users") == 0);
}

TEST_CASE("Model file: each kind of cell and of block is said by its name, and is the same once loaded") {
  const TemporaryFolder folder;
  for (const CellKind cell : {CellKind::lstm, CellKind::gru, CellKind::slstm})
    for (const BlockKind block : {BlockKind::residual, BlockKind::plain}) {
      auto parts = small_parts(false);
      parts.config.cell = cell;
      parts.config.block = block;
      parts.network = NextItemNetwork<float>(parts.network.items(), parts.config);
      Random random(5);
      parts.network.initialise(random);
      const Recommender saved(std::move(parts));
      save(saved, folder.path() / "model");
      const auto metadata = read_tensor_file(folder.path() / "model").metadata;
      CHECK(metadata.at("config.cell") == names_of(cell)[static_cast<std::size_t>(cell)]);
      CHECK(metadata.at("config.block") == names_of(block)[static_cast<std::size_t>(block)]);
      const Recommender loaded = load_recommender(folder.path() / "model");
      CHECK(loaded.config().cell == cell);
      CHECK(loaded.config().block == block);
      CHECK(scores_after(loaded, {3, 6, 3}) == scores_after(saved, {3, 6, 3}));
    }
}

TEST_CASE("Model file: cut anywhere it is refused with the file's name") {
  const TemporaryFolder folder;
  save(small_recommender(), folder.path() / "model");
  const std::string whole = read_file(folder.path() / "model");
  for (std::size_t length = 0; length < whole.size(); length += 1 + whole.size() / 97) {
    const auto cut = folder.write("cut", std::string_view(whole).substr(0, length));
    const std::string message = thrown<ModelFileError>([&] { load_recommender(cut); });
    CHECK(contains(message, cut.string() + ": "));
  }
}

TEST_CASE("Model file: what does not fit is named, with what was expected and found") {
  const TemporaryFolder folder;
  save(small_recommender(), folder.path() / "model");
  const auto message_after = [&](auto&& change) { return message_of_changed(folder, change); };
  using F = TensorFile&;
  CHECK(contains(message_after([](F f) { f.metadata["format"] = "other"; }), "found \"other\""));
  CHECK(contains(message_after([](F f) { f.metadata["format"] = "lstmrec recommender 1"; }),
                 "expected a file of the format \"lstmrec recommender 2\" or \"lstmrec recommender 3\", which this "
                 "version reads"));
  CHECK(contains(message_after([](F f) { f.metadata["config.cell"] = "rnn"; }), "config.cell: expected a value"));
  CHECK(contains(message_after([](F f) { f.metadata["config.cell"] = "gru"; }),
                 "network.blocks.0.recurrent.input_weight: expected shape [3, 9], found [3, 12]"));
  CHECK(contains(message_after([](F f) { f.metadata["config.block"] = "Plain"; }), "config.block: expected a value"));
  CHECK(contains(message_after([](F f) { f.metadata["config.blocks"] = "two"; }), "config.blocks: expected a value"));
  CHECK(contains(message_after([](F f) { f.metadata["config.dropout"] = "1"; }), "dropout must be in [0, 1), got 1"));
  CHECK(contains(message_after([](F f) { f.metadata["config.blocks"] = "1000"; }),
                 "network.blocks.2.recurrent.input_weight is missing"));
  CHECK(contains(message_after([](F f) { f.metadata["config.blocks"] = "1"; }),
                 ": the configuration's network has no such parameter"));
  CHECK(contains(message_after([](F f) { f.metadata["config.attention_window"] = "3"; }),
                 "network.blocks.0.recurrent.attention.query is missing"));
  CHECK(contains(message_after([](F f) { f.metadata["config.attention_window"] = "1001"; }),
                 "attention_window must be in [0, 1000] and at most window"));
  CHECK(contains(message_after([](F f) {
                   f.metadata["config.attention_window"] = "1000";
                   f.metadata["config.window"] = "1000";
                   f.metadata["config.hidden_size"] = "4096";
                 }),
                 "the configuration's sizes need about "));
  CHECK(contains(message_after([](F f) { f.metadata["config.hidden_size"] = "65536"; }),
                 "the configuration's sizes need about "));
  CHECK(contains(message_after([](F f) { f.metadata["config.hidden_size"] = "5"; }),
                 "network.input_projection.weight is missing"));
  CHECK(contains(message_after([](F f) { f.metadata["config.embedding_size"] = "5"; }),
                 "network.item_vectors.table: expected shape [7, 5], found [7, 3]"));
  CHECK(contains(message_after([](F f) { f.tensors.erase("network.head.bias"); }), "network.head.bias is missing"));
  CHECK(contains(message_after([](F f) { f.tensors["network.head.bias"].dtype = "I32"; }),
                 "network.head.bias: expected F32, found I32"));
  CHECK(contains(message_after([](F f) {
                   std::vector<std::int64_t> ids = {1, 2, 3, 4, 5, 6, 1};
                   f.put("items.ids", {7}, std::span<const std::int64_t>(ids));
                 }),
                 "items.ids: 1 stands twice"));
  CHECK(contains(message_after([](F f) {
                   std::vector<std::int64_t> offsets = {0, 5, 3, 0, 0, 0, 0, 0};
                   f.put("items.titles.offsets", {8}, std::span<const std::int64_t>(offsets));
                 }),
                 "items.titles.offsets"));
}

TEST_CASE("Model file: what a recommender was trained on is kept, and not known of a file that does not say it") {
  const TemporaryFolder folder;
  const auto loaded = [&](const TrainedOn& trained_on) {
    auto parts = small_parts();
    parts.trained_on = trained_on;
    save(Recommender(std::move(parts)), folder.path() / "model");
    return load_recommender(folder.path() / "model").trained_on();
  };
  for (const TrainedOn trained_on : {TrainedOn{.events = 7, .held_out = 2, .split = ~0ull, .last_time = -5},
                                     TrainedOn{.events = 1, .held_out = 0, .split = 3}, TrainedOn{}})
    CHECK(loaded(trained_on) == trained_on);
  CHECK(contains(message_of_changed(folder, [](TensorFile& f) { f.metadata["trained_on.events"] = "many"; }),
                 "trained_on.events: expected a number, found \"many\""));
}

TEST_CASE("Model file: what could not be loaded again is not saved") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "model";
  const auto refusal_of = [&](auto&& change) {
    auto parts = small_parts();
    change(parts);
    const Recommender recommender(std::move(parts));
    return thrown<std::invalid_argument>([&] { save(recommender, path); });
  };
  using Parts = RecommenderParts<NextItemNetwork<float>>;
  CHECK(thrown<std::invalid_argument>([&] { save(Recommender(), path); }) ==
        "a recommender that knows no items can't be saved");
  CHECK(refusal_of([](Parts& p) { p.network.head.bias(6) = std::numeric_limits<float>::quiet_NaN(); }) ==
        "head.bias: expected finite numbers");
  CHECK(refusal_of([](Parts& p) { p.network.input.item_vectors.table.setConstant(3e38f); }) ==
        "a model whose scores are not finite can't be saved");
  CHECK(refusal_of([](Parts& p) { p.network.head.bias.setConstant(std::numeric_limits<float>::max()); }) == "");
  CHECK(refusal_of([](Parts& p) { p.catalogue[1].genres = {std::string("a\0b", 3)}; }) == "items: a genre holds a NUL");
  CHECK(thrown<std::invalid_argument>([] {
          TensorWriter file;
          put_vocabulary(file, "users", small_parts().item_ids, {});
        }) == "users: expected a catalogue entry for each of 7 ids, found 0");
  save(small_recommender(), path);
  CHECK(message_of_changed(folder, [](TensorFile& f) {
          const std::vector<float> bias(7, std::numeric_limits<float>::infinity());
          f.put("network.head.bias", {7}, std::span<const float>(bias));
        }).ends_with(": network.head.bias: expected finite numbers"));
}

TEST_CASE("Model file: a Markov chain that does not fit is named") {
  const TemporaryFolder folder;
  save(small_recommender(true, false, true), folder.path() / "model");
  const auto message_after = [&](auto&& change) { return message_of_changed(folder, change); };
  using F = TensorFile&;
  CHECK(contains(message_after([](F f) { f.tensors.erase("counts.totals"); }), "counts.totals is missing"));
  CHECK(contains(message_after([](F f) { f.metadata.erase("counts.window"); }), "counts.window: expected a number"));
  CHECK(contains(message_after([](F f) { f.metadata["counts.decay"] = "2"; }), "decay must be in (0, 1]"));
  CHECK(contains(message_after([](F f) { f.metadata["counts.window"] = "18446744073709551615"; }),
                 "window must be in [1, 1000000], got 18446744073709551615"));
  CHECK(contains(message_after([](F f) { f.metadata["counts.smoothing"] = "inf"; }), "smoothing must be finite"));
  CHECK(contains(message_after([](F f) {
                   std::vector<float> totals = {0, 1, 2, 3, std::numeric_limits<float>::quiet_NaN(), 5, 6};
                   f.put("counts.totals", {7}, std::span<const float>(totals));
                 }),
                 "counts.totals: expected finite numbers"));
  CHECK(contains(message_after([](F f) {
                   std::vector<std::int64_t> offsets = {0, 0, 1, 3, 6, 10, 15, 22};
                   f.put("counts.offsets", {8}, std::span<const std::int64_t>(offsets));
                 }),
                 "counts.offsets: expected to rise from 0"));
  CHECK(contains(message_after([](F f) {
                   std::vector<std::int64_t> offsets = {0, 0, 1, -3, 6, 10, 15, 21};
                   f.put("counts.offsets", {8}, std::span<const std::int64_t>(offsets));
                 }),
                 "counts.offsets: expected to rise from 0"));
  CHECK(contains(message_after([](F f) {
                   std::vector<std::uint32_t> items(21, 7);
                   f.put("counts.items", {21}, std::span<const std::uint32_t>(items));
                 }),
                 "counts.items: expected numbers below 7, found 7"));
}

TEST_CASE("Model file: other files, folders and missing files get one clear error") {
  const TemporaryFolder folder;
  CHECK(contains(thrown<Error>([&] { load_recommender(folder.path() / "none"); }), "No such file"));
  CHECK(contains(thrown<Error>([&] { load_recommender(folder.path()); }), "it is a directory"));
  CHECK(thrown<Error>([] { load_recommender("/dev/zero"); }) == "/dev/zero: cannot be read: it is not a regular file");
  const std::string long_name(300, 'x');
  CHECK(thrown<Error>([&] { load_recommender(long_name); }) == long_name + ": cannot be read: File name too long");
  CHECK(
      contains(thrown<ModelFileError>([&] { load_recommender(folder.write("csv", "userId,movieId,rating\n1,2,3\n")); }),
               "expected a safetensors file"));
  const std::string header = "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,4]}}";
  std::string file(8, '\0');
  file[0] = static_cast<char>(header.size());
  CHECK(contains(thrown<ModelFileError>([&] { TensorReader(folder.write("huge", file + header + "1234")); }),
                 "a: a shape past 64 bits"));
}

TEST_CASE("Model file: one from before checksums and replayed scores loads, and has them once saved again") {
  const Recommender loaded = load_recommender(LSTMREC_SOURCE_DIR "/tests/next_item/files/recommender_3.safetensors");
  CHECK(loaded.config().cell == CellKind::gru);
  CHECK(loaded.config().hidden_size == 4);
  CHECK(loaded.markov_weight() == 0.5);
  CHECK(loaded.markov().options.followers == 0);
  REQUIRE(loaded.items() > 3);
  const auto scores = scores_after(loaded, {0, 2, 1});
  const TemporaryFolder folder;
  save(loaded, folder.path() / "again");
  const TensorReader again(folder.path() / "again");
  CHECK(again.text("checksum") != nullptr);
  CHECK(read_tensor_file(folder.path() / "again").tensors.contains("replay.scores"));
  CHECK(scores_after(load_recommender(folder.path() / "again"), {0, 2, 1}) == scores);
}

TEST_CASE("Model file: a flipped bit is found wherever it is") {
  const TemporaryFolder folder;
  save(small_recommender(true, true, true), folder.path() / "model");
  const std::string bytes = read_file(folder.path() / "model");
  std::size_t missed = 0;
  for (std::size_t place = 0; place < bytes.size(); place += 1 + bytes.size() / 300) {
    std::string changed = bytes;
    changed[place] = static_cast<char>(changed[place] ^ (1 << place % 8));
    try {
      load_recommender(folder.write("changed", changed));
      ++missed;
    } catch (const ModelFileError&) {
    }
  }
  CHECK(missed == 0);
}

TEST_CASE("Model file: scores of short histories are held against those that this build computes") {
  const TemporaryFolder folder;
  const Recommender saved = small_recommender(true, false, false);
  save(saved, folder.path() / "model");
  TensorFile file = read_tensor_file(folder.path() / "model");
  auto scores = file.get<float>("replay.scores");
  REQUIRE(scores.size() == 24);
  const float largest = std::abs(
      *std::max_element(scores.begin(), scores.end(), [](float a, float b) { return std::abs(a) < std::abs(b); }));
  const auto load_with = [&](float change) {
    auto changed = scores;
    changed[13] += change * largest;
    TensorFile other = file;
    other.put("replay.scores", {changed.size()}, std::span(changed));
    write_tensor_file(folder.path() / "changed", other);
    return load_recommender(folder.path() / "changed");
  };
  CHECK_NOTHROW(load_with(0));
  CHECK_NOTHROW(load_with(5e-4f));
  CHECK(contains(thrown<ModelFileError>([&] { load_with(2e-3f); }), "replay.scores: expected the score "));
  CHECK(contains(thrown<ModelFileError>([&] { load_with(std::numeric_limits<float>::quiet_NaN()); }), "replay.scores"));
  // As wrong arithmetic would give them: another weight.
  TensorFile other = file;
  auto bias = other.get<float>("network.head.bias");
  for (float& each : bias) each += 1;
  other.put("network.head.bias", {bias.size()}, std::span(bias));
  write_tensor_file(folder.path() / "changed", other);
  CHECK_THROWS_AS(load_recommender(folder.path() / "changed"), ModelFileError);
  other.tensors.erase("replay.scores");
  write_tensor_file(folder.path() / "changed", other);
  CHECK_NOTHROW(load_recommender(folder.path() / "changed"));  // of a version that kept none
}

TEST_CASE("Saving where it can't be written leaves the old file whole and nothing beside it") {
  const TemporaryFolder folder;
  const auto path = folder.write("model", "old");
  CHECK_THROWS_AS(write_file_atomically(path,
                                        [](std::ostream& out) {
                                          out << "half";
                                          throw std::runtime_error("stop");
                                        }),
                  std::runtime_error);
  CHECK(read_file(path) == "old");
  const auto message_of_writer = [&](std::ios::iostate state) {
    return thrown<Error>([&] {
      write_file_atomically(path, [&](std::ostream& out) {
        out.setstate(state);
        throw Error("the writer's");
      });
    });
  };
  CHECK(message_of_writer(std::ios::goodbit) == "the writer's");
  CHECK(contains(message_of_writer(std::ios::badbit), path.string() + ": cannot be written: "));
  CHECK(read_file(path) == "old");
  CHECK_THROWS_AS(check_writable(folder.path() / "no such folder" / "model"), Error);
  CHECK_THROWS_AS(check_writable(folder.path()), Error);
  CHECK_NOTHROW(check_writable(path));
  CHECK(read_file(path) == "old");
  write_file_atomically(path, [](std::ostream& out) { out << "new"; });
  CHECK(read_file(path) == "new");
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) ++files;
  CHECK(files == 1);
}

TEST_CASE("A file name that can't be looked up is an Error with the name, not the standard library's") {
  const TemporaryFolder folder;
  const std::string long_name(300, 'x');
  CHECK(thrown<Error>([&] { check_writable(long_name); }) == long_name + ": cannot be written: File name too long");
  std::filesystem::create_symlink("circle", folder.path() / "circle");
  CHECK(contains(thrown<Error>([&] { check_writable(folder.path() / "circle"); }), "circle: cannot be written: Too"));
}

TEST_CASE("Writing through symbolic links replaces what they lead to, and keeps the links") {
  const TemporaryFolder folder;
  const auto link = folder.path() / "link", second = folder.path() / "second";
  const auto target = folder.path() / "there" / "file";
  std::filesystem::create_directory(folder.path() / "there");
  std::filesystem::create_symlink("there/file", link);
  std::filesystem::create_symlink(link, second);
  for (const std::string text : {"not there yet", "replaced"}) {
    write_file_atomically(second, [&](std::ostream& out) { out << text; });
    CHECK(std::filesystem::is_symlink(second));
    CHECK(std::filesystem::is_symlink(link));
    CHECK(std::filesystem::is_regular_file(std::filesystem::symlink_status(target)));
    CHECK(read_file(target) == text);
  }
}

TEST_CASE("A file that is replaced keeps its mode") {
  const TemporaryFolder folder;
  const auto path = folder.write("secret", "old");
  const auto mode = std::filesystem::perms::owner_read | std::filesystem::perms::owner_write;
  std::filesystem::permissions(path, mode);
  auto mode_meanwhile = std::filesystem::perms::unknown;
  write_file_atomically(path, [&](std::ostream& out) {
    for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
      if (entry.path() != path) mode_meanwhile = entry.status().permissions();
    out << "new";
  });
  CHECK(read_file(path) == "new");
  CHECK(std::filesystem::status(path).permissions() == mode);
  CHECK(mode_meanwhile == mode);
}

#if defined(__unix__) || defined(__APPLE__)
TEST_CASE("A file that its owner may not read is replaced, and one that root replaces keeps its owner") {
  const TemporaryFolder folder;
  const auto file = folder.write("file", "old");
  const auto write = [&] { write_file_atomically(file, [](std::ostream& out) { out << "new"; }); };
  const bool root = ::geteuid() == 0;
  constexpr uid_t nobody = 65534;
  if (root) {
    REQUIRE(::chown(file.c_str(), nobody, nobody) == 0);
    write();
    struct stat owner = {};
    REQUIRE(::stat(file.c_str(), &owner) == 0);
    CHECK(owner.st_uid == nobody);
    REQUIRE(::chown(folder.path().c_str(), nobody, nobody) == 0);
    REQUIRE(::seteuid(nobody) == 0);  // root may read everything
  }
  std::filesystem::permissions(file, std::filesystem::perms::owner_write);
  CHECK_NOTHROW(check_writable(file));
  CHECK_NOTHROW(write());
  if (root) REQUIRE(::seteuid(0) == 0);
  CHECK(std::filesystem::status(file).permissions() == std::filesystem::perms::owner_write);
}
#endif

TEST_CASE("Presets: every name gives a valid configuration, others are refused with the list") {
  for (const char* name : {"quick", "default", "accurate"}) CHECK_NOTHROW(preset(name).check());
  CHECK(contains(thrown<ConfigError>([] { preset("best"); }), "quick, default or accurate, got \"best\""));
}

TEST_CASE("Presets: short sequences are learned by a small network, long ones as without the data") {
  const auto split = [](int length) {
    std::vector<std::pair<int, int>> rows;
    for (int user = 0; user < 3; ++user)
      for (int k = 0; k < length; ++k) rows.emplace_back(user, k);
    return train_on_all(build_sequences(make_interactions(rows)));
  };
  const Split visits = split(19), histories = split(20);
  CHECK(mean_training_length(visits) == 19);
  for (const char* name : {"quick", "default", "accurate"}) {
    CHECK_NOTHROW(preset(name, visits).check());
    CHECK(preset(name, visits).hidden_size == 64);
    CHECK(preset(name, histories).hidden_size == preset(name).hidden_size);
  }
  CHECK(preset("accurate", visits).training.epochs == preset("accurate").training.epochs);
  CHECK(preset("default", visits).item_features == -1);
  CHECK(preset("default", histories).item_features == 0);
  CHECK_THROWS_AS(preset("best", visits), ConfigError);
  CHECK(mean_training_length(Split()) == 0);
}

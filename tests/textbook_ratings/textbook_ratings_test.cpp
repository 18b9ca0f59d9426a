#include <lstmrec/data/interactions.hpp>
#include <lstmrec/nn/gradient_check.hpp>
#include <lstmrec/ratings/best_unrated.hpp>
#include <lstmrec/ratings/model_file.hpp>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "../data/temporary_folder.hpp"
#include "catch.hpp"
#include "golden/golden.hpp"
#include "textbook_ratings/fit.hpp"
#include "textbook_ratings/model_file.hpp"

using namespace lstmrec;
using namespace textbook;

namespace {

/// Ratings that depend on the item's half: what even three numbers can tell.
RatingSplit small_split() {
  Random random(1);
  std::vector<std::tuple<int, int, int, float>> rows;
  for (int user = 0; user < 30; ++user)
    for (int k = 0; k < 20; ++k) {
      const int item = user == 0 ? k : static_cast<int>(random.below(20));  // the first user sets the indices
      rows.emplace_back(user, item, 1000 * k + user, item < 10 ? 2.0f : 4.0f);
    }
  return split_ratings_random(build_sequences(make_interactions(rows)));
}

}  // namespace

TEST_CASE("Textbook rating network: predictions, losses and weights of ten steps are Keras'") {
  const Golden golden("keras_ratings.txt");
  TextbookRatingNetwork<double> network(golden["before.lstm.recurrent_weight"].cols());
  golden.load("before.", network);
  const Matrix<double>& inputs = golden["inputs"];
  const Matrix<double> ratings = golden["ratings"].transpose();
  TextbookRatingNetwork<double>::Cache cache;
  network.forward(inputs, cache);
  CHECK(golden.distance_to("predictions", cache.predictions.view().transpose()) < 1e-5);

  Adam<TextbookRatingNetwork<double>> adam(network, {.epsilon = 1e-7, .epsilon_place = EpsilonPlace::uncorrected});
  const auto losses = golden.list<double>("losses");
  REQUIRE(losses.size() == 10);
  const Index batch = inputs.rows() / 10;
  for (Index step = 0; step < 10; ++step) {
    auto gradients = zeros_like(network);
    const double loss = network.forward_backward(inputs.middleRows(step * batch, batch),
                                                 ratings.middleCols(step * batch, batch), batch, cache, gradients);
    CHECK(loss == Approx(losses[static_cast<std::size_t>(step)]).margin(1e-4));
    adam.update(network, gradients, 1e-3);
  }
  CHECK(golden.distance("after.", network) < 1e-5);
}

TEST_CASE("Textbook rating network: gradients agree with differences") {
  TextbookRatingNetwork<double> network(5);
  Random random(1);
  for_each_parameter([&](auto& parameter) { fill_normal(parameter, 0.5, random); }, network);
  Matrix<double> inputs(4, 3), ratings(1, 4);
  fill_normal(inputs, 1.0, random);
  fill_normal(ratings, 1.0, random);
  TextbookRatingNetwork<double>::Cache cache;
  auto gradients = zeros_like(network), unused = gradients;
  for_each_parameter([](auto& g) { g.setOnes(); }, gradients);
  network.forward_backward(inputs, ratings, 4, cache, gradients);
  for_each_parameter([](auto& g) { g.array() -= 1.0; }, gradients);
  const auto loss = [&] { return network.forward_backward(inputs, ratings, 4, cache, unused); };
  CHECK(check_gradients(network, gradients, loss).relative < 1e-7);
}

TEST_CASE("Textbook rating model: learns what three numbers tell, repeats its bits, and is saved whole") {
  const RatingSplit split = small_split();
  const TextbookRatingConfig config{.hidden_size = 16, .epochs = 60, .learning_rate = 1e-2};
  const auto fit = fit_textbook_ratings(split, config);
  REQUIRE(fit.epochs.size() == 60);
  const auto cases = rating_queries(split, Part::test);
  const auto predicted = fit.model.predict(cases);
  CHECK(evaluate_ratings(predicted, asked_events(cases)).rmse.value < 0.6);  // predicting the mean has 1
  CHECK(fit_textbook_ratings(split, config).model.predict(cases) == predicted);

  const TemporaryFolder folder;
  save(fit.model, folder.path() / "model");
  const auto loaded = load_textbook_rating_model(folder.path() / "model");
  CHECK(loaded.predict(cases) == predicted);
  CHECK(loaded.users.id(3) == split.sequences.users.id(3));
  CHECK_THROWS_AS(load_history_rating_model(folder.path() / "model"), ModelFileError);
  TextbookRatingModel changed = fit.model;
  changed.scaling.deviation[1] = 0;
  CHECK_THROWS_AS(save(changed, folder.path() / "model"), std::invalid_argument);
  changed = fit.model;
  changed.network = TextbookRatingNetwork<float>(17);
  CHECK_THROWS_AS(save(changed, folder.path() / "model"), std::invalid_argument);

  const auto best = best_unrated(fit.model, 0, split.sequences[0].first(12), 3);  // items 0 … 11 are rated
  REQUIRE(best.size() == 3);
  CHECK(best[0].rating > 3);
  CHECK(best[0].rating >= best[2].rating);
  CHECK(best[0].item.integer() >= 12);
}

TEST_CASE("Textbook rating model: raw seconds saturate the gates") {
  const RatingSplit split = small_split();
  std::vector<RatingQuery> cases{{0, {}, {Event{.time = 900000000}, Event{.time = 900000000 + 365 * 86400}}}};
  const auto raw =
      fit_textbook_ratings(split, {.hidden_size = 16, .scale_inputs = false, .epochs = 0}).model.score(cases);
  CHECK(raw[0] == raw[1]);  // a year makes no difference
  cases[0].asked[0].time = 5000;
  cases[0].asked[1].time = 10000;
  const auto scaled = fit_textbook_ratings(split, {.hidden_size = 16, .epochs = 0}).model.score(cases);
  CHECK(scaled[0] != scaled[1]);
}

TEST_CASE("Textbook rating model: stops when asked, and refuses what it can't use") {
  RatingSplit split = small_split();
  std::stop_source stop;
  stop.request_stop();
  const auto fit = fit_textbook_ratings(split, {}, {.threads = 1, .progress = {}, .stop = stop.get_token()});
  CHECK(fit.stopped);
  CHECK(fit.epochs.size() == 1);
  const std::vector<RatingQuery> stranger{{unknown_user, {}, {Event{}}}};
  CHECK_THROWS_AS(fit.model.predict(stranger), std::out_of_range);
  CHECK_THROWS_AS(fit_textbook_ratings(split, {.batch_size = 0}), ConfigError);
  CHECK_THROWS_AS(fit_textbook_ratings(split, {}, {.memory = 1}), ConfigError);
  std::size_t reduced = 0;
  FitOptions with_others;
  with_others.reduce_gradients = [&](std::span<const std::span<float>>) { ++reduced; };
  fit_textbook_ratings(split, {.hidden_size = 2, .epochs = 1}, with_others);
  CHECK(reduced > 0);
  for (Part& part : split.parts) part = Part::test;
  CHECK_THROWS_AS(fit_textbook_ratings(split), DataError);
}

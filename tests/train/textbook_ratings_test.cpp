#include <cmath>
#include <lstmrec/data/interactions.hpp>
#include <lstmrec/nn/gradient_check.hpp>
#include <lstmrec/train/fit_textbook_ratings.hpp>
#include <tuple>
#include <vector>

#include "../data/temporary_folder.hpp"
#include "catch.hpp"
#include "golden/golden.hpp"

using namespace lstmrec;

namespace {

/// Ratings that depend on the item's half and, a little, on time: what even three numbers can tell.
RatingSplit small_split() {
  Random random(1);
  std::vector<std::tuple<int, int, int, float>> rows;
  for (int user = 0; user < 30; ++user)
    for (int k = 0; k < 20; ++k) {
      const int item = user == 0 ? k : static_cast<int>(random.below(20));  // the first user sets the indices
      rows.emplace_back(user, item, 1000 * k + user, item < 10 ? 2.0f : 4.0f);
    }
  return split_ratings_random(sequences(make_interactions(rows)));
}

}  // namespace

TEST_CASE("Textbook rating network: predictions, losses and weights of ten steps are Keras'") {
  const Golden golden("keras_ratings.txt");
  TextbookRatingNetwork<double> network(golden["before.lstm.recurrent_weight"].cols());
  golden.load("before.", network);
  const Matrix<double> inputs = golden["inputs"].transpose(), ratings = golden["ratings"].transpose();
  TextbookRatingNetwork<double>::Cache cache;
  CHECK(golden.distance_to("predictions", network.forward(inputs, cache).transpose()) < 1e-5);

  Adam<TextbookRatingNetwork<double>> adam(network, {.epsilon = 1e-7, .epsilon_place = EpsilonPlace::uncorrected});
  const auto losses = golden.list<double>("losses");
  REQUIRE(losses.size() == 10);
  const Index batch = inputs.cols() / 10;
  for (Index step = 0; step < 10; ++step) {
    auto gradients = zeros_like(network);
    const double loss = network.forward_backward(inputs.middleCols(step * batch, batch),
                                                 ratings.middleCols(step * batch, batch), cache, gradients);
    CHECK(loss == Approx(losses[static_cast<std::size_t>(step)]).margin(1e-4));
    adam.update(network, gradients, 1e-3);
  }
  CHECK(golden.distance("after.", network) < 1e-5);
}

TEST_CASE("Textbook rating network: gradients agree with differences") {
  TextbookRatingNetwork<double> network(5);
  Random random(1);
  for_each_parameter([&](auto& parameter) { fill_normal(parameter, 0.5, random); }, network);
  Matrix<double> inputs(3, 4), ratings(1, 4);
  fill_normal(inputs, 1.0, random);
  fill_normal(ratings, 1.0, random);
  TextbookRatingNetwork<double>::Cache cache;
  auto gradients = zeros_like(network), unused = gradients;
  for_each_parameter([](auto& g) { g.setOnes(); }, gradients);
  network.forward_backward(inputs, ratings, cache, gradients);
  for_each_parameter([](auto& g) { g.array() -= 1.0; }, gradients);
  const auto loss = [&] { return network.forward_backward(inputs, ratings, cache, unused); };
  CHECK(check_gradients(network, gradients, loss).relative < 1e-7);
}

TEST_CASE("Textbook rating model: learns what three numbers tell, repeats its bits, and is saved whole") {
  const RatingSplit split = small_split();
  const TextbookRatingConfig config{.hidden_size = 16, .epochs = 60, .learning_rate = 1e-2};
  const auto fit = fit_textbook_ratings(split, config);
  REQUIRE(fit.epochs.size() == 60);
  const auto test = events_of(split, Part::test);
  const auto predicted = fit.model.predict(test);
  CHECK(evaluate_ratings(predicted, test).rmse.value < 0.6);  // predicting the mean has 1
  CHECK(fit_textbook_ratings(split, config).model.predict(test) == predicted);

  const TemporaryFolder folder;
  save(fit.model, folder.path() / "model");
  const auto loaded = load_textbook_rating_model(folder.path() / "model");
  CHECK(loaded.predict(test) == predicted);
  CHECK(loaded.user_ids.id(3) == split.sequences.users.id(3));
  CHECK(loaded.newest_time == fit.model.newest_time);
  CHECK_THROWS_AS(load_recommender(folder.path() / "model"), ModelFileError);
}

TEST_CASE("Textbook rating model: raw seconds saturate the gates") {
  const RatingSplit split = small_split();
  auto raw = fit_textbook_ratings(split, {.hidden_size = 16, .epochs = 0, .standardise = false}).model;
  std::vector<Event> events(2);
  events[0].time = 900000000;
  events[1].time = 900000000 + 365 * 86400;
  const auto same = raw.predict(events);
  CHECK(same[0] == same[1]);  // a year makes no difference
  const auto scaled = fit_textbook_ratings(split, {.hidden_size = 16, .epochs = 0}).model;
  events[1].time = events[0].time = 5000;
  events[1].time += 5000;
  const auto different = scaled.predict(events);
  CHECK(different[0] != different[1]);
}

TEST_CASE("Textbook rating model: stops when asked, and refuses bad configurations and empty training") {
  RatingSplit split = small_split();
  std::stop_source stop;
  stop.request_stop();
  const auto fit = fit_textbook_ratings(split, {}, {.progress = {}, .stop = stop.get_token()});
  CHECK(fit.stopped);
  CHECK(fit.epochs.size() == 1);
  CHECK_THROWS_AS(fit_textbook_ratings(split, {.batch_size = 0}), std::invalid_argument);
  for (Part& part : split.parts) part = Part::test;
  CHECK_THROWS_AS(fit_textbook_ratings(split), Error);
}

// The whole network and a whole training against PyTorch's, in double.
#include <cstdint>
#include <lstmrec/next_item/network.hpp>
#include <lstmrec/train/adam.hpp>
#include <lstmrec/train/schedule.hpp>
#include <lstmrec/train/weight_average.hpp>
#include <string>
#include <vector>

#include "catch.hpp"
#include "golden/golden.hpp"
#include "golden/golden_batch.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

namespace {

using Network = NextItemNetwork<double>;

void compare_with_torch(const std::string& name, const RecommenderConfig& config) {
  const Golden golden("torch_network.txt");
  const GoldenBatch part(golden, name + ".");
  Network network(9, config);
  golden.load(name + ".", network);
  auto gradients = ones_like(network);
  Network::Cache cache;
  for (int again = 0; again < 2; ++again) {  // a cache that has been used before changes nothing
    for_each_parameter([](auto& parameter) { parameter.setOnes(); }, gradients);
    const double loss = network.forward_backward(part.batch, SoftmaxCrossEntropy{}, cache, gradients);
    CHECK(loss == Approx(golden.number(name + ".loss")).epsilon(1e-13));
    subtract_ones(gradients);
    CHECK(golden.distance(name + ".d.", gradients) < 1e-12);
  }
}

}  // namespace

TEST_CASE("PyTorch: next-item network with tied vectors, three blocks") {
  compare_with_torch("tied", {.embedding_size = 4,
                              .hidden_size = 4,
                              .blocks = 3,
                              .feed_forward_factor = 2,
                              .dropout = 0,
                              .tied_vectors = true});
}

TEST_CASE("PyTorch: next-item network with own output vectors and projections") {
  compare_with_torch("own", {.embedding_size = 5,
                             .hidden_size = 3,
                             .blocks = 2,
                             .feed_forward_factor = 2,
                             .dropout = 0,
                             .tied_vectors = false});
}

TEST_CASE("PyTorch: a training trajectory with warm-up, cosine, clipping and averaged weights") {
  const Golden golden("torch_training.txt");
  const auto options = golden.list<double>("options");
  const auto steps = static_cast<std::int64_t>(options[0]);
  const double rate = options[1], warmup = options[2], clip = options[3], ema_decay = options[4];
  std::vector<GoldenBatch> batches;
  for (const char* prefix : {"batch0.", "batch1.", "batch2."}) batches.emplace_back(golden, prefix);
  const auto losses = golden.list<double>("losses"), norms = golden.list<double>("norms");

  Network network(8, {.embedding_size = 4, .hidden_size = 4, .blocks = 2, .feed_forward_factor = 2, .dropout = 0});
  golden.load("start.", network);
  Adam<Network> adam(network);
  WeightAverage<Network> average(network, ema_decay);
  Network gradients = zeros_like(network);
  Network::Cache cache;
  int clipped = 0;
  for (std::int64_t step = 0; step < steps; ++step) {
    const auto& part = batches[static_cast<std::size_t>(step % 3)];
    set_zero(gradients);
    const double loss = network.forward_backward(part.batch, SoftmaxCrossEntropy{}, cache, gradients);
    const double norm = parameter_norm(gradients);
    INFO("step " << step);
    CHECK(loss == Approx(losses[static_cast<std::size_t>(step)]).epsilon(1e-10));
    CHECK(norm == Approx(norms[static_cast<std::size_t>(step)]).epsilon(1e-9));
    if (norm > clip) {
      for_each_parameter([&](auto& gradient) { gradient *= clip / norm; }, gradients);
      ++clipped;
    }
    adam.update(network, gradients, rate * warmup_cosine(step, steps, warmup));
    average.update(network);
  }
  CHECK(clipped > 0);
  CHECK(clipped < steps);
  CHECK(golden.distance("end.", network) < 1e-9);
  CHECK(golden.distance("average.", average.average()) < 1e-9);
}

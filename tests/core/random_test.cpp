#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <lstmrec/core/random.hpp>
#include <random>
#include <set>
#include <vector>

#include "catch.hpp"

using namespace lstmrec;

static_assert(std::uniform_random_bit_generator<Random>);
static_assert(mix_seed(1, 2) != mix_seed(2, 1));

TEST_CASE("Random: SplitMix64's known values") {
  Random random(1234567);
  for (const std::uint64_t expected :
       {6457827717110365317u, 3203168211198807973u, 9817491932198370423u, 4593380528125082431u, 16408922859458223821u})
    CHECK(random() == expected);
}

TEST_CASE("Random: uniform numbers have their mean, variance and range") {
  Random random(1);
  const int count = 200000;
  double sum = 0, squares = 0, least = 1, largest = 0;
  for (int i = 0; i < count; ++i) {
    const double u = random.uniform();
    sum += u;
    squares += u * u;
    least = std::min(least, u);
    largest = std::max(largest, u);
  }
  CHECK(least >= 0);
  CHECK(largest < 1);
  CHECK(sum / count == Approx(0.5).margin(0.003));
  CHECK(squares / count == Approx(1.0 / 3).margin(0.003));
  for (int i = 0; i < 1000; ++i) {
    const double u = random.uniform(-3, -1);
    CHECK((u >= -3 && u < -1));
  }
}

TEST_CASE("Random: normal numbers have their first four moments") {
  Random random(2);
  const int count = 200000;
  std::array<double, 4> moments{};
  for (int i = 0; i < count; ++i) {
    const double x = random.normal();
    double power = 1;
    for (double& moment : moments) moment += power *= x;
  }
  CHECK(moments[0] / count == Approx(0).margin(0.01));
  CHECK(moments[1] / count == Approx(1).margin(0.015));
  CHECK(moments[2] / count == Approx(0).margin(0.03));
  CHECK(moments[3] / count == Approx(3).margin(0.1));
}

TEST_CASE("Random: below() gives every number equally often, at bounds that don't divide 2^64 too") {
  for (const std::uint64_t bound : {1u, 2u, 7u, 10u}) {
    Random random(bound);
    std::vector<double> counts(bound);
    const double expected = 20000;
    for (int i = 0; i < static_cast<int>(expected) * static_cast<int>(bound); ++i) counts.at(random.below(bound)) += 1;
    for (const double count : counts) CHECK(count == Approx(expected).margin(5 * std::sqrt(expected)));
  }
  // Of 2^64 words a quarter lies above three quarters of 2^64: without rejection they would fall on the lowest third.
  const std::uint64_t bound = std::uint64_t{3} << 62;
  Random random(3);
  int low = 0;
  for (int i = 0; i < 30000; ++i) {
    const auto number = random.below(bound);
    CHECK(number < bound);
    low += number < bound / 3;
  }
  CHECK(low == Approx(10000).margin(400));
}

TEST_CASE("Random: a shuffle gives every order equally often") {
  Random random(4);
  std::array<int, 6> counts{};
  for (int i = 0; i < 60000; ++i) {
    std::array<int, 3> order = {0, 1, 2};
    random.shuffle(order);
    counts[static_cast<std::size_t>(2 * order[0] + (order[1] > order[2]))]++;
  }
  for (const int count : counts) CHECK(count == Approx(10000).margin(500));
  std::vector<int> none;
  random.shuffle(none);
}

TEST_CASE("mix: small keys give streams that don't meet") {
  std::set<std::uint64_t> seeds;
  for (std::uint64_t a = 0; a < 100; ++a)
    for (std::uint64_t b = 0; b < 100; ++b) seeds.insert(mix_seed(a, b));
  CHECK(seeds.size() == 10000);
}

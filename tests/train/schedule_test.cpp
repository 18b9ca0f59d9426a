#include <cstdint>
#include <lstmrec/train/schedule.hpp>

#include "catch.hpp"

using namespace lstmrec;

TEST_CASE("Warm-up and cosine: rises to one, falls to zero, is never zero") {
  const std::int64_t steps = 100;
  const double warmup = 0.2;
  double last = 0;
  for (std::int64_t step = 0; step < steps; ++step) {
    const double factor = warmup_cosine(step, steps, warmup);
    CHECK(factor > 0);
    CHECK(factor <= 1);
    if (step < 20) {
      CHECK(factor > last);
      CHECK(factor == Approx((static_cast<double>(step) + 0.5) / 20));
    } else if (step > 20) {
      CHECK(factor < last);
    }
    last = factor;
  }
  CHECK(last < 1e-3);
  // Half way down is half the rate.
  CHECK(warmup_cosine(59, steps, warmup) + warmup_cosine(60, steps, warmup) == Approx(1));
}

TEST_CASE("Warm-up and cosine: without warm-up, with nothing but warm-up, and with one step") {
  CHECK(warmup_cosine(0, 100, 0) == Approx(1).epsilon(1e-3));
  CHECK(warmup_cosine(99, 100, 1) == Approx(0.995));
  CHECK(warmup_cosine(0, 1, 0) == Approx(0.5));
  CHECK(warmup_cosine(0, 1, 1) == Approx(0.5));
}

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <lstmrec/core/lanes.hpp>
#include <string>
#include <type_traits>
#include <vector>

#include "catch.hpp"
#include "nn/support.hpp"

using namespace lstmrec;

namespace {

template <class Scalar>
constexpr double rounding = std::is_same_v<Scalar, float> ? 1e-6 : 1e-15;

/// Checks y = formula(a, b) of lanes against the same of doubles, for all lengths around those of registers, at places
/// that are aligned and that are not.
template <class Scalar, class Formula, class Expected>
void compare(const std::string& name, Formula&& formula, Expected&& expected) {
  INFO(name);
  const Matrix<Scalar> a = random_matrix<Scalar>(80, 1, 1), b = random_matrix<Scalar>(80, 1, 2).cwiseAbs();
  for (Index begin = 0; begin < 3; ++begin)
    for (Index count = 0; count < 40; ++count) {
      Vector<Scalar> y = Vector<Scalar>::Constant(80, Scalar(7));
      const Scalar *const first = a.data() + begin, *const second = b.data() + begin + 1;
      Scalar* const out = y.data() + begin;
      for_each_lane<Scalar>(count, [=](auto at) { at.store(out, formula(at[first], at[second])); });
      double worst = 0;
      for (Index k = 0; k < count; ++k) {
        const double exact = expected(static_cast<double>(first[k]), static_cast<double>(second[k]));
        const double difference = std::abs(static_cast<double>(out[k]) - exact) / std::max(1.0, std::abs(exact));
        worst = std::isnan(difference) ? difference : std::max(worst, difference);
      }
      CHECK(worst <= rounding<Scalar>);
      // Nothing before and nothing behind is touched.
      CHECK((y.head(begin).array() == Scalar(7)).all());
      CHECK((y.tail(80 - begin - count).array() == Scalar(7)).all());
    }
}

template <class Scalar>
void compare_all() {
  constexpr auto half = Scalar(0.5);
  compare<Scalar>(
      "a + b", [](auto a, auto b) { return a + b; }, [](double a, double b) { return a + b; });
  compare<Scalar>(
      "a - b", [](auto a, auto b) { return a - b; }, [](double a, double b) { return a - b; });
  compare<Scalar>(
      "a * b", [](auto a, auto b) { return a * b; }, [](double a, double b) { return a * b; });
  compare<Scalar>(
      "a / b", [](auto a, auto b) { return a / b; }, [](double a, double b) { return a / b; });
  compare<Scalar>(
      "-a", [](auto a, auto) { return -a; }, [](double a, double) { return -a; });
  compare<Scalar>(
      "0.5 + a", [=](auto a, auto) { return half + a; }, [](double a, double) { return 0.5 + a; });
  compare<Scalar>(
      "0.5 - a", [=](auto a, auto) { return half - a; }, [](double a, double) { return 0.5 - a; });
  compare<Scalar>(
      "0.5 * a", [=](auto a, auto) { return half * a; }, [](double a, double) { return 0.5 * a; });
  compare<Scalar>(
      "a + 0.5", [=](auto a, auto) { return a + half; }, [](double a, double) { return a + 0.5; });
  compare<Scalar>(
      "a - 0.5", [=](auto a, auto) { return a - half; }, [](double a, double) { return a - 0.5; });
  compare<Scalar>(
      "a * 0.5", [=](auto a, auto) { return a * half; }, [](double a, double) { return a * 0.5; });
  compare<Scalar>(
      "max", [](auto a, auto b) { return max(a, b); }, [](double a, double b) { return std::max(a, b); });
  compare<Scalar>(
      "min", [](auto a, auto b) { return min(a, b); }, [](double a, double b) { return std::min(a, b); });
  compare<Scalar>(
      "abs", [](auto a, auto) { return abs(a); }, [](double a, double) { return std::abs(a); });
  compare<Scalar>(
      "square", [](auto a, auto) { return square(a); }, [](double a, double) { return a * a; });
  compare<Scalar>(
      "sqrt", [](auto, auto b) { return sqrt(b); }, [](double, double b) { return std::sqrt(b); });
  compare<Scalar>(
      "exp", [](auto a, auto) { return exp(a); }, [](double a, double) { return std::exp(a); });
  compare<Scalar>(
      "log", [](auto, auto b) { return log(b); }, [](double, double b) { return std::log(b); });
  compare<Scalar>(
      "log1p", [](auto, auto b) { return log1p(b); }, [](double, double b) { return std::log1p(b); });
  compare<Scalar>(
      "tanh", [](auto a, auto) { return tanh(a); }, [](double a, double) { return std::tanh(a); });
  compare<Scalar>(
      "logistic", [](auto a, auto) { return logistic(a); }, [](double a, double) { return 1 / (1 + std::exp(-a)); });
}

/// The functions of large and special numbers, in registers and alone.
template <class Scalar>
void compare_ends() {
  constexpr Scalar infinity = std::numeric_limits<Scalar>::infinity();
  const std::vector<Scalar> ends = {-infinity, -1e30f, -700, -100, -20, 0, 20, 100, 700, 1e30f, infinity};
  for (const Scalar x : ends) {
    CAPTURE(x);
    // As many copies as fill registers and leave some numbers over.
    std::array<Scalar, 19> in;
    in.fill(x);
    const auto check = [&](auto&& function, Scalar expected, double tolerance) {
      std::array<Scalar, 19> out;
      const Scalar* const from = in.data();
      Scalar* const to = out.data();
      for_each_lane<Scalar>(19, [=](auto at) { at.store(to, function(at[from])); });
      for (const Scalar y : out) CHECK((y == expected || std::abs(y - expected) <= tolerance));
    };
    check([](auto a) { return tanh(a); }, std::tanh(x), rounding<Scalar>);
    check([](auto a) { return logistic(a); }, 1 / (1 + std::exp(-x)), rounding<Scalar>);
    if (x <= 0) check([](auto a) { return exp(a); }, std::exp(x), 1e-30);
    // Eigen's root of infinity is not a number in some registers.
    if (x >= 0 && std::isfinite(x))
      check([](auto a) { return sqrt(a); }, std::sqrt(x), rounding<Scalar> * static_cast<double>(x));
  }
}

}  // namespace

TEST_CASE("Lanes: arithmetic and functions of registers and of the numbers left over") {
  compare_all<float>();
  compare_all<double>();
}

TEST_CASE("Lanes: functions at both ends of their range") {
  compare_ends<float>();
  compare_ends<double>();
}

TEST_CASE("Lanes: a number in all of them") {
  std::array<float, 19> numbers;
  float* const to = numbers.data();
  for_each_lane<float>(19, [=](auto at) { at.store(to, at.all(3.5f)); });
  for (const float number : numbers) CHECK(number == 3.5f);
}

TEST_CASE("Lanes: a number's result has the same bits wherever it stands, the last places included") {
  const Vector<float> x = random_matrix<float>(40, 1, 1).col(0);
  Vector<float> expected(40);
  const auto formula = [](auto a) { return exp(a) * tanh(a) + logistic(a) * a; };
  const auto run = [&](Index begin, Index count, Vector<float>& y) {
    const float* const from = x.data() + begin;
    float* const to = y.data() + begin;
    for_each_lane<float>(count, [=](auto at) { at.store(to, formula(at[from])); });
  };
  for (Index k = 0; k < 40; ++k) run(k, 1, expected);
  for (Index begin = 0; begin < 20; ++begin)
    for (Index count = 1; count <= 40 - begin; ++count) {
      Vector<float> y = expected;
      y.segment(begin, count).setZero();
      run(begin, count, y);
      CHECK(y == expected);
    }
}

TEST_CASE("Lanes: sums of any count, whose order does not depend on where the numbers lie") {
  for (Index count = 0; count < 90; ++count) {
    const Vector<float> x = random_matrix<float>(90, 1, 1).col(0);
    const auto sum_from = [&](const float* numbers) {
      return sum_of_lanes<float>(count, [=](auto at) { return at[numbers] * at[numbers]; });
    };
    const float sum = sum_from(x.data());
    CHECK(static_cast<double>(sum) == Approx(x.head(count).cast<double>().squaredNorm()).epsilon(1e-6));
    for (Index shift = 1; shift < 17; ++shift) {
      Vector<float> moved(120);
      moved.segment(shift, count) = x.head(count);
      CHECK(sum_from(moved.data() + shift) == sum);
    }
  }
}

TEST_CASE("Lanes: a formula may write where it reads") {
  for (Index count = 0; count < 40; ++count) {
    Vector<float> x = random_matrix<float>(40, 1, 1).col(0);
    const Vector<float> before = x;
    float* const numbers = x.data();
    for_each_lane<float>(count, [=](auto at) { at.store(numbers, 2.0f * at[numbers]); });
    CHECK(x.head(count) == 2.0f * before.head(count));
    CHECK(x.tail(40 - count) == before.tail(40 - count));
  }
}

#pragma once

#include <lstmrec/core/eigen.hpp>

namespace lstmrec {

/// A vector register of numbers. Pointwise formulas compute with it, so that one formula serves every processor and is
/// one loop. (Eigen's array expressions do the same arithmetic in several passes, and take most of a
/// program's compile time.)
template <class Scalar_>
struct Lanes {
  using Scalar = Scalar_;
  using Value = typename Eigen::internal::packet_traits<Scalar>::type;  // one number where Eigen has no registers
  static constexpr Eigen::Index size = Eigen::internal::packet_traits<Scalar>::size;
  Value value;

  Lanes() = default;
  explicit Lanes(const Value& numbers) : value(numbers) {}
  static Lanes all(Scalar number) { return Lanes(Eigen::internal::pset1<Value>(number)); }

  friend Lanes operator+(Lanes a, Lanes b) { return Lanes(Eigen::internal::padd(a.value, b.value)); }
  friend Lanes operator-(Lanes a, Lanes b) { return Lanes(Eigen::internal::psub(a.value, b.value)); }
  friend Lanes operator*(Lanes a, Lanes b) { return Lanes(Eigen::internal::pmul(a.value, b.value)); }
  friend Lanes operator/(Lanes a, Lanes b) { return Lanes(Eigen::internal::pdiv(a.value, b.value)); }
  friend Lanes operator-(Lanes a) { return Lanes(Eigen::internal::pnegate(a.value)); }
  friend Lanes operator+(Scalar a, Lanes b) { return all(a) + b; }
  friend Lanes operator-(Scalar a, Lanes b) { return all(a) - b; }
  friend Lanes operator*(Scalar a, Lanes b) { return all(a) * b; }
  friend Lanes operator+(Lanes a, Scalar b) { return a + all(b); }
  friend Lanes operator-(Lanes a, Scalar b) { return a - all(b); }
  friend Lanes operator*(Lanes a, Scalar b) { return a * all(b); }

  friend Lanes max(Lanes a, Lanes b) { return Lanes(Eigen::internal::pmax(a.value, b.value)); }
  friend Lanes min(Lanes a, Lanes b) { return Lanes(Eigen::internal::pmin(a.value, b.value)); }
  friend Lanes abs(Lanes a) { return Lanes(Eigen::internal::pabs(a.value)); }
  friend Lanes sqrt(Lanes a) { return a.apply(Eigen::internal::scalar_sqrt_op<Scalar>()); }
  friend Lanes exp(Lanes a) { return a.apply(Eigen::internal::scalar_exp_op<Scalar>()); }
  friend Lanes log(Lanes a) { return a.apply(Eigen::internal::scalar_log_op<Scalar>()); }
  friend Lanes log1p(Lanes a) { return a.apply(Eigen::internal::scalar_log1p_op<Scalar>()); }
  friend Lanes tanh(Lanes a) { return a.apply(Eigen::internal::scalar_tanh_op<Scalar>()); }
  /// σ(a) = 1 / (1 + e^−a).
  friend Lanes logistic(Lanes a) { return a.apply(Eigen::internal::scalar_logistic_op<Scalar>()); }
  friend Lanes square(Lanes a) { return a * a; }

 private:
  /// A function of Eigen's: of the register where Eigen has one, else of its numbers.
  template <class Function>
  Lanes apply(const Function& function) const {
    if constexpr (Eigen::internal::functor_traits<Function>::PacketAccess) {
      return Lanes(function.packetOp(value));
    } else {
      Scalar numbers[size];
      Eigen::internal::pstoreu(numbers, value);
      for (Scalar& number : numbers) number = function(number);
      return Lanes(Eigen::internal::ploadu<Value>(numbers));
    }
  }
};

/// Where a formula stands in its arrays: `at[x]` are the lanes of array x there, and `at.store(x, lanes)` writes them.
template <class Scalar>
struct LanePosition {
  using Value = typename Lanes<Scalar>::Value;
  Eigen::Index offset;

  static Lanes<Scalar> all(Scalar number) { return Lanes<Scalar>::all(number); }
  Lanes<Scalar> operator[](const Scalar* numbers) const {
    return Lanes<Scalar>(Eigen::internal::ploadu<Value>(numbers + offset));
  }
  void store(Scalar* numbers, const Lanes<Scalar>& lanes) const {
    Eigen::internal::pstoreu(numbers + offset, lanes.value);
  }
};

/// The last place in arrays, where fewer numbers are left than a register holds. Its other lanes repeat the first, so
/// that no formula meets numbers there that it does not meet anyway.
template <class Scalar>
struct LastLanePosition {
  using Value = typename Lanes<Scalar>::Value;
  Eigen::Index offset, count;

  static Lanes<Scalar> all(Scalar number) { return Lanes<Scalar>::all(number); }
  Lanes<Scalar> operator[](const Scalar* numbers) const {
    Scalar copy[Lanes<Scalar>::size];
    for (Eigen::Index k = 0; k < Lanes<Scalar>::size; ++k) copy[k] = numbers[offset + (k < count ? k : 0)];
    return Lanes<Scalar>(Eigen::internal::ploadu<Value>(copy));
  }
  void store(Scalar* numbers, const Lanes<Scalar>& lanes) const {
    Scalar copy[Lanes<Scalar>::size];
    Eigen::internal::pstoreu(copy, lanes.value);
    for (Eigen::Index k = 0; k < count; ++k) numbers[offset + k] = copy[k];
  }
};

/// Calls formula(position) for all places of arrays of `count` numbers, a register at a time. A number's result has the
/// same bits wherever it stands: what is left over goes through a register too, and alignment has no effect.
///
///     for_each_lane<float>(n, [&](auto at) { at.store(y, 2.0f * at[x] + at[y]); });
template <class Scalar, class Formula>
void for_each_lane(Eigen::Index count, Formula&& formula) {
  constexpr Eigen::Index size = Lanes<Scalar>::size;
  const Eigen::Index whole = count / size * size;
  for (Eigen::Index k = 0; k < whole; k += size) formula(LanePosition<Scalar>{k});
  if constexpr (size > 1) {
    if (whole < count) formula(LastLanePosition<Scalar>{whole, count - whole});
  }
}

/// The sum of term(position) over all places of arrays of `count` numbers. Its order depends on `count` alone; Eigen's
/// sums begin at an aligned place, so that equal columns of a matrix can differ in the last bits.
///
///     const float squares = sum_of_lanes<float>(n, [&](auto at) { return square(at[x]); });
template <class Scalar, class Term>
Scalar sum_of_lanes(Eigen::Index count, Term&& term) {
  constexpr Eigen::Index size = Lanes<Scalar>::size;
  const Eigen::Index whole = count / size * size;
  auto even = Lanes<Scalar>::all(0), odd = even;  // two sums, so that an addition need not wait for the one before
  Eigen::Index k = 0;
  for (; k + 2 * size <= whole; k += 2 * size) {
    even = even + term(LanePosition<Scalar>{k});
    odd = odd + term(LanePosition<Scalar>{k + size});
  }
  if (k < whole) even = even + term(LanePosition<Scalar>{k});
  Scalar sum = Eigen::internal::predux((even + odd).value);
  if constexpr (size > 1) {
    if (whole < count) {
      Scalar rest[size];
      Eigen::internal::pstoreu(rest, term(LastLanePosition<Scalar>{whole, count - whole}).value);
      for (k = whole; k < count; ++k) sum += rest[k - whole];
    }
  }
  return sum;
}

}  // namespace lstmrec

#pragma once

#include <Eigen/Core>

namespace lstmrec {

namespace detail {

/// A number, or Eigen's vector register of such numbers.
template <class Scalar, bool IsRegister>
struct LaneType {
  using type = Scalar;
};
template <class Scalar>
struct LaneType<Scalar, true> {
  using type = typename Eigen::internal::packet_traits<Scalar>::type;
};

}  // namespace detail

/// One number, or as many as a vector register holds: what a pointwise formula computes with, so that one formula
/// serves every processor and is one loop. (Eigen's array expressions do the same arithmetic in several passes, and
/// take most of a program's compile time.)
template <class Scalar_, bool IsRegister>
struct Lanes {
  using Scalar = Scalar_;
  using Value = typename detail::LaneType<Scalar, IsRegister>::type;
  Value value;

  Lanes() = default;
  explicit Lanes(const Value& register_or_number) : value(register_or_number) {}
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
    if constexpr (!IsRegister) {
      return Lanes(function(value));
    } else if constexpr (Eigen::internal::functor_traits<Function>::PacketAccess) {
      return Lanes(function.packetOp(value));
    } else {
      Scalar numbers[Eigen::internal::packet_traits<Scalar>::size];
      Eigen::internal::pstoreu(numbers, value);
      for (Scalar& number : numbers) number = function(number);
      return Lanes(Eigen::internal::ploadu<Value>(numbers));
    }
  }
};

/// Where a formula stands in its arrays: `at[x]` are the lanes of array x there, and `at.store(x, lanes)` writes them.
template <class Scalar, bool IsRegister>
struct LanePosition {
  Eigen::Index offset;

  static Lanes<Scalar, IsRegister> all(Scalar number) { return Lanes<Scalar, IsRegister>::all(number); }
  Lanes<Scalar, IsRegister> operator[](const Scalar* numbers) const {
    using Value = typename Lanes<Scalar, IsRegister>::Value;
    return Lanes<Scalar, IsRegister>(Eigen::internal::ploadu<Value>(numbers + offset));
  }
  void store(Scalar* numbers, const Lanes<Scalar, IsRegister>& lanes) const {
    Eigen::internal::pstoreu(numbers + offset, lanes.value);
  }
};

/// Calls formula(position) for all places of arrays of `count` numbers, a register at a time and then one by one.
///
///     for_each_lane<float>(n, [&](auto at) { at.store(y, 2.0f * at[x] + at[y]); });
template <class Scalar, class Formula>
void for_each_lane(Eigen::Index count, Formula&& formula) {
  constexpr Eigen::Index size = Eigen::internal::packet_traits<Scalar>::size;
  const Eigen::Index whole = size > 1 ? count / size * size : 0;
  for (Eigen::Index k = 0; k < whole; k += size) formula(LanePosition<Scalar, size != 1>{k});
  for (Eigen::Index k = whole; k < count; ++k) formula(LanePosition<Scalar, false>{k});
}

}  // namespace lstmrec

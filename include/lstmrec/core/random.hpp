#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <utility>

namespace lstmrec {

/// A well mixed 64-bit hash of its arguments: the seed of an independent stream for, say, (seed, sequence, step).
/// SplitMix64's finaliser (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014), chained.
template <class... Keys>
constexpr std::uint64_t mix_seed(Keys... keys) {
  std::uint64_t hash = 0;
  const auto absorb = [&hash](std::uint64_t key) {
    hash += key + 0x9e3779b97f4a7c15u;
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
    hash ^= hash >> 31;
  };
  (absorb(static_cast<std::uint64_t>(keys)), ...);
  return hash;
}

/// SplitMix64: a generator of one 64-bit word of state, so that a stream can be begun anywhere for nothing.
/// Satisfies std::uniform_random_bit_generator. The distributions are members, because the standard library's
/// differ from one implementation to the next and a seed has to mean the same everywhere.
class Random {
 public:
  using result_type = std::uint64_t;
  explicit constexpr Random(std::uint64_t seed = 0) : state_(seed) {}

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~result_type{0}; }

  constexpr result_type operator()() {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t word = state_;
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9u;
    word = (word ^ (word >> 27)) * 0x94d049bb133111ebu;
    return word ^ (word >> 31);
  }

  /// Uniform in [0, 1).
  constexpr double uniform() { return static_cast<double>((*this)() >> 11) * 0x1.0p-53; }

  /// Uniform in [low, high).
  constexpr double uniform(double low, double high) { return low + (high - low) * uniform(); }

  /// Uniform in {0, …, bound − 1}; bound > 0. Unbiased (rejection).
  constexpr std::uint64_t below(std::uint64_t bound) {
    const std::uint64_t limit = max() - max() % bound;
    std::uint64_t word = (*this)();
    while (word >= limit) word = (*this)();
    return word % bound;
  }

  /// Standard normal (Box and Muller 1958; one of the pair is thrown away, so that no state is kept).
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }

  /// Fisher and Yates' shuffle of a random-access range.
  template <class Range>
  void shuffle(Range& range) {
    for (std::size_t i = range.size(); i > 1; --i) {
      using std::swap;
      swap(range[i - 1], range[below(i)]);
    }
  }

 private:
  std::uint64_t state_;
};

}  // namespace lstmrec

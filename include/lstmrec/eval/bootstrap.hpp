#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <lstmrec/core/random.hpp>
#include <lstmrec/core/thread_pool.hpp>
#include <span>
#include <vector>

namespace lstmrec {

/// A figure and its 95% interval. Where no interval was asked for, the three are equal.
struct Estimate {
  double value = 0, low = 0, high = 0;
};

/// Sums of some figures over each user's targets. Figures of one user hang together, so that a bootstrap has to draw
/// users: drawing targets would make the intervals too narrow for users with many.
class UserSums {
 public:
  explicit UserSums(std::size_t figures) : width_(figures + 1) {}

  /// One target. `user`: of any numbering; a user's targets follow each other.
  void add(std::uint32_t user, std::span<const double> figures) {
    assert(figures.size() + 1 == width_);
    if (users_.empty() || users_.back() != user) {
      users_.push_back(user);
      sums_.resize(sums_.size() + width_, 0.0);
    }
    double* row = sums_.data() + sums_.size() - width_;
    for (std::size_t k = 0; k < figures.size(); ++k) row[k] += figures[k];
    row[width_ - 1] += 1;
  }

  std::size_t users() const { return users_.size(); }

  /// The means over all targets, one a figure.
  std::vector<double> means() const {
    std::vector<double> total(width_, 0.0);
    for (std::size_t user = 0; user < users(); ++user) add_user(user, total);
    return divided(total);
  }

  /// The means over `samples` times users() users drawn with replacement, one sample's figures after the other's.
  /// Sample s is drawn from the seed and s alone. Cost: samples × users × figures.
  std::vector<double> resampled_means(std::size_t samples, std::uint64_t seed, ThreadPool& pool) const {
    std::vector<double> means(samples * (width_ - 1));
    pool.run(samples, [&](std::size_t sample) {
      Random random(mix_seed(seed, sample));
      std::vector<double> total(width_, 0.0);
      for (std::size_t draw = 0; draw < users(); ++draw)
        add_user(static_cast<std::size_t>(random.below(users())), total);
      std::copy_n(divided(total).begin(), width_ - 1,
                  means.begin() + static_cast<std::ptrdiff_t>(sample * (width_ - 1)));
    });
    return means;
  }

  /// The means, each with the 2.5% and 97.5% percentiles of the resampled means. (Efron, Tibshirani, "An introduction
  /// to the bootstrap", 1993, section 13.3.) The number of threads does not change them.
  std::vector<Estimate> estimates(std::size_t samples, std::uint64_t seed, ThreadPool& pool) const {
    const auto resampled = resampled_means(samples, seed, pool);
    std::vector<Estimate> estimates;
    for (const double mean : means()) {
      Estimate estimate{mean, mean, mean};
      if (samples > 0) {
        std::vector<double> column(samples);
        for (std::size_t k = 0; k < samples; ++k) column[k] = resampled[k * (width_ - 1) + estimates.size()];
        std::sort(column.begin(), column.end());
        estimate.low = percentile(column, 0.025);
        estimate.high = percentile(column, 0.975);
      }
      estimates.push_back(estimate);
    }
    return estimates;
  }

  /// How easily users drawn anew would turn the sign of a figure's mean round, two-sided:
  /// p = 2 (1 + the smaller of the numbers of samples with a mean ≤ 0 and ≥ 0) / (1 + samples), at most 1, and at least
  /// 2^(1 − users): by chance alone so many users agree on a sign so often, whatever is drawn from a few of them.
  double sign_p_value(std::size_t figure, std::size_t samples, std::uint64_t seed, ThreadPool& pool) const {
    std::size_t not_above = 0, not_below = 0;
    const auto resampled = resampled_means(samples, seed, pool);
    for (std::size_t k = figure; k < resampled.size(); k += width_ - 1) {
      not_above += resampled[k] <= 0;
      not_below += resampled[k] >= 0;
    }
    const auto turned = static_cast<double>(1 + std::min(not_above, not_below));
    const double all_agree = std::ldexp(2.0, -static_cast<int>(std::min<std::size_t>(users(), 1000)));
    return std::min(1.0, std::max(all_agree, 2.0 * turned / static_cast<double>(1 + samples)));
  }

  /// The value below which the given share of the sorted values lies, interpolated between two of them.
  static double percentile(std::span<const double> sorted, double share) {
    const double position = share * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(position);
    const auto above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
  }

 private:
  void add_user(std::size_t user, std::vector<double>& total) const {
    const double* row = sums_.data() + user * width_;
    for (std::size_t k = 0; k < width_; ++k) total[k] += row[k];
  }

  static std::vector<double> divided(std::vector<double> total) {
    const double count = total.back();
    total.pop_back();
    for (double& value : total) value /= count;
    return total;
  }

  std::size_t width_;  // figures and the number of targets
  std::vector<std::uint32_t> users_;
  std::vector<double> sums_;  // users × width
};

}  // namespace lstmrec

#include "experiments/statistics/repeats.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/base/error.h"
#include "core/base/random.h"
#include "experiments/statistics/ranks.h"

namespace moelab::statistics {

namespace {

// C(n, k) as a double: 0 where k is out of range.
double choose_count(std::int64_t n, std::int64_t k) {
  if (k < 0 || k > n) return 0;
  double ways = 1;
  for (std::int64_t i = 1; i <= std::min(k, n - k); ++i)
    ways = ways * static_cast<double>(n - std::min(k, n - k) + i) / static_cast<double>(i);
  return ways;
}

// Ways to draw samples in which no answer comes more often than `most` times: [drawn][right ones of the
// tied][tied].
class TiedWays {
 public:
  TiedWays(std::int64_t k, std::size_t classes) : k_(k), width_(classes + 1) {
    ways_.assign(static_cast<std::size_t>(k + 1) * width_ * width_, 0.0);
    at(0, 0, 0) = 1;
  }

  void add(const VoteClass& votes, std::int64_t most) {
    TiedWays next(k_, width_ - 1);
    next.at(0, 0, 0) = 0;
    for (std::int64_t drawn = 0; drawn <= k_; ++drawn)
      for (std::size_t right = 0; right < width_; ++right)
        for (std::size_t tied = right; tied < width_; ++tied) {
          const double ways = at(drawn, right, tied);
          if (ways == 0) continue;
          for (std::int64_t x = 0; x <= std::min({most, votes.count, k_ - drawn}); ++x) {
            const bool is_tied = x == most;
            const std::size_t is_right = is_tied && votes.is_right ? 1 : 0;
            next.at(drawn + x, right + is_right, tied + (is_tied ? 1 : 0)) +=
                ways * choose_count(votes.count, x);
          }
        }
    *this = std::move(next);
  }

  // Credit of all choices of k samples, the rest of which are unparsed ones.
  double credit(std::int64_t unparsed) const {
    double sum = 0;
    for (std::int64_t drawn = 0; drawn <= k_; ++drawn)
      for (std::size_t right = 1; right < width_; ++right)
        for (std::size_t tied = right; tied < width_; ++tied)
          sum += at(drawn, right, tied) * choose_count(unparsed, k_ - drawn) * static_cast<double>(right) /
                 static_cast<double>(tied);
    return sum;
  }

 private:
  std::size_t index(std::int64_t drawn, std::size_t right, std::size_t tied) const {
    return (static_cast<std::size_t>(drawn) * width_ + right) * width_ + tied;
  }
  double& at(std::int64_t drawn, std::size_t right, std::size_t tied) {
    return ways_[index(drawn, right, tied)];
  }
  double at(std::int64_t drawn, std::size_t right, std::size_t tied) const {
    return ways_[index(drawn, right, tied)];
  }

  std::int64_t k_;
  std::size_t width_;
  std::vector<double> ways_;
};

}  // namespace

double pass_at_k(std::int64_t n, std::int64_t right, std::int64_t k) {
  if (right < 0 || right > n || k < 1 || k > n)
    throw Error("pass@{} of {} right samples of {}: k lies between 1 and the number of samples", k, right, n);
  double all_wrong = 1;
  for (std::int64_t i = n - right + 1; i <= n; ++i)
    all_wrong *= std::max(0.0, 1 - static_cast<double>(k) / static_cast<double>(i));
  return 1 - all_wrong;
}

double majority_at_k(std::span<const VoteClass> classes, std::int64_t unparsed, std::int64_t k) {
  std::int64_t n = unparsed;
  for (const VoteClass& votes : classes) n += votes.count;
  const bool is_negative = unparsed < 0 || std::any_of(classes.begin(), classes.end(),
                                                       [](const VoteClass& v) { return v.count < 0; });
  if (is_negative || k < 1 || k > n)
    throw Error("maj@{} of {} samples: k lies between 1 and the number of samples", k, n);
  std::int64_t largest = 0;
  for (const VoteClass& votes : classes) largest = std::max(largest, votes.count);
  double credit = 0;
  for (std::int64_t most = 1; most <= std::min(k, largest); ++most) {
    TiedWays ways(k, classes.size());
    for (const VoteClass& votes : classes) ways.add(votes, most);
    credit += ways.credit(unparsed);
  }
  return credit / choose_count(n, k);
}

RightCounts count_right(std::span<const std::uint8_t> right, std::int64_t repeats) {
  RightCounts counts;
  counts.questions = static_cast<std::int64_t>(right.size());
  counts.repeats = repeats;
  for (const std::uint8_t count : right) {
    if (count > repeats) throw Error("a question has {} right answers in {} repeats", count, repeats);
    counts.right += count;
    counts.squares += std::int64_t{count} * std::int64_t{count};
  }
  return counts;
}

ClusteredMean clustered_mean(const RightCounts& counts, double confidence) {
  const std::int64_t n = counts.questions;
  if (n == 0) return {0, 0, wilson_interval(0, 0, confidence)};
  ClusteredMean result;
  const double questions = static_cast<double>(n), samples = static_cast<double>(n * counts.repeats);
  result.mean = static_cast<double>(counts.right) / samples;
  // n * sum of squares - square of the sum is a whole number, so that equal questions give exactly 0.
  const double spread = static_cast<double>(n * counts.squares - counts.right * counts.right);
  if (n > 1) result.standard_error = std::sqrt(spread / (questions - 1)) / samples;
  if (counts.repeats == 1 || result.standard_error == 0) {
    // Equal questions: as many of them count as right as the share says, rounded.
    const auto successes = static_cast<std::int64_t>(result.mean * questions + 0.5);
    result.interval = wilson_interval(successes, n, confidence);
    return result;
  }
  const double half = student_half_width(result.standard_error, n, confidence);
  result.interval = {std::max(0.0, result.mean - half), std::min(1.0, result.mean + half)};
  return result;
}

Interval bootstrap_interval(std::span<const double> values, const BootstrapOptions& options) {
  if (values.empty() || options.draws < 1) throw Error("a bootstrap needs values and draws");
  RandomStream random(options.seed, options.name);
  std::vector<double> means;
  for (std::int64_t draw = 0; draw < options.draws; ++draw) {
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i) sum += values[random.below(values.size())];
    means.push_back(sum / static_cast<double>(values.size()));
  }
  const double tail = (1 - options.confidence) / 2;
  return {quantile(means, tail), quantile(means, 1 - tail)};
}

}  // namespace moelab::statistics

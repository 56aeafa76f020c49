#include "experiments/statistics/paired_repeats.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/base/error.h"
#include "experiments/statistics/exact_sum.h"
#include "experiments/statistics/paired.h"

namespace moelab::statistics {

namespace {

constexpr double kMostSteps = 2e9;

double share(std::int64_t part, std::int64_t n, std::int64_t repeats) {
  return n == 0 ? 0 : static_cast<double>(part) / static_cast<double>(n * repeats);
}

double half_width(double variance, std::int64_t n, double confidence) {
  return student_half_width(std::sqrt(variance / static_cast<double>(n)), n, confidence);
}

// The sizes of the changes, one entry a question that changed.
std::vector<std::int64_t> sizes_of(const PairedAnswers& answers) {
  std::vector<std::int64_t> sizes;
  for (const auto& [change, questions] : answers.changes)
    if (change != 0) sizes.insert(sizes.end(), static_cast<std::size_t>(questions), std::abs(change));
  return sizes;
}

// The share of sign choices whose sum is at least as far from zero as `observed`. Where the changes taken as
// positive sum to k, the signed sum is 2k - total.
double sign_flip_p(const std::vector<std::int64_t>& sizes, std::int64_t observed) {
  ExactSum positive;
  for (const std::int64_t size : sizes) positive.add(std::array{Outcome{0, 0.5}, Outcome{size, 0.5}});
  const auto total = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  double p = 0;
  for (std::int64_t k = 0; k <= total; ++k)
    if (std::abs(2 * k - total) >= observed) p += positive.chances()[static_cast<std::size_t>(k)];
  return std::min(1.0, p);
}

}  // namespace

double PairedAnswers::accuracy_first() const { return share(right_first, n, repeats); }

double PairedAnswers::accuracy_second() const { return share(right_second, n, repeats); }

RightCounts PairedAnswers::counts_first() const { return {n, repeats, right_first, squares_first}; }

RightCounts PairedAnswers::counts_second() const { return {n, repeats, right_second, squares_second}; }

double PairedAnswers::gain() const { return share(right_second - right_first, n, repeats); }

double PairedAnswers::flip_rate() const {
  std::int64_t sum = 0;
  for (const auto& [change, questions] : changes) sum += std::abs(change) * questions;
  return share(sum, n, repeats);
}

double PairedAnswers::mean_square() const {
  std::int64_t sum = 0;
  for (const auto& [change, questions] : changes) sum += change * change * questions;
  return share(sum, n, repeats * repeats);
}

PairedAnswers pair_answers(std::span<const std::uint8_t> first, std::span<const std::uint8_t> second,
                           std::int64_t repeats) {
  if (first.size() != second.size())
    throw Error("paired answers must be equally many, not {} and {}", first.size(), second.size());
  PairedAnswers answers;
  answers.n = static_cast<std::int64_t>(first.size());
  answers.repeats = repeats;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (first[i] > repeats || second[i] > repeats)
      throw Error("question {} has {} and {} right answers in {} repeats", i, first[i], second[i], repeats);
    const std::int64_t change = std::int64_t{second[i]} - std::int64_t{first[i]};
    ++answers.changes[change];
    answers.wrong_right += change > 0 ? 1 : 0;
    answers.right_wrong += change < 0 ? 1 : 0;
    answers.right_first += first[i];
    answers.right_second += second[i];
    answers.squares_first += std::int64_t{first[i]} * std::int64_t{first[i]};
    answers.squares_second += std::int64_t{second[i]} * std::int64_t{second[i]};
  }
  return answers;
}

double paired_p(const PairedAnswers& answers) {
  if (answers.repeats == 1) return mcnemar_exact_p(answers.wrong_right, answers.right_wrong);
  const std::vector<std::int64_t> sizes = sizes_of(answers);
  const std::int64_t observed = std::abs(answers.right_second - answers.right_first);
  if (sizes.empty() || observed == 0) return 1;
  const auto total = static_cast<double>(std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}));
  if (total * static_cast<double>(sizes.size()) <= kMostSteps) return sign_flip_p(sizes, observed);
  const double variance = std::inner_product(sizes.begin(), sizes.end(), sizes.begin(), 0.0);
  return std::erfc(static_cast<double>(observed) / std::sqrt(2 * variance));
}

Interval paired_interval(const PairedAnswers& answers, double confidence) {
  const PairedCounts counts{answers.n, answers.wrong_right, answers.right_wrong};
  if (answers.repeats == 1) return paired_difference_interval(counts, confidence);
  if (answers.n < 2) return {-1, 1};
  if (answers.wrong_right + answers.right_wrong == 0) return paired_difference_interval(counts, confidence);
  const double gain = answers.gain(), n = static_cast<double>(answers.n);
  const double variance = (answers.mean_square() - gain * gain) * n / (n - 1);
  const double half = half_width(std::max(0.0, variance), answers.n, confidence);
  return {std::max(-1.0, gain - half), std::min(1.0, gain + half)};
}

Interval paired_bootstrap(const PairedAnswers& answers, const BootstrapOptions& options) {
  std::vector<double> changes;
  for (const auto& [change, questions] : answers.changes)
    changes.insert(changes.end(), static_cast<std::size_t>(questions),
                   static_cast<double>(change) / static_cast<double>(answers.repeats));
  return bootstrap_interval(changes, options);
}

Interval mean_interval(std::span<const double> values, double confidence) {
  if (values.empty()) return {0, 0};
  const double n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (values.size() < 2) return {mean, mean};
  double square = 0;
  for (const double value : values) square += (value - mean) * (value - mean);
  const double half = half_width(square / (n - 1), static_cast<std::int64_t>(values.size()), confidence);
  return {mean - half, mean + half};
}

}  // namespace moelab::statistics

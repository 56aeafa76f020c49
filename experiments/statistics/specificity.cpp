#include "experiments/statistics/specificity.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.h"
#include "core/base/random.h"
#include "experiments/statistics/exact_sum.h"
#include "experiments/statistics/paired.h"
#include "experiments/statistics/paired_repeats.h"

namespace moelab::statistics {
namespace {

constexpr double kMostConvolutionSteps = 2e9;
constexpr std::size_t kExactDomains = 8;  // 40,320 permutations
constexpr int kRandomPermutations = 9'999;

// The counts of one question above their smallest, the own plan's first.
using Counts = std::vector<std::int64_t>;

std::vector<Counts> counts_by_question(std::span<const std::uint8_t> own,
                                       std::span<const std::vector<std::uint8_t>> others,
                                       std::int64_t repeats) {
  if (others.empty() || own.empty()) throw Error("specificity needs questions and another domain's plan");
  std::vector<Counts> questions;
  for (std::size_t q = 0; q < own.size(); ++q) {
    Counts counts = {own[q]};
    for (const auto& other : others) {
      if (other.size() != own.size())
        throw Error("plans must answer equally many questions, not {} and {}", own.size(), other.size());
      counts.push_back(other[q]);
    }
    if (*std::max_element(counts.begin(), counts.end()) > repeats)
      throw Error("question {} has more right answers than its {} repeats", q, repeats);
    const std::int64_t least = *std::min_element(counts.begin(), counts.end());
    for (std::int64_t& count : counts) count -= least;
    questions.push_back(std::move(counts));
  }
  return questions;
}

std::int64_t largest(const Counts& counts) { return *std::max_element(counts.begin(), counts.end()); }

// The chance that the own plan's counts sum to `observed` or more when each question's is drawn from its k
// counts.
double convolved_p(const std::vector<Counts>& questions, std::int64_t observed) {
  ExactSum sum;
  for (const Counts& counts : questions) {
    std::vector<Outcome> law;
    for (const std::int64_t count : counts) law.push_back({count, 1.0 / static_cast<double>(counts.size())});
    if (largest(counts) > 0) sum.add(law);
  }
  return sum.at_least(observed);
}

double normal_p(const std::vector<Counts>& questions, std::int64_t observed) {
  double mean = 0, variance = 0;
  for (const Counts& counts : questions) {
    const double k = static_cast<double>(counts.size());
    const double first = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
    const double square = static_cast<double>(
        std::inner_product(counts.begin(), counts.end(), counts.begin(), std::int64_t{0}));
    mean += first / k;
    variance += square / k - (first / k) * (first / k);
  }
  return std::erfc((static_cast<double>(observed) - 0.5 - mean) / std::sqrt(2 * variance)) / 2;
}

double permuted_p(const std::vector<Counts>& questions) {
  std::int64_t observed = 0, total = 0, plans = 0;
  for (const Counts& counts : questions) {
    observed += counts.front();
    total += largest(counts);
    plans = std::ssize(counts);
  }
  if (total == 0) return 1;
  const double steps = static_cast<double>(total) * static_cast<double>(questions.size() * plans);
  return steps <= kMostConvolutionSteps ? convolved_p(questions, observed) : normal_p(questions, observed);
}

double summed_gain(const std::vector<std::vector<double>>& gains, const std::vector<std::size_t>& plans) {
  double sum = 0;
  for (std::size_t d = 0; d < gains.size(); ++d) sum += gains[d][plans[d]];
  return sum;
}

}  // namespace

Specificity specificity_of(std::span<const std::uint8_t> own,
                           std::span<const std::vector<std::uint8_t>> others, std::int64_t repeats) {
  const std::vector<Counts> questions = counts_by_question(own, others, repeats);
  std::vector<double> differences;
  for (const Counts& counts : questions) {
    const auto of_others =
        static_cast<double>(std::accumulate(counts.begin() + 1, counts.end(), std::int64_t{0}));
    differences.push_back(
        (static_cast<double>(counts.front()) - of_others / static_cast<double>(counts.size() - 1)) /
        static_cast<double>(repeats));
  }
  const auto n = std::ssize(differences);
  const bool is_flat = std::all_of(differences.begin(), differences.end(), [](double d) { return d == 0; });
  Specificity result;
  result.value = std::accumulate(differences.begin(), differences.end(), 0.0) / static_cast<double>(n);
  result.p = permuted_p(questions);
  result.interval = is_flat ? paired_difference_interval({n, 0, 0}) : mean_interval(differences);
  if (n == 1) result.interval = {-1, 1};
  return result;
}

double plan_label_p(const std::vector<std::vector<double>>& gains, std::uint64_t seed) {
  if (gains.size() < 2) throw Error("plan labels are permuted among at least two domains");
  for (const auto& row : gains)
    if (row.size() != gains.size())
      throw Error("{} domains need {} plans each, not {}", gains.size(), gains.size(), row.size());
  std::vector<std::size_t> plans(gains.size());
  std::iota(plans.begin(), plans.end(), std::size_t{0});
  const double observed = summed_gain(gains, plans);
  std::vector<double> sums;
  if (gains.size() > kExactDomains) {
    RandomStream stream(seed, "plan labels");
    for (int i = 0; i < kRandomPermutations; ++i) {
      stream.shuffle(std::span(plans));
      sums.push_back(summed_gain(gains, plans));
    }
    return null_p(observed, sums);
  }
  // The first permutation is the observed one, which null_p counts by itself.
  while (std::next_permutation(plans.begin(), plans.end())) sums.push_back(summed_gain(gains, plans));
  return null_p(observed, sums);
}

}  // namespace moelab::statistics

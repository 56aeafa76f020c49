// Comparing two plans on questions that were answered several times each: the question is the unit.
#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "experiments/statistics/proportions.h"
#include "experiments/statistics/repeats.h"

namespace moelab::statistics {

// Questions answered `repeats` times under two plans. With one repeat these are the pairs of PairedCounts.
struct PairedAnswers {
  std::int64_t n = 0;            // questions
  std::int64_t wrong_right = 0;  // questions with more right answers under the second
  std::int64_t right_wrong = 0;  // questions with fewer
  std::int64_t repeats = 1;
  std::int64_t right_first = 0, right_second = 0;      // right answers, over questions and repeats
  std::int64_t squares_first = 0, squares_second = 0;  // squares of a question's right answers, summed
  std::map<std::int64_t, std::int64_t> changes;        // right answers more under the second -> questions

  // Accuracies are means over questions of the share of right repeats; all of these are 0 when n is 0.
  double accuracy_first() const;
  double accuracy_second() const;
  RightCounts counts_first() const;
  RightCounts counts_second() const;
  double gain() const;         // the second's accuracy minus the first's
  double flip_rate() const;    // mean |change| of a question's share; with one repeat the share that flipped
  double mean_square() const;  // mean squared change of a question's share; with one repeat the same
};

// From right answers a question, 0 to `repeats`. Throws Error when the lengths differ or a count is larger.
PairedAnswers pair_answers(std::span<const std::uint8_t> first, std::span<const std::uint8_t> second,
                           std::int64_t repeats);

// Two-sided p that the mean change is zero. One repeat: McNemar's exact test. More: the sign-flip permutation
// test on the questions' changes d_i (R. A. Fisher, The Design of Experiments, 1935, section 21), the share
// of all sign choices s with |sum s_i d_i| >= |sum d_i|, which with one repeat is McNemar's. Exact up to 2 *
// 10^9 steps of its recursion (10,000 questions with 16 repeats); beyond that from the normal distribution
// with variance sum d_i^2.
double paired_p(const PairedAnswers& answers);

// 95 % (or other) interval of the gain. One repeat: Tango's. More: mean +- t(n - 1) * standard error over the
// questions' changes, cut to [-1, 1]; where no question changed Tango's for n unchanged pairs, because there
// is no error to be seen; [-1, 1] below two questions.
Interval paired_interval(const PairedAnswers& answers, double confidence = 0.95);

// Percentile interval of the gain over draws of whole questions; see bootstrap_interval. Throws Error without
// questions.
Interval paired_bootstrap(const PairedAnswers& answers, const BootstrapOptions& options = {});

// Mean +- t(n - 1) * standard error. Without a width below two values.
Interval mean_interval(std::span<const double> values, double confidence = 0.95);

}  // namespace moelab::statistics

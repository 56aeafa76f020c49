// Figures of questions that were answered several times: pass@k, maj@k, and intervals clustered by question.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "experiments/statistics/proportions.h"

namespace moelab::statistics {

// The chance that at least one of k of the n samples of a question is right, of which `right` are: the
// unbiased estimator 1 - C(n - right, k) / C(n, k) (M. Chen et al., 2021, arXiv 2107.03374, eq. 1). Throws
// Error unless 0 <= right <= n and 1 <= k <= n.
double pass_at_k(std::int64_t n, std::int64_t right, std::int64_t k);

// The samples of one question that gave the same answer.
struct VoteClass {
  std::int64_t count = 0;
  bool is_right = false;
};

// The chance that the most frequent answer among k of a question's samples is right, over all choices of k
// samples without replacement; answers that tie for the first place share it equally, so a tie of two of
// which one is right counts one half. `unparsed` samples have no answer: they are drawn like others and never
// win, and where all k are unparsed the vote is wrong. Throws Error for negative counts or unless 1 <= k <=
// the number of samples.
double majority_at_k(std::span<const VoteClass> classes, std::int64_t unparsed, std::int64_t k);

// The mean of question-repeats with questions as clusters. All questions have the same number of repeats.
struct ClusteredMean {
  double mean = 0;
  double standard_error =
      0;  // sqrt(C / (C - 1) * sum over C questions of (sum of (s - mean))^2) / (C * repeats)
  Interval interval;
};

// What the mean and its error need of the right answers a question.
struct RightCounts {
  std::int64_t questions = 0;
  std::int64_t repeats = 1;
  std::int64_t right = 0;    // summed over questions
  std::int64_t squares = 0;  // their squares, summed
};

// The standard error is the clustered one of E. Miller, 2024 (arXiv
// 2411.00640, appendix A) with the correction C / (C - 1) that statsmodels and inspect_ai apply; the interval
// is mean +- t(C - 1) * standard error, cut to [0, 1]. With one repeat the interval is Wilson's, and so it
// is, on questions, where no question differs from another and no error can be seen; [0, 1] without
// questions.
ClusteredMean clustered_mean(const RightCounts& counts, double confidence = 0.95);

// From right answers a question, 0 to `repeats`. Throws Error when a count is larger than `repeats`.
RightCounts count_right(std::span<const std::uint8_t> right, std::int64_t repeats);

struct BootstrapOptions {
  std::int64_t draws = 10'000;
  std::uint64_t seed = 0;          // with the name: the random stream
  std::string name = "bootstrap";  // what it is for, so that two figures do not share their draws
  double confidence = 0.95;
};

// Percentile interval of a mean over clusters: each draw takes as many of the values, one a question, as
// there are, with replacement (B. Efron, 1979; quantiles of type 7). Whole questions are drawn, so repeats of
// a question stay together. Throws Error without values or draws.
Interval bootstrap_interval(std::span<const double> values, const BootstrapOptions& options = {});

}  // namespace moelab::statistics

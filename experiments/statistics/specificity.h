// Is a gain special to the domain whose experts are steered, or do other domains' plans give it as well?
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "experiments/statistics/proportions.h"

namespace moelab::statistics {

// One domain's questions under its own plan and under other domains' plans, all against the same original.
struct Specificity {
  double value =
      0;  // accuracy of the own plan minus the mean accuracy of the others: their gains' difference
  Interval interval;  // 95 %
  double p = 1;       // see specificity_of
};

// `own` and each of `others` hold right answers a question, 0 to `repeats`, for the same questions.
//
// Interval: mean +- t(n - 1) * standard error of the questions' differences (own minus the others' mean);
// where no question differs Tango's for n unchanged pairs, because there is no error to be seen.
//
// p, one-sided: in every question the labels of the k = 1 + others plans are permuted, so that each of the k
// counts is the own plan's with chance 1 / k, independently by question. p is the chance that the own plan
// then has at least as many right answers as observed, exactly, by convolution of the questions'
// distributions. Questions that all plans answer alike cancel; with one repeat and one other plan it is the
// one-sided McNemar test. It cannot be smaller than the product over questions of (plans that share the
// question's largest count) / k. Beyond 2 * 10^9 steps the normal distribution with the same mean and
// variance stands in, with a correction of one half.
//
// Throws Error without others, without questions, for unequal lengths or a count above `repeats`.
Specificity specificity_of(std::span<const std::uint8_t> own,
                           std::span<const std::vector<std::uint8_t>> others, std::int64_t repeats);

// gains[d][i]: gain on domain d of the plan found on domain i; the diagonal holds the own plans. The plans'
// labels are permuted among the k domains: p is the share of the k! ways to hand the k plans out, one a
// domain, whose summed gain is at least that of the diagonal. What a plan gives everywhere and what a domain
// gains from any plan is in every sum and cancels, so p speaks of the match between plan and domain alone. It
// is at least 1 / k!: .5, .167, .042, .0083 and .0014 for 2 to 6 domains. Exact up to 8 domains, beyond that
// (1 + hits) / 10,000 over 9,999 random permutations. Throws Error unless the matrix is square with two or
// more rows.
double plan_label_p(const std::vector<std::vector<double>>& gains, std::uint64_t seed = 1);

}  // namespace moelab::statistics

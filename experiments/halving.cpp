#include "experiments/halving.h"

#include <algorithm>
#include <numeric>

namespace moelab::experiments {
namespace {

std::size_t part_of(std::size_t whole, std::size_t eta) { return (whole + eta - 1) / eta; }

std::size_t rungs_to_one(std::size_t settings, std::size_t eta) {
  std::size_t rungs = 1;
  for (std::size_t left = part_of(settings, eta); left > 1; left = part_of(left, eta)) ++rungs;
  return rungs;
}

// The first `count` by right answers, the first of equals first; in the order of the tie rule.
std::vector<std::size_t> best_of(const Rung& rung, std::size_t count) {
  std::vector<std::size_t> places(rung.settings.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::stable_sort(places.begin(), places.end(),
                   [&](std::size_t a, std::size_t b) { return rung.right[a] > rung.right[b]; });
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < count; ++i) kept.push_back(rung.settings[places[i]]);
  std::sort(kept.begin(), kept.end());
  return kept;
}

}  // namespace

std::vector<RungSize> rung_sizes(std::size_t settings, std::size_t questions, const HalvingOptions& options) {
  std::vector<RungSize> rungs;
  if (settings == 0 || questions == 0) return rungs;
  const auto eta = static_cast<std::size_t>(options.eta);
  std::size_t most = rungs_to_one(settings, eta);
  if (options.rungs > 0) most = std::min(most, static_cast<std::size_t>(options.rungs));
  rungs.push_back({settings, questions});
  while (rungs.size() < most && rungs.front().questions > 1)
    rungs.insert(rungs.begin(), {settings, part_of(rungs.front().questions, eta)});
  for (std::size_t k = 1; k < rungs.size(); ++k) rungs[k].settings = part_of(rungs[k - 1].settings, eta);
  return rungs;
}

Halving halve(std::span<const Answers> answers, std::size_t questions, const HalvingOptions& options) {
  Halving halving;
  const auto sizes = rung_sizes(answers.size(), questions, options);
  if (sizes.empty()) return halving;
  halving.left.resize(answers.size());
  std::iota(halving.left.begin(), halving.left.end(), std::size_t{0});
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    const std::size_t asked = sizes[k].questions;
    Rung rung{asked, halving.left, {}};
    for (const std::size_t setting : rung.settings) {
      if (answers[setting].size() < asked) {
        halving.next = asked;
        return halving;
      }
      const auto first = answers[setting].begin();
      rung.right.push_back(
          std::accumulate(first, first + static_cast<std::ptrdiff_t>(asked), std::int64_t{0}));
    }
    halving.left = best_of(rung, k + 1 < sizes.size() ? sizes[k + 1].settings : 1);
    halving.rungs.push_back(std::move(rung));
  }
  return halving;
}

std::size_t asked_answers(std::span<const RungSize> rungs) {
  std::size_t sum = 0, before = 0;
  for (const RungSize& rung : rungs) {
    sum += rung.settings * (rung.questions - before);
    before = rung.questions;
  }
  return sum;
}

}  // namespace moelab::experiments

#include "experiments/selection.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <tuple>

#include "core/base/error.h"
#include "experiments/statistics/ranks.h"

namespace moelab::experiments {
namespace {

std::int64_t right_of(const Answers& answers, std::span<const std::size_t> questions) {
  std::int64_t right = 0;
  for (const std::size_t q : questions) right += answers[q];
  return right;
}

// Indices of assignments by gain, equals in their order.
std::vector<std::size_t> by_gain(const std::vector<statistics::PairedAnswers>& counts) {
  std::vector<std::size_t> order(counts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return counts[a].gain() < counts[b].gain(); });
  return order;
}

}  // namespace

void sort_candidates(std::vector<Candidate>& candidates) {
  const auto key = [](const Candidate& c) {
    return std::make_tuple(std::abs(std::log(c.alpha)), c.n_steered, c.mode, c.cell);
  };
  std::sort(candidates.begin(), candidates.end(),
            [&](const Candidate& a, const Candidate& b) { return key(a) < key(b); });
}

std::vector<SelectionPart> crossfit_parts(const std::vector<std::vector<int>>& folds) {
  std::vector<SelectionPart> parts;
  for (std::size_t a = 0; a < folds.size(); ++a) {
    const int count = folds[a].empty() ? 0 : 1 + *std::max_element(folds[a].begin(), folds[a].end());
    for (int fold = 0; fold < count; ++fold) {
      SelectionPart part{static_cast<int>(a), fold, {}, {}};
      for (std::size_t q = 0; q < folds[a].size(); ++q)
        (folds[a][q] == fold ? part.report : part.tune).push_back(q);
      if (!part.tune.empty() && !part.report.empty()) parts.push_back(std::move(part));
    }
  }
  return parts;
}

std::vector<SelectionPart> holdout_parts(const std::vector<bool>& is_tuning) {
  SelectionPart part;
  for (std::size_t q = 0; q < is_tuning.size(); ++q) (is_tuning[q] ? part.tune : part.report).push_back(q);
  if (part.tune.empty() || part.report.empty()) return {};
  return {part};
}

std::vector<SelectionPart> paper_parts(std::size_t questions) {
  if (questions == 0) return {};
  SelectionPart part;
  part.tune.resize(questions);
  std::iota(part.tune.begin(), part.tune.end(), std::size_t{0});
  part.report = part.tune;
  return {part};
}

std::vector<Choice> choose(std::span<const SelectionPart> parts, const std::vector<Answers>& answers,
                           const Answers& original) {
  if (answers.empty()) throw Error("selection: there is no setting to choose from");
  std::vector<Choice> choices;
  for (std::size_t p = 0; p < parts.size(); ++p) {
    Choice choice;
    choice.part = p;
    for (const Answers& candidate : answers)
      choice.tuning_right.push_back(right_of(candidate, parts[p].tune));
    const auto best = std::max_element(choice.tuning_right.begin(), choice.tuning_right.end());
    choice.chosen = static_cast<std::size_t>(best - choice.tuning_right.begin());
    choice.original_as_good = right_of(original, parts[p].tune) >= *best;
    choices.push_back(std::move(choice));
  }
  return choices;
}

Report report(std::span<const SelectionPart> parts, std::span<const Choice> choices,
              const std::vector<Answers>& answers, const Answers& original, std::int64_t repeats) {
  std::map<int, std::pair<Answers, Answers>> stitched;  // assignment -> original's and chosen answers
  for (const Choice& choice : choices) {
    const SelectionPart& part = parts[choice.part];
    auto& [before, after] = stitched[part.assignment];
    for (const std::size_t q : part.report) {
      before.push_back(original[q]);
      after.push_back(answers[choice.chosen][q]);
    }
  }
  if (stitched.empty()) throw Error("selection: there is nothing to report on");
  Report result;
  std::vector<double> gains;
  for (const auto& [assignment, pair] : stitched) {
    result.by_assignment.push_back(statistics::pair_answers(pair.first, pair.second, repeats));
    gains.push_back(result.by_assignment.back().gain());
  }
  result.median = by_gain(result.by_assignment)[(gains.size() - 1) / 2];
  result.gain_median = statistics::median(gains);
  result.gain_low = *std::min_element(gains.begin(), gains.end());
  result.gain_high = *std::max_element(gains.begin(), gains.end());
  return result;
}

ModalChoice modal_choice(std::span<const Choice> choices, std::size_t candidates) {
  std::vector<std::size_t> times(candidates, 0);
  for (const Choice& choice : choices) ++times[choice.chosen];
  const auto most = std::max_element(times.begin(), times.end());
  return {static_cast<std::size_t>(most - times.begin()),
          choices.empty() ? 0.0 : static_cast<double>(*most) / static_cast<double>(choices.size())};
}

}  // namespace moelab::experiments

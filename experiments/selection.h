// Choosing settings from stored answers and reporting the choice apart: the arithmetic of all protocols.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/store/rows.h"
#include "experiments/statistics/paired_repeats.h"

namespace moelab::experiments {

using Answers =
    std::vector<std::uint8_t>;  // [questions] right answers: 0 or 1, with repeats up to their number

// One setting of a method's grid with its answers.
struct Candidate {
  store::Id cell = 0;
  int n_steered = 0;
  double alpha = 1;
  std::string mode;
};

// Sorts by the tie rule: smaller |ln alpha|, fewer experts, mode by name, cell.
void sort_candidates(std::vector<Candidate>& candidates);

// One choice: the questions that it is made on and those that it is reported on, as indices.
struct SelectionPart {
  int assignment = 0;
  int fold = -1;
  std::vector<std::size_t> tune, report;
};

// crossfit: for each assignment and fold, chosen on the other folds and reported on it.
// folds[assignment][question]. Parts without questions on either side, which a limit may leave, are left out.
std::vector<SelectionPart> crossfit_parts(const std::vector<std::vector<int>>& folds);
// holdout: chosen on the tuning questions, reported on the others.
std::vector<SelectionPart> holdout_parts(const std::vector<bool>& is_tuning);
// paper: chosen and reported on all questions.
std::vector<SelectionPart> paper_parts(std::size_t questions);

struct Choice {
  std::size_t part = 0;
  std::size_t chosen = 0;                  // index of the candidate
  std::vector<std::int64_t> tuning_right;  // [candidates] right answers on part.tune
  bool original_as_good = false;           // the original had at least as many right there
};

// The candidate with the most right answers on each part's tuning questions, the first of equals.
// answers[candidate]. Throws Error when there is no candidate.
std::vector<Choice> choose(std::span<const SelectionPart> parts, const std::vector<Answers>& answers,
                           const Answers& original);

// What the choices give on the questions that they are reported on, stitched together for each assignment.
struct Report {
  std::vector<statistics::PairedAnswers> by_assignment;  // against the original
  std::size_t median = 0;  // the assignment whose gain is the lower median, the first of equals
  double gain_median = 0;  // over assignments
  double gain_low = 0;
  double gain_high = 0;

  const statistics::PairedAnswers& counts() const { return by_assignment[median]; }
};
Report report(std::span<const SelectionPart> parts, std::span<const Choice> choices,
              const std::vector<Answers>& answers, const Answers& original, std::int64_t repeats = 1);

// The candidate that was chosen most often (the first of equals) and its share of all choices.
struct ModalChoice {
  std::size_t candidate = 0;
  double share = 0;
};
ModalChoice modal_choice(std::span<const Choice> choices, std::size_t candidates);

}  // namespace moelab::experiments

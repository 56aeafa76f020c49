// The stored answers of one model and domain of a study, as tables that selections and comparisons read.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/store/store.h"
#include "experiments/selection.h"
#include "experiments/study_config.h"

namespace moelab::experiments {

// The cells of a study that belong to one model, benchmark and tested domain.
struct DomainCells {
  store::Id model = 0;
  std::string benchmark, domain;
  std::vector<std::pair<store::CellRow, std::string>>
      cells;  // with their role, by id; failed ones are left out
};

// In the order of (model, benchmark, domain).
std::vector<DomainCells> cells_by_domain(store::Store& store, store::Id study);

// How a study splits its questions, as stored.
struct StoredSplit {
  std::vector<store::Id> scored;                // sorted
  std::map<store::Id, std::vector<int>> folds;  // by question, [assignment]
  std::map<store::Id, bool> is_tuning;
};
StoredSplit read_split(store::Store& store, store::Id study, const std::string& benchmark,
                       const std::string& domain);

// One evaluator's newest verdicts on some cells, on the questions that all of them answered; of the first
// `repeats` samples of each.
struct AnswerTable {
  std::int64_t repeats = 1;
  std::vector<store::Id> questions;    // sorted
  std::map<store::Id, Answers> cells;  // in the order of `questions`
};

// Reads the cells of roles original, aa, grid and null; those without any answer are left out, and only
// questions that all others answered stay. Cells of other roles are read with `add_answers`.
AnswerTable read_answers(store::Store& store, const DomainCells& cells, const StoredSplit& split,
                         const std::string& evaluator, std::int64_t repeats = 1);

// The answers of one more cell on the table's questions; empty when it lacks one of them.
Answers answers_of(store::Store& store, store::Id cell, const AnswerTable& table,
                   const std::string& evaluator);

// The cell's answers to `questions`, in any order, up to the first that it has not answered.
Answers leading_answers(store::Store& store, store::Id cell, const std::vector<store::Id>& questions,
                        const std::string& evaluator, std::int64_t repeats);

// The parts of the study's protocol for the table's questions.
std::vector<SelectionPart> parts_of(const StoredSplit& split, const AnswerTable& table, Protocol protocol);

// The candidates of a method (and draw), sorted by the tie rule; those that the table has answers of.
std::vector<Candidate> candidates_of(const DomainCells& cells, const AnswerTable& table,
                                     const std::string& method, int draw);

}  // namespace moelab::experiments

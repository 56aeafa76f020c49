// What a study's methods chose on one model and domain, from the stored answers of one evaluator.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/store/store.h"
#include "experiments/selection.h"
#include "experiments/study_answers.h"

namespace moelab::experiments {

// What the analysis needs of the stored config.
struct StoredStudy {
  store::Id id = 0;
  Protocol protocol = Protocol::crossfit;
  std::string evaluator;                                       // the one that selects
  std::map<std::string, std::vector<std::string>> evaluators;  // by benchmark, the selecting one first
  std::map<std::string, std::int64_t> repeats;                 // by benchmark
  std::string null_match;
  SearchConfig search;
  bool limited = false;
};

// Throws StoreError or FileError when the stored config cannot be read.
StoredStudy read_study(store::Store& store, store::Id id);

// One method (or null draw) on one domain: its candidates and what was chosen.
struct Selected {
  std::string method;
  int draw = 0;
  std::string steered_domain;
  std::vector<Candidate> candidates;
  std::vector<Choice> choices;
  ModalChoice modal;

  const Candidate& modal_candidate() const { return candidates[modal.candidate]; }
};

// One model and domain with the answers of one evaluator.
struct DomainAnswers {
  const DomainCells* cells = nullptr;
  std::string evaluator;
  AnswerTable table;
  std::vector<SelectionPart> parts;
  const Answers* original = nullptr;
  const Answers* again = nullptr;  // aa
};

// A table with its original and the original run again; the parts are left to the caller. Nothing when the
// original is missing or has no question.
std::optional<DomainAnswers> domain_answers(const DomainCells& cells, const std::string& evaluator,
                                            AnswerTable table);

// Nothing when the original is missing or no question is left.
std::optional<DomainAnswers> read_domain(store::Store& store, const StoredStudy& study,
                                         const DomainCells& cells, const StoredSplit& split,
                                         const std::string& evaluator);

// The candidates' answers to the table's questions, in their order.
std::vector<Answers> answers_of_candidates(const DomainAnswers& domain,
                                           const std::vector<Candidate>& candidates);

// One entry for each method, null draw and steered domain that has candidates.
std::vector<Selected> select_all(const DomainAnswers& domain);

}  // namespace moelab::experiments

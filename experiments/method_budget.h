// What each method took on each domain: labelled questions, test inputs, time and tokens.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "experiments/study_results.h"

namespace moelab::experiments {

// Of one model, benchmark, tested domain and method; of random draws all together. kUnknown: there is none.
struct MethodBudget {
  std::string model, benchmark, domain, method;
  std::int64_t cells = 0;
  std::int64_t tokens = 0, thinking = 0, answer = 0;  // through the model; written in and after the thinking
  double seconds = 0;                                 // of scoring or writing answers
  double discovery = 0;                               // seconds of the discovery runs behind the plans
  double traces = kUnknown;          // seconds of writing and reading what a method of kind rice ranks by
  double trace_tokens = kUnknown;    // of these answers with their prompts
  double training = kUnknown;        // seconds
  std::int64_t probed = 0;           // fine-tunings whose drift was measured
  double refused_before = kUnknown;  // share of harmful requests that the original and the fine-tuned model
  double refused_after = kUnknown;   // refuse, mean over those
  std::int64_t discovery_questions = 0;
  double labelled_discovery =
      0;                       // discovery's questions, where it reads right answers (discovery.loss=answer)
  double labelled_choice = 0;  // questions that one choice of a setting reads, mean over choices
  double labelled_training = 0;  // of a fine-tuning
  std::int64_t test_seen = 0;    // test questions that were inputs of discovery
  double labelled() const { return labelled_discovery + labelled_choice + labelled_training; }
};

// By model, benchmark, domain and method, from the cells of the roles original, grid and null. A method with
// one setting has nothing to choose and reads no label for it.
std::vector<MethodBudget> method_budgets(store::Store& store, const TableRequest& request);

// Sums over domains, in the same order.
std::vector<MethodBudget> summed_over_domains(const std::vector<MethodBudget>& budgets);

// The figures as columns of CSV, names and values in one order; unknown ones are empty.
std::vector<std::pair<const char*, std::string>> budget_record(const MethodBudget& budget);

}  // namespace moelab::experiments

// What a question set's files hold, in figures alone: for `moelab data check`.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "evaluators/data/question_set.h"

namespace moelab::data {

struct SetReport {
  std::string layout;
  std::size_t questions = 0;
  std::map<std::string, std::size_t> domains;
  std::map<std::string, std::size_t> subdomains;  // empty where the set has none
  std::map<std::string, std::size_t> answers;     // by letter; of numbers nothing
  std::map<std::size_t, std::size_t> options;     // questions by their number of options
  std::string smallest, largest;                  // of answers that are numbers
  std::size_t with_solution = 0;                  // MMLU-Pro: rows that can be examples
  std::size_t repeated_options = 0;               // questions two of whose options are the same text
  std::size_t grouped = 0;  // questions that are near-duplicates of others, or share a stem
  std::size_t groups = 0;
  std::string digest;
};

SetReport report_on(const QuestionSet& set);

// As lines of text; nothing of a question's or an option's text is in them.
std::string report_text(const SetReport& report);

}  // namespace moelab::data

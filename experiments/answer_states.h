// The samples of a cell as metrics read them: right or wrong, parsed or not, cut off or not, and how long.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/store/store.h"
#include "experiments/statistics/gain_parts.h"

namespace moelab::experiments {

// A written sample with the newest verdict of one evaluator.
struct SampleState {
  store::Id question = 0;
  int repeat = 0;
  statistics::AnswerState state;
  std::string answer;  // "" where none was found; a letter is the question's own (see own_answer)
  std::int64_t n_think = 0, n_answer = 0;
  bool closed = true;
};

// The written samples of a cell that the evaluator has judged, by (question, repeat); none where options were
// scored.
std::vector<SampleState> sample_states(store::Store& store, store::Id cell, const std::string& evaluator);

// question -> states of repeats 0, 1, ..., for questions that have all of the first `repeats`.
using StatesByQuestion = std::map<store::Id, std::vector<statistics::AnswerState>>;
StatesByQuestion states_by_question(store::Store& store, store::Id cell, const std::string& evaluator,
                                    std::int64_t repeats);

}  // namespace moelab::experiments

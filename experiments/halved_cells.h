// Successive halving on one model and domain, from the stored answers of the selecting evaluator: who goes
// on, and which cells a study's report is made of.
#pragma once

#include <string>
#include <vector>

#include "experiments/halving.h"
#include "experiments/study_choices.h"

namespace moelab::experiments {

// One method or null draw.
struct HalvedMethod {
  std::string method;
  int draw = 0;
  std::vector<Candidate> candidates;  // in the order of the tie rule
  Halving halving;
};

struct HalvedDomain {
  std::vector<store::Id> order;  // the tuning questions in the order in which rungs ask them
  std::vector<HalvedMethod> methods;
};

// Every method and draw of the roles grid and null by itself, of the newest original's condition. The order
// is of the tuning questions that this original has answered (of all when it has answered none), drawn from
// the search's seed and a question's name.
HalvedDomain halve_domain(store::Store& store, const StoredStudy& study, const DomainCells& all,
                          const StoredSplit& split);

// What a search leaves of a domain's cells: of a study that halves, those of the newest original's condition,
// and of the roles grid and null only the winners; of others all. `halved` has what they were chosen by, in a
// study that halves.
struct SearchedCells {
  DomainCells cells;
  std::vector<HalvedMethod> halved;
};
SearchedCells searched_cells(store::Store& store, const StoredStudy& study, const DomainCells& cells,
                             const StoredSplit& split);

// What a selection row says of a halving's candidates: an entry for each rung and setting, from rung 1, with
// right answers and answers in all, of `repeats` samples a question.
std::string rungs_json(const HalvedMethod& method, std::int64_t repeats);

}  // namespace moelab::experiments

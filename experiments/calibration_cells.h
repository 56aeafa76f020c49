// The cells that `moelab calibrate` needs beside a study's own: planted experts as plans, every other
// domain's plan at every setting, and plans found under permuted domain labels.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/store/store.h"
#include "experiments/methods.h"

namespace moelab::experiments {

// The routing of one group of discovery questions: what keeps one label when labels are permuted.
struct LabelledRouting {
  std::size_t domain = 0;  // index of its true domain among the findings' names, which are sorted
  discovery::RoutingCounts counts;
};

// The groups of all compared domains, from the stored routing counts, by (domain, group).
std::vector<LabelledRouting> labelled_routing(store::Store& store, const StudyFindings& findings,
                                              const model::ModelSpec& spec);

// Findings as they would be if the groups' domain labels were dealt anew, permutation number `draw` from 1:
// every domain keeps its number of groups. They have no run.
StudyFindings permuted_findings(const std::vector<LabelledRouting>& routing, const StudyFindings& findings,
                                int draw);

// How many cells the makers below give for the tested `domain`, over all permutations that are tested on it;
// 0 of a study without calibration.
double count_calibration_cells(const StudyConfig& study, const ModelConfig& model,
                               const StudyDomains& domains, const std::string& domain);

// The domain on which a permutation is tested: each in turn.
const std::string& permuted_domain(const StudyDomains& domains, std::int64_t draw);

// Whether a model is known to have no planted experts: labels are permuted on such a model only.
bool has_nothing_planted(const ModelConfig& model);

// For permutation `draw` and the tested `domain`: the plans that each method which ranks by a built-in score
// makes of every domain's permuted findings, at every setting. Role `permuted`, and the draw's number.
std::vector<PlannedCell> permuted_cells(const StudyConfig& study, const StudyFindings& permuted,
                                        const std::string& domain, const model::ModelSpec& spec, int draw);

// The domain's planted experts as one plan at each alpha and mode (method and role `planted`), and the plans
// of all other domains at every setting (role `other_domain`).
std::vector<PlannedCell> reference_cells(const StudyConfig& study, const ModelConfig& model,
                                         const StudyFindings& findings, const std::string& domain,
                                         const model::ModelSpec& spec);

}  // namespace moelab::experiments

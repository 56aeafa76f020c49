// RICE's ranking: which experts are selected at the thinking markers of traces that the model writes itself.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "experiments/trace_runs.h"

namespace moelab::experiments {

// RICE's expert score (Eq. 6): the sum over markers of coefficient x nPMI, flat [layers * experts]. In the
// counts of each marker `important` are the selections at its tokens. Throws ConfigError naming a marker that
// no trace holds.
std::vector<double> rice_scores(const RiceConfig& rice,
                                const std::map<std::string, discovery::RoutingCounts>& counts,
                                const model::ModelSpec& spec);

// One marker's part of the scores by one trace: adds coefficient x nPMI to `scores`, flat [layers * experts]
// or empty before the first part. Changes nothing and returns false where the trace does not hold the marker.
bool add_trace_scores(const discovery::RoutingCounts& marked, double coefficient,
                      const model::ModelSpec& spec, std::vector<double>& scores);

// Adds the rankings of the study's methods of kind rice to the findings of every tested domain. The model
// answers the domain's discovery questions as the benchmark asks (its first repeat); each answer with its
// prompt is a trace, read once more for its routing (see marker_runs). A method whose plans differ by
// question has the model answer the tested questions, and each one's trace alone ranks the experts for it.
// What goes wrong on a domain is the ranking's error.
void add_trace_rankings(const TraceContext& context, StudyFindings& findings, store::Store& store);

}  // namespace moelab::experiments

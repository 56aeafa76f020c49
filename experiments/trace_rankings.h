// RICE's ranking: which experts are selected at the thinking markers of traces that the model writes itself.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/generate_runs.h"
#include "experiments/model_session.h"
#include "experiments/study_discovery.h"

namespace moelab::experiments {

// Positions at which a marker begins: where the tokens of its text stand, or those of a blank and its text.
std::vector<std::size_t> marker_positions(std::span<const std::int32_t> trace, std::string_view marker,
                                          const text::Tokenizer& tokenizer);

// RICE's expert score (Eq. 6): the sum over markers of coefficient x nPMI, flat [layers * experts]. In the
// counts of each marker `important` are the selections at its tokens. Throws ConfigError naming a marker that
// no trace holds.
std::vector<double> rice_scores(const RiceConfig& rice,
                                const std::map<std::string, discovery::RoutingCounts>& counts,
                                const model::ModelSpec& spec);

// Whose traces are written, and for which study.
struct TraceContext {
  const ModelSession& session;
  const StoredBenchmark& stored;
  const StudyConfig& study;
  store::Id study_id = 0;                         // its row, for the notes
  std::function<void()> check_interrupt = [] {};  // called between chunks of answers; what it throws ends all
};

// Adds the rankings of the study's methods of kind rice to the findings of every tested domain. The model
// answers the domain's discovery questions as the benchmark asks (its first repeat); each answer with its
// prompt is a trace, read once more for its routing. Traces are stored as discovery runs of their own, whose
// settings say `trace`: one for each marker, where important tokens are those at the marker, and, made with
// the first of them, one where they are those that the model wrote. Notes of kind `trace` name them. What
// goes wrong on a domain is the ranking's error; in the last run, which no ranking needs, an event `failure`.
void add_trace_rankings(const TraceContext& context, StudyFindings& findings, store::Store& store);

}  // namespace moelab::experiments

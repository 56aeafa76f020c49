// Discovery runs over traces: answers that the model writes itself, read once more for their routing.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/model_session.h"
#include "experiments/study_discovery.h"

namespace moelab::experiments {

// Positions at which a marker begins: where the tokens of its text stand, or those of a blank and its text.
std::vector<std::size_t> marker_positions(std::span<const std::int32_t> trace, std::string_view marker,
                                          const text::Tokenizer& tokenizer);

// Whose traces are written, and for which study.
struct TraceContext {
  const ModelSession& session;
  const StoredBenchmark& stored;
  const StudyConfig& study;
  store::Id study_id = 0;                         // its row, for the notes
  std::function<void()> check_interrupt = [] {};  // called between chunks of answers; what it throws ends all
};

// What all traces of one domain share: a method that ranks by traces, of a kind that has markers.
struct TraceJob {
  const TraceContext& context;
  const MethodConfig& method;
  std::string domain;
  LoadedModel model;

  // The questions that are answered, by their places in the domain: those of discovery, or all tested ones
  // where each has a plan of its own.
  const std::vector<std::size_t>& places() const;
};

// A discovery run and its key.
struct TraceRun {
  store::Id id = 0;
  std::string key;
};

// The run of each marker of the method, in their order: from the store, or made. Traces are written when a
// run is missing, and what they give is stored in one piece when all is counted. In the counts of a marker's
// run `important` are the selections at its tokens. Notes of kind `trace` name the runs. With those of a
// domain's discovery questions goes one more run, where important tokens are those that the model wrote; what
// goes wrong in it is an event `failure` alone.
std::vector<TraceRun> marker_runs(const TraceJob& job, store::Store& store);

}  // namespace moelab::experiments

// Compares a model's experts on discovery questions, once, and keeps the figures in the store.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "experiments/study_discovery.h"

namespace moelab::experiments {

struct SimilarityRequest {
  std::string domain;         // whose discovery questions; empty: those of all domains of discovery
  std::int64_t tokens = 512;  // compared on so many tokens at most
  std::function<void(std::int64_t layer)> progress =
      {};  // called before each layer; what it throws ends the run
};

// The discovery run, new or stored, whose settings say `similarity` and whose rows are all pairs of experts
// of each layer. Throws ConfigError naming a domain that discovery does not read.
store::Id run_similarity(const LoadedModel& model, const StoredBenchmark& stored,
                         const DiscoveryConfig& config, const SimilarityRequest& request,
                         store::Store& store);

}  // namespace moelab::experiments

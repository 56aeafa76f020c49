// Does the model route what it writes as it routes the prompts? Each domain's prompts against its own written
// answers and against the other domains'.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "experiments/study_results.h"

namespace moelab::experiments {

// Selections of each expert of one domain, flat [layers * experts].
struct PartRouting {
  std::string domain;
  std::vector<double> prompt, written;
};

// Of one layer, or a mean over layers; kUnknown where nothing can be said.
struct Agreement {
  double own =
      kUnknown;  // Spearman's correlation over the experts of the layer: prompts with the own answers
  double others = kUnknown;  // the same with the other domains' answers, mean
  double top_own =
      kUnknown;  // share of the prompts' most used experts that are among the own answers' most used
  double top_others = kUnknown;  // the same with the other domains' answers, mean
};

struct DomainAgreement {
  std::string domain;
  Agreement all;                                          // mean over the layers
  std::vector<std::pair<std::size_t, Agreement>> layers;  // that the domain's prompts and answers use
};

struct RoutingAgreement {
  std::vector<DomainAgreement> domains;
  // How often answers whose domains are permuted agree as much with the prompts, on average over domains:
  // (1 + permutations with at least as much) / (permutations + 1). kUnknown for one domain.
  double p = kUnknown;
};

struct AgreementOptions {
  std::size_t experts = 0;  // of a layer
  std::size_t top = 1;      // most used experts of a layer that are compared; ties go to the smaller index
  int permutations = 999;
  std::uint64_t seed = 1;
};

// Throws Error when the lists are no whole layers, or of unlike lengths.
RoutingAgreement routing_agreement(std::span<const PartRouting> parts, const AgreementOptions& options);

// A line or two on each of the study's benchmarks whose answers' routing is stored for the model (see
// trace_runs.h), or one that says that there is none.
std::vector<std::string> agreement_notes(store::Store& store, store::Id study, store::Id model,
                                         std::int64_t experts);

}  // namespace moelab::experiments

// Which questions a study finds experts on, chooses settings on and reports on.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/store/rows.h"
#include "experiments/benchmark.h"
#include "experiments/study_config.h"

namespace moelab::experiments {

// Indices into the questions of one domain.
struct DomainSplit {
  std::vector<std::size_t> discovery;
  std::vector<std::size_t>
      scored;  // all others (or all, see make_splits), cut to the study's limit, in its order
  std::vector<std::size_t> tuning;      // those of `scored` that settings are chosen on (holdout)
  std::vector<std::vector<int>> folds;  // [assignments][scored] (crossfit)
  std::int64_t unlimited = 0;           // size of `scored` without the limit
};

// Which domains of a benchmark a study tests, and on which it finds experts: the tested ones, or all where
// only one is tested. Sorted. Throws ConfigError for a domain that the benchmark does not have.
struct StudyDomains {
  std::vector<std::string> tested, compared;
};
StudyDomains study_domains(const Benchmark& benchmark, const StudyConfig& study);

// Splits every domain of the benchmark, whatever the study tests, so that studies of few and of many domains
// share their splits. Discovery questions are taken by seed.discovery, tuning questions and folds by
// seed.split, always whole groups. A limit keeps the first questions of a random order that does not depend
// on it, so that a larger limit only adds. With split.tests_discovery (protocol paper) discovery's questions
// are scored too, under a limit they come first: the code released with DSMoE draws both from one file with
// one seed, so that the smaller sample lies in the larger one. Throws ConfigError when a domain has too few
// questions or groups.
std::map<std::string, DomainSplit> make_splits(const Benchmark& benchmark, const StudyConfig& study);

// The rows that the store keeps for one domain; `ids` are those of the domain's questions. One that is scored
// has that role alone, whether discovery reads it too or not.
std::vector<store::SplitRow> split_rows(const DomainSplit& split, std::span<const store::Id> ids,
                                        Protocol protocol);

}  // namespace moelab::experiments

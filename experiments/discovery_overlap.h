// How many test questions are among those that a study's experts were found on.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "experiments/study_results.h"
#include "experiments/text_table.h"

namespace moelab::experiments {

// Of one model, benchmark and domain.
struct DiscoveryOverlap {
  std::string model, benchmark, domain;
  std::int64_t tested = 0;     // test questions
  std::int64_t questions = 0;  // of them those that a discovery run of the model on the benchmark read
  std::int64_t groups = 0;     // of them those that share a group with one that was read, itself included
};

// By model, benchmark and domain of the request, those included whose test questions discovery never read. A
// question is the same when name and content are: a discovery run may have read it under another benchmark's
// name.
std::vector<DiscoveryOverlap> discovery_overlaps(store::Store& store, const TableRequest& request);

// Methods of the request whose plans were made of the test questions themselves, one by one.
std::set<std::string> transductive_methods(store::Store& store, const TableRequest& request);

// A line each for the foot of a table, and one for each transductive method; none where nothing overlaps.
std::vector<std::string> overlap_notes(store::Store& store, const TableRequest& request);

// The same for CSV, which has no foot: the columns seen_in_discovery and group_seen_in_discovery, each row's
// counts of test questions (all of them for a transductive method), empty where no discovery run of the study
// read the row's benchmark. A table without columns for model and domain stays as it is; one without a
// benchmark takes the counts of all of them.
void add_overlap_columns(TextTable& table, store::Store& store, const TableRequest& request);

}  // namespace moelab::experiments

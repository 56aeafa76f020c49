// How well methods and protocols tell the truth on models whose truth is known: recall of planted experts,
// power, false positives, and the gain found against the gain available.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/store/store.h"
#include "experiments/study_config.h"
#include "experiments/study_results.h"

namespace moelab::experiments {

struct CalibrationOptions {
  int subsets = 100;  // random halves of a domain's questions that power is counted over
};

// How often something happened.
struct Share {
  std::int64_t hits = 0;
  std::int64_t trials = 0;
  void add(bool hit) {
    hits += hit ? 1 : 0;
    ++trials;
  }
  double value() const {
    return trials == 0 ? kUnknown : static_cast<double>(hits) / static_cast<double>(trials);
  }
};

// One method under one protocol. Shares without trials and unknown figures: the study has no such cells.
struct CalibrationRow {
  std::string method;
  Protocol protocol = Protocol::crossfit;
  double recall = kUnknown;          // of planted experts by the method's score, mean over models and domains
  Share power;                       // subsets on which a real gain is called
  double gain_found = kUnknown;      // where a gain is there: what the method reports, mean over domains
  double gain_available = kUnknown;  // what the planted experts as plan report
  Share false_p;                     // label permutations with gain > 0 and p < .05
  Share false_null;                  // of these, those that the null draws let pass as well
  Share false_call;                  // those that the verdict's whole rule calls
};

struct Calibration {
  std::vector<CalibrationRow> rows;  // by method, then protocol
  Share false_existence;             // label permutations in which domain experts are said to exist
  std::int64_t questions = 0;        // a domain; the fewest
};

// From the cells of a finished study with calibration.permutations > 0; docs/protocols.md says what is
// permuted. Throws ConfigError when the study's protocol is not crossfit, or it has no model with a known
// truth and answers.
Calibration calibrate(store::Store& store, store::Id study, const CalibrationOptions& options = {});

}  // namespace moelab::experiments

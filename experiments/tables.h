// The tables that `moelab table` prints, each built from the database alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "experiments/calibrate.h"
#include "experiments/study_results.h"
#include "experiments/text_table.h"

namespace moelab::experiments {

// table_methods.cpp: every method against the original, by model and domain. `as_records` gives one column a
// figure (fractions), for CSV; otherwise figures are put together so that a line fits 160 columns.
TextTable methods_table(store::Store& store, const TableRequest& request, bool as_records);

// table_thinking.cpp: what each method's answers are made of, at the settings that were chosen most often:
// thinking and answer tokens, closed thinking, answers cut off or without a result, beside accuracy and gain.
// Throws ConfigError when the study's answers were not written.
TextTable thinking_table(store::Store& store, const TableRequest& request, bool as_records);

struct MetricsRequest {
  TableRequest table;
  std::vector<std::int64_t> k;  // of pass@k and maj@k; empty: the number of samples, where there are several
};

// table_metrics.cpp: each method's written samples at the settings that were chosen most often: accuracy over
// repeats with its clustered interval, pass@k, maj@k, shares cut off and without an answer, tokens. Throws
// ConfigError when nothing was written, or for a k that is larger than the number of samples.
TextTable metrics_table(store::Store& store, const MetricsRequest& request, bool as_records);

// table_decomposition.cpp: each method's gain split into format, truncation and content. Throws ConfigError
// when no comparison of the study has parts.
TextTable decomposition_table(store::Store& store, const TableRequest& request, bool as_records);

// table_sweep.cpp: accuracy (in per cent) and gain (in points) of each method by n_steered and alpha.
TextTable sweep_table(store::Store& store, const TableRequest& request, bool as_records);

struct HeatmapRequest {
  TableRequest table;           // the first model and domain count
  std::string score = "usage";  // a stored expert score, or usage: the share of tokens that select the expert
  std::int64_t top = 8;         // experts marked as the best
};

// table_heatmap.cpp: layer x expert, as shades or as numbers.
TextTable heatmap_table(store::Store& store, const HeatmapRequest& request, bool as_numbers);

struct OverlapRequest {
  TableRequest table;
  std::vector<std::string> scores;  // empty: all that are stored
  std::int64_t top = 8;             // experts compared
};

// table_overlap.cpp: Jaccard overlap of two domains' top experts, by model and score.
TextTable overlap_table(store::Store& store, const OverlapRequest& request);

// table_calibrate.cpp: a line for each method and protocol. As CSV its figures are rounded as in the text.
TextTable calibration_table(const Calibration& calibration, const std::string& study);

// table_existence.cpp: the domains' top experts by score against chance: their overlap, the routing mass on
// them, their stability, and what each layer's routing tells of the domain. Throws ConfigError below two
// domains.
TextTable existence_table(store::Store& store, const OverlapRequest& request);

inline constexpr double kAlike = 0.8;

struct SimilarityTableRequest {
  TableRequest table;     // domains: `all` for those compared on every domain's questions
  double above = kAlike;  // CKA above which a pair counts as alike
};

// table_similarity.cpp: the similarity of experts by layer. Throws ConfigError when the study has none.
TextTable similarity_table(store::Store& store, const SimilarityTableRequest& request);

// table_transfer.cpp: the gain of every domain's experts on every tested domain, by model and method. Throws
// ConfigError when no plan was tested on another domain.
TextTable transfer_table(store::Store& store, const TableRequest& request, bool as_records);

// table_cost.cpp: time, tokens and questions that each method took, by model. Throws ConfigError without
// cells.
TextTable cost_table(store::Store& store, const TableRequest& request, bool as_records);

// table_drift.cpp: refusals before and after each fine-tuning that they were measured for. Throws ConfigError
// without any.
TextTable drift_table(store::Store& store, const TableRequest& request, bool as_records);

// table_verdict.cpp: each model's verdict beside the planted truth, with the recall of planted experts.
TextTable verdict_table(store::Store& store, store::Id study, const std::vector<std::string>& models);

}  // namespace moelab::experiments

// What the tables read of a study: its comparisons as figures, its grid's accuracies, and how its cells
// stand.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/store/store.h"
#include "experiments/statistics/paired.h"
#include "experiments/statistics/proportions.h"

namespace moelab::experiments {

inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// Which part of a study a table shows; empty means all, or the study's own.
struct TableRequest {
  store::Id study = 0;
  std::vector<std::string> models, domains, methods;
  std::string evaluator;
  std::string protocol;
};

// The newest study of that name, or the newest of all for "". Throws ConfigError with the nearest name.
store::Id require_study(store::Store& store, const std::string& name);

// The settings that a selection chose most often.
struct ChosenSettings {
  int n_steered = 0;
  double alpha = 1;
  std::string mode;
  double share = kUnknown;  // of the folds and assignments
};

// Those of a comparison; nothing where none were chosen.
std::optional<ChosenSettings> chosen_settings(const store::ComparisonRow& row);

// One line of the methods table. Fractions; kUnknown where the study has no such figure.
struct MethodRow {
  std::string model, benchmark, domain, method, protocol, evaluator;
  std::int64_t n = 0;        // questions
  std::int64_t repeats = 1;  // samples of each
  double accuracy = kUnknown;
  statistics::Interval accuracy_interval{kUnknown, kUnknown};
  double chance = kUnknown;
  double gain = kUnknown;
  statistics::Interval gain_interval{kUnknown, kUnknown};
  statistics::Interval gain_range{kUnknown, kUnknown};      // over fold assignments
  statistics::Interval gain_bootstrap{kUnknown, kUnknown};  // over whole questions, with repeats
  std::int64_t wrong_right = 0, right_wrong = 0;
  double p = kUnknown, p_holm = kUnknown, p_null = kUnknown;
  std::int64_t n_null = 0;  // draws that were compared with, or that this line sums up
  double gain_other_domains = kUnknown;
  double specificity = kUnknown;  // gain minus gain_other_domains
  statistics::Interval specificity_interval{kUnknown, kUnknown};
  double p_specific = kUnknown, p_labels = kUnknown;
  double changed_share = kUnknown;
  double dose = kUnknown;  // nats a token
  double smallest_detectable = kUnknown;
  double flip_noise = kUnknown;
  double null_best_of_grid = kUnknown;  // protocol paper
  std::optional<ChosenSettings> chosen;
  bool is_exact = false;
  bool is_small_gpqa = false;  // a part of GPQA of fewer than 50 questions: counts are shown, and no star
  bool is_significant() const { return p_holm < 0.05 && p_null <= 0.05 && !is_small_gpqa; }
  // "specific" or "general" for a significant gain, as other domains' plans do not or do give it; else "-".
  std::string reach() const;
};

// Whether a benchmark's questions are GPQA's, whatever it is called, and fewer than 50: a percentage would
// say more than is known.
bool is_small_gpqa(store::Store& store, const std::string& benchmark, std::int64_t questions);

// "37 of 160": the right ones of all samples, a mean over draws or repeats rounded; as figures of a small
// part of GPQA are shown.
std::string right_count_text(double accuracy, std::int64_t samples);

// The lines of the methods table: for each model and domain the original first, random draws summed up in one
// line (mean gain, and their smallest and largest as its interval) last. Throws ConfigError when the study
// has none.
std::vector<MethodRow> method_rows(store::Store& store, const TableRequest& request);

// The evaluator whose figures are shown: the request's, else the study's own. Both may leave the variant
// behind the slash out. Throws ConfigError listing what the study has.
std::string choose_evaluator(store::Store& store, const TableRequest& request);

// One point of the grid against the original, on the questions that both answered; a mean over draws and, for
// a null, over nothing else.
struct GridPoint {
  std::string model, benchmark, domain, method, mode;
  int n_steered = 0;
  double alpha = 1;
  std::int64_t draws = 0;
  std::int64_t questions = 0;
  std::int64_t n = 0;  // answers: each question's repeats
  double accuracy = kUnknown;
  double gain = kUnknown;
  bool is_small_gpqa = false;  // as a MethodRow's
};

// The cells of a study that steer a domain's own experts, and the original; ordered by model, benchmark,
// domain, method, mode, n_steered, alpha. Cells that a halving dropped are left out.
std::vector<GridPoint> grid_points(store::Store& store, const TableRequest& request);

// What is said below a table of grid points: how many cells the study's halvings dropped. Nothing when none.
std::vector<std::string> dropped_lines(store::Store& store, store::Id study);

// Cells of the study by status; 'dropped' are those that were asked a part of the questions because another
// setting of their method won a halving.
std::map<std::string, std::int64_t> cell_counts(store::Store& store, store::Id study);

// The cells that cell_counts calls dropped.
std::set<store::Id> dropped_cells(store::Store& store, store::Id study);

// "cells: 118 done, 2 inert, 0 partial, 0 failed", with dropped, pending and running ones when there are
// any.
std::string cell_count_text(const std::map<std::string, std::int64_t>& counts);

// True when some cell of the model and domain was run on a part of its questions and no halving dropped it.
bool has_partial_cells(store::Store& store, store::Id study, const std::string& model,
                       const std::string& domain);

// Whether `name` is in the list, or the list is empty.
bool is_wanted(const std::vector<std::string>& wanted, const std::string& name);

// original, dsmoe, contrast, frequency, others by name, random: the place of a method in every table.
int method_place(const std::string& method);

}  // namespace moelab::experiments

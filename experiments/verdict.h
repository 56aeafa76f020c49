// The verdict on a model (no domain experts, experts without gain, experts with gain), its evidence, and the
// truth beside it where it is known.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/store/store.h"
#include "experiments/existence.h"

namespace moelab::experiments {

enum class Verdict { no_domain_experts, experts_without_gain, experts_with_gain };

std::string_view name_of(Verdict verdict);
// Spaces count as underscores. Throws ConfigError.
Verdict parse_verdict(std::string_view name);

// Conventions of the verdict; docs/protocols.md gives the reasons.
inline constexpr double kLeastContrast = 0.25;  // held-out difference of selection rates
inline constexpr double kLevel = 0.05;

struct ExistenceEvidence {
  std::string domain;
  double contrast = 0;
  double p = 1;
  bool exists() const { return contrast >= kLeastContrast && p <= kLevel; }
};

// One (domain, method) comparison.
struct GainEvidence {
  std::string benchmark, domain, method;
  double gain = 0;
  double p_holm = 1;
  double p_null = 1;
  std::optional<double> specificity;  // unknown with one domain
  std::optional<double> p_specific;
  double flip_noise = 0;
  // Significant after Holm, above the null draws and above the noise of the arithmetic.
  bool is_gain() const { return gain > 0 && p_holm < kLevel && p_null <= kLevel && gain > flip_noise; }
  // Larger than what other domains' plans give.
  bool is_specific() const { return specificity.value_or(0) > 0 && p_specific.value_or(1) <= kLevel; }
  bool counts() const { return is_gain() && is_specific(); }
  // Other domains' plans give it as well.
  bool is_general() const { return is_gain() && specificity && !is_specific(); }
};

// Of the P experts planted for a domain, how many a score ranks among its first P; means over domains.
struct PlantedRecall {
  std::string score;
  double recall = 0;
  std::map<std::string, double> by_kind;  // of the planted experts of one kind, those among the first P
};

struct ModelVerdict {
  store::Id model = 0;
  std::string name;
  Verdict verdict = Verdict::no_domain_experts;
  std::vector<ExistenceEvidence> existence;
  std::vector<GainEvidence> gains;
  std::optional<Verdict> truth;
  std::vector<PlantedRecall> recall;

  bool is_right() const { return truth == verdict; }
};

// The rule: experts exist when at least half of the domains show them; they bring a gain when some comparison
// counts.
Verdict decide(std::span<const ExistenceEvidence> existence, std::span<const GainEvidence> gains);

// What existence is judged on: the routing of the discovery questions of one model and benchmark.
struct ExistenceInput {
  std::vector<std::string> domains;
  std::vector<QuestionRouting> questions;
  ExistenceOptions options;
};

// One entry a benchmark with two or more compared domains.
std::vector<ExistenceInput> existence_inputs(store::Store& store, store::Id study, store::Id model);

std::vector<ExistenceEvidence> existence_of(const ExistenceInput& input);

// The verdict on every model of the study that was loaded, from its stored routing counts and comparisons.
// Models without discovery runs are left out.
std::vector<ModelVerdict> model_verdicts(store::Store& store, store::Id study);

// Computes the verdicts and notes them in the study's event log as JSON (kind 'verdict').
void store_verdicts(store::Store& store, store::Id study);

}  // namespace moelab::experiments

// Runs discovery for a model on every domain that a study needs, once, and keeps it in the store.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/discovery/expert_score.h"
#include "core/engine/engine.h"
#include "core/store/store.h"
#include "core/text/tokenizer.h"
#include "experiments/benchmark.h"
#include "experiments/study_config.h"
#include "experiments/study_splits.h"

namespace moelab::experiments {

// A model that is loaded, and what identifies it.
struct LoadedModel {
  const engine::Engine* engine = nullptr;
  const text::Tokenizer* tokenizer = nullptr;
  store::Id id = 0;
  std::string digest;  // of weights and config
  std::string dtype;   // that it computes in
};

// A ranking that does not come from a domain's counts, or why there is none.
struct StoredRanking {
  std::vector<discovery::RankedExpert> experts;
  std::string error;
};

// Rankings of a method whose plans differ by question.
struct QuestionRankings {
  // Of each tested question that was ranked for, its best experts, as many as any plan of the study takes.
  std::map<store::Id, std::vector<discovery::RankedExpert>> experts;
  std::int64_t unmarked = 0;  // questions whose traces hold no marker
  std::string key;            // of what the rankings were made of
  std::string error;          // why there are none
};

// What was found on one domain.
struct DomainFindings {
  store::Id run = 0;
  std::string key;                                           // the run's
  discovery::RoutingCounts counts;                           // summed over the discovery questions
  std::map<std::string, StoredRanking> rankings = {};        // by MethodConfig::ranking_name
  std::map<std::string, QuestionRankings> by_question = {};  // the same, of methods with plans by question
};

// By domain. Those that `contrast` compares with are all in it.
using StudyFindings = std::map<std::string, DomainFindings>;

// One benchmark's questions with their ids in the store.
struct StoredBenchmark {
  Benchmark benchmark;
  std::map<std::string, std::vector<store::Id>> ids;  // [domain][question]
  std::map<std::string, DomainSplit> splits;
  StudyDomains domains;
};

// Finds or makes the discovery runs of `model` on all compared domains: token importance, routing counts for
// each question, and all expert scores with their ranks, those of the study's queries too. Some scores depend
// on the compared domains, so these are part of a run's key.
StudyFindings run_discovery(const LoadedModel& model, const StoredBenchmark& stored, const StudyConfig& study,
                            store::Store& store);

// The methods of a study whose rankings are needed: its own, and the one that nulls are matched to.
std::vector<MethodConfig> ranking_methods(const StudyConfig& study);

// The ranking of one domain's experts by a method's score, query or traces. Throws ConfigError when the
// domain was not discovered, the score is undefined on it or there is no ranking.
std::vector<discovery::RankedExpert> ranking_of(const StudyFindings& findings, const std::string& domain,
                                                const MethodConfig& method, const model::ModelSpec& spec);

// The parts that trace rankings share: a domain's discovery questions, the rows of one question's counts,
// their sums by expert (flat [layers * experts]), and the rows of a ranking.
std::vector<Question> discovery_questions(const StoredBenchmark& stored, const std::string& domain);
void add_routing(const discovery::RoutingCounts& counts, store::Id question, std::int64_t experts,
                 store::DiscoveryData& data);
discovery::RoutingCounts sum_rows(std::span<const store::RoutingRow> rows, const model::ModelSpec& spec);
std::vector<store::ScoreRow> score_rows(const std::string& name,
                                        std::span<const discovery::RankedExpert> ranking);

}  // namespace moelab::experiments

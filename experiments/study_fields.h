// The keys of a study and of its groups' options: name, type, default, limits and one line of help each.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/config/binder.h"
#include "experiments/model_place.h"
#include "experiments/study_config.h"

namespace moelab::experiments {

// A file of configs/method, configs/model or configs/benchmark as it is written; an empty name is the file's.
struct MethodFields {
  std::string name, kind = "score", score = "paper";
  std::filesystem::path score_sql;
  std::int64_t activate = 0, deactivate = -1;
  RiceConfig rice;
  std::string hint = "The following question is about {domain}.\n";
};

struct ModelFields {
  std::string name, hub_id, revision = "main", expected_verdict;
  std::filesystem::path path, truth;
  std::vector<std::string> files;
  SamplingAdvice sampling;
  ChatAdvice chat;
};

struct BenchmarkFields {
  std::string name, prompt = "short", domain_by = "domain";
  std::filesystem::path questions;
  std::vector<std::string> domains, files, examples, evaluators;
  std::int64_t shots = -1;
  bool chat = false;
  ChatOptions chat_options;
  GenerationConfig generation;
};

config::Binder<StudyConfig> study_binder();
config::Binder<MethodFields> method_binder();
config::Binder<ModelFields> model_binder();
config::Binder<BenchmarkFields> benchmark_binder();

}  // namespace moelab::experiments

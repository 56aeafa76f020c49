// Which keys of a study's config make another study of it.
#include <algorithm>

#include "core/base/hash.h"
#include "core/base/json.h"
#include "experiments/study_config.h"

namespace moelab::experiments {

std::string StudyConfig::hash() const {
  Json figures = tree;
  figures.erase("db");
  figures.erase("plan");
  figures.erase("score_sql");
  // Studies that do not ask for what came later keep the hash that they had before.
  if (axes.top_k.empty()) figures["axes"].erase("top_k");
  if (!split.tests_discovery) figures["split"].erase("tests_discovery");
  figures.erase("limits");
  const bool samples =
      std::any_of(benchmarks.begin(), benchmarks.end(), [](const BenchmarkConfig& benchmark) {
        return is_generated(benchmark.prompt) && !benchmark.generation.is_greedy();
      });
  if (!samples) figures["seed"].erase("sampling");
  if (calibration.permutations == 0) figures.erase("calibration");
  if (transfer.study.empty()) figures.erase("transfer");
  if (search.is_random())
    for (const char* key : {"eta", "rungs"}) figures["search"].erase(key);
  else if (search.is_halving())
    figures["search"].erase("settings");
  else
    figures.erase("search");
  if (has_kind(*this, MethodKind::sft)) {
    forget_unused(figures["sft"]);
  } else {
    figures.erase("sft");
    figures["seed"].erase("training");
  }
  for (const char* key : {"device", "batch_tokens", "threads", "check_weights"}) figures["engine"].erase(key);
  for (Json& option : figures["options"]["model"])
    for (const char* key : {"path", "files", "sampling", "chat"}) option.erase(key);
  return sha256(canonical_json(figures));
}

}  // namespace moelab::experiments

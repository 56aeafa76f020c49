#include "experiments/cell_keys.h"

#include <cmath>

#include "core/base/hash.h"
#include "core/base/json.h"

namespace moelab::experiments {
namespace {

Json label_of(const PlannedCell& cell) {
  return {{"method", cell.method}, {"draw", cell.draw},           {"steered_domain", cell.steered_domain},
          {"alpha", cell.alpha},   {"n_steered", cell.n_steered}, {"mode", cell.mode}};
}

store::PlanEntryRow entry_row(const steering::PlanEntry& entry) {
  return {static_cast<int>(entry.layer), static_cast<int>(entry.expert),
          std::string(steering::name_of(entry.operation)), entry.value};
}

}  // namespace

std::string key_of(const Condition& condition) {
  Json key = {{"model", condition.model},   {"tokenizer", condition.tokenizer},
              {"prompt", condition.prompt}, {"questions", condition.questions},
              {"dtype", condition.dtype},   {"exact", condition.exact}};
  if (!condition.generation.empty()) key["generation"] = condition.generation;
  return sha256(canonical_json(key));
}

std::string plan_content(const PlannedCell& cell) {
  if (!cell.weights.empty()) return "trained " + cell.weights;
  if (cell.by_question)
    return "by question " + sha256(canonical_json({{"from", cell.run_key},
                                                   {"n_steered", cell.n_steered},
                                                   {"alpha", cell.alpha},
                                                   {"mode", cell.mode}}));
  std::string content = cell.plan ? steering::digest(*cell.plan) : "original";
  if (!cell.variant.hint.empty()) content += "|hint " + sha256(cell.variant.hint);
  if (cell.variant.top_k > 0) content += fmt::format("|top_k {}", cell.variant.top_k);
  return content;
}

std::string cell_key(const std::string& condition, const PlannedCell& cell) {
  // A cell without a plan for its model never has samples; it must not meet the one that gets a plan later.
  const std::string plan = cell.error.empty() ? plan_content(cell) : "none";
  return sha256(canonical_json({{"condition", condition}, {"plan", plan}, {"label", label_of(cell)}}));
}

std::string sample_key(const std::string& condition, const std::string& plan, const std::string& question,
                       int repeat) {
  return sha256(fmt::format("{}|{}|{}|{}", condition, plan, question, repeat));
}

store::PlanRow plan_row(const PlannedCell& cell) {
  store::PlanRow row;
  Json label = label_of(cell);
  label["plan"] = plan_content(cell);
  label["run"] = cell.run_key;
  row.digest = sha256(canonical_json(label));
  row.method = cell.method;
  row.mode = cell.mode;
  row.alpha = cell.alpha;
  row.logit_shift = std::log(cell.alpha);
  row.n_steered = cell.n_steered;
  row.draw = cell.draw;
  row.domain = cell.steered_domain;
  row.run = cell.run;
  for (const steering::PlanEntry& entry : cell.plan->entries) row.entries.push_back(entry_row(entry));
  if (cell.by_question)
    for (const auto& [question, plan] : *cell.by_question)
      for (const steering::PlanEntry& entry : plan.entries)
        row.by_question.push_back({question, entry_row(entry)});
  return row;
}

}  // namespace moelab::experiments

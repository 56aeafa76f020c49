#include "experiments/study_variants.h"

#include <algorithm>

#include "evaluators/prompts/makers.h"

namespace moelab::experiments {

std::string hint_of(const MethodConfig& method, const std::string& domain) {
  return prompts::replaced_all(method.hint, "{domain}", domain);
}

std::vector<std::string> hints_of(const StudyConfig& study, const std::vector<std::string>& domains) {
  std::vector<std::string> hints = {""};
  for (const MethodConfig& method : study.methods) {
    if (method.kind != MethodKind::prompt) continue;
    for (const std::string& domain : domains) hints.push_back(hint_of(method, domain));
  }
  return hints;
}

void require_top_k(const model::ModelSpec& spec, std::int64_t top_k) {
  const model::RouterSpec& router = spec.router;
  const std::int64_t most = router.experts / router.groups * router.groups_kept;
  if (top_k < 1 || top_k > most)
    throw ConfigError("axes.top_k: {} active experts, but a token's experts come from {} of a layer", top_k,
                      most);
}

engine::Engine with_top_k(const engine::Engine& engine, std::int64_t top_k) {
  require_top_k(engine.spec(), top_k);
  model::Model model = engine.model();
  model.mutable_spec().router.top_k = top_k;
  return {std::move(model), engine.options()};
}

}  // namespace moelab::experiments

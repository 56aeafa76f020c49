// RICE's and SteerMoE's plans against their papers' rules applied inside transformers' routers; see
// tests/reference/discovery/make_published_rules.py.
#include <cmath>

#include "experiments/methods_plan.h"
#include "tests/support/catch.h"
#include "tests/support/model_reference.h"

namespace moelab::experiments {
namespace {

std::vector<discovery::RankedExpert> ranking_in(const Json& fields) {
  std::vector<discovery::RankedExpert> ranking;
  for (const Json& pair : fields.at("ranking"))
    ranking.push_back({{pair[0], pair[1]}, -static_cast<double>(ranking.size())});
  return ranking;
}

// The rule as a method of a study and its setting.
std::pair<MethodConfig, Setting> method_of(const Json& rule, double beta) {
  MethodConfig method;
  method.name = rule.at("name").get<std::string>();
  if (rule.contains("experts")) {
    method.kind = MethodKind::rice;
    return {method, {rule.at("experts"), beta, steering::parse_mode(rule.at("mode").get<std::string>())}};
  }
  method.kind = MethodKind::steermoe;
  method.activate = rule.value("activate", 0);
  method.deactivate = rule.value("deactivate", 0);
  return {method, {method.activate + method.deactivate, 1, {}}};
}

}  // namespace

TEST_CASE("RICE's and SteerMoE's plans give the log-probabilities of the published rules", "[experiments]") {
  const std::string checkpoint = GENERATE(as<std::string>(), "qwen3_moe_tiny", "olmoe_tiny");
  const Json fields =
      read_json(testing::data_dir() / "discovery" / ("published_rules_" + checkpoint + ".json"));
  const auto engine = testing::load_engine(testing::data_dir() / "model" / checkpoint);
  const auto ranking = ranking_in(fields);
  std::vector<engine::ScoreItem> items;
  for (const Json& tokens : fields.at("prompts")) {
    const auto all = tokens.get<engine::Tokens>();
    items.push_back({{all.begin(), all.end() - 1}, {{all.back()}}});
  }
  std::vector<steering::Plan> plans;
  for (const Json& rule : fields.at("rules")) {
    if (rule.at("name") == "original") continue;
    const auto [method, setting] = method_of(rule, fields.at("beta").get<double>());
    plans.push_back(plan_of(method, ranking, setting, engine.spec()).plan);
  }
  const auto report = engine.score(items, plans);
  for (std::size_t r = 0; r < fields.at("rules").size(); ++r)
    for (std::size_t i = 0; i < items.size(); ++i) {
      INFO(checkpoint << " " << fields["rules"][r].at("name") << " prompt " << i);
      const auto expected = fields["rules"][r].at("log_probabilities")[i].get<double>();
      CHECK(report.items[i].log_probabilities[r][0] == Catch::Approx(expected).epsilon(1e-5));
    }
}

}  // namespace moelab::experiments

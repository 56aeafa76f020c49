// RICE's and SteerMoE's plans against their papers' rules applied inside transformers' routers; see
// tests/reference/discovery/make_published_rules.py.
#include <algorithm>

#include "experiments/methods_plan.h"
#include "experiments/trace_rankings.h"
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

// The ranking by one trace, whose markers are given as [place of the token, coefficient].
std::vector<discovery::RankedExpert> trace_ranking(const engine::Engine& engine, const engine::Tokens& trace,
                                                   const Json& markers) {
  std::vector<double> scores;
  const std::vector<discovery::DiscoveryItem> items = {{trace, {}, {}}};
  for (const Json& marker : markers) {
    std::vector<std::vector<discovery::TokenKind>> kinds(1);
    for (const std::int32_t token : trace)
      kinds[0].push_back(token == trace[marker[0].get<std::size_t>()] ? discovery::TokenKind::important
                                                                      : discovery::TokenKind::common);
    REQUIRE(add_trace_scores(discovery::count_routing(engine, items, kinds).at(0), marker[1].get<double>(),
                             engine.spec(), scores));
  }
  return discovery::rank(scores, engine.spec());
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
    if (rule.at("name") == "original" || rule.contains("markers")) continue;
    const auto [method, setting] = method_of(rule, fields.at("beta").get<double>());
    plans.push_back(plan_of(method, ranking, setting, engine.spec()).plan);
  }
  const auto report = engine.score(items, plans);
  std::size_t column = 0;
  for (const Json& rule : fields.at("rules")) {
    if (rule.contains("markers")) continue;
    for (std::size_t i = 0; i < items.size(); ++i) {
      INFO(checkpoint << " " << rule.at("name") << " prompt " << i);
      const auto expected = rule.at("log_probabilities")[i].get<double>();
      CHECK(report.items[i].log_probabilities[column][0] == Catch::Approx(expected).epsilon(1e-5));
    }
    ++column;
  }
}

TEST_CASE("RICE's experts of one trace and what they do are those of the published rule", "[experiments]") {
  const std::string checkpoint = GENERATE(as<std::string>(), "qwen3_moe_tiny", "olmoe_tiny");
  const Json fields =
      read_json(testing::data_dir() / "discovery" / ("published_rules_" + checkpoint + ".json"));
  const auto engine = testing::load_engine(testing::data_dir() / "model" / checkpoint);
  const auto rule = std::find_if(fields.at("rules").begin(), fields.at("rules").end(),
                                 [](const Json& one) { return one.contains("markers"); });
  REQUIRE(rule != fields.at("rules").end());
  const auto [method, setting] = method_of(*rule, fields.at("beta").get<double>());
  for (std::size_t i = 0; i < fields.at("prompts").size(); ++i) {
    INFO(checkpoint << " prompt " << i);
    const auto tokens = fields["prompts"][i].get<engine::Tokens>();
    const auto ranking = trace_ranking(engine, tokens, rule->at("markers"));
    const Json& expected = rule->at("rankings")[i];
    for (std::size_t e = 0; e < expected.size(); ++e)
      CHECK(ranking[e].id == steering::ExpertId{expected[e][0], expected[e][1]});
    const steering::Plan plan = plan_of(method, ranking, setting, engine.spec()).plan;
    const engine::ScoreItem item{{tokens.begin(), tokens.end() - 1}, {{tokens.back()}}};
    CHECK(engine.score({&item, 1}, {&plan, 1}).items[0].log_probabilities[1][0] ==
          Catch::Approx(rule->at("log_probabilities")[i].get<double>()).epsilon(1e-5));
  }
}

}  // namespace moelab::experiments

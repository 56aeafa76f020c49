#include "experiments/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/base/json.h"
#include "experiments/discovery_results.h"
#include "experiments/method_config.h"
#include "experiments/planted.h"
#include "experiments/study_notes.h"

namespace moelab::experiments {
namespace {

constexpr std::array<std::string_view, 3> kVerdicts = {"no_domain_experts", "experts_without_gain",
                                                       "experts_with_gain"};

// The discovery runs of one model and benchmark in a study, by domain.
using DomainRuns = std::map<std::string, store::Id>;

std::map<std::string, DomainRuns> runs_of(store::Store& store, store::Id study, store::Id model) {
  std::map<std::string, DomainRuns> runs;
  for (const Json& note : notes(store, study, "discovery"))
    if (note.at("model") == model)
      runs[note.at("benchmark").get<std::string>()][note.at("domain").get<std::string>()] =
          note.at("run").get<store::Id>();
  return runs;
}

struct Sizes {
  std::size_t layers = 0, moe_layers = 0, experts = 0, top_k = 0;
};

Sizes sizes_of(const store::ModelRow& model) {
  const std::string origin = fmt::format("model.spec of {}", model.name);
  const Json spec = parse_json(model.spec, origin);
  return {json_get<std::size_t>(spec, "layers", origin), json_get<Json>(spec, "moe_layers", origin).size(),
          json_get<std::size_t>(spec, "experts", origin), json_get<std::size_t>(spec, "top_k", origin)};
}

void add_questions(store::Store& store, store::Id run, std::size_t domain, const Sizes& sizes,
                   std::vector<QuestionRouting>& questions) {
  store::Id last = 0;
  for (const store::RoutingRow& row : store.routing(run)) {
    if (row.question != last) questions.push_back({store.question(row.question).group_id, domain, 0, {}});
    last = row.question;
    const auto n = static_cast<double>(row.n);
    // Every token makes top_k selections in every MoE layer.
    questions.back().tokens += n / static_cast<double>(sizes.moe_layers * sizes.top_k);
    questions.back().counts.emplace_back(
        static_cast<std::size_t>(row.layer) * sizes.experts + static_cast<std::size_t>(row.expert), n);
  }
}

ExistenceInput input_of(store::Store& store, const Sizes& sizes, const DomainRuns& runs) {
  ExistenceInput input;
  for (const auto& [domain, run] : runs) {
    add_questions(store, run, input.domains.size(), sizes, input.questions);
    input.domains.push_back(domain);
  }
  input.options.experts = sizes.layers * sizes.experts;
  input.options.top = std::max<std::size_t>(4, (sizes.moe_layers * sizes.experts + 50) / 100);
  return input;
}

// Hints, other numbers of active experts, fine-tuning and the last of a ranking say nothing of domain
// experts.
bool steers_domain_experts(const Json& config, const std::string& method) {
  const auto kind = stored_kind(config, method);
  return kind != MethodKind::sft && kind != MethodKind::prompt && kind != MethodKind::top_k &&
         kind != MethodKind::bottom;
}

std::vector<GainEvidence> gains_of(store::Store& store, store::Id study, store::Id model,
                                   const Json& config) {
  const auto evaluator = json_get<std::string>(config, "evaluator", "study.config");
  std::vector<GainEvidence> gains;
  for (const store::ComparisonRow& row : store.comparisons(study)) {
    if (row.model != model || row.evaluator != evaluator || !row.p_holm) continue;
    if (!steers_domain_experts(config, row.method)) continue;
    gains.push_back({row.benchmark, row.domain, row.method, row.gain, *row.p_holm, row.p_null.value_or(1),
                     row.specificity, row.p_specific, row.flip_noise.value_or(0)});
  }
  return gains;
}

// --- the truth ---

// Sums of hits and of planted experts.
struct Hits {
  double sum = 0;
  double domains = 0;
  void add(double share) {
    sum += share;
    domains += 1;
  }
  double mean() const { return domains > 0 ? sum / domains : 0; }
};

std::vector<PlantedRecall> recall_of(store::Store& store, const DomainRuns& runs, const Json& truth) {
  const auto planted = planted_of(truth);
  std::vector<PlantedRecall> result;
  std::set<std::string> scores;
  for (const auto& [domain, run] : runs)
    for (std::string& score : score_names(store, run)) scores.insert(std::move(score));
  for (const std::string& score : scores) {
    Hits all;
    std::map<std::string, Hits> by_kind;
    for (const auto& [domain, run] : runs) {
      const auto known = planted.find(domain);
      const auto ranking = store.scores(run, score);
      if (known == planted.end() || known->second.empty() || ranking.empty()) continue;
      const std::size_t first = std::min(known->second.size(), ranking.size());
      std::set<std::pair<int, int>> top;
      for (std::size_t i = 0; i < first; ++i) top.emplace(ranking[i].layer, ranking[i].expert);
      std::map<std::string, std::pair<double, double>> kinds;  // hits, planted
      double hits = 0;
      for (const Planted& expert : known->second) {
        const double hit = top.contains({expert.layer, expert.expert}) ? 1 : 0;
        hits += hit;
        kinds[expert.kind].first += hit;
        kinds[expert.kind].second += 1;
      }
      all.add(hits / static_cast<double>(known->second.size()));
      for (const auto& [kind, counts] : kinds) by_kind[kind].add(counts.first / counts.second);
    }
    if (all.domains == 0) continue;
    PlantedRecall recall{score, all.mean(), {}};
    for (const auto& [kind, hits] : by_kind) recall.by_kind[kind] = hits.mean();
    result.push_back(std::move(recall));
  }
  return result;
}

void add_truth(store::Store& store, const Json& option, const DomainRuns& runs, ModelVerdict& verdict) {
  const std::string origin = "study.config";
  std::string expected = json_get_or<std::string>(option, "expected_verdict", "", origin);
  if (option.contains("planted") && option["planted"].is_object()) {
    expected = json_get_or<std::string>(option["planted"], "verdict", expected, origin);
    verdict.recall = recall_of(store, runs, option["planted"]);
  }
  if (!expected.empty()) verdict.truth = parse_verdict(expected);
}

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

Json to_json(const ModelVerdict& verdict) {
  Json existence = Json::array(), gains = Json::array(), recall = Json::array();
  for (const ExistenceEvidence& e : verdict.existence)
    existence.push_back({{"domain", e.domain}, {"contrast", e.contrast}, {"p", e.p}, {"exists", e.exists()}});
  for (const GainEvidence& g : verdict.gains)
    gains.push_back({{"benchmark", g.benchmark},
                     {"domain", g.domain},
                     {"method", g.method},
                     {"gain", g.gain},
                     {"p_holm", g.p_holm},
                     {"p_null", g.p_null},
                     {"specificity", or_null(g.specificity)},
                     {"p_specific", or_null(g.p_specific)},
                     {"flip_noise", g.flip_noise},
                     {"general", g.is_general()},
                     {"counts", g.counts()}});
  for (const PlantedRecall& r : verdict.recall)
    recall.push_back({{"score", r.score}, {"recall", r.recall}, {"by_kind", r.by_kind}});
  return {{"model", verdict.model},
          {"name", verdict.name},
          {"verdict", name_of(verdict.verdict)},
          {"truth", verdict.truth ? Json(name_of(*verdict.truth)) : Json()},
          {"existence", existence},
          {"gains", gains},
          {"recall", recall}};
}

}  // namespace

std::string_view name_of(Verdict verdict) { return kVerdicts[static_cast<std::size_t>(verdict)]; }

Verdict parse_verdict(std::string_view name) {
  std::string wanted(name);
  std::replace(wanted.begin(), wanted.end(), ' ', '_');
  const auto found = std::find(kVerdicts.begin(), kVerdicts.end(), wanted);
  if (found == kVerdicts.end())
    throw ConfigError("'{}' is no verdict; valid: {}, {}, {}", name, kVerdicts[0], kVerdicts[1],
                      kVerdicts[2]);
  return static_cast<Verdict>(found - kVerdicts.begin());
}

Verdict decide(std::span<const ExistenceEvidence> existence, std::span<const GainEvidence> gains) {
  const auto showing = std::count_if(existence.begin(), existence.end(),
                                     [](const ExistenceEvidence& e) { return e.exists(); });
  if (showing == 0 || 2 * showing < std::ssize(existence)) return Verdict::no_domain_experts;
  const bool gain = std::any_of(gains.begin(), gains.end(), [](const GainEvidence& g) { return g.counts(); });
  return gain ? Verdict::experts_with_gain : Verdict::experts_without_gain;
}

std::vector<ExistenceInput> existence_inputs(store::Store& store, store::Id study, store::Id model) {
  std::vector<ExistenceInput> inputs;
  for (const auto& [benchmark, by_domain] : runs_of(store, study, model))
    if (by_domain.size() >= 2) inputs.push_back(input_of(store, sizes_of(store.model(model)), by_domain));
  return inputs;
}

std::vector<ExistenceEvidence> existence_of(const ExistenceInput& input) {
  const auto contrasts = domain_contrasts(input.questions, input.domains, input.options);
  std::vector<ExistenceEvidence> evidence;
  for (std::size_t d = 0; d < contrasts.size(); ++d)
    evidence.push_back({input.domains[d], contrasts[d].contrast, contrasts[d].p});
  return evidence;
}

std::vector<ModelVerdict> model_verdicts(store::Store& store, store::Id study) {
  const std::string origin = "study.config";
  const Json config = parse_json(store.study(study).config, origin);
  const Json options = json_get<Json>(json_get<Json>(config, "options", origin), "model", origin);
  std::vector<ModelVerdict> verdicts;
  for (const Json& note : notes(store, study, "model")) {
    ModelVerdict verdict;
    verdict.model = note.at("model").get<store::Id>();
    verdict.name = note.at("name").get<std::string>();
    const auto runs = runs_of(store, study, verdict.model);
    if (runs.empty()) continue;
    for (const ExistenceInput& input : existence_inputs(store, study, verdict.model))
      for (ExistenceEvidence& evidence : existence_of(input))
        verdict.existence.push_back(std::move(evidence));
    // Experts of one domain alone cannot be told from experts of everything.
    if (verdict.existence.empty()) continue;
    verdict.gains = gains_of(store, study, verdict.model, config);
    verdict.verdict = decide(verdict.existence, verdict.gains);
    for (const Json& option : options)
      if (option.at("name") == verdict.name) add_truth(store, option, runs.begin()->second, verdict);
    verdicts.push_back(std::move(verdict));
  }
  return verdicts;
}

void store_verdicts(store::Store& store, store::Id study) {
  for (const ModelVerdict& verdict : model_verdicts(store, study))
    put_note(store, study, "verdict", to_json(verdict));
}

}  // namespace moelab::experiments

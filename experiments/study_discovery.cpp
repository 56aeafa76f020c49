#include "experiments/study_discovery.h"

#include <algorithm>

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/base/stopwatch.h"
#include "experiments/discovery_results.h"
#include "experiments/guarded.h"

namespace moelab::experiments {
namespace {

Json settings_json(const DiscoveryConfig& config) {
  return {{"loss", config.loss},
          {"options_in_prompt", config.options_in_prompt},
          {"percentile", config.percentile},
          {"classification", config.classification},
          {"stop_words_are_common", config.stop_words_are_common},
          {"punctuation_is_common", config.punctuation_is_common},
          {"punctuation_rule", config.punctuation_rule}};
}

std::string run_key(const LoadedModel& model, const StoredBenchmark& stored, const std::string& domain,
                    const Json& settings) {
  Json compared = Json::object();
  for (const std::string& name : stored.domains.compared)
    compared[name] = question_set_digest(discovery_questions(stored, name));
  return sha256(canonical_json({{"kind", "discovery/1"},
                                {"model", model.digest},
                                {"tokenizer", model.tokenizer->digest()},
                                {"dtype", model.dtype},
                                {"domain", domain},
                                {"compared", compared},
                                {"settings", settings}}));
}

discovery::DiscoveryItem make_item(const Question& question, const DiscoveryConfig& config,
                                   const text::Tokenizer& tokenizer) {
  discovery::DiscoveryItem item;
  item.prompt = tokenizer.encode(render_discovery_prompt(question, config.options_in_prompt), true);
  if (config.loss == "answer") item.answer = tokenizer.encode(" " + question.answer_text());
  for (const std::int32_t token : item.prompt) item.token_texts.push_back(tokenizer.decode({&token, 1}));
  return item;
}

std::string kind_name(discovery::TokenKind kind) {
  if (kind == discovery::TokenKind::important) return "important";
  return kind == discovery::TokenKind::common ? "common" : "excluded";
}

// `item` without texts: of a private question no token is stored as text.
void add_question(const discovery::ItemFindings& found, const discovery::DiscoveryItem& item,
                  store::Id question, std::int64_t experts, store::DiscoveryData& data) {
  for (std::size_t t = 0; t < item.prompt.size(); ++t)
    data.importance.push_back(
        {question, static_cast<int>(t), item.token_texts[t], found.importance[t], kind_name(found.kinds[t])});
  add_routing(found.counts, question, experts, data);
}

// A run that is not stored yet.
struct NewRun {
  store::DiscoveryRow row;
  store::DiscoveryData data;
};

NewRun find_experts(const LoadedModel& model, const StoredBenchmark& stored, const std::string& domain,
                    const DiscoveryConfig& config) {
  const auto start = Clock::now();
  std::vector<discovery::DiscoveryItem> items;
  for (const Question& question : discovery_questions(stored, domain))
    items.push_back(make_item(question, config, *model.tokenizer));
  const discovery::Findings findings = discovery::discover(*model.engine, items, config.settings());
  NewRun run;
  run.row.model = model.id;
  run.row.domain = domain;
  run.row.n_questions = static_cast<std::int64_t>(items.size());
  if (stored.benchmark.is_private)
    for (discovery::DiscoveryItem& item : items)
      std::fill(item.token_texts.begin(), item.token_texts.end(), "");
  const auto& chosen = stored.splits.at(domain).discovery;
  for (std::size_t i = 0; i < items.size(); ++i) {
    run.row.n_tokens += static_cast<std::int64_t>(items[i].prompt.size());
    add_question(findings.items[i], items[i], stored.ids.at(domain)[chosen[i]],
                 model.engine->spec().router.experts, run.data);
  }
  run.row.seconds = seconds_since(start);
  return run;
}

std::vector<discovery::RoutingCounts> others_of(const StudyFindings& findings, const std::string& domain) {
  std::vector<discovery::RoutingCounts> others;
  for (const auto& [name, found] : findings)
    if (name != domain) others.push_back(found.counts);
  return others;
}

// Stores the scores that the domain's run lacks: a run may be older than a score.
void store_scores(const StudyFindings& findings, const std::string& domain, const model::ModelSpec& spec,
                  store::Store& store) {
  const DomainFindings& found = findings.at(domain);
  const std::vector<std::string> stored = score_names(store, found.run);
  const auto others = others_of(findings, domain);
  for (const discovery::Score score : discovery::all_scores()) {
    const std::string name(name_of(score));
    if (std::find(stored.begin(), stored.end(), name) != stored.end()) continue;
    if (!discovery::why_undefined(score, found.counts, others).empty()) continue;
    store.put_scores(found.run,
                     score_rows(name, ranking_of(findings, domain, {name, MethodKind::score, score}, spec)));
  }
}

void rank_by_queries(const StudyConfig& study, StudyFindings& findings, const model::ModelSpec& spec,
                     store::Store& store) {
  SqlScope scope;
  for (const auto& [domain, found] : findings) scope.runs[domain] = found.run;
  for (const MethodConfig& method : ranking_methods(study))
    for (auto& [domain, found] : findings) {
      if (!method.sql) continue;
      scope.target = domain;
      const std::string name = method.sql->name();
      StoredRanking& ranking = found.rankings[name];
      guarded([&] { ranking.experts = sql_ranking(store.database().path(), *method.sql, scope, spec); },
              [&](const std::string& problem) { ranking.error = problem; });
      if (store.scores(found.run, name).empty())
        store.put_scores(found.run, score_rows(name, ranking.experts));
    }
}

}  // namespace

std::vector<Question> discovery_questions(const StoredBenchmark& stored, const std::string& domain) {
  std::vector<Question> chosen;
  for (const std::size_t i : stored.splits.at(domain).discovery)
    chosen.push_back(stored.benchmark.domain(domain)[i]);
  return chosen;
}

void add_routing(const discovery::RoutingCounts& counts, store::Id question, std::int64_t experts,
                 store::DiscoveryData& data) {
  for (std::size_t e = 0; e < counts.total.size(); ++e) {
    if (counts.total[e] == 0) continue;
    const auto flat = static_cast<std::int64_t>(e);
    data.routing.push_back({question, static_cast<int>(flat / experts), static_cast<int>(flat % experts),
                            counts.total[e], counts.important[e], counts.common[e]});
  }
}

discovery::RoutingCounts sum_rows(std::span<const store::RoutingRow> rows, const model::ModelSpec& spec) {
  const auto size = static_cast<std::size_t>(spec.layers * spec.router.experts);
  discovery::RoutingCounts counts;
  for (auto* part : {&counts.total, &counts.important, &counts.common}) part->assign(size, 0);
  for (const store::RoutingRow& row : rows) {
    const auto flat = static_cast<std::size_t>(row.layer * spec.router.experts + row.expert);
    counts.total.at(flat) += row.n;
    counts.important.at(flat) += row.n_important;
    counts.common.at(flat) += row.n_unimportant;
  }
  return counts;
}

std::vector<store::ScoreRow> score_rows(const std::string& name,
                                        std::span<const discovery::RankedExpert> ranking) {
  std::vector<store::ScoreRow> rows;
  for (const discovery::RankedExpert& expert : ranking)
    rows.push_back({name, static_cast<int>(expert.id.layer), static_cast<int>(expert.id.expert), expert.value,
                    static_cast<int>(rows.size()) + 1});
  return rows;
}

std::vector<MethodConfig> ranking_methods(const StudyConfig& study) {
  std::vector<MethodConfig> methods = study.methods;
  methods.push_back(study.match);
  return methods;
}

StudyFindings run_discovery(const LoadedModel& model, const StoredBenchmark& stored, const StudyConfig& study,
                            store::Store& store) {
  const model::ModelSpec& spec = model.engine->spec();
  Json settings = settings_json(study.discovery);
  settings["prompt"] =
      study.discovery.options_in_prompt ? "released_discovery/1" : template_of(PromptStyle::short_text);
  settings["compared"] = stored.domains.compared;
  StudyFindings findings;
  std::map<std::string, NewRun> fresh;
  for (const std::string& domain : stored.domains.compared) {
    const std::string key = run_key(model, stored, domain, settings);
    if (const auto run = store.find_discovery(key)) {
      findings[domain] = {*run, key, sum_rows(store.routing(*run), spec)};
      continue;
    }
    NewRun run = find_experts(model, stored, domain, study.discovery);
    run.row.key = key;
    run.row.settings = canonical_json(settings);
    findings[domain] = {0, key, sum_rows(run.data.routing, spec)};
    fresh.emplace(domain, std::move(run));
  }
  for (auto& [domain, run] : fresh) findings[domain].run = store.put_discovery(run.row, run.data);
  for (const std::string& domain : stored.domains.compared) store_scores(findings, domain, spec, store);
  rank_by_queries(study, findings, spec, store);
  return findings;
}

std::vector<discovery::RankedExpert> ranking_of(const StudyFindings& findings, const std::string& domain,
                                                const MethodConfig& method, const model::ModelSpec& spec) {
  const auto found = findings.find(domain);
  if (found == findings.end()) throw ConfigError("no experts were discovered on the domain '{}'", domain);
  const std::string name = method.ranking_name();
  if (name.empty())
    return discovery::rank(
        discovery::expert_scores(method.score, found->second.counts, others_of(findings, domain),
                                 discovery::selections_a_token(spec)),
        spec);
  const auto made = found->second.rankings.find(name);
  if (made == found->second.rankings.end())
    throw ConfigError("the method '{}': no ranking '{}' was made on the domain '{}'", method.name, name,
                      domain);
  const StoredRanking& ranking = made->second;
  if (!ranking.error.empty()) throw ConfigError("{}", ranking.error);
  return ranking.experts;
}

}  // namespace moelab::experiments

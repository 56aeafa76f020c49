#include "experiments/study_discovery.h"

#include <algorithm>
#include <chrono>

#include "core/base/hash.h"
#include "core/base/json.h"

namespace moelab::experiments {
namespace {

constexpr std::array kScores = {discovery::Score::paper, discovery::Score::released_code,
                                discovery::Score::frequency, discovery::Score::contrast};

Json settings_json(const DiscoveryConfig& config) {
  return {{"loss", config.loss},
          {"options_in_prompt", config.options_in_prompt},
          {"percentile", config.percentile},
          {"classification", config.classification},
          {"stop_words_are_common", config.stop_words_are_common},
          {"punctuation_is_common", config.punctuation_is_common},
          {"punctuation_rule", config.punctuation_rule}};
}

std::vector<Question> discovery_questions(const StoredBenchmark& stored, const std::string& domain) {
  std::vector<Question> chosen;
  for (const std::size_t i : stored.splits.at(domain).discovery)
    chosen.push_back(stored.benchmark.domain(domain)[i]);
  return chosen;
}

std::string run_key(const LoadedModel& model, const StoredBenchmark& stored, const std::string& domain,
                    const Json& settings) {
  Json compared = Json::object();
  for (const std::string& name : stored.compared)
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
  for (std::size_t e = 0; e < found.counts.total.size(); ++e) {
    if (found.counts.total[e] == 0) continue;
    const auto flat = static_cast<std::int64_t>(e);
    data.routing.push_back({question, static_cast<int>(flat / experts), static_cast<int>(flat % experts),
                            found.counts.total[e], found.counts.important[e], found.counts.common[e]});
  }
}

// A run that is not stored yet, without its scores, which need the other domains.
struct NewRun {
  store::DiscoveryRow row;
  store::DiscoveryData data;
};

NewRun find_experts(const LoadedModel& model, const StoredBenchmark& stored, const std::string& domain,
                    const DiscoveryConfig& config) {
  const auto start = std::chrono::steady_clock::now();
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
  run.row.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return run;
}

// The sums of a run's routing rows: flat [layers * experts].
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

std::vector<discovery::RoutingCounts> others_of(const StudyFindings& findings, const std::string& domain) {
  std::vector<discovery::RoutingCounts> others;
  for (const auto& [name, found] : findings)
    if (name != domain) others.push_back(found.counts);
  return others;
}

std::vector<store::ScoreRow> score_rows(const StudyFindings& findings, const std::string& domain,
                                        const model::ModelSpec& spec) {
  std::vector<store::ScoreRow> rows;
  for (const discovery::Score score : kScores) {
    if (score == discovery::Score::contrast && findings.size() < 2) continue;
    int rank = 0;
    for (const discovery::RankedExpert& expert : ranking_of(findings, domain, score, spec))
      rows.push_back({std::string(name_of(score)), static_cast<int>(expert.id.layer),
                      static_cast<int>(expert.id.expert), expert.value, ++rank});
  }
  return rows;
}

}  // namespace

StudyFindings run_discovery(const LoadedModel& model, const StoredBenchmark& stored, const StudyConfig& study,
                            store::Store& store) {
  const model::ModelSpec& spec = model.engine->spec();
  Json settings = settings_json(study.discovery);
  settings["prompt"] =
      study.discovery.options_in_prompt ? "released_discovery/1" : template_of(PromptStyle::short_text);
  settings["compared"] = stored.compared;
  StudyFindings findings;
  std::map<std::string, NewRun> fresh;
  for (const std::string& domain : stored.compared) {
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
  for (auto& [domain, run] : fresh) {
    run.data.scores = score_rows(findings, domain, spec);
    findings[domain].run = store.put_discovery(run.row, run.data);
  }
  return findings;
}

std::vector<discovery::RankedExpert> ranking_of(const StudyFindings& findings, const std::string& domain,
                                                discovery::Score score, const model::ModelSpec& spec) {
  const auto found = findings.find(domain);
  if (found == findings.end()) throw ConfigError("no experts were discovered on the domain '{}'", domain);
  return discovery::rank(discovery::expert_scores(score, found->second.counts, others_of(findings, domain)),
                         spec);
}

}  // namespace moelab::experiments

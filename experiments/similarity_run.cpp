#include "experiments/similarity_run.h"

#include <algorithm>

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/base/stopwatch.h"
#include "core/config/nearest.h"
#include "core/discovery/expert_similarity.h"

namespace moelab::experiments {
namespace {

std::vector<std::string> domains_of(const StoredBenchmark& stored, const std::string& domain) {
  if (domain.empty()) return stored.domains.compared;
  if (std::find(stored.domains.compared.begin(), stored.domains.compared.end(), domain) ==
      stored.domains.compared.end())
    throw ConfigError("--similarity: discovery does not read the domain '{}'{}", domain,
                      config::did_you_mean(domain, stored.domains.compared));
  return {domain};
}

std::vector<store::SimilarityRow> rows_of(const discovery::SimilarityFindings& findings) {
  std::vector<store::SimilarityRow> rows;
  for (const discovery::LayerSimilarity& layer : findings.layers) {
    const auto similarity = layer.similarity.accessor<float, 2>();
    const auto permuted = layer.permuted.accessor<float, 2>();
    for (std::int64_t a = 0; a < similarity.size(0); ++a)
      for (std::int64_t b = a + 1; b < similarity.size(0); ++b)
        rows.push_back({static_cast<int>(layer.layer), static_cast<int>(a), static_cast<int>(b),
                        similarity[a][b], permuted[a][b]});
  }
  return rows;
}

}  // namespace

store::Id run_similarity(const LoadedModel& model, const StoredBenchmark& stored,
                         const DiscoveryConfig& config, const SimilarityRequest& request,
                         store::Store& store) {
  const auto start = Clock::now();
  Json questions = Json::object();
  std::vector<engine::Tokens> prompts;
  for (const std::string& domain : domains_of(stored, request.domain)) {
    const auto chosen = discovery_questions(stored, domain);
    questions[domain] = question_set_digest(chosen);
    for (const Question& question : chosen)
      prompts.push_back(
          model.tokenizer->encode(render_discovery_prompt(question, config.options_in_prompt), true));
  }
  const discovery::SimilarityOptions options{request.tokens, 1};
  store::DiscoveryRow row;
  row.model = model.id;
  row.domain = request.domain;
  row.settings = canonical_json({{"similarity",
                                  {{"questions", questions},
                                   {"options_in_prompt", config.options_in_prompt},
                                   {"tokens", options.tokens},
                                   {"seed", options.seed}}}});
  row.key = sha256(canonical_json({{"kind", "similarity/1"},
                                   {"model", model.digest},
                                   {"tokenizer", model.tokenizer->digest()},
                                   {"dtype", model.dtype},
                                   {"settings", parse_json(row.settings, "similarity")}}));
  if (const auto run = store.find_discovery(row.key)) return *run;
  const auto findings = discovery::expert_similarity(*model.engine, prompts, options, request.progress);
  row.n_questions = std::ssize(prompts);
  row.n_tokens = findings.tokens;
  row.seconds = seconds_since(start);
  store::DiscoveryData data;
  data.similarity = rows_of(findings);
  return store.put_discovery(row, data);
}

}  // namespace moelab::experiments

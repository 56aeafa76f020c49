#include "experiments/trace_rankings.h"

#include <algorithm>
#include <chrono>

#include "core/base/hash.h"
#include "core/base/json.h"
#include "experiments/guarded.h"
#include "experiments/question_prompt.h"
#include "experiments/study_setup.h"

namespace moelab::experiments {
namespace {

using discovery::RoutingCounts;

// Traces whose routing is held at once.
constexpr std::size_t kTracesAtOnce = 8;

// What all traces of one domain share.
struct TraceJob {
  const ModelSession& session;
  const StoredBenchmark& stored;
  const StudyConfig& study;
  std::string domain;
  LoadedModel model;
};

Json trace_settings(const TraceJob& job, const std::string& marker) {
  const GenerationConfig& generation = job.stored.benchmark.config.generation;
  return {{"trace",
           {{"marker", marker},
            {"prompt", template_of(job.stored.benchmark)},
            {"generation", parse_json(generation_key(generation, job.study.seed.sampling), "generation")}}}};
}

std::string trace_key(const TraceJob& job, const Json& settings) {
  return sha256(
      canonical_json({{"kind", "trace/1"},
                      {"model", job.model.digest},
                      {"tokenizer", job.model.tokenizer->digest()},
                      {"dtype", job.model.dtype},
                      {"domain", job.domain},
                      {"questions", question_set_digest(discovery_questions(job.stored, job.domain))},
                      {"settings", settings}}));
}

std::vector<discovery::DiscoveryItem> write_traces(const TraceJob& job) {
  const auto questions = ready_questions(job.stored, job.domain, job.stored.splits.at(job.domain).discovery,
                                         {job.session.tokenizer(), job.session.directory()});
  GenerateSetup setup;
  setup.cells.engine = &job.session.engine();
  setup.cells.questions = questions;
  setup.generation = job.stored.benchmark.config.generation;
  setup.tokenizer = &job.session.tokenizer();
  setup.seed = static_cast<std::uint64_t>(job.study.seed.sampling);
  setup.cache_bytes = job.session.cache_bytes();
  std::vector<discovery::DiscoveryItem> traces;
  for (const engine::Generation& made : generate_original(setup)) {
    discovery::DiscoveryItem trace;
    trace.prompt = questions[made.request].item.prompt;
    trace.prompt.insert(trace.prompt.end(), made.tokens.begin(), made.tokens.end());
    traces.push_back(std::move(trace));
  }
  return traces;
}

// Selections of each trace; important are those at the marker.
std::vector<RoutingCounts> count_marked(const TraceJob& job, std::span<const discovery::DiscoveryItem> traces,
                                        const std::string& marker) {
  std::vector<RoutingCounts> counts;
  for (std::size_t first = 0; first < traces.size(); first += kTracesAtOnce) {
    const auto part = traces.subspan(first, std::min(kTracesAtOnce, traces.size() - first));
    std::vector<std::vector<discovery::TokenKind>> kinds;
    for (const discovery::DiscoveryItem& trace : part) {
      kinds.emplace_back(trace.prompt.size(), discovery::TokenKind::common);
      for (const std::size_t at : marker_positions(trace.prompt, marker, job.session.tokenizer()))
        kinds.back()[at] = discovery::TokenKind::important;
    }
    for (RoutingCounts& one : discovery::count_routing(job.session.engine(), part, kinds))
      counts.push_back(std::move(one));
  }
  return counts;
}

store::DiscoveryData trace_data(const TraceJob& job, const std::vector<RoutingCounts>& counts) {
  store::DiscoveryData data;
  const auto& chosen = job.stored.splits.at(job.domain).discovery;
  for (std::size_t i = 0; i < counts.size(); ++i)
    add_routing(counts[i], job.stored.ids.at(job.domain)[chosen[i]],
                job.session.engine().spec().router.experts, data);
  return data;
}

// The counts of each marker, from the store or from new traces.
std::map<std::string, RoutingCounts> trace_counts(const TraceJob& job,
                                                  const std::vector<std::string>& markers,
                                                  store::Store& store) {
  const model::ModelSpec& spec = job.session.engine().spec();
  std::map<std::string, RoutingCounts> counts;
  std::vector<discovery::DiscoveryItem> traces;
  for (const std::string& marker : markers) {
    const auto start = std::chrono::steady_clock::now();
    const Json settings = trace_settings(job, marker);
    store::DiscoveryRow row;
    row.key = trace_key(job, settings);
    if (const auto run = store.find_discovery(row.key)) {
      counts[marker] = sum_rows(store.routing(*run), spec);
      continue;
    }
    if (traces.empty()) traces = write_traces(job);
    const auto by_trace = count_marked(job, traces, marker);
    row.model = job.model.id;
    row.domain = job.domain;
    row.settings = canonical_json(settings);
    row.n_questions = std::ssize(traces);
    for (const discovery::DiscoveryItem& trace : traces) row.n_tokens += std::ssize(trace.prompt);
    row.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    store.put_discovery(row, trace_data(job, by_trace));
    counts[marker] = discovery::sum_counts(by_trace);
  }
  return counts;
}

}  // namespace

std::vector<std::size_t> marker_positions(std::span<const std::int32_t> trace, std::string_view marker,
                                          const text::Tokenizer& tokenizer) {
  std::vector<std::size_t> positions;
  for (const auto& spelling : {tokenizer.encode(marker), tokenizer.encode(" " + std::string(marker))}) {
    auto at = trace.begin();
    while (!spelling.empty() &&
           (at = std::search(at, trace.end(), spelling.begin(), spelling.end())) != trace.end())
      positions.push_back(static_cast<std::size_t>(at++ - trace.begin()));
  }
  // A tokenizer may spell both alike.
  std::sort(positions.begin(), positions.end());
  positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
  return positions;
}

std::vector<double> rice_scores(const RiceConfig& rice, const std::map<std::string, RoutingCounts>& counts,
                                const model::ModelSpec& spec) {
  std::vector<double> scores(static_cast<std::size_t>(spec.layers * spec.router.experts));
  for (std::size_t m = 0; m < rice.markers.size(); ++m) {
    const RoutingCounts& marked = counts.at(rice.markers[m]);
    if (std::all_of(marked.important.begin(), marked.important.end(), [](auto n) { return n == 0; }))
      throw ConfigError(
          "rice: no trace on the discovery questions holds the marker '{}', so its experts cannot be told; "
          "take a model and a benchmark that think between markers, a larger generation.max_new_tokens, or "
          "other rice.markers",
          rice.markers[m]);
    const auto npmi =
        discovery::expert_scores(discovery::Score::npmi, marked, {}, discovery::selections_a_token(spec));
    for (std::size_t e = 0; e < scores.size(); ++e) scores[e] += rice.coefficients[m] * npmi[e];
  }
  return scores;
}

void add_trace_rankings(const ModelSession& session, const StoredBenchmark& stored, const StudyConfig& study,
                        StudyFindings& findings, store::Store& store) {
  const model::ModelSpec& spec = session.engine().spec();
  for (const MethodConfig& method : ranking_methods(study)) {
    if (method.kind != MethodKind::rice) continue;
    for (const std::string& domain : stored.domains.tested) {
      DomainFindings& found = findings.at(domain);
      StoredRanking& ranking = found.rankings[method.ranking_name()];
      if (!ranking.experts.empty() || !ranking.error.empty()) continue;
      const TraceJob job{session, stored, study, domain, session.loaded(store.discovery(found.run).model)};
      guarded(
          [&] {
            const auto counts = trace_counts(job, method.rice.markers, store);
            ranking.experts = discovery::rank(rice_scores(method.rice, counts, spec), spec);
          },
          [&](const std::string& problem) { ranking.error = problem; });
      const std::string generation = generation_key(stored.benchmark.config.generation, study.seed.sampling);
      const std::string name = fmt::format("{}@{}", method.ranking_name(), sha256(generation).substr(0, 8));
      if (store.scores(found.run, name).empty())
        store.put_scores(found.run, score_rows(name, ranking.experts));
    }
  }
}

}  // namespace moelab::experiments

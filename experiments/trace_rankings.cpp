#include "experiments/trace_rankings.h"

#include <algorithm>

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/base/stopwatch.h"
#include "experiments/guarded.h"
#include "experiments/question_prompt.h"
#include "experiments/study_notes.h"
#include "experiments/study_setup.h"

namespace moelab::experiments {
namespace {

using discovery::RoutingCounts;

// Traces whose routing is held at once.
constexpr std::size_t kTracesAtOnce = 8;

// What all traces of one domain share.
struct TraceJob {
  const TraceContext& context;
  const MethodConfig& method;
  std::string domain;
  LoadedModel model;
};

// What a run over traces tells apart from their other tokens.
struct TracePart {
  std::string marker;  // the tokens at which it stands; empty: the tokens that the model wrote

  bool is_written() const { return marker.empty(); }
};

struct WrittenTrace {
  discovery::DiscoveryItem item;  // prompt and answer in one
  std::size_t prompt_tokens = 0;
};

Json trace_settings(const TraceJob& job, const TracePart& part) {
  const Benchmark& benchmark = job.context.stored.benchmark;
  const std::string generation = generation_key(benchmark.config.generation, job.context.study.seed.sampling);
  Json trace = {{"prompt", template_of(benchmark)}, {"generation", parse_json(generation, "generation")}};
  if (part.is_written()) {
    trace["part"] = "written";
  } else {
    trace["marker"] = part.marker;
  }
  return {{"trace", trace}};
}

std::string trace_key(const TraceJob& job, const Json& settings) {
  return sha256(
      canonical_json({{"kind", "trace/1"},
                      {"model", job.model.digest},
                      {"tokenizer", job.model.tokenizer->digest()},
                      {"dtype", job.model.dtype},
                      {"domain", job.domain},
                      {"questions", question_set_digest(discovery_questions(job.context.stored, job.domain))},
                      {"settings", settings}}));
}

std::vector<WrittenTrace> write_traces(const TraceJob& job) {
  const StoredBenchmark& stored = job.context.stored;
  const ModelSession& session = job.context.session;
  const auto questions = ready_questions(stored, job.domain, stored.splits.at(job.domain).discovery,
                                         {session.tokenizer(), session.directory()});
  GenerateSetup setup;
  setup.cells.engine = &session.engine();
  setup.cells.questions = questions;
  setup.generation = stored.benchmark.config.generation;
  setup.tokenizer = &session.tokenizer();
  setup.seed = static_cast<std::uint64_t>(job.context.study.seed.sampling);
  setup.cache_bytes = session.cache_bytes();
  std::vector<WrittenTrace> traces;
  for (const engine::Generation& made : generate_original(setup, job.context.check_interrupt)) {
    WrittenTrace trace;
    trace.item.prompt = questions[made.request].item.prompt;
    trace.prompt_tokens = trace.item.prompt.size();
    trace.item.prompt.insert(trace.item.prompt.end(), made.tokens.begin(), made.tokens.end());
    traces.push_back(std::move(trace));
  }
  return traces;
}

std::vector<discovery::TokenKind> kinds_of(const WrittenTrace& trace, const TracePart& part,
                                           const text::Tokenizer& tokenizer) {
  std::vector<discovery::TokenKind> kinds(trace.item.prompt.size(), discovery::TokenKind::common);
  if (part.is_written())
    std::fill(kinds.begin() + static_cast<std::ptrdiff_t>(trace.prompt_tokens), kinds.end(),
              discovery::TokenKind::important);
  else
    for (const std::size_t at : marker_positions(trace.item.prompt, part.marker, tokenizer))
      kinds[at] = discovery::TokenKind::important;
  return kinds;
}

// Selections of each trace; important are those of the part.
std::vector<RoutingCounts> count_part(const TraceJob& job, std::span<const WrittenTrace> traces,
                                      const TracePart& part) {
  std::vector<RoutingCounts> counts;
  for (std::size_t first = 0; first < traces.size(); first += kTracesAtOnce) {
    job.context.check_interrupt();
    std::vector<discovery::DiscoveryItem> items;
    std::vector<std::vector<discovery::TokenKind>> kinds;
    for (const WrittenTrace& trace : traces.subspan(first, std::min(kTracesAtOnce, traces.size() - first))) {
      items.push_back(trace.item);
      kinds.push_back(kinds_of(trace, part, job.context.session.tokenizer()));
    }
    for (RoutingCounts& one : discovery::count_routing(job.context.session.engine(), items, kinds))
      counts.push_back(std::move(one));
  }
  return counts;
}

store::DiscoveryData trace_data(const TraceJob& job, const std::vector<RoutingCounts>& counts) {
  const StoredBenchmark& stored = job.context.stored;
  store::DiscoveryData data;
  const auto& chosen = stored.splits.at(job.domain).discovery;
  for (std::size_t i = 0; i < counts.size(); ++i)
    add_routing(counts[i], stored.ids.at(job.domain)[chosen[i]],
                job.context.session.engine().spec().router.experts, data);
  return data;
}

// The run of one part, from the store or over the traces, which are written when the first run needs them.
store::Id find_or_count(const TraceJob& job, const TracePart& part, std::vector<WrittenTrace>& traces,
                        store::Store& store) {
  const auto start = Clock::now();
  const Json settings = trace_settings(job, part);
  store::DiscoveryRow row;
  row.key = trace_key(job, settings);
  if (const auto run = store.find_discovery(row.key)) return *run;
  if (traces.empty()) traces = write_traces(job);
  const auto by_trace = count_part(job, traces, part);
  row.model = job.model.id;
  row.domain = job.domain;
  row.settings = canonical_json(settings);
  row.n_questions = std::ssize(traces);
  for (const WrittenTrace& trace : traces) row.n_tokens += std::ssize(trace.item.prompt);
  row.seconds = seconds_since(start);
  return store.put_discovery(row, trace_data(job, by_trace));
}

bool is_stored(const TraceJob& job, const TracePart& part, store::Store& store) {
  return store.find_discovery(trace_key(job, trace_settings(job, part))).has_value();
}

// The same, named in the study's log.
store::Id noted_run(const TraceJob& job, const TracePart& part, std::vector<WrittenTrace>& traces,
                    store::Store& store) {
  const store::Id run = find_or_count(job, part, traces, store);
  put_note(store, job.context.study_id, "trace",
           {{"model", job.model.id},
            {"benchmark", job.context.stored.benchmark.config.name},
            {"domain", job.domain},
            {"method", job.method.name},
            {"marker", part.marker},
            {"run", run}});
  return run;
}

// The run over the written part, which no ranking needs: made only where traces are written for a marker, and
// what goes wrong in it is in the study's log alone. It comes before the markers', so that an interruption
// between them does not lose it.
void add_written_part(const TraceJob& job, const std::vector<TracePart>& markers,
                      std::vector<WrittenTrace>& traces, store::Store& store) {
  const TracePart written;
  const bool are_known = std::all_of(markers.begin(), markers.end(),
                                     [&](const TracePart& part) { return is_stored(job, part, store); });
  if (are_known && !is_stored(job, written, store)) return;
  guarded([&] { noted_run(job, written, traces, store); },
          [&](const std::string& problem) {
            if (traces.empty()) throw;  // none can be written, for the markers neither
            store.add_event(job.context.study_id, "failure",
                            fmt::format("the written part of the traces of {} on {}: {}", job.method.name,
                                        job.domain, problem));
          });
}

// The counts of each marker of the method. The study's log names all runs over the traces.
std::map<std::string, RoutingCounts> trace_counts(const TraceJob& job, store::Store& store) {
  std::vector<TracePart> markers;
  for (const std::string& marker : job.method.rice.markers) markers.push_back({marker});
  std::vector<WrittenTrace> traces;
  add_written_part(job, markers, traces, store);
  std::map<std::string, RoutingCounts> counts;
  for (const TracePart& part : markers)
    counts[part.marker] =
        sum_rows(store.routing(noted_run(job, part, traces, store)), job.context.session.engine().spec());
  return counts;
}

void add_ranking(const TraceJob& job, DomainFindings& found, store::Store& store) {
  const model::ModelSpec& spec = job.context.session.engine().spec();
  StoredRanking& ranking = found.rankings[job.method.ranking_name()];
  if (!ranking.error.empty()) return;
  guarded(
      [&] {
        const auto counts = trace_counts(job, store);
        if (ranking.experts.empty())
          ranking.experts = discovery::rank(rice_scores(job.method.rice, counts, spec), spec);
      },
      [&](const std::string& problem) { ranking.error = problem; });
  const std::string generation =
      generation_key(job.context.stored.benchmark.config.generation, job.context.study.seed.sampling);
  const std::string name = fmt::format("{}@{}", job.method.ranking_name(), sha256(generation).substr(0, 8));
  if (store.scores(found.run, name).empty()) store.put_scores(found.run, score_rows(name, ranking.experts));
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

void add_trace_rankings(const TraceContext& context, StudyFindings& findings, store::Store& store) {
  for (const MethodConfig& method : ranking_methods(context.study)) {
    if (method.kind != MethodKind::rice) continue;
    for (const std::string& domain : context.stored.domains.tested) {
      DomainFindings& found = findings.at(domain);
      add_ranking({context, method, domain, context.session.loaded(store.discovery(found.run).model)}, found,
                  store);
    }
  }
}

}  // namespace moelab::experiments

#include "experiments/trace_runs.h"

#include <algorithm>

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/base/stopwatch.h"
#include "experiments/generate_runs.h"
#include "experiments/guarded.h"
#include "experiments/question_prompt.h"
#include "experiments/study_notes.h"
#include "experiments/study_setup.h"

namespace moelab::experiments {
namespace {

using discovery::RoutingCounts;

// Traces whose routing is held at once.
constexpr std::size_t kTracesAtOnce = 8;

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

std::vector<Question> questions_of(const TraceJob& job) {
  std::vector<Question> questions;
  for (const std::size_t place : job.places())
    questions.push_back(job.context.stored.benchmark.domain(job.domain)[place]);
  return questions;
}

std::string trace_key(const TraceJob& job, const Json& settings) {
  return sha256(canonical_json({{"kind", "trace/1"},
                                {"model", job.model.digest},
                                {"tokenizer", job.model.tokenizer->digest()},
                                {"dtype", job.model.dtype},
                                {"domain", job.domain},
                                {"questions", question_set_digest(questions_of(job))},
                                {"settings", settings}}));
}

std::vector<WrittenTrace> write_traces(const TraceJob& job) {
  const StoredBenchmark& stored = job.context.stored;
  const ModelSession& session = job.context.session;
  const auto questions =
      ready_questions(stored, job.domain, job.places(), {session.tokenizer(), session.directory()});
  const GenerateSetup setup =
      original_setup(session.engine(), session, questions, stored.benchmark.config.generation,
                     job.context.study.seed.sampling);
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
  const auto& chosen = job.places();
  for (std::size_t i = 0; i < counts.size(); ++i)
    add_routing(counts[i], stored.ids.at(job.domain)[chosen[i]],
                job.context.session.engine().spec().router.experts, data);
  return data;
}

bool is_stored(const TraceJob& job, const TracePart& part, store::Store& store) {
  return store.find_discovery(trace_key(job, trace_settings(job, part))).has_value();
}

// A run that the store does not have yet.
struct CountedRun {
  store::DiscoveryRow row;
  store::DiscoveryData data;
};

CountedRun count_run(const TraceJob& job, const TracePart& part, std::span<const WrittenTrace> traces) {
  const Json settings = trace_settings(job, part);
  CountedRun run;
  run.data = trace_data(job, count_part(job, traces, part));
  run.row.key = trace_key(job, settings);
  run.row.model = job.model.id;
  run.row.domain = job.domain;
  run.row.settings = canonical_json(settings);
  run.row.n_questions = std::ssize(traces);
  for (const WrittenTrace& trace : traces) run.row.n_tokens += std::ssize(trace.item.prompt);
  return run;
}

// Writes the traces once and stores all runs over them together, so that no two markers are counted on
// different traces. The written part is needed by no ranking: what goes wrong in it is in the study's log
// alone.
void make_runs(const TraceJob& job, const std::vector<TracePart>& markers, store::Store& store) {
  auto start = Clock::now();
  const std::vector<WrittenTrace> traces = write_traces(job);
  std::vector<CountedRun> runs;
  const auto count = [&](const TracePart& part) {
    if (is_stored(job, part, store)) return;
    runs.push_back(count_run(job, part, traces));
    runs.back().row.seconds = seconds_since(start);  // of the first one: with the writing
    start = Clock::now();
  };
  for (const TracePart& part : markers) count(part);
  if (!job.method.plans_by_question())
    guarded([&] { count({}); },
            [&](const std::string& problem) {
              store.add_event(job.context.study_id, "failure",
                              fmt::format("the written part of the traces of {} on {}: {}", job.method.name,
                                          job.domain, problem));
            });
  store::Transaction transaction = store.begin();
  for (const CountedRun& run : runs) store.put_discovery(run.row, run.data);
  transaction.commit();
}

// A stored run, named in the study's log.
TraceRun noted_run(const TraceJob& job, const TracePart& part, store::Store& store) {
  TraceRun run;
  run.key = trace_key(job, trace_settings(job, part));
  run.id = store.find_discovery(run.key).value();
  Json note = {{"model", job.model.id}, {"benchmark", job.context.stored.benchmark.config.name},
               {"domain", job.domain},  {"method", job.method.name},
               {"marker", part.marker}, {"run", run.id}};
  if (job.method.plans_by_question()) note["per"] = job.method.rice.per;
  put_note(store, job.context.study_id, "trace", note);
  return run;
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

const std::vector<std::size_t>& TraceJob::places() const {
  const DomainSplit& split = context.stored.splits.at(domain);
  return method.plans_by_question() ? split.scored : split.discovery;
}

std::vector<TraceRun> marker_runs(const TraceJob& job, store::Store& store) {
  std::vector<TracePart> markers;
  for (const std::string& marker : job.method.rice.markers) markers.push_back({marker});
  const bool are_stored = std::all_of(markers.begin(), markers.end(),
                                      [&](const TracePart& part) { return is_stored(job, part, store); });
  if (!are_stored) make_runs(job, markers, store);
  std::vector<TraceRun> runs;
  for (const TracePart& part : markers) runs.push_back(noted_run(job, part, store));
  if (!job.method.plans_by_question() && is_stored(job, {}, store)) noted_run(job, {}, store);
  return runs;
}

}  // namespace moelab::experiments

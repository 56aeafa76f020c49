#include "experiments/trace_rankings.h"

#include <algorithm>

#include "core/base/hash.h"
#include "experiments/guarded.h"

namespace moelab::experiments {
namespace {

using discovery::RoutingCounts;

bool is_held(const RoutingCounts& marked) {
  return std::any_of(marked.important.begin(), marked.important.end(), [](auto n) { return n > 0; });
}

void require_held(const std::string& marker, bool held, std::string_view questions) {
  if (!held)
    throw ConfigError(
        "rice: no trace on the {} questions holds the marker '{}', so its experts cannot be told; take a "
        "model "
        "and a benchmark that think between markers, a larger generation.max_new_tokens, or other "
        "rice.markers",
        questions, marker);
}

void add_ranking(const TraceJob& job, DomainFindings& found, store::Store& store) {
  const model::ModelSpec& spec = job.context.session.engine().spec();
  StoredRanking& ranking = found.rankings[job.method.ranking_name()];
  if (!ranking.error.empty()) return;
  guarded(
      [&] {
        std::map<std::string, RoutingCounts> counts;
        const auto runs = marker_runs(job, store);
        for (std::size_t m = 0; m < runs.size(); ++m)
          counts[job.method.rice.markers[m]] = sum_rows(store.routing(runs[m].id), spec);
        if (ranking.experts.empty())
          ranking.experts = discovery::rank(rice_scores(job.method.rice, counts, spec), spec);
      },
      [&](const std::string& problem) { ranking.error = problem; });
  const std::string generation =
      generation_key(job.context.stored.benchmark.config.generation, job.context.study.seed.sampling);
  const std::string name = fmt::format("{}@{}", job.method.ranking_name(), sha256(generation).substr(0, 8));
  if (store.scores(found.run, name).empty()) store.put_scores(found.run, score_rows(name, ranking.experts));
}

// Most experts that a method with this ranking scales: what lies behind them is not kept for each question.
std::size_t deepest(const StudyConfig& study, const std::string& ranking) {
  std::int64_t most = 0;
  for (const MethodConfig& method : study.methods)
    if (method.plans_by_question() && method.ranking_name() == ranking)
      for (const std::int64_t count : method.rice.experts) most = std::max(most, count);
  return static_cast<std::size_t>(most);
}

// Adds one marker's part to each question's scores. The rows come question by question. Returns whether any
// trace holds the marker.
bool add_marker(std::span<const store::RoutingRow> rows, double coefficient, const model::ModelSpec& spec,
                std::map<store::Id, std::vector<double>>& scores) {
  bool is_any = false;
  for (std::size_t first = 0, last = 0; first < rows.size(); first = last) {
    while (last < rows.size() && rows[last].question == rows[first].question) ++last;
    auto& own = scores[rows[first].question];
    is_any =
        add_trace_scores(sum_rows(rows.subspan(first, last - first), spec), coefficient, spec, own) || is_any;
  }
  return is_any;
}

void rank_each_question(const TraceJob& job, const std::vector<TraceRun>& runs, store::Store& store,
                        QuestionRankings& rankings) {
  const model::ModelSpec& spec = job.context.session.engine().spec();
  const RiceConfig& rice = job.method.rice;
  std::map<store::Id, std::vector<double>> scores;
  rankings.key = job.method.ranking_name();
  for (std::size_t m = 0; m < runs.size(); ++m) {
    rankings.key += "|" + runs[m].key;
    const bool is_held = add_marker(store.routing(runs[m].id), rice.coefficients[m], spec, scores);
    require_held(rice.markers[m], is_held, "tested");
  }
  const std::size_t kept = deepest(job.context.study, job.method.ranking_name());
  for (const auto& [question, own] : scores) {
    if (own.empty()) {
      ++rankings.unmarked;
      continue;
    }
    auto ranking = discovery::rank(own, spec);
    ranking.resize(std::min(kept, ranking.size()));
    rankings.experts[question] = std::move(ranking);
  }
}

void add_question_rankings(const TraceJob& job, DomainFindings& found, store::Store& store) {
  QuestionRankings& rankings = found.by_question[job.method.ranking_name()];
  if (!rankings.error.empty()) return;
  guarded(
      [&] {
        const auto runs = marker_runs(job, store);  // also for the notes of this method
        if (rankings.experts.empty()) rank_each_question(job, runs, store, rankings);
      },
      [&](const std::string& problem) { rankings.error = problem; });
}

void add_npmi(const RoutingCounts& marked, double coefficient, const model::ModelSpec& spec,
              std::vector<double>& scores) {
  scores.resize(static_cast<std::size_t>(spec.layers * spec.router.experts));
  const auto npmi =
      discovery::expert_scores(discovery::Score::npmi, marked, {}, discovery::selections_a_token(spec));
  for (std::size_t e = 0; e < scores.size(); ++e) scores[e] += coefficient * npmi[e];
}

}  // namespace

std::vector<double> rice_scores(const RiceConfig& rice, const std::map<std::string, RoutingCounts>& counts,
                                const model::ModelSpec& spec) {
  std::vector<double> scores;
  for (std::size_t m = 0; m < rice.markers.size(); ++m) {
    const RoutingCounts& marked = counts.at(rice.markers[m]);
    require_held(rice.markers[m], is_held(marked), "discovery");
    add_npmi(marked, rice.coefficients[m], spec, scores);
  }
  return scores;
}

bool add_trace_scores(const RoutingCounts& marked, double coefficient, const model::ModelSpec& spec,
                      std::vector<double>& scores) {
  if (!is_held(marked)) return false;
  add_npmi(marked, coefficient, spec, scores);
  return true;
}

void add_trace_rankings(const TraceContext& context, StudyFindings& findings, store::Store& store) {
  for (const MethodConfig& method : ranking_methods(context.study)) {
    if (method.kind != MethodKind::rice) continue;
    for (const std::string& domain : context.stored.domains.tested) {
      DomainFindings& found = findings.at(domain);
      const TraceJob job{context, method, domain, context.session.loaded(store.discovery(found.run).model)};
      if (method.plans_by_question())
        add_question_rankings(job, found, store);
      else
        add_ranking(job, found, store);
    }
  }
}

}  // namespace moelab::experiments

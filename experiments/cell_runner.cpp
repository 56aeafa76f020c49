#include "experiments/cell_runner.h"

#include <algorithm>
#include <map>
#include <optional>

#include "core/base/json.h"
#include "experiments/cell_keys.h"
#include "experiments/generate_cells.h"
#include "experiments/guarded.h"
#include "experiments/study_notes.h"
#include "experiments/study_setup.h"

namespace moelab::experiments {

std::string CellRunner::condition_key(const ModelSession& session, const Target& target) const {
  const LoadedModel model = session.loaded(target.model);
  const Benchmark& benchmark = target.stored->benchmark;
  return key_of({model.digest, model.tokenizer->digest(), template_of(benchmark),
                 question_set_digest(benchmark.domain(target.domain)), model.dtype, false,
                 is_generated(benchmark.config.prompt)
                     ? generation_key(benchmark.config.generation, study_.seed.sampling)
                     : ""});
}

std::vector<store::Id> CellRunner::add(const ModelSession& session, const Target& target,
                                       const std::vector<PlannedCell>& cells) {
  const std::string condition = condition_key(session, target);
  std::vector<store::Id> ids;
  store::Transaction transaction = store_.begin();
  for (const PlannedCell& cell : cells) {
    ids.push_back(put_cell(target, condition, cell).cell);
    const store::CellRow row = store_.cell(ids.back());
    if (row.status != "failed") continue;
    const std::int64_t stored = std::ssize(store_.answered(row.id));
    store_.set_outcome(row.id, {stored > 0 ? "partial" : "pending", stored > 0 ? stored : row.n_samples,
                                row.seconds, row.tokens, "", row.provenance});
  }
  transaction.commit();
  return ids;
}

CellTask CellRunner::put_cell(const Target& target, const std::string& condition, const PlannedCell& cell) {
  store::CellRow row = cell_row(target, condition, cell);
  if (cell.plan) row.plan = store_.put_plan(plan_row(cell));
  CellTask task;
  task.cell = store_.put_cell(row);
  task.plan_key = plan_content(cell);
  if (cell.plan) task.plan = *cell.plan;
  task.by_question = cell.by_question;
  store_.add_to_study(id_, task.cell, cell.role);
  if (!cell.note.empty()) put_note(store_, id_, "plan", {{"cell", task.cell}, {"note", cell.note}});
  return task;
}

// Cells that failed without an answer leave the study; those that still fail come back.
void CellRunner::forget_failed(const Target& target) {
  store_.database().run(
      "DELETE FROM study_cell WHERE study = ?1 AND cell IN (SELECT id FROM cell WHERE model = ?2 AND "
      "benchmark = ?3 AND domain = ?4 AND status = 'failed' AND plan IS NULL AND id NOT IN (SELECT cell FROM "
      "sample))",
      id_, target.model, target.stored->benchmark.config.name, target.domain);
}

void CellRunner::fail_cells(const Target& target, const std::string& condition,
                            std::vector<PlannedCell> cells) {
  store::Transaction transaction = store_.begin();
  for (const PlannedCell& cell : cells) {
    const CellTask task = put_cell(target, condition, cell);
    store_.set_outcome(task.cell, {"failed", 0, 0, 0, cell.error, "{}"});
  }
  transaction.commit();
}

void CellRunner::fail(const ModelSession& session, const Target& target, std::vector<PlannedCell> cells,
                      const std::string& problem) {
  store_.add_event(id_, "failure",
                   fmt::format("model {}, domain {}: {}", session.row().name, target.domain, problem));
  fail_cells(target, condition_key(session, target), std::move(cells));
}

ScoreSetup CellRunner::setup_of(const engine::Engine& engine, const Target& target,
                                const std::string& condition) const {
  ScoreSetup setup;
  setup.engine = &engine;
  setup.condition = condition;
  setup.prompt = target.stored->benchmark.config.prompt;
  setup.evaluators = evaluators_of(target.stored->benchmark.config);
  setup.wanted = wanted_samples(*target.stored, target.domain);
  setup.provenance = provenance_of(engine);
  const GenerationConfig& generation = target.stored->benchmark.config.generation;
  if (is_generated(setup.prompt)) {
    Json provenance = parse_json(setup.provenance, "provenance");
    provenance["generation"] = parse_json(generation_key(generation, study_.seed.sampling), "generation");
    setup.provenance = canonical_json(provenance);
  }
  return setup;
}

ScoreHooks CellRunner::score_hooks() {
  return {[this](std::int64_t samples) { meter_.inside(samples); },
          [this](const ChunkReport& chunk) {
            summary_.samples_new += chunk.samples;
            meter_.chunk(chunk.samples, chunk.forward_tokens, chunk.seconds);
            meter_.check_interrupt();
          }};
}

void CellRunner::count(const ScoreSummary& summary) {
  summary_.cells_skipped += summary.complete_before;
  summary_.cells_done += summary.completed;
  meter_.state().cells_done += summary.complete_before + summary.completed;
}

// Scores or generates what the tasks miss; when the model itself fails, those that are not complete are
// marked with the reason.
void CellRunner::score_tasks(const ModelSession& session, const ScoreSetup& setup, const Target& target,
                             const std::vector<CellTask>& tasks) {
  const BenchmarkConfig& config = target.stored->benchmark.config;
  const auto work = [&] {
    if (!is_generated(config.prompt)) return score_cells(setup, tasks, store_, score_hooks());
    const QuestionPrompts prompts(target.stored->benchmark, session.tokenizer(), session.directory());
    GenerateSetup generate{setup, config.generation, &session.tokenizer()};
    generate.seed = static_cast<std::uint64_t>(study_.seed.sampling);
    generate.cache_bytes = session.cache_bytes();
    if (!prompts.follow_up().empty()) generate.prompts = &prompts;
    return generate_cells(generate, tasks, store_, score_hooks());
  };
  guarded(
      [&] {
        const ScoreSummary scored = work();
        // A rung of a halving completes no cell.
        if (target.places.empty()) count(scored);
      },
      [&](const std::string& error) {
        for (const CellTask& task : tasks) {
          const store::CellRow row = store_.cell(task.cell);
          if (row.status == "done" || row.status == "inert") continue;
          store_.set_outcome(task.cell,
                             {"failed", row.n_samples, row.seconds, row.tokens, error, row.provenance});
        }
        store_.add_event(id_, "failure", error);
      });
}

void CellRunner::score_variant(const ModelSession& session, const Target& target,
                               const std::string& condition, const Variant& variant,
                               const std::vector<CellTask>& tasks) {
  const auto& places = target.places.empty() ? target.stored->splits.at(target.domain).scored : target.places;
  const auto questions = ready_questions(*target.stored, target.domain, places,
                                         {session.tokenizer(), session.directory(), variant.hint});
  std::optional<engine::Engine> resized;
  if (variant.top_k > 0) resized = with_top_k(session.engine(), variant.top_k);
  ScoreSetup setup = setup_of(resized ? *resized : session.engine(), target, condition);
  setup.questions = questions;
  score_tasks(session, setup, target, tasks);
}

void CellRunner::run(const ModelSession& session, const Target& target,
                     const std::vector<PlannedCell>& cells) {
  const std::string condition = condition_key(session, target);
  std::map<Variant, std::vector<CellTask>> tasks;
  std::vector<CellTask> again;
  std::vector<PlannedCell> failed;
  store::Transaction transaction = store_.begin();
  for (const PlannedCell& cell : cells) {
    if (!cell.error.empty())
      failed.push_back(cell);
    else
      (cell.role == "aa" ? again : tasks[cell.variant]).push_back(put_cell(target, condition, cell));
  }
  fail_cells(target, condition, failed);
  transaction.commit();
  for (const auto& [variant, group] : tasks) score_variant(session, target, condition, variant, group);
  if (again.empty()) return;
  auto questions =
      scored_questions(*target.stored, target.domain, {session.tokenizer(), session.directory()});
  // Another order and another batch size: what changes then is the noise of the arithmetic.
  std::reverse(questions.begin(), questions.end());
  engine::EngineOptions options = session.engine().options();
  options.batch_tokens = std::max<std::int64_t>(64, options.batch_tokens / 3);
  const engine::Engine other(session.engine().model(), options);
  ScoreSetup setup_again = setup_of(other, target, condition);
  setup_again.questions = questions;
  score_tasks(session, setup_again, target, again);
}

void CellRunner::run_trained(const ModelSession& session, const engine::Engine& engine, const Target& target,
                             const PlannedCell& cell) {
  const std::string condition = condition_key(session, target);
  store::Transaction transaction = store_.begin();
  const CellTask task = put_cell(target, condition, cell);
  transaction.commit();
  const auto questions =
      scored_questions(*target.stored, target.domain, {session.tokenizer(), session.directory()});
  ScoreSetup setup = setup_of(engine, target, condition);
  setup.questions = questions;
  score_tasks(session, setup, target, {task});
}

}  // namespace moelab::experiments

#include "experiments/study_run.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "core/base/hash.h"
#include "core/base/json.h"
#include "experiments/analyse.h"
#include "experiments/calibration_cells.h"
#include "experiments/cell_keys.h"
#include "experiments/generate_cells.h"
#include "experiments/guarded.h"
#include "experiments/model_session.h"
#include "experiments/planted.h"
#include "experiments/run_meter.h"
#include "experiments/score_cells.h"
#include "experiments/study_notes.h"
#include "experiments/study_results.h"
#include "experiments/study_setup.h"
#include "experiments/study_target.h"
#include "experiments/trace_rankings.h"
#include "experiments/transfer.h"
#include "experiments/verdict.h"

namespace moelab::experiments {
namespace {

class StudyRunner {
 public:
  StudyRunner(const StudyConfig& study, store::Store& store, const RunHooks& hooks)
      : study_(study),
        store_(store),
        meter_(hooks),
        prepared_(prepare_study(study, store)),
        transfer_(study.transfer.study.empty() ? 0 : require_study(store, study.transfer.study)) {}

  RunSummary run();

 private:
  void run_model(const ModelConfig& config);
  StudyFindings discover(const LoadedModel& model, const StoredBenchmark& stored);
  void run_domains(const ModelConfig& config, const ModelSession& session, const StoredBenchmark& stored,
                   store::Id model);
  void run_more(const ModelSession& session, const Target& target, const std::string& phase,
                const std::vector<PlannedCell>& planned);
  void run_calibration(const ModelConfig& config, const ModelSession& session, const StoredBenchmark& stored,
                       const StudyFindings& findings, store::Id model);
  void run_others(const ModelSession& session, const StoredBenchmark& stored, const StudyFindings& findings,
                  store::Id model);
  void fail_model(const ModelConfig& config, const std::string& error);
  void fail_cells(const Target& target, const std::string& condition, std::vector<PlannedCell> cells);
  void score(const ModelSession& session, const Target& target, const std::vector<PlannedCell>& cells);
  void score_variant(const ModelSession& session, const Target& target, const std::string& condition,
                     const Variant& variant, const std::vector<CellTask>& tasks);
  void score_tasks(const ModelSession& session, const ScoreSetup& setup, const Target& target,
                   const std::vector<CellTask>& tasks);
  ScoreSetup setup_of(const engine::Engine& engine, const Target& target, const std::string& condition) const;
  Condition condition_of(const LoadedModel& model, const StoredBenchmark& stored,
                         const std::string& domain) const;
  CellTask put_cell(const Target& target, const std::string& condition, const PlannedCell& cell);
  void forget_failed(const Target& target);
  ScoreHooks score_hooks();
  std::int64_t expected_samples(const StoredBenchmark& stored, const std::string& domain) const;
  void count(const ScoreSummary& summary);

  const StudyConfig& study_;
  store::Store& store_;
  RunMeter meter_;
  PreparedStudy prepared_;
  store::Id transfer_;  // the study whose plans are run too; 0 for none
  RunSummary summary_;
};

Condition StudyRunner::condition_of(const LoadedModel& model, const StoredBenchmark& stored,
                                    const std::string& domain) const {
  const BenchmarkConfig& config = stored.benchmark.config;
  return {model.digest,
          model.tokenizer->digest(),
          template_of(stored.benchmark),
          question_set_digest(stored.benchmark.domain(domain)),
          model.dtype,
          false,
          is_generated(config.prompt) ? generation_key(config.generation, study_.seed.sampling) : ""};
}

CellTask StudyRunner::put_cell(const Target& target, const std::string& condition, const PlannedCell& cell) {
  store::CellRow row = cell_row(target, condition, cell);
  if (cell.plan) row.plan = store_.put_plan(plan_row(cell));
  CellTask task;
  task.cell = store_.put_cell(row);
  task.plan_key = plan_content(cell);
  if (cell.plan) task.plan = *cell.plan;
  store_.add_to_study(prepared_.id, task.cell, cell.role);
  if (!cell.note.empty()) put_note(store_, prepared_.id, "plan", {{"cell", task.cell}, {"note", cell.note}});
  return task;
}

// Cells that failed without an answer leave the study; those that still fail come back.
void StudyRunner::forget_failed(const Target& target) {
  store_.database().run(
      "DELETE FROM study_cell WHERE study = ?1 AND cell IN (SELECT id FROM cell WHERE model = ?2 AND "
      "benchmark = ?3 "
      "AND domain = ?4 AND status = 'failed' AND plan IS NULL AND id NOT IN (SELECT cell FROM sample))",
      prepared_.id, target.model, target.stored->benchmark.config.name, target.domain);
}

void StudyRunner::fail_cells(const Target& target, const std::string& condition,
                             std::vector<PlannedCell> cells) {
  store::Transaction transaction = store_.begin();
  for (const PlannedCell& cell : cells) {
    const CellTask task = put_cell(target, condition, cell);
    store_.set_outcome(task.cell, {"failed", 0, 0, 0, cell.error, "{}"});
  }
  transaction.commit();
}

// A model that cannot be loaded has no digest: a row that stands for its path holds the failed cells.
void StudyRunner::fail_model(const ModelConfig& config, const std::string& error) {
  store::ModelRow row;
  row.digest = "not loaded: " + sha256(config.name + "|" + config.path.string());
  row.name = config.name;
  row.path = config.path.string();
  const store::Id model = store_.put_model(row);
  store_.add_event(prepared_.id, "failure", fmt::format("model {}: {}", config.name, error));
  for (const StoredBenchmark& stored : prepared_.benchmarks)
    for (const std::string& domain : stored.tested) {
      const Target target{&stored, domain, model};
      forget_failed(target);
      fail_cells(target, row.digest + "|" + stored.benchmark.config.name + "|" + domain,
                 unplanned_cells(study_, domain, error));
      meter_.state().samples_total -= expected_samples(stored, domain);
    }
}

ScoreSetup StudyRunner::setup_of(const engine::Engine& engine, const Target& target,
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

ScoreHooks StudyRunner::score_hooks() {
  return {[this](std::int64_t samples) { meter_.inside(samples); },
          [this](const ChunkReport& chunk) {
            summary_.samples_new += chunk.samples;
            meter_.chunk(chunk.samples, chunk.forward_tokens, chunk.seconds);
            meter_.check_interrupt();
          }};
}

void StudyRunner::count(const ScoreSummary& summary) {
  summary_.cells_skipped += summary.complete_before;
  summary_.cells_done += summary.completed;
  meter_.state().cells_done += summary.complete_before + summary.completed;
}

// Scores or generates what the tasks miss; when the model itself fails, those that are not complete are
// marked with the reason.
void StudyRunner::score_tasks(const ModelSession& session, const ScoreSetup& setup, const Target& target,
                              const std::vector<CellTask>& tasks) {
  const BenchmarkConfig& config = target.stored->benchmark.config;
  const auto work = [&] {
    if (!is_generated(config.prompt)) return score_cells(setup, tasks, store_, score_hooks());
    const auto seed = static_cast<std::uint64_t>(study_.seed.sampling);
    return generate_cells({setup, config.generation, &session.tokenizer(), seed, session.cache_bytes()},
                          tasks, store_, score_hooks());
  };
  guarded([&] { count(work()); },
          [&](const std::string& error) {
            for (const CellTask& task : tasks) {
              const store::CellRow row = store_.cell(task.cell);
              if (row.status == "done" || row.status == "inert") continue;
              store_.set_outcome(task.cell,
                                 {"failed", row.n_samples, row.seconds, row.tokens, error, row.provenance});
            }
            store_.add_event(prepared_.id, "failure", error);
          });
}

void StudyRunner::score_variant(const ModelSession& session, const Target& target,
                                const std::string& condition, const Variant& variant,
                                const std::vector<CellTask>& tasks) {
  const auto questions = scored_questions(*target.stored, target.domain,
                                          {session.tokenizer(), session.directory(), variant.hint});
  std::optional<engine::Engine> resized;
  if (variant.top_k > 0) resized = with_top_k(session.engine(), variant.top_k);
  ScoreSetup setup = setup_of(resized ? *resized : session.engine(), target, condition);
  setup.questions = questions;
  score_tasks(session, setup, target, tasks);
}

void StudyRunner::score(const ModelSession& session, const Target& target,
                        const std::vector<PlannedCell>& cells) {
  const std::string condition =
      key_of(condition_of(session.loaded(target.model), *target.stored, target.domain));
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

std::int64_t StudyRunner::expected_samples(const StoredBenchmark& stored, const std::string& domain) const {
  return static_cast<std::int64_t>(unplanned_cells(study_, domain, "").size() *
                                   stored.splits.at(domain).scored.size()) *
         stored.benchmark.config.repeats();
}

StudyFindings StudyRunner::discover(const LoadedModel& model, const StoredBenchmark& stored) {
  const bool discovers = std::any_of(study_.methods.begin(), study_.methods.end(),
                                     [](const MethodConfig& m) { return reads_discovery(m.kind); });
  if (!discovers) return {};
  meter_.phase("discover");
  const StudyFindings findings = run_discovery(model, stored, study_, store_);
  for (const auto& [domain, found] : findings)
    put_note(store_, prepared_.id, "discovery",
             {{"model", model.id},
              {"benchmark", stored.benchmark.config.name},
              {"domain", domain},
              {"run", found.run}});
  meter_.check_interrupt();
  return findings;
}

void StudyRunner::run_domains(const ModelConfig& config, const ModelSession& session,
                              const StoredBenchmark& stored, store::Id model) {
  const LoadedModel loaded = session.loaded(model);
  StudyFindings findings;
  std::string error;
  guarded(
      [&] {
        findings = discover(loaded, stored);
        add_trace_rankings(session, stored, study_, findings, store_);
      },
      [&](const std::string& problem) { error = "discovery: " + problem; });
  for (const std::string& domain : stored.tested) {
    const Target target{&stored, domain, model};
    const auto fail = [&](const std::string& problem) {
      store_.add_event(prepared_.id, "failure",
                       fmt::format("model {}, domain {}: {}", session.row().name, domain, problem));
      fail_cells(target, key_of(condition_of(loaded, stored, domain)),
                 unplanned_cells(study_, domain, problem));
    };
    meter_.state().domain = domain;
    meter_.phase("grid");
    forget_failed(target);
    const std::int64_t before = summary_.samples_new;
    if (error.empty())
      guarded([&] { score(session, target, plan_cells(study_, findings, domain, session.engine().spec())); },
              fail);
    else
      fail(error);
    // What was stored before this call is not part of its work.
    meter_.state().samples_total -= expected_samples(stored, domain) - (summary_.samples_new - before);
  }
  if (!error.empty()) return;
  run_others(session, stored, findings, model);
  if (study_.calibration.permutations > 0) run_calibration(config, session, stored, findings, model);
  if (transfer_ == 0) return;
  const auto transferred = transfer_cells(store_, transfer_, model);
  for (const std::string& domain : stored.tested)
    run_more(session, {&stored, domain, model}, "transfer", transferred);
}

// Cells beside the grid: they are counted when they come up.
void StudyRunner::run_more(const ModelSession& session, const Target& target, const std::string& phase,
                           const std::vector<PlannedCell>& planned) {
  const auto expected =
      static_cast<std::int64_t>(planned.size() * target.stored->splits.at(target.domain).scored.size()) *
      target.stored->benchmark.config.repeats();
  const std::int64_t before = summary_.samples_new;
  meter_.state().domain = target.domain;
  meter_.state().cells_total += static_cast<std::int64_t>(planned.size());
  meter_.state().samples_total += expected;
  meter_.phase(phase);
  score(session, target, planned);
  meter_.state().samples_total -= expected - (summary_.samples_new - before);
}

// Reference plans on every tested domain. Where no experts are planted, each label permutation is tested on
// one domain, in turn.
void StudyRunner::run_calibration(const ModelConfig& config, const ModelSession& session,
                                  const StoredBenchmark& stored, const StudyFindings& findings,
                                  store::Id model) {
  const model::ModelSpec& spec = session.engine().spec();
  for (const std::string& domain : stored.tested)
    run_more(session, {&stored, domain, model}, "calibrate",
             reference_cells(study_, config, findings, domain, spec));
  if (!config.planted.is_object() || !planted_of(config.planted).empty()) return;
  const auto routing = labelled_routing(store_, findings, spec);
  for (int draw = 1; draw <= study_.calibration.permutations; ++draw) {
    const std::string& domain = stored.tested[static_cast<std::size_t>(draw - 1) % stored.tested.size()];
    run_more(session, {&stored, domain, model}, "calibrate",
             permuted_cells(study_, permuted_findings(routing, findings, draw), domain, spec, draw));
  }
}

void StudyRunner::run_others(const ModelSession& session, const StoredBenchmark& stored,
                             const StudyFindings& findings, store::Id model) {
  if (stored.tested.size() < 2) return;
  for (const DomainCells& cells : cells_by_domain(store_, prepared_.id)) {
    if (cells.model != model || cells.benchmark != stored.benchmark.config.name) continue;
    const auto settings = modal_settings(store_, prepared_.id, cells);
    std::vector<PlannedCell> planned;
    for (const MethodConfig& method : study_.methods) {
      const auto chosen = settings.find(method.name);
      if (chosen == settings.end()) continue;
      for (PlannedCell& cell :
           other_domain_cells(method, chosen->second, findings, cells.domain, session.engine().spec()))
        planned.push_back(std::move(cell));
    }
    run_more(session, {&stored, cells.domain, model}, "other_domain", planned);
  }
}

void StudyRunner::run_model(const ModelConfig& config) {
  meter_.state().model = config.name;
  meter_.state().domain.clear();
  meter_.phase("load");
  std::optional<ModelSession> session;
  guarded(
      [&] {
        require_cache(config, prepared_.benchmarks, study_);
        session.emplace(config, study_.engine);
      },
      [&](const std::string& error) { fail_model(config, error); });
  if (!session) return;
  const store::Id model = store_.put_model(session->row());
  put_note(store_, prepared_.id, "model", {{"name", config.name}, {"model", model}});
  const auto stand_in = store_.find_model("not loaded: " + sha256(config.name + "|" + config.path.string()));
  for (const StoredBenchmark& stored : prepared_.benchmarks) {
    if (stand_in)
      for (const std::string& domain : stored.tested) forget_failed({&stored, domain, *stand_in});
    run_domains(config, *session, stored, model);
  }
}

RunSummary StudyRunner::run() {
  const auto start = std::chrono::steady_clock::now();
  for (const StoredBenchmark& stored : prepared_.benchmarks)
    for (const std::string& domain : stored.tested) {
      const auto models = static_cast<std::int64_t>(study_.models.size());
      meter_.state().cells_total +=
          models * static_cast<std::int64_t>(unplanned_cells(study_, domain, "").size());
      meter_.state().samples_total += models * expected_samples(stored, domain);
    }
  for (const ModelConfig& model : study_.models) {
    meter_.check_interrupt();
    run_model(model);
  }
  meter_.state().model.clear();
  meter_.state().domain.clear();
  meter_.phase("analyse");
  analyse_study(store_, prepared_.id);
  store_verdicts(store_, prepared_.id);
  for (const auto& [cell, role] : store_.cells(prepared_.id))
    if (cell.status == "failed") ++summary_.cells_failed;
  if (summary_.cells_failed == 0) store_.finish_study(prepared_.id);
  store_.checkpoint();
  summary_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return summary_;
}

}  // namespace

RunSummary run_study(const StudyConfig& study, store::Store& store, const RunHooks& hooks) {
  return StudyRunner(study, store, hooks).run();
}

}  // namespace moelab::experiments

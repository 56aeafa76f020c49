#include "experiments/study_run.h"

#include <algorithm>
#include <optional>

#include "core/base/hash.h"
#include "core/base/json.h"
#include "core/base/stopwatch.h"
#include "experiments/analyse.h"
#include "experiments/calibration_cells.h"
#include "experiments/cell_runner.h"
#include "experiments/guarded.h"
#include "experiments/halving_run.h"
#include "experiments/model_session.h"
#include "experiments/run_meter.h"
#include "experiments/search_notes.h"
#include "experiments/sft_notes.h"
#include "experiments/study_counts.h"
#include "experiments/study_notes.h"
#include "experiments/study_results.h"
#include "experiments/study_setup.h"
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
        transfer_(study.transfer.study.empty() ? 0 : require_study(store, study.transfer.study)),
        prepared_(prepare_study(study, store)),
        cells_(study, store, prepared_.id, meter_, summary_) {}

  RunSummary run();

 private:
  void run_model(const ModelConfig& config);
  StudyFindings discover(const LoadedModel& model, const StoredBenchmark& stored);
  void run_domains(const ModelConfig& config, const ModelSession& session, const StoredBenchmark& stored,
                   store::Id model);
  void run_grid(const ModelSession& session, const Target& target, const std::vector<PlannedCell>& planned);
  void run_more(const ModelSession& session, const Target& target, const std::string& phase,
                const std::vector<PlannedCell>& planned);
  void run_calibration(const ModelConfig& config, const ModelSession& session, const StoredBenchmark& stored,
                       const StudyFindings& findings, store::Id model);
  void run_others(const ModelSession& session, const StoredBenchmark& stored, const StudyFindings& findings,
                  store::Id model);
  void run_transfer(const ModelSession& session, const StoredBenchmark& stored, store::Id model);
  void run_trained(const ModelSession& session, const StoredBenchmark& stored, store::Id model,
                   const MethodConfig& method);
  void train_and_score(const ModelSession& session, const Target& trained, const std::string& method,
                       std::int64_t seed);
  void fail_model(const ModelConfig& config, const std::string& error);
  std::int64_t all_cells();
  std::int64_t expected_samples(const StoredBenchmark& stored, const std::string& domain) const;

  const StudyConfig& study_;
  store::Store& store_;
  RunMeter meter_;
  store::Id transfer_;  // the study whose plans are run too; 0 for none
  PreparedStudy prepared_;
  RunSummary summary_;
  CellRunner cells_;
};

// What one cell takes, with the study's limit.
std::int64_t asked_samples(const StoredBenchmark& stored, const std::string& domain) {
  return std::ssize(stored.splits.at(domain).scored) * stored.benchmark.config.repeats();
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
    for (const std::string& domain : stored.domains.tested) {
      const Target target{&stored, domain, model};
      cells_.forget_failed(target);
      cells_.fail_cells(target, row.digest + "|" + stored.benchmark.config.name + "|" + domain,
                        unplanned_cells(study_, domain, error));
      meter_.state().samples_total -= expected_samples(stored, domain);
    }
}

std::int64_t StudyRunner::expected_samples(const StoredBenchmark& stored, const std::string& domain) const {
  return std::ssize(unplanned_cells(study_, domain, "")) * asked_samples(stored, domain);
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

void StudyRunner::run_grid(const ModelSession& session, const Target& target,
                           const std::vector<PlannedCell>& planned) {
  if (!study_.search.is_halving()) return cells_.run(session, target, planned);
  const std::int64_t dropped = run_halving(cells_, store_, prepared_.id, session, target, planned);
  meter_.state().cells_total -= dropped;
}

void StudyRunner::run_domains(const ModelConfig& config, const ModelSession& session,
                              const StoredBenchmark& stored, store::Id model) {
  StudyFindings findings;
  std::string error;
  guarded(
      [&] {
        findings = discover(session.loaded(model), stored);
        add_trace_rankings({session, stored, study_, prepared_.id, [this] { meter_.check_interrupt(); }},
                           findings, store_);
      },
      [&](const std::string& problem) { error = "discovery: " + problem; });
  for (const std::string& domain : stored.domains.tested) {
    const Target target{&stored, domain, model};
    const auto fail = [&](const std::string& why) {
      // The model is there, so that it is trained whatever went wrong here.
      cells_.fail(session, target, unplanned_cells(study_, domain, why, false), why);
    };
    meter_.state().domain = domain;
    meter_.phase("grid");
    cells_.forget_failed(target);
    const std::int64_t before = summary_.samples_new;
    if (error.empty())
      guarded(
          [&] { run_grid(session, target, plan_cells(study_, findings, domain, session.engine().spec())); },
          fail);
    else
      fail(error);
    // What was stored before this call is not part of its work.
    meter_.state().samples_total -= expected_samples(stored, domain) - (summary_.samples_new - before);
  }
  if (!error.empty()) return;
  // What goes wrong beside the grid leaves no cell that could hold the reason.
  const auto log = [&](const std::string& why) {
    summary_.problems.push_back(fmt::format("model {}, {}, {}: {}", config.name, stored.benchmark.config.name,
                                            meter_.state().phase, why));
    store_.add_event(prepared_.id, "failure", summary_.problems.back());
  };
  guarded([&] { run_others(session, stored, findings, model); }, log);
  if (study_.calibration.permutations > 0)
    guarded([&] { run_calibration(config, session, stored, findings, model); }, log);
  if (transfer_ != 0) guarded([&] { run_transfer(session, stored, model); }, log);
}

void StudyRunner::run_transfer(const ModelSession& session, const StoredBenchmark& stored, store::Id model) {
  meter_.phase("transfer");
  const auto transferred = transfer_cells(store_, transfer_, model);
  for (const std::string& domain : stored.domains.tested)
    run_more(session, {&stored, domain, model}, "transfer", transferred);
}

// Cells beside the grid: they are counted when they come up.
void StudyRunner::run_more(const ModelSession& session, const Target& target, const std::string& phase,
                           const std::vector<PlannedCell>& planned) {
  const std::int64_t expected = std::ssize(planned) * asked_samples(*target.stored, target.domain);
  const std::int64_t before = summary_.samples_new;
  meter_.state().domain = target.domain;
  meter_.state().cells_total += std::ssize(planned);
  meter_.state().samples_total += expected;
  meter_.phase(phase);
  cells_.run(session, target, planned);
  meter_.state().samples_total -= expected - (summary_.samples_new - before);
}

// Reference plans on every tested domain. Where no experts are planted, each label permutation is tested on
// one domain, in turn.
void StudyRunner::run_calibration(const ModelConfig& config, const ModelSession& session,
                                  const StoredBenchmark& stored, const StudyFindings& findings,
                                  store::Id model) {
  const model::ModelSpec& spec = session.engine().spec();
  for (const std::string& domain : stored.domains.tested)
    run_more(session, {&stored, domain, model}, "calibrate",
             reference_cells(study_, config, findings, domain, spec));
  if (!has_nothing_planted(config)) return;
  const auto routing = labelled_routing(store_, findings, spec);
  for (int draw = 1; draw <= study_.calibration.permutations; ++draw) {
    const std::string& domain = permuted_domain(stored.domains, draw);
    run_more(session, {&stored, domain, model}, "calibrate",
             permuted_cells(study_, permuted_findings(routing, findings, draw), domain, spec, draw));
  }
}

void StudyRunner::run_others(const ModelSession& session, const StoredBenchmark& stored,
                             const StudyFindings& findings, store::Id model) {
  if (stored.domains.tested.size() < 2) return;
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

// Trains on one domain and scores the trained model on all of them.
void StudyRunner::train_and_score(const ModelSession& session, const Target& trained,
                                  const std::string& method, std::int64_t seed) {
  meter_.state().domain = trained.domain;
  meter_.phase("train");
  const SftJob job{&session,
                   trained.stored,
                   trained.domain,
                   seed,
                   store_.database().path().parent_path() / "training",
                   [this] { meter_.check_interrupt(); }};
  const SftOutcome outcome = run_sft(job, study_, store_);
  const NotedTraining noted{&job, &outcome, trained.model, method};
  note_training(store_, prepared_.id, noted);
  summary_.trainings.push_back(training_line(noted));
  const engine::Engine engine(*outcome.model, session.engine().options());
  meter_.phase("probe");
  note_drift(store_, prepared_.id, noted, engine, study_.sft.drift);
  for (const std::string& domain : trained.stored->domains.tested) {
    const Target target{trained.stored, domain, trained.model};
    meter_.state().domain = domain;
    meter_.phase(domain == trained.domain ? "grid" : "other_domain");
    cells_.run_trained(session, engine, target, sft_cell(method, trained.domain, domain, outcome.digest));
  }
}

void StudyRunner::run_trained(const ModelSession& session, const StoredBenchmark& stored, store::Id model,
                              const MethodConfig& method) {
  for (const std::string& domain : stored.domains.tested)
    for (const std::int64_t seed : study_.seed.training) {
      const Target target{&stored, domain, model};
      const std::string name = sft_method_name(method, study_, seed);
      meter_.state().cells_total += std::ssize(stored.domains.tested) - 1;
      for (const std::string& tested : stored.domains.tested)
        meter_.state().samples_total += asked_samples(stored, tested);
      guarded([&] { train_and_score(session, target, name, seed); },
              [&](const std::string& why) {
                cells_.fail(session, target, {sft_cell(name, domain, domain, "", why)}, why);
              });
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
      for (const std::string& domain : stored.domains.tested)
        cells_.forget_failed({&stored, domain, *stand_in});
    run_domains(config, *session, stored, model);
    for (const MethodConfig& method : study_.methods)
      if (method.kind == MethodKind::sft) run_trained(*session, stored, model, method);
  }
}

std::int64_t StudyRunner::all_cells() {
  std::int64_t cells = 0;
  for (const ModelConfig& model : study_.models) {
    const std::int64_t transfer = transfer_ == 0 ? 0 : count_transfer_cells(store_, transfer_, model.name);
    for (const StoredBenchmark& stored : prepared_.benchmarks)
      for (const std::string& domain : stored.domains.tested)
        cells += count_cells({&study_, &model, &stored.domains, domain, transfer}).total();
  }
  return cells;
}

RunSummary StudyRunner::run() {
  const auto start = Clock::now();
  for (const StoredBenchmark& stored : prepared_.benchmarks)
    for (const std::string& domain : stored.domains.tested) {
      const auto models = std::ssize(study_.models);
      meter_.state().cells_total += models * std::ssize(unplanned_cells(study_, domain, ""));
      meter_.state().samples_total += models * expected_samples(stored, domain);
    }
  require_allowed(study_, all_cells());
  for (const ModelConfig& model : study_.models) {
    meter_.check_interrupt();
    run_model(model);
  }
  meter_.state().model.clear();
  meter_.state().domain.clear();
  meter_.phase("analyse");
  analyse_study(store_, prepared_.id);
  put_search_notes(store_, prepared_.id, study_);
  store_verdicts(store_, prepared_.id);
  for (const auto& [cell, role] : store_.cells(prepared_.id))
    if (cell.status == "failed") ++summary_.cells_failed;
  if (!summary_.has_failed()) store_.finish_study(prepared_.id);
  store_.checkpoint();
  summary_.seconds = seconds_since(start);
  return summary_;
}

}  // namespace

RunSummary run_study(const StudyConfig& study, store::Store& store, const RunHooks& hooks) {
  return StudyRunner(study, store, hooks).run();
}

}  // namespace moelab::experiments

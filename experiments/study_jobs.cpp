#include "experiments/study_jobs.h"

#include <fmt/format.h>

#include <utility>

#include "core/config/problems.h"
#include "experiments/progress_line.h"
#include "experiments/published.h"
#include "experiments/study_forecast.h"
#include "experiments/study_sweep.h"
#include "experiments/workspace.h"

namespace moelab::experiments {
namespace {

ProgressFigures figures_of(const RunProgress& progress) {
  ProgressFigures figures;
  figures.what = fmt::format("{} {} {}", progress.model, progress.domain, progress.phase);
  figures.cells_done = progress.cells_done;
  figures.cells_total = progress.cells_total;
  figures.samples_done = progress.samples_done;
  figures.samples_total = progress.samples_total;
  figures.tokens_per_second = progress.tokens_per_second;
  figures.seconds_left = progress.seconds_left;
  return figures;
}

// Tells what is wrong with overrides, references and values together. Throws ConfigError.
StudyJob bind_job(const config::Tree& tree, const std::vector<std::string>& overrides) {
  std::vector<std::string> noted;
  config::Composed composed = tree.compose("config", overrides, {.problems = &noted});
  config::Problems problems;
  for (std::string& problem : noted) problems.add(std::move(problem));
  StudyJob job;
  try {
    config::resolve(composed);
    job.study = bind_study(tree, composed);
    job.database = study_database(job.study, composed);
  } catch (const ConfigError& error) {
    problems.add_all(error);
  }
  problems.throw_if_any();
  return job;
}

}  // namespace

std::vector<StudyJob> bind_jobs(const Arguments& arguments, const std::vector<std::string>& given) {
  const config::Tree tree(config_directories(arguments));
  std::vector<StudyJob> jobs;
  for (const auto& overrides : expand_studies(given, arguments.has("--multirun"))) {
    jobs.push_back(bind_job(tree, overrides));
  }
  return jobs;
}

RunSummary run_job(const StudyJob& job, const StopSignals& signals) {
  store::Store store = store::Store::open(job.database, store::Mode::read_write_create);
  load_published(store, find_path("results/published"));
  ProgressLine line;
  RunHooks hooks;
  hooks.progress = [&](const RunProgress& progress) { line.show(figures_of(progress)); };
  hooks.interrupt = &signals.flag();
  return run_study(job.study, store, hooks);
}

void print_summary(const StudyJob& job, const RunSummary& summary) {
  fmt::print("study {}: {} cells done, {} were done before, {} failed; {} new samples in {}\n",
             job.study.name, summary.cells_done, summary.cells_skipped, summary.cells_failed,
             summary.samples_new, duration_text(summary.seconds));
  for (const std::string& line : summary.trainings) fmt::print("trained: {}\n", line);
  for (const std::string& problem : summary.problems) fmt::print("failed: {}\n", problem);
  const std::string keys = fmt::format("study={} db={}", job.study.name, job.database.string());
  if (summary.cells_failed > 0) fmt::print("why cells failed: moelab status {}\n", keys);
}

}  // namespace moelab::experiments

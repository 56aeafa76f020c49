// moelab run: runs a study, or what is missing of it.
#include <fmt/format.h>

#include <algorithm>

#include "core/config/problems.h"
#include "experiments/cli.h"
#include "experiments/config_view.h"
#include "experiments/progress_line.h"
#include "experiments/published.h"
#include "experiments/signals.h"
#include "experiments/study_config.h"
#include "experiments/study_forecast.h"
#include "experiments/study_run.h"
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

// One study of the command line, bound before any of them runs.
struct Job {
  StudyConfig study;
  std::filesystem::path database;
};

// Tells what is wrong with overrides, references and values together. Throws ConfigError.
Job bind_job(const config::Tree& tree, const std::vector<std::string>& overrides) {
  std::vector<std::string> noted;
  config::Composed composed = tree.compose("config", overrides, {.problems = &noted});
  config::Problems problems;
  for (std::string& problem : noted) problems.add(std::move(problem));
  Job job;
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

std::vector<Job> bind_jobs(const Arguments& arguments) {
  const config::Tree tree(config_directories(arguments));
  std::vector<Job> jobs;
  for (const auto& overrides : expand_studies(arguments.overrides, arguments.has("--multirun"))) {
    jobs.push_back(bind_job(tree, overrides));
  }
  return jobs;
}

RunSummary run_job(const Job& job, const StopSignals& signals) {
  store::Store store = store::Store::open(job.database, store::Mode::read_write_create);
  load_published(store, find_path("results/published"));
  ProgressLine line;
  RunHooks hooks;
  hooks.progress = [&](const RunProgress& progress) { line.show(figures_of(progress)); };
  hooks.interrupt = &signals.flag();
  return run_study(job.study, store, hooks);
}

void print_summary(const Job& job, const RunSummary& summary) {
  fmt::print("study {}: {} cells done, {} were done before, {} failed; {} new samples in {}\n",
             job.study.name, summary.cells_done, summary.cells_skipped, summary.cells_failed,
             summary.samples_new, duration_text(summary.seconds));
  const std::string keys = fmt::format("study={} db={}", job.study.name, job.database.string());
  if (summary.cells_failed > 0) fmt::print("why cells failed: moelab status {}\n", keys);
  fmt::print("next: moelab table methods {}\n", keys);
}

int run_studies(const Arguments& arguments) {
  if (arguments.has("--cfg")) return show_config(arguments);
  const std::vector<Job> jobs = bind_jobs(arguments);
  if (arguments.has("--dry-run")) {
    for (const Job& job : jobs) {
      fmt::print("{}", render(forecast_table(job.study, forecast(job.study)), TableFormat::text));
    }
    return kExitDone;
  }
  const StopSignals signals;
  int status = kExitDone;
  for (const Job& job : jobs) {
    const RunSummary summary = run_job(job, signals);
    print_summary(job, summary);
    if (summary.cells_failed > 0) status = kExitFailed;
  }
  return status;
}

}  // namespace

Verb verb_run() {
  VerbSpec spec;
  spec.name = "run";
  spec.summary = "run a study, or what is missing of it";
  spec.usage = "study=NAME [key=value ...] [-m] [--dry-run]";
  spec.text =
      "Composes the configuration, finds experts, scores every cell of the grid and stores each answer. The "
      "same command\n"
      "again does only what is missing. Ctrl-C stores the chunk in work and ends with status 3. Overrides "
      "are Hydra's;\n"
      "with -m a comma list on axes.KEY is that axis, and on another key one study a value.\n\nKeys of a "
      "study:\n" +
      study_config_help();
  spec.takes_overrides = true;
  spec.flags = {{"--multirun", "", "comma lists are axes, or several studies", "-m"},
                {"--dry-run", "", "list cells, samples and tokens, and run nothing"},
                {"--cfg", "PART", "print the composed config (job, hydra or all), and run nothing"},
                config_dir_flag()};
  spec.examples = {"moelab run study=demo", "moelab run study=demo axes.alpha=1.5,3 -m",
                   "moelab run study=demo axes.model=[demo_misrouted] limit=50 --dry-run"};
  return {spec, run_studies};
}

}  // namespace moelab::experiments

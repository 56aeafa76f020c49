// moelab run: runs a study, or what is missing of it.
#include <fmt/format.h>

#include "experiments/cli.h"
#include "experiments/config_view.h"
#include "experiments/study_forecast.h"
#include "experiments/study_jobs.h"
#include "experiments/workspace.h"

namespace moelab::experiments {

namespace {

int run_studies(const Arguments& arguments) {
  if (arguments.has("--cfg")) return show_config(arguments);
  const std::vector<StudyJob> jobs = bind_jobs(arguments, arguments.overrides);
  if (arguments.has("--dry-run")) {
    for (const StudyJob& job : jobs) {
      fmt::print("{}",
                 render(forecast_table(job.study, forecast(job.study, job.database)), TableFormat::text));
    }
    return kExitDone;
  }
  const StopSignals signals;
  int status = kExitDone;
  for (const StudyJob& job : jobs) {
    const RunSummary summary = run_job(job, signals);
    print_summary(job, summary);
    fmt::print("next: moelab table methods study={} db={}\n", job.study.name, job.database.string());
    if (summary.has_failed()) status = kExitFailed;
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

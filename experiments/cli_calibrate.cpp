// moelab calibrate: judges methods and protocols on models whose truth is known.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "experiments/calibrate.h"
#include "experiments/cli.h"
#include "experiments/study_jobs.h"
#include "experiments/tables.h"
#include "experiments/workspace.h"

namespace moelab::experiments {

namespace {

// The command line as overrides of a study: method=a,b becomes the study's methods, and study=calibrate comes
// first unless another is named.
std::vector<std::string> study_overrides(const Arguments& arguments) {
  std::vector<std::string> overrides;
  const bool names_study = std::any_of(arguments.overrides.begin(), arguments.overrides.end(),
                                       [](const std::string& text) { return text.starts_with("study="); });
  if (!names_study) overrides.emplace_back("study=calibrate");
  for (const std::string& text : arguments.overrides) {
    if (!text.starts_with("method=")) {
      overrides.push_back(text);
      continue;
    }
    const auto methods = split_text(text.substr(text.find('=') + 1), ',');
    overrides.push_back(fmt::format("axes.method=[original,{},random]", fmt::join(methods, ",")));
    // Null draws keep to the experts of the method in question.
    overrides.push_back("nulls.match=" + methods.front());
  }
  return overrides;
}

int run_calibration(const Arguments& arguments) {
  const TableFormat format = parse_table_format(arguments.flag("--format", "text"));
  const std::vector<StudyJob> jobs = bind_jobs(arguments, study_overrides(arguments));
  const StopSignals signals;
  int status = kExitDone;
  for (const StudyJob& job : jobs) {
    if (job.study.calibration.permutations == 0)
      throw ConfigError("study {}: calibration.permutations is 0, so there is nothing to calibrate with",
                        job.study.name);
    const RunSummary summary = run_job(job, signals);
    if (format == TableFormat::text) print_summary(job, summary);
    if (summary.cells_failed > 0) status = kExitFailed;
    store::Store store = store::Store::open(job.database, store::Mode::read_only);
    const store::Id study = require_study(store, job.study.name);
    fmt::print("{}", render(calibration_table(calibrate(store, study, {}), job.study.name), format));
  }
  return status;
}

}  // namespace

Verb verb_calibrate() {
  VerbSpec spec;
  spec.name = "calibrate";
  spec.summary = "judge methods and protocols on models whose truth is known";
  spec.usage = "[method=a,b] [study=NAME] [key=value ...]";
  spec.text =
      "Runs the study 'calibrate', or what is missing of it, and prints for each method and protocol: recall "
      "of "
      "the planted\n"
      "experts, power (how often a real gain is called), false positives under permuted domain labels, and "
      "the "
      "gain found\n"
      "against the gain available. Keys are those of moelab run.";
  spec.takes_overrides = true;
  spec.flags = {{"--format", "FORMAT", "text (default), markdown, latex or csv"}, config_dir_flag()};
  spec.examples = {"moelab calibrate", "moelab calibrate limit=40 calibration.permutations=3",
                   "moelab calibrate method=contrast calibration.permutations=20"};
  return {spec, run_calibration};
}

}  // namespace moelab::experiments

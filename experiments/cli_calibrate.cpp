// moelab calibrate: judges methods and protocols on models whose truth is known.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/json.h"
#include "experiments/calibrate.h"
#include "experiments/cli.h"
#include "experiments/methods_plan.h"
#include "experiments/study_jobs.h"
#include "experiments/tables.h"
#include "experiments/workspace.h"

namespace moelab::experiments {

namespace {

// Whether null draws can be matched to the method; what is no option is told when the study is bound.
bool takes_draws(const config::Tree& tree, const std::string& name) {
  const auto options = tree.options("method");
  if (std::find(options.begin(), options.end(), name) == options.end()) return false;
  const std::string origin = "configs/method/" + name;
  const auto option = json_get<Json>(tree.compose("method/" + name, {}).tree, "method", origin);
  const auto kind = parse_method_kind(json_get<std::string>(option, "kind", origin));
  return is_ranked(kind) && kind != MethodKind::only;
}

// method=a,b as the study's methods. Null draws keep to the first one that ranks experts: `match` of the
// study stays where there is none.
void add_methods(const Arguments& arguments, const std::string& names, std::vector<std::string>& overrides) {
  const auto methods = split_list(names);
  if (methods.empty() || std::find(methods.begin(), methods.end(), "") != methods.end())
    throw ConfigError("method={}: name one or more options of configs/method, as in method=contrast,dsmoe",
                      names);
  const config::Tree tree(config_directories(arguments));
  const auto matched = std::find_if(methods.begin(), methods.end(),
                                    [&](const std::string& name) { return takes_draws(tree, name); });
  std::vector<std::string> axis = {"original"};
  for (const std::string& name : methods)
    if (name != "original" && name != "random") axis.push_back(name);
  axis.emplace_back("random");
  overrides.push_back(fmt::format("axes.method=[{}]", fmt::join(axis, ",")));
  if (matched != methods.end()) overrides.push_back("nulls.match=" + *matched);
}

// The command line as overrides of a study: method=a,b becomes the study's methods, and study=calibrate comes
// first unless another is named. What the user says comes last and wins.
std::vector<std::string> study_overrides(const Arguments& arguments) {
  std::vector<std::string> overrides, own;
  const bool names_study = std::any_of(arguments.overrides.begin(), arguments.overrides.end(),
                                       [](const std::string& text) { return text.starts_with("study="); });
  if (!names_study) overrides.emplace_back("study=calibrate");
  for (const std::string& text : arguments.overrides) {
    if (text.starts_with("method="))
      add_methods(arguments, text.substr(text.find('=') + 1), overrides);
    else
      own.push_back(text);
  }
  overrides.insert(overrides.end(), own.begin(), own.end());
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
    if (summary.has_failed()) status = kExitFailed;
    store::Store store = store::Store::open(job.database, store::Mode::read_only);
    const store::Id study = require_study(store, job.study.name);
    fmt::print("{}", render(calibration_table(calibrate(store, study), job.study.name), format));
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
      "Runs the study 'calibrate', or what is missing of it, and prints for each method and protocol:\n"
      "recall of the planted experts, power (how often a real gain is called), false positives under\n"
      "permuted domain labels, and the gain found against the gain available. Null draws are matched to\n"
      "the first method= that ranks experts. Keys are those of moelab run.";
  spec.takes_overrides = true;
  spec.flags = {{"--format", "FORMAT", "text (default), markdown, latex or csv"}, config_dir_flag()};
  spec.examples = {"moelab calibrate", "moelab calibrate limit=40 calibration.permutations=3",
                   "moelab calibrate method=contrast calibration.permutations=20"};
  return {spec, run_calibration};
}

}  // namespace moelab::experiments

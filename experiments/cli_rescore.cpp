// moelab rescore: verdicts of another evaluator on stored samples, and the comparisons that follow from them.
#include <fmt/format.h>

#include "experiments/analyse.h"
#include "experiments/cli.h"
#include "experiments/rescore.h"
#include "experiments/study_results.h"
#include "experiments/workspace.h"

namespace moelab::experiments {

namespace {

int run_rescore(const Arguments& arguments) {
  if (!arguments.has("--evaluator"))
    throw ConfigError("rescore needs --evaluator NAME; moelab extract --list names them");
  RescoreRequest request;
  request.evaluator = &evaluators::find_evaluator(arguments.flag("--evaluator", ""));
  // Reading first refuses a database that is not there, which writing would create.
  open_results(arguments);
  store::Store store = open_results(arguments, store::Mode::read_write_create);
  if (arguments.settings.contains("study")) request.study = require_study(store, arguments.setting("study"));
  request.cell = arguments.integer("cell", 0);
  request.models = arguments.list("model");
  request.benchmarks = arguments.list("benchmark");
  request.domains = arguments.list("domain");
  const RescoreSummary summary = rescore(store, request);
  for (const store::Id study : summary.studies) analyse_study(store, study);
  fmt::print("{} version {}: {} samples in {} cells judged, {} verdicts new\n", request.evaluator->name,
             request.evaluator->version, summary.samples, summary.cells, summary.added);
  if (summary.scored > 0)
    fmt::print("{} cells left out: their options were scored, nothing was written\n", summary.scored);
  fmt::print("Tables show it with evaluator={}\n", request.evaluator->name);
  return kExitDone;
}

}  // namespace

Verb verb_rescore() {
  VerbSpec spec;
  spec.name = "rescore";
  spec.summary = "judges stored samples with another evaluator, without generation";
  spec.usage = "--evaluator NAME [study=NAME] [cell=ID] [key=value ...]";
  spec.text =
      "Adds the evaluator's verdicts to every stored sample that fits and makes the comparisons of the "
      "studies anew.\n"
      "Samples are never changed, and the same command again adds nothing.";
  spec.settings = {{"study", "only this study's cells (default: all that are stored)"},
                   {"cell", "only the cell with this id"},
                   {"model", "only these models (a,b)"},
                   {"benchmark", "only these benchmarks (a,b)"},
                   {"domain", "only these domains (a,b)"},
                   database_setting()};
  spec.flags = {{"--evaluator", "NAME", "the evaluator (moelab extract --list)"}};
  spec.examples = {"moelab rescore --evaluator gpqa/official study=gpqa",
                   "moelab rescore --evaluator aime/lenient benchmark=demo_sums",
                   "moelab table methods study=gpqa evaluator=gpqa/official"};
  return {spec, run_rescore};
}

}  // namespace moelab::experiments

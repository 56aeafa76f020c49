// moelab import: runs of lm-evaluation-harness and inspect_ai into the database.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/config/nearest.h"
#include "experiments/cli.h"
#include "experiments/import_runs.h"
#include "experiments/workspace.h"

namespace moelab::experiments {

namespace {

ImportedRun read_run(const std::string& tool, const std::string& path) {
  if (tool == "lm-eval") return read_lm_eval(path);
  if (tool == "inspect") return read_inspect(path);
  throw ConfigError("there is no import from '{}'{} Known are lm-eval and inspect", tool,
                    config::did_you_mean(tool, {"lm-eval", "inspect"}));
}

int run_import(const Arguments& arguments) {
  ImportRequest request;
  request.study = arguments.setting("study");
  request.model = arguments.setting("model");
  request.method = arguments.setting("method", "original");
  request.thinking = arguments.setting("thinking", "none");
  request.evaluators = arguments.list("evaluator");
  std::vector<ImportedRun> runs;
  for (std::size_t i = 1; i < arguments.words.size(); ++i)
    runs.push_back(read_run(arguments.words[0], arguments.words[i]));
  store::Store store = open_results(arguments, store::Mode::read_write_create);
  for (const ImportedRun& run : runs) {
    const ImportSummary summary = import_run(store, run, request);
    fmt::print(
        "study {}: {} questions x {} samples in {} cells, {} verdicts; judged by {} and by the tool\n",
        summary.study_name, summary.questions, summary.repeats, summary.cells, summary.verdicts,
        summary.evaluators.empty() ? "none of ours" : fmt::format("{}", fmt::join(summary.evaluators, ", ")));
    if (!run.is_complete) fmt::print("the tool did not end well: the cells are marked partial\n");
    if (!summary.has_original)
      fmt::print("no original yet: import the unsteered run with method=original to compare with it\n");
  }
  return kExitDone;
}

}  // namespace

Verb verb_import() {
  VerbSpec spec;
  spec.name = "import";
  spec.summary = "brings runs of lm-eval or inspect_ai into the database";
  spec.usage = "lm-eval|inspect FILE... [study=NAME] [model=NAME] [method=NAME] [key=value ...]";
  spec.text =
      "Reads samples_*.jsonl of lm_eval --log_samples, or inspect_ai logs as JSON, and stores questions, "
      "samples, the tool's\n"
      "verdicts and ours as a study, whose tables and tests then work as for one that was run here.";
  spec.settings = {{"study", "the study (default: TOOL-TASK)"},
                   {"model", "the model (default: as the log names it)"},
                   {"method", "the name of the plan that was run (default: original)"},
                   {"thinking", "how replies mark thinking: none (default), think, harmony, ernie, hunyuan"},
                   {"evaluator", "ours that judge too (a,b; default: those made for the task)"},
                   database_setting()};
  spec.words = {2, 10'000};
  spec.examples = {
      "moelab import lm-eval samples_gpqa_diamond_cot_zeroshot_2026-11-22T10-00-00.jsonl model=qwen3",
      "moelab import lm-eval samples_aime24_*.jsonl model=qwen3 method=steered thinking=think study=aime",
      "moelab import inspect logs/2026-11-22_gpqa.json study=gpqa"};
  return {spec, run_import};
}

}  // namespace moelab::experiments

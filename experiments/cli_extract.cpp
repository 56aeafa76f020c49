// moelab extract: an evaluator on answers from a file or the standard input, without a database.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iostream>

#include "evaluators/extract_rows.h"
#include "experiments/cli.h"
#include "experiments/text_table.h"

namespace moelab::experiments {

namespace {

int list_evaluators() {
  TextTable table;
  table.columns = {{"evaluator", true}, {"version"}, {"answers", true}};
  for (const evaluators::Evaluator& each : evaluators::all_evaluators()) {
    const bool is_letter = each.kind == evaluators::AnswerKind::letter;
    table.add({std::string(each.name), fmt::to_string(each.version), is_letter ? "letter" : "number"});
  }
  fmt::print("{}", render(table, TableFormat::text));
  return kExitDone;
}

int run_extract(const Arguments& arguments) {
  if (arguments.has("--list")) return list_evaluators();
  if (!arguments.has("--evaluator"))
    throw ConfigError("extract needs --evaluator NAME; moelab extract --list names them");
  const evaluators::Evaluator& evaluator = evaluators::find_evaluator(arguments.flag("--evaluator", ""));
  std::ios::sync_with_stdio(false);
  evaluators::ExtractCounts counts;
  if (arguments.words.empty()) {
    counts = evaluators::extract_rows(std::cin, std::cout, evaluator, "standard input");
  } else {
    const std::string& path = arguments.words.front();
    if (std::filesystem::is_directory(path)) throw FileError("{}: is a folder, not a file of rows", path);
    std::ifstream file(path, std::ios::binary);
    if (!file) throw FileError("{}: cannot be read", path);
    counts = evaluators::extract_rows(file, std::cout, evaluator, path);
  }
  std::cout.flush();
  if (!std::cout) throw FileError("the verdicts cannot be written: is the disk full?");
  fmt::print(stderr, "{} rows, {} with an answer, {} right\n", counts.rows, counts.answered, counts.correct);
  return kExitDone;
}

}  // namespace

Verb verb_extract() {
  VerbSpec spec;
  spec.name = "extract";
  spec.summary = "finds and judges answers in texts: JSON lines in, JSON lines out";
  spec.usage = "--evaluator NAME [FILE] < in.jsonl > out.jsonl";
  spec.text =
      "Each row in is {\"text\", \"options\", \"gold\"}, each row out {\"answer\", \"rule\", \"span\", "
      "\"correct\"}. Options are\n"
      "needed for letters; gold is the right option's letter, or the number. The span is in bytes. Counts go "
      "to stderr.";
  spec.flags = {{"--evaluator", "NAME", "the evaluator"}, {"--list", "", "the evaluators by name"}};
  spec.words = {0, 1};
  spec.examples = {"moelab extract --list", "moelab extract --evaluator mmlu_pro/official answers.jsonl",
                   "moelab extract --evaluator aime/exact sums.jsonl"};
  return {spec, run_extract};
}

}  // namespace moelab::experiments

// moelab flips: the questions whose answer steering changed from right to wrong or back.
#include <fmt/format.h>

#include "experiments/answer_pairs.h"
#include "experiments/cli.h"
#include "experiments/shown_options.h"
#include "experiments/text_table.h"
#include "experiments/workspace.h"

namespace moelab::experiments {

namespace {

void print_side(store::Store& store, const CellPair& pair, bool to_right, const Arguments& arguments) {
  const std::int64_t limit = parse_integer(arguments.flag("--limit", "10"), "--limit");
  std::int64_t total = 0;
  std::string text;
  for (const AnswerPair& answer : pair.answers) {
    if (!answer.flipped() || answer.is_right != to_right) continue;
    if (++total > limit) continue;
    const store::QuestionRow question = store.question(answer.question);
    text.append("\n").append(
        question_text(question, answer, arguments.has("--text") || !is_protected(question)));
  }
  fmt::print("\n{}: {}{}\n{}", to_right ? "Wrong to right" : "Right to wrong", total,
             total > limit ? fmt::format(" (the first {})", limit) : "", text);
}

void print_csv(store::Store& store, const CellPair& pair) {
  fmt::print("question,direction,answer_original,answer,gold,text\n");
  for (const AnswerPair& answer : pair.answers) {
    if (!answer.flipped()) continue;
    const store::QuestionRow question = as_shown(store.question(answer.question), answer.option_order);
    fmt::print("{},{},{},{},{},{}\n", csv_field(question.name),
               answer.is_right ? "wrong_right" : "right_wrong", csv_field(answer.answer_original),
               csv_field(answer.answer), csv_field(question.gold),
               is_protected(question) ? "" : csv_field(question.text));
  }
}

int flips(const Arguments& arguments) {
  store::Store store = open_results(arguments);
  const CellPair pair = find_pair(store, arguments);
  if (arguments.has("--csv")) {
    print_csv(store, pair);
    return kExitDone;
  }
  fmt::print("{}\nagainst the original (cell {}), {} questions, evaluator {}\n",
             describe_cell(pair.model, pair.steered), pair.original.id, pair.answers.size(), pair.evaluator);
  print_side(store, pair, true, arguments);
  print_side(store, pair, false, arguments);
  return kExitDone;
}

}  // namespace

Verb verb_flips() {
  VerbSpec spec;
  spec.name = "flips";
  spec.summary = "questions that steering turned from wrong to right, and from right to wrong";
  spec.usage = "[study=NAME] [model=NAME] [domain=NAME] [method=NAME] [key=value ...] [--limit N]";
  spec.text =
      "Compares one cell with the original on the same questions and prints every answer that changed sides, "
      "with the\n"
      "question and its options.";
  spec.settings = cell_settings();
  spec.flags = {{"--limit", "N", "questions of each direction (default: 10)"},
                {"--text", "", "print protected texts (GPQA) too; never as CSV"},
                {"--csv", "", "all of them as comma-separated values"}};
  spec.examples = {"moelab flips study=demo model=demo_misrouted domain=elements",
                   "moelab flips model=demo_misrouted domain=elements method=contrast n_steered=4 alpha=3",
                   "moelab flips cell=17 --csv"};
  return {spec, flips};
}

}  // namespace moelab::experiments

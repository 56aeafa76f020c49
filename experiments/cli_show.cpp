// moelab show: one cell with its answers, or one question in every cell of a study.
#include <fmt/format.h>

#include "experiments/answer_pairs.h"
#include "experiments/cli.h"
#include "experiments/shown_options.h"
#include "experiments/study_results.h"
#include "experiments/text_table.h"
#include "experiments/workspace.h"

namespace moelab::experiments {

namespace {

void print_effects(store::Store& store, store::Id cell) {
  const std::vector<store::EffectRow> effects = store.effects(cell);
  if (effects.empty()) return;
  TextTable table;
  table.columns = {{"layer"},   {"tokens"},        {"selections"}, {"changed"},
                   {"steered"}, {"weight change"}, {"state", true}};
  for (const store::EffectRow& row : effects) {
    const double selections = static_cast<double>(std::max<std::int64_t>(row.selections, 1));
    table.add({fmt::to_string(row.layer), fmt::to_string(row.rows), fmt::to_string(row.selections),
               percent(static_cast<double>(row.changed) / selections) + " %",
               percent(static_cast<double>(row.steered_selected) / selections) + " %",
               fmt::format("{:.4f}", row.weight_change), row.state});
  }
  fmt::print("\n{}", render(table, TableFormat::text));
}

bool is_shown(const AnswerPair& answer, const Arguments& arguments) {
  if (arguments.has("--wrong") && answer.is_right) return false;
  return !arguments.has("--flipped") || answer.flipped();
}

void print_answers(store::Store& store, const CellPair& pair, const Arguments& arguments) {
  const std::int64_t limit = parse_integer(arguments.flag("--limit", "10"), "--limit");
  const std::int64_t characters = parse_integer(arguments.flag("--characters", "600"), "--characters");
  const bool is_free = arguments.has("--text");
  std::int64_t fitting = 0;
  for (const AnswerPair& answer : pair.answers) {
    if (!is_shown(answer, arguments) || ++fitting > limit) continue;
    const store::QuestionRow question = store.question(answer.question);
    const bool with_text = is_free || !is_protected(question);
    fmt::print("\n{}", question_text(question, answer, with_text));
    if (with_text) fmt::print("{}", written_texts(store, pair, answer.question, characters));
  }
  if (fitting > limit) fmt::print("\n{} more; --limit N prints them\n", fitting - limit);
}

int show_question(store::Store& store, const Arguments& arguments) {
  const store::Id study = require_study(store, arguments.setting("study"));
  TextTable table;
  table.columns = {{"model", true}, {"method", true},    {"n_steered"},    {"alpha"},      {"mode", true},
                   {"repeat"},      {"evaluator", true}, {"answer", true}, {"gold", true}, {"right", true}};
  const std::int64_t repeat = arguments.integer("repeat", 0);
  if (arguments.settings.contains("repeat") && repeat < 1)
    throw ConfigError("repeat={}: samples count from 1", repeat);
  std::optional<store::QuestionRow> asked;
  AnswerPair shown;  // the options in the order of the samples; in the question's own where they differ
  store::Statement row = store.database().prepare(
      "SELECT q.id, m.name, c.method, c.n_steered, c.alpha, c.mode, v.evaluator, coalesce(v.answer, '-'), "
      "v.correct, s.repeat + 1, s.option_order "
      "FROM question AS q JOIN sample AS s ON s.question = q.id JOIN cell AS c ON c.id = s.cell "
      "JOIN study_cell AS x ON x.cell = c.id AND x.study = ?1 JOIN model AS m ON m.id = c.model "
      "JOIN latest_verdict AS v ON v.sample = s.id "
      "WHERE q.name = ?2 AND x.role IN ('original', 'grid') AND (?3 = 0 OR s.repeat + 1 = ?3) "
      "ORDER BY m.id, c.id, s.repeat, v.evaluator");
  const std::string name = arguments.setting("question");
  row.bind(study, name, repeat);
  while (row.step()) {
    const auto order = row.get<std::optional<std::string>>(10);
    // Another benchmark may have a question of the same name.
    const store::QuestionRow question = store.question(row.get<store::Id>(0));
    if (!asked) {
      asked = question;
      shown.option_order = order;
    }
    if (order != shown.option_order) shown.option_order.reset();
    table.add({row.get<std::string>(1), row.get<std::string>(2), row.get<std::string>(3),
               number_text(row.get<double>(4)), row.get<std::string>(5), row.get<std::string>(9),
               row.get<std::string>(6), row.get<std::string>(7), as_shown(question, order).gold,
               row.get<bool>(8) ? "yes" : "no"});
  }
  if (!asked) throw ConfigError("the study has no answer to a question '{}'", name);
  fmt::print("{}\n{}", question_text(*asked, shown, arguments.has("--text") || !is_protected(*asked)),
             render(table, TableFormat::text));
  return kExitDone;
}

int show(const Arguments& arguments) {
  store::Store store = open_results(arguments);
  if (arguments.settings.contains("question")) return show_question(store, arguments);
  const CellPair pair = find_pair(store, arguments);
  std::int64_t right = 0;
  for (const AnswerPair& answer : pair.answers) right += answer.is_right ? 1 : 0;
  const auto interval = statistics::wilson_interval(right, static_cast<std::int64_t>(pair.answers.size()));
  fmt::print("{}\nstatus {}, {} of {} right ({} to {} %), evaluator {}\n",
             describe_cell(pair.model, pair.steered), pair.steered.status, right, pair.answers.size(),
             percent(interval.lo), percent(interval.hi), pair.evaluator);
  if (!pair.steered.error.empty()) fmt::print("error: {}\n", pair.steered.error);
  print_effects(store, pair.steered.id);
  print_answers(store, pair, arguments);
  return kExitDone;
}

}  // namespace

Verb verb_show() {
  VerbSpec spec;
  spec.name = "show";
  spec.summary = "one cell with its answers and effects, or one question in every cell";
  spec.usage = "[study=NAME] [model=NAME] [domain=NAME] [method=NAME] [key=value ...] [--wrong] [--flipped]";
  spec.text =
      "Prints how a cell stands, what its plan did to the router in each layer, and its answers beside the "
      "original's,\n"
      "with what both wrote; with question=NAME every answer that the study has to that question.";
  spec.settings = cell_settings();
  spec.settings.push_back({"question", "a question's name"});
  spec.flags = {{"--wrong", "", "wrong answers only"},
                {"--flipped", "", "answers that changed sides only"},
                {"--limit", "N", "answers to print (default: 10)"},
                {"--characters", "N", "of each written text, from its end; 0: all of it (default: 600)"},
                {"--text", "", "print protected texts (GPQA) too"}};
  spec.examples = {"moelab show study=demo model=demo_misrouted domain=elements --wrong",
                   "moelab show cell=17 --flipped --characters 0",
                   "moelab show study=demo question=elements-0042"};
  return {spec, show};
}

}  // namespace moelab::experiments

#include "experiments/answer_pairs.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/config/nearest.h"
#include "experiments/private_sets.h"
#include "experiments/shown_options.h"
#include "experiments/study_results.h"
#include "experiments/text_table.h"
#include "experiments/workspace.h"

namespace moelab::experiments {

using store::CellRow;
using store::Id;
using store::Store;

namespace {

// Fills in the settings that the keys leave open with those that the study chose for the method.
struct Wanted {
  std::string model, domain, method, mode, steered_domain;
  std::optional<std::int64_t> n_steered, draw;
  std::optional<double> alpha;

  explicit Wanted(const Arguments& arguments)
      : model(arguments.setting("model")),
        domain(arguments.setting("domain")),
        method(arguments.setting("method", "dsmoe")),
        mode(arguments.setting("mode")),
        steered_domain(arguments.setting("steered_domain")) {
    if (arguments.settings.contains("n_steered")) n_steered = arguments.integer("n_steered", 0);
    if (arguments.settings.contains("draw")) draw = arguments.integer("draw", 0);
    if (arguments.settings.contains("alpha")) alpha = arguments.real("alpha", 1);
  }

  void add_choice(const ChosenSettings& chosen) {
    if (!n_steered) n_steered = chosen.n_steered;
    if (!alpha) alpha = chosen.alpha;
    if (mode.empty()) mode = chosen.mode;
  }

  bool fits(const CellRow& cell, const std::string& cell_model) const {
    const std::string& steered = steered_domain.empty() ? cell.domain : steered_domain;
    return (model.empty() || model == cell_model) && (domain.empty() || domain == cell.domain) &&
           method == cell.method && (mode.empty() || mode == cell.mode) &&
           (cell.steered_domain.empty() || cell.steered_domain == steered) &&
           n_steered.value_or(cell.n_steered) == cell.n_steered && alpha.value_or(cell.alpha) == cell.alpha &&
           draw.value_or(cell.draw) == cell.draw;
  }
};

std::optional<ChosenSettings> chosen_by_study(Store& store, Id study, const Wanted& wanted) {
  TableRequest request;
  request.study = study;
  request.methods = {wanted.method};
  if (!wanted.model.empty()) request.models = {wanted.model};
  if (!wanted.domain.empty()) request.domains = {wanted.domain};
  try {
    return method_rows(store, request).front().chosen;
  } catch (const ConfigError&) {
    return std::nullopt;  // not analysed yet: the keys must name the cell alone
  }
}

CellRow find_cell(Store& store, Id study, const Arguments& arguments) {
  if (arguments.settings.contains("cell")) return store.cell(arguments.integer("cell", 0));
  Wanted wanted(arguments);
  if (const auto chosen = chosen_by_study(store, study, wanted)) wanted.add_choice(*chosen);
  std::vector<CellRow> found;
  std::vector<std::string> names;
  for (const auto& [cell, role] : store.cells(study)) {
    const std::string model = store.model(cell.model).name;
    // What a study runs to be compared with has the names and settings of its own cells: cell= shows it.
    const bool is_beside = role == "aa" || role == "permuted" || role == "planted" || role == "transfer";
    if (is_beside || !wanted.fits(cell, model)) continue;
    found.push_back(cell);
    names.push_back(describe_cell(model, cell));
  }
  if (found.size() == 1) return found.front();
  if (found.empty())
    throw ConfigError("the study has no cell of method '{}' with these settings", wanted.method);
  throw ConfigError(
      "{} cells fit; say which with model=, domain=, n_steered=, alpha=, mode=, draw= or cell=:\n  {}",
      found.size(), config::join_names(names, 8));
}

CellRow find_original(Store& store, Id study, const CellRow& steered) {
  for (const auto& [cell, role] : store.cells(study)) {
    const bool fits = cell.method == "original" && role != "aa" && cell.model == steered.model &&
                      cell.benchmark == steered.benchmark && cell.domain == steered.domain &&
                      cell.condition == steered.condition;
    if (fits) return cell;
  }
  throw ConfigError("the study has no original to compare cell {} with", steered.id);
}

std::vector<AnswerPair> read_answers(Store& store, const CellPair& pair) {
  std::vector<AnswerPair> answers;
  store::Statement row = store.database().prepare(
      "SELECT s.question, coalesce(w.answer, ''), w.correct, coalesce(v.answer, ''), v.correct, "
      "s.option_order "
      "FROM sample AS s JOIN sample AS t ON t.cell = ?2 AND t.question = s.question AND t.repeat = s.repeat "
      "JOIN latest_verdict AS v ON v.sample = s.id AND v.evaluator = ?3 "
      "JOIN latest_verdict AS w ON w.sample = t.id AND w.evaluator = ?3 "
      "WHERE s.cell = ?1 AND s.repeat = ?4 ORDER BY s.question");
  row.bind(pair.steered.id, pair.original.id, pair.evaluator, pair.repeat);
  while (row.step()) {
    answers.push_back({row.get<Id>(0), row.get<std::string>(1), row.get<std::string>(3), row.get<bool>(2),
                       row.get<bool>(4), row.get<std::optional<std::string>>(5)});
  }
  return answers;
}

}  // namespace

std::vector<KeySpec> cell_settings() {
  return {{"study", "the study (default: the newest)"},
          {"model", "the model"},
          {"domain", "the tested domain"},
          {"method", "the method (default: dsmoe)"},
          {"n_steered", "default: what the study chose most often"},
          {"alpha", "default: the same"},
          {"mode", "default: the same"},
          {"draw", "of a random method"},
          {"steered_domain", "whose plan (default: the tested domain's)"},
          {"cell", "a cell's id, instead of all these"},
          {"evaluator", "whose verdicts count (default: the study's)"},
          {"repeat", "which sample of each question, from 1 (default: 1)"},
          database_setting()};
}

CellPair find_pair(Store& store, const Arguments& arguments) {
  const Id study = require_study(store, arguments.setting("study"));
  CellPair pair;
  pair.steered = find_cell(store, study, arguments);
  pair.original = find_original(store, study, pair.steered);
  pair.model = store.model(pair.steered.model).name;
  TableRequest request;
  request.study = study;
  request.evaluator = arguments.setting("evaluator");
  pair.evaluator = choose_evaluator(store, request);
  const std::int64_t repeat = arguments.integer("repeat", 1);
  if (repeat < 1 || repeat > 1'000'000) throw ConfigError("repeat={}: samples count from 1", repeat);
  pair.repeat = static_cast<int>(repeat) - 1;
  pair.answers = read_answers(store, pair);
  if (pair.answers.empty() && repeat > 1)
    throw ConfigError("repeat={}: cell {} has no such sample", repeat, pair.steered.id);
  return pair;
}

std::string describe_cell(const std::string& model, const CellRow& cell) {
  std::string text = fmt::format("{} / {}: {}", model, cell.domain, cell.method);
  if (cell.draw > 0) text += fmt::format(" draw {}", cell.draw);
  if (cell.n_steered > 0) {
    text += fmt::format(", {} experts at alpha {}, {}", cell.n_steered, number_text(cell.alpha), cell.mode);
  }
  if (!cell.steered_domain.empty() && cell.steered_domain != cell.domain)
    text += " of " + cell.steered_domain;
  return text + fmt::format(" (cell {})", cell.id);
}

bool is_protected(const store::QuestionRow& question) {
  return is_private_set(question.set_name) || question.text == kTextNotStored;
}

std::string question_text(const store::QuestionRow& row, const AnswerPair& pair, bool with_text) {
  const store::QuestionRow question = as_shown(row, pair.option_order);
  std::string text = fmt::format("[{}] {}\n", question.name, with_text ? question.text : "(protected text)");
  const auto is_option = [&](const std::string& answer, std::size_t index) {
    const char letter = static_cast<char>('A' + index);
    return answer == std::string(1, letter) || answer == fmt::format("({})", letter) ||
           answer == question.options[index];
  };
  for (std::size_t i = 0; i < question.options.size(); ++i) {
    std::vector<std::string> marks;
    if (is_option(question.gold, i)) marks.emplace_back("right");
    if (is_option(pair.answer_original, i)) marks.emplace_back("original");
    if (is_option(pair.answer, i)) marks.emplace_back("steered");
    text += fmt::format("    {}. {}{}{}\n", static_cast<char>('A' + i), with_text ? question.options[i] : "",
                        marks.empty() ? "" : "   <- ", config::join_names(marks));
  }
  if (question.options.empty()) {
    text += fmt::format("    right: {}; original: {}; steered: {}\n", question.gold, pair.answer_original,
                        pair.answer);
  }
  return text;
}

namespace {

// The end of a text, where the answer stands, in lines of four spaces.
std::string indented_end(const std::string& text, std::int64_t characters) {
  std::size_t begin = 0;
  if (characters > 0 && std::ssize(text) > characters) {
    begin = text.size() - static_cast<std::size_t>(characters);
    while (begin < text.size() && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) ++begin;
  }
  std::string lines = begin > 0 ? "    [...] " : "    ";
  for (const char c : text.substr(begin)) {
    lines += c;
    if (c == '\n') lines += "    ";
  }
  return lines + "\n";
}

}  // namespace

std::string written_texts(Store& store, const CellPair& pair, Id question, std::int64_t characters) {
  std::string text;
  for (const auto& [name, cell] :
       {std::pair{"original", pair.original.id}, std::pair{"steered", pair.steered.id}}) {
    if (cell == pair.original.id && name != std::string_view("original")) continue;
    store::Statement row = store.database().prepare(
        "SELECT s.output, v.rule, s.stop, s.n_think, s.n_answer, v.correct FROM sample AS s JOIN "
        "latest_verdict AS v "
        "ON v.sample = s.id AND v.evaluator = ?4 WHERE s.cell = ?1 AND s.question = ?2 AND s.repeat = ?3");
    row.bind(cell, question, pair.repeat, pair.evaluator);
    if (!row.step() || row.is_null(0)) continue;
    const auto stop = row.get<std::string>(2);
    text += fmt::format("  {}: {}, rule {}{}, {} thinking and {} answer tokens\n{}", name,
                        row.get<bool>(5) ? "right" : "wrong", row.get<std::string>(1),
                        stop.empty() ? "" : ", stopped by " + stop, row.get<std::int64_t>(3),
                        row.get<std::int64_t>(4), indented_end(row.get<std::string>(0), characters));
  }
  return text;
}

}  // namespace moelab::experiments

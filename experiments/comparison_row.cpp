#include "experiments/comparison_row.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "experiments/statistics/paired.h"

namespace moelab::experiments {
namespace {

// The newest version of the evaluator's verdicts on the original.
int version_of(store::Store& store, const DomainContext& context) {
  int version = 1;
  for (const auto& [cell, role] : context.domain->cells->cells) {
    if (role != "original") continue;
    const auto newest = store.database().find<std::int64_t>(
        "SELECT coalesce(max(v.version), 1) FROM sample AS s JOIN verdict AS v ON v.sample = s.id AND "
        "v.evaluator = ?2 WHERE s.cell = ?1",
        cell.id, context.domain->evaluator);
    version = std::max(version, static_cast<int>(newest.value_or(1)));
  }
  return version;
}

}  // namespace

double chance_of(store::Store& store, const AnswerTable& table) {
  double sum = 0;
  for (const store::Id question : table.questions) {
    const std::size_t options = store.question(question).options.size();
    if (options > 0) sum += 1.0 / static_cast<double>(options);
  }
  return sum / static_cast<double>(table.questions.size());
}

int assignment_at(const DomainAnswers& domain, std::size_t index) {
  std::set<int> assignments;
  for (const SelectionPart& part : domain.parts) assignments.insert(part.assignment);
  return *std::next(assignments.begin(), static_cast<std::ptrdiff_t>(index));
}

std::vector<std::size_t> reported_questions(const DomainAnswers& domain, std::size_t index) {
  const int wanted = assignment_at(domain, index);
  std::vector<std::size_t> questions;
  for (const SelectionPart& part : domain.parts)
    if (part.assignment == wanted) questions.insert(questions.end(), part.report.begin(), part.report.end());
  return questions;
}

Answers reported_answers(const DomainAnswers& domain, const Selected& selected, const Report& rep) {
  const int wanted = assignment_at(domain, rep.median);
  Answers answers;
  for (const Choice& choice : selected.choices) {
    const SelectionPart& part = domain.parts[choice.part];
    if (part.assignment != wanted) continue;
    const store::Id cell = selected.candidates[choice.chosen].cell;
    const Answers chosen = answers_at(domain.table.cells.at(cell), part.report);
    answers.insert(answers.end(), chosen.begin(), chosen.end());
  }
  return answers;
}

Answers answers_at(const Answers& answers, const std::vector<std::size_t>& questions) {
  Answers picked;
  for (const std::size_t q : questions) picked.push_back(answers[q]);
  return picked;
}

statistics::PairedAnswers pair_on(const DomainAnswers& domain, const Answers& other,
                                  const std::vector<std::size_t>& questions) {
  return statistics::pair_answers(answers_at(*domain.original, questions), answers_at(other, questions),
                                  domain.table.repeats);
}

store::ComparisonRow make_row(const DomainContext& context, const statistics::PairedAnswers& counts) {
  const DomainCells& cells = *context.domain->cells;
  store::ComparisonRow row;
  row.study = context.study->id;
  row.model = cells.model;
  row.benchmark = cells.benchmark;
  row.domain = cells.domain;
  row.evaluator = context.domain->evaluator;
  row.protocol = std::string(name_of(context.study->protocol));
  row.n = counts.n;
  row.accuracy_original = counts.accuracy_first();
  row.wrong_right = counts.wrong_right;
  row.right_wrong = counts.right_wrong;
  row.accuracy = counts.accuracy_second();
  row.gain = counts.gain();
  const statistics::Interval interval = statistics::paired_interval(counts);
  row.lo = interval.lo;
  row.hi = interval.hi;
  row.p = statistics::paired_p(counts);
  row.smallest_detectable = statistics::smallest_detectable_gain(counts.mean_square(), counts.n);
  return row;
}

Json common_settings(store::Store& store, const DomainContext& context,
                     const statistics::PairedAnswers& counts) {
  const auto accuracy = statistics::clustered_mean(counts.counts_second());
  const auto original = statistics::clustered_mean(counts.counts_first());
  Json settings = {{"chance", context.chance},
                   {"lo_accuracy", accuracy.interval.lo},
                   {"hi_accuracy", accuracy.interval.hi},
                   {"lo_original", original.interval.lo},
                   {"hi_original", original.interval.hi},
                   {"exact", "no"},
                   {"partial", context.study->limited},
                   {"selected_by", context.study->evaluator},
                   {"evaluator_versions", {{context.domain->evaluator, version_of(store, context)}}}};
  if (counts.repeats > 1) settings["repeats"] = counts.repeats;
  return settings;
}

PlanEffect plan_effect(store::Store& store, store::Id cell) {
  std::int64_t changed = 0, selections = 0;
  double dose = 0;
  bool is_measured = true;
  for (const store::EffectRow& row : store.effects(cell)) {
    changed += row.changed;
    selections += row.selections;
    dose += row.dose.value_or(0);
    is_measured = is_measured && row.dose.has_value();
  }
  PlanEffect effect;
  if (selections == 0) return effect;
  effect.changed_share = static_cast<double>(changed) / static_cast<double>(selections);
  if (is_measured) effect.dose = dose;
  return effect;
}

void add_effect(const PlanEffect& effect, store::ComparisonRow& row, Json& settings) {
  if (effect.changed_share) settings["changed_share"] = *effect.changed_share;
  row.dose = effect.dose;
}

store::ComparisonRow plan_row_of(store::Store& store, const DomainContext& context,
                                 const store::CellRow& cell, const statistics::PairedAnswers& counts) {
  store::ComparisonRow row = make_row(context, counts);
  row.method = cell.method;
  row.steered_domain = cell.steered_domain;
  Json settings = common_settings(store, context, counts);
  settings["chosen"] = {{"n_steered", cell.n_steered}, {"alpha", cell.alpha}, {"mode", cell.mode}};
  add_effect(plan_effect(store, cell.id), row, settings);
  row.settings = canonical_json(settings);
  return row;
}

}  // namespace moelab::experiments

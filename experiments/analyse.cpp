#include "experiments/analyse.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/base/json.h"
#include "experiments/answer_states.h"
#include "experiments/comparison_row.h"
#include "experiments/halved_cells.h"
#include "experiments/specific_gain.h"
#include "experiments/statistics/paired.h"
#include "experiments/transfer.h"

namespace moelab::experiments {
namespace {

using statistics::PairedAnswers;

// What the selection was made by, in a study that halves; else null.
const HalvedMethod* halving_of(const SearchedCells& searched, const Selected& selected) {
  const auto found = std::find_if(searched.halved.begin(), searched.halved.end(), [&](const HalvedMethod& m) {
    return m.method == selected.method && m.draw == selected.draw;
  });
  return found == searched.halved.end() ? nullptr : &*found;
}

std::string candidates_json(const Selected& selected, const Choice& choice, std::size_t n) {
  std::string text = "[";
  for (std::size_t c = 0; c < selected.candidates.size(); ++c)
    text += fmt::format("{}{{\"cell\":{},\"correct\":{},\"n\":{}}}", c == 0 ? "" : ",",
                        selected.candidates[c].cell, choice.tuning_right[c], n);
  return text + "]";
}

std::vector<store::SelectionRow> selection_rows(const StoredStudy& study, const DomainAnswers& domain,
                                                const Selected& selected, const HalvedMethod* halved) {
  std::vector<store::SelectionRow> rows;
  for (const Choice& choice : selected.choices) {
    const SelectionPart& part = domain.parts[choice.part];
    const Candidate& chosen = selected.candidates[choice.chosen];
    store::SelectionRow row;
    row.study = study.id;
    row.model = domain.cells->model;
    row.benchmark = domain.cells->benchmark;
    row.domain = domain.cells->domain;
    row.method = selected.method;
    row.draw = selected.draw;
    row.steered_domain = selected.steered_domain;
    row.evaluator = domain.evaluator;
    row.rule = fmt::format("{}/{}", halved ? "halving" : "best_accuracy", name_of(study.protocol));
    row.assignment = part.assignment;
    row.fold = part.fold;
    const auto repeats = static_cast<std::size_t>(domain.table.repeats);
    row.candidates = halved ? rungs_json(*halved, domain.table.repeats)
                            : candidates_json(selected, choice, part.tune.size() * repeats);
    row.chosen = chosen.cell;
    row.n = static_cast<std::int64_t>(part.report.size() * repeats);
    const Answers& answers = domain.table.cells.at(chosen.cell);
    for (const std::size_t q : part.report) row.correct += answers[q];
    rows.push_back(std::move(row));
  }
  return rows;
}

// The comparison's question-repeats that changed sides, by reason; null where options were scored.
Json gain_parts_json(store::Store& store, const DomainContext& context, const Selected& selected,
                     const Report& rep) {
  const DomainAnswers& domain = *context.domain;
  const std::int64_t repeats = domain.table.repeats;
  StatesByQuestion original;
  for (const auto& [cell, role] : domain.cells->cells)
    if (role == "original") original = states_by_question(store, cell.id, domain.evaluator, repeats);
  if (original.empty()) return nullptr;
  const int wanted = assignment_at(domain, rep.median);
  std::map<store::Id, StatesByQuestion> chosen;
  std::vector<statistics::AnswerState> before, after;
  for (const Choice& choice : selected.choices) {
    const SelectionPart& part = domain.parts[choice.part];
    if (part.assignment != wanted) continue;
    const store::Id cell = selected.candidates[choice.chosen].cell;
    if (!chosen.contains(cell)) chosen[cell] = states_by_question(store, cell, domain.evaluator, repeats);
    for (const std::size_t q : part.report) {
      const store::Id question = domain.table.questions[q];
      const auto& first = original.at(question);
      const auto& second = chosen[cell].at(question);
      before.insert(before.end(), first.begin(), first.end());
      after.insert(after.end(), second.begin(), second.end());
    }
  }
  const statistics::GainParts parts = statistics::split_gain(before, after);
  const auto pair = [](const statistics::GainPart& part) { return Json{part.gained, part.lost}; };
  return {{"n", parts.n},
          {"format", pair(parts.format)},
          {"truncation", pair(parts.truncation)},
          {"content", pair(parts.content)}};
}

// What repeats and written answers add to a method's row: its gain's parts and bootstrap.
void add_written(store::Store& store, const DomainContext& context, const Selected& selected,
                 const Report& rep, Json& settings) {
  const Json parts = gain_parts_json(store, context, selected, rep);
  if (!parts.is_null()) settings["gain_parts"] = parts;
  if (rep.counts().repeats == 1) return;
  statistics::BootstrapOptions options;
  options.name = fmt::format("bootstrap/{}/{}/{}", context.domain->cells->benchmark,
                             context.domain->cells->domain, selected.method);
  const auto interval = statistics::paired_bootstrap(rep.counts(), options);
  settings["gain_bootstrap"] = {interval.lo, interval.hi};
}

void add_choice_settings(store::Store& store, const Selected& selected, const Report& rep, Json& settings) {
  const Candidate& modal = selected.modal_candidate();
  settings["chosen"] = {{"n_steered", modal.n_steered}, {"alpha", modal.alpha}, {"mode", modal.mode}};
  settings["chosen_share"] = selected.modal.share;
  settings["gain_median"] = rep.gain_median;
  settings["gain_low"] = rep.gain_low;
  settings["gain_high"] = rep.gain_high;
  settings["assignments"] = rep.by_assignment.size();
  const auto as_good = std::count_if(selected.choices.begin(), selected.choices.end(),
                                     [](const Choice& c) { return c.original_as_good; });
  settings["original_as_good"] = static_cast<double>(as_good) / static_cast<double>(selected.choices.size());
  settings["inert"] = store.cell(modal.cell).status == "inert";
}

void add_null(const DomainContext& context, store::ComparisonRow& row, Json& settings) {
  row.n_null = static_cast<std::int64_t>(context.null_gains.size());
  if (context.null_gains.empty()) return;
  row.p_null = statistics::null_p(row.gain, context.null_gains);
  const double mean = std::accumulate(context.null_gains.begin(), context.null_gains.end(), 0.0) /
                      static_cast<double>(context.null_gains.size());
  settings["null_mean_gain"] = mean;
  settings["null_match"] = context.study->null_match;
  // Under this protocol a draw's gain is that of the best of its grid.
  if (context.study->protocol == Protocol::paper) settings["null_best_of_grid"] = mean;
}

// The comparison of one method or draw, and those of other domains' plans with it.
std::vector<store::ComparisonRow> comparison_rows(store::Store& store, const DomainContext& context,
                                                  const Selected& selected, const Report& rep) {
  const DomainAnswers& domain = *context.domain;
  store::ComparisonRow row = make_row(context, rep.counts());
  row.method = selected.method;
  row.draw = selected.draw;
  row.steered_domain = selected.steered_domain;
  Json settings = common_settings(store, context, rep.counts());
  add_choice_settings(store, selected, rep, settings);
  add_effect(plan_effect(store, selected.modal_candidate().cell), row, settings);
  const auto asked = reported_questions(domain, rep.median);
  if (domain.again != nullptr) row.flip_noise = pair_on(domain, *domain.again, asked).flip_rate();
  std::vector<store::ComparisonRow> rows;
  if (selected.draw == 0) {
    add_written(store, context, selected, rep, settings);
    add_null(context, row, settings);
    OtherPlans others = other_plans(store, context, selected, asked);
    add_specificity(others, reported_answers(domain, selected, rep), domain.table.repeats, row);
    rows = std::move(others.rows);
  }
  row.settings = canonical_json(settings);
  rows.push_back(std::move(row));
  return rows;
}

// The original run again, against the original.
store::ComparisonRow again_row(store::Store& store, const DomainContext& context) {
  const DomainAnswers& domain = *context.domain;
  const auto asked = reported_questions(domain, 0);
  const PairedAnswers counts = pair_on(domain, *domain.again, asked);
  store::ComparisonRow row = make_row(context, counts);
  row.method = "aa";
  row.settings = canonical_json(common_settings(store, context, counts));
  return row;
}

void compare_domain(store::Store& store, const StoredStudy& study, const DomainAnswers& domain,
                    const std::vector<Selected>& selections, std::vector<store::ComparisonRow>& rows) {
  DomainContext context{&study, &domain, chance_of(store, domain.table), {}};
  std::vector<Report> reports;
  for (const Selected& selected : selections) {
    reports.push_back(report(domain.parts, selected.choices,
                             answers_of_candidates(domain, selected.candidates), *domain.original,
                             domain.table.repeats));
    if (selected.draw > 0) context.null_gains.push_back(reports.back().counts().gain());
  }
  if (domain.again != nullptr) rows.push_back(again_row(store, context));
  for (store::ComparisonRow& row : transfer_rows(store, context)) rows.push_back(std::move(row));
  for (std::size_t i = 0; i < selections.size(); ++i)
    for (store::ComparisonRow& row : comparison_rows(store, context, selections[i], reports[i]))
      rows.push_back(std::move(row));
}

bool covers(const DomainAnswers& domain, const std::vector<Selected>& selections) {
  for (const Selected& selected : selections)
    for (const Candidate& candidate : selected.candidates)
      if (!domain.table.cells.contains(candidate.cell)) return false;
  return true;
}

// Holm's adjustment over all own-domain comparisons of each evaluator that are no nulls.
void add_holm(const Json& config, std::vector<store::ComparisonRow>& rows) {
  std::map<std::string, std::vector<store::ComparisonRow*>> families;
  for (store::ComparisonRow& row : rows) {
    const bool is_own = row.steered_domain.empty() || row.steered_domain == row.domain;
    const bool is_null =
        row.draw > 0 || row.method == "aa" || stored_kind(config, row.method) == MethodKind::bottom;
    if (is_own && !is_null) families[row.evaluator].push_back(&row);
  }
  for (auto& [evaluator, family] : families) {
    std::vector<double> p;
    for (const store::ComparisonRow* row : family) p.push_back(*row->p);
    const auto adjusted = statistics::holm_adjusted(p);
    for (std::size_t i = 0; i < family.size(); ++i) family[i]->p_holm = adjusted[i];
  }
}

// An earlier analysis may have rows that this one does not write again, of a method without a winner say.
void forget_choices(store::Store& store, const StoredStudy& study) {
  store.database().run("DELETE FROM selection WHERE study = ?1", study.id);
  store.database().run("DELETE FROM comparison WHERE study = ?1 AND evaluator = ?2", study.id,
                       study.evaluator);
}

void forget_comparisons(store::Store& store, const StoredStudy& study, const DomainAnswers& domain) {
  store.database().run(
      "DELETE FROM comparison WHERE study = ?1 AND model = ?2 AND benchmark = ?3 AND domain = ?4 AND "
      "evaluator = ?5",
      study.id, domain.cells->model, domain.cells->benchmark, domain.cells->domain, domain.evaluator);
}

}  // namespace

void analyse_study(store::Store& store, store::Id id) {
  const StoredStudy study = read_study(store, id);
  store::Transaction transaction = store.begin();
  forget_choices(store, study);
  std::vector<store::ComparisonRow> rows;
  for (const DomainCells& cells : cells_by_domain(store, id)) {
    const StoredSplit split = read_split(store, id, cells.benchmark, cells.domain);
    const SearchedCells searched = searched_cells(store, study, cells, split);
    std::vector<Selected> selections;
    std::vector<store::Id> asked;
    for (const std::string& evaluator : study.evaluators.at(cells.benchmark)) {
      const auto domain = read_domain(store, study, searched.cells, split, evaluator);
      const bool selects = evaluator == study.evaluator;
      // Without the answers that selections are made of there is nothing to compare.
      if (!domain && selects) break;
      if (!domain) continue;
      if (selects) {
        asked = domain->table.questions;
        selections = select_all(*domain);
        for (const Selected& selected : selections)
          store.put_selections(selection_rows(study, *domain, selected, halving_of(searched, selected)));
      }
      // Verdicts that were added later may not cover every cell yet.
      if (domain->table.questions != asked || !covers(*domain, selections)) continue;
      forget_comparisons(store, study, *domain);
      compare_domain(store, study, *domain, selections, rows);
    }
  }
  add_holm(parse_json(store.study(id).config, "study.config"), rows);
  add_label_tests(rows);
  store.put_comparisons(rows);
  transaction.commit();
}

std::map<std::string, Setting> modal_settings(store::Store& store, store::Id id, const DomainCells& cells) {
  const StoredStudy study = read_study(store, id);
  const StoredSplit split = read_split(store, id, cells.benchmark, cells.domain);
  const SearchedCells searched = searched_cells(store, study, cells, split);
  const auto domain = read_domain(store, study, searched.cells, split, study.evaluator);
  std::map<std::string, Setting> settings;
  if (!domain) return settings;
  for (const Selected& selected : select_all(*domain)) {
    if (selected.draw > 0 || selected.steered_domain != cells.domain) continue;
    const Candidate& modal = selected.modal_candidate();
    settings[selected.method] = {modal.n_steered, modal.alpha,
                                 modal.mode.empty() ? steering::Mode{} : steering::parse_mode(modal.mode)};
  }
  return settings;
}

}  // namespace moelab::experiments

#include "experiments/methods.h"

#include <set>

#include "experiments/sft_study.h"

namespace moelab::experiments {
namespace {

void set_run(PlannedCell& cell, const DomainFindings& findings, const MethodConfig& method) {
  cell.run = findings.run;
  cell.run_key = method.sql ? findings.key + "|" + method.sql->digest : findings.key;
}

PlannedCell original_cell(bool again) {
  PlannedCell cell;
  cell.role = again ? "aa" : "original";
  cell.method = cell.role;
  return cell;
}

// The method whose ranking a method uses.
const MethodConfig& ranking_method(const StudyConfig& study, const MethodConfig& method) {
  return method.kind == MethodKind::bottom ? study.match : method;
}

void add_ranked_cells(const StudyConfig& study, const MethodConfig& method, const StudyFindings& findings,
                      const std::string& domain, const model::ModelSpec& spec,
                      std::vector<PlannedCell>& cells) {
  const MethodConfig& ranked_by = ranking_method(study, method);
  std::vector<discovery::RankedExpert> ranking;
  std::string error;
  try {
    ranking = ranking_of(findings, domain, ranked_by, spec);
  } catch (const Error& problem) {
    error = problem.what();
  }
  for (const Setting& setting : settings_of(study, method)) {
    PlannedCell cell = make_cell("grid", method, setting);
    cell.steered_domain = domain;
    cell.error = error;
    set_run(cell, findings.at(domain), ranked_by);
    if (error.empty()) attach_plan(cell, spec, [&] { return plan_of(method, ranking, setting, spec); });
    cells.push_back(std::move(cell));
  }
}

std::string unmarked_text(std::int64_t questions) {
  if (questions == 0) return "";
  return fmt::format("{} put to the unsteered model: no marker in the trace",
                     questions == 1 ? "1 question was" : fmt::format("{} questions were", questions));
}

// Each question's plan is made of its own ranking.
void add_question_cells(const StudyConfig& study, const MethodConfig& method, const DomainFindings& found,
                        const std::string& domain, const model::ModelSpec& spec,
                        std::vector<PlannedCell>& cells) {
  const QuestionRankings& rankings = found.by_question.at(method.ranking_name());
  for (const Setting& setting : settings_of(study, method)) {
    PlannedCell cell = make_cell("grid", method, setting);
    cell.steered_domain = domain;
    cell.error = rankings.error;
    cell.run_key = rankings.key;
    const auto make = [&] {
      std::map<store::Id, steering::Plan> plans;
      for (const auto& [question, ranking] : rankings.experts) {
        plans[question] = plan_of(method, ranking, setting, spec).plan;
        steering::validate(plans[question], spec);
      }
      cell.by_question = std::move(plans);
      return ChosenPlan{{setting.mode, {}}, unmarked_text(rankings.unmarked)};
    };
    if (cell.error.empty()) attach_plan(cell, spec, make);
    cells.push_back(std::move(cell));
  }
}

double shared_alpha(const steering::Plan& plan, double fallback) {
  std::set<double> values;
  for (const steering::PlanEntry& entry : plan.entries)
    if (entry.operation == steering::Operation::scale) values.insert(entry.value);
  return values.size() == 1 ? *values.begin() : fallback;
}

// A file may hold fewer experts than a setting wants, or values of its own: settings that give the same plan
// are one.
void add_file_cells(const StudyConfig& study, const MethodConfig& method, const model::ModelSpec& spec,
                    std::vector<PlannedCell>& cells) {
  std::set<std::string> seen;
  for (const Setting& setting : settings_of(study, method)) {
    PlannedCell cell = make_cell("grid", method, setting);
    attach_plan(cell, spec, [&] { return ChosenPlan{file_plan(study, setting), ""}; });
    if (cell.plan) {
      if (!seen.insert(steering::digest(*cell.plan)).second) continue;
      cell.n_steered = static_cast<int>(cell.plan->entries.size());
      cell.alpha = shared_alpha(*cell.plan, setting.alpha);
    }
    cells.push_back(std::move(cell));
  }
}

PlannedCell hint_cell(const std::string& role, const MethodConfig& method, const std::string& domain) {
  PlannedCell cell = make_cell(role, method, {});
  cell.steered_domain = domain;
  cell.variant.hint = hint_of(method, domain);
  return cell;
}

// As many as the model has itself is the original.
PlannedCell top_k_cell(const MethodConfig& method, const Setting& setting, const model::ModelSpec& spec) {
  PlannedCell cell = make_cell("grid", method, setting);
  cell.variant.top_k = setting.n_steered == spec.router.top_k ? 0 : setting.n_steered;
  try {
    require_top_k(spec, setting.n_steered);
  } catch (const ConfigError& problem) {
    cell.error = problem.what();
  }
  return cell;
}

void add_unplanned_cells(const StudyConfig& study, const MethodConfig& method, const std::string& domain,
                         std::vector<PlannedCell>& cells) {
  if (method.kind == MethodKind::sft)
    for (const std::int64_t seed : study.seed.training)
      cells.push_back(sft_cell(sft_method_name(method, study, seed), domain, domain, ""));
  const bool random = method.kind == MethodKind::random;
  const MethodConfig& gridded = random ? study.match : method;
  for (int draw = random ? 1 : 0; draw <= (random ? study.null.draws : 0); ++draw)
    for (const Setting& setting : settings_of(study, gridded)) {
      cells.push_back(make_cell(random ? "null" : "grid", gridded, setting));
      cells.back().method = method.name;
      cells.back().draw = draw;
      const bool has_domain = method.kind != MethodKind::file && method.kind != MethodKind::top_k;
      if (has_domain) cells.back().steered_domain = domain;
    }
}

}  // namespace

PlannedCell make_cell(const std::string& role, const MethodConfig& method, const Setting& setting) {
  PlannedCell cell;
  cell.role = role;
  cell.method = method.name;
  cell.n_steered = static_cast<int>(setting.n_steered);
  cell.alpha = setting.alpha;
  if (is_scaling(method.kind)) cell.mode = std::string(steering::name_of(setting.mode));
  return cell;
}

steering::Plan file_plan(const StudyConfig& study, const Setting& setting) {
  steering::Plan plan = steering::read_plan_csv(study.plan, setting.mode, setting.alpha);
  const auto n = std::min<std::size_t>(static_cast<std::size_t>(setting.n_steered), plan.entries.size());
  plan.entries.resize(n);
  return plan;
}

std::vector<PlannedCell> plan_cells(const StudyConfig& study, const StudyFindings& findings,
                                    const std::string& domain, const model::ModelSpec& spec) {
  std::vector<PlannedCell> cells = {original_cell(false)};
  if (study.null.aa) cells.push_back(original_cell(true));
  for (const MethodConfig& method : study.methods) {
    if (method.plans_by_question())
      add_question_cells(study, method, findings.at(domain), domain, spec, cells);
    else if (is_ranked(method.kind) || method.kind == MethodKind::bottom)
      add_ranked_cells(study, method, findings, domain, spec, cells);
    if (method.kind == MethodKind::file) add_file_cells(study, method, spec, cells);
    if (method.kind == MethodKind::random)
      for (PlannedCell& cell : null_cells(study, method, findings, domain, spec))
        cells.push_back(std::move(cell));
    if (method.kind == MethodKind::prompt) cells.push_back(hint_cell("grid", method, domain));
    if (method.kind == MethodKind::top_k)
      for (const Setting& setting : settings_of(study, method))
        cells.push_back(top_k_cell(method, setting, spec));
  }
  return cells;
}

std::vector<PlannedCell> unplanned_cells(const StudyConfig& study, const std::string& domain,
                                         const std::string& error, bool with_training) {
  std::vector<PlannedCell> cells = {original_cell(false)};
  if (study.null.aa) cells.push_back(original_cell(true));
  for (const MethodConfig& method : study.methods) {
    if (method.kind == MethodKind::original || (method.kind == MethodKind::sft && !with_training)) continue;
    add_unplanned_cells(study, method, domain, cells);
  }
  for (PlannedCell& cell : cells) cell.error = error;
  return cells;
}

std::vector<PlannedCell> other_domain_cells(const MethodConfig& method, const Setting& setting,
                                            const StudyFindings& findings, const std::string& domain,
                                            const model::ModelSpec& spec) {
  std::vector<PlannedCell> cells;
  if (!has_domain_plans(method) && method.kind != MethodKind::prompt) return cells;
  for (const auto& [other, found] : findings) {
    if (other == domain) continue;
    if (method.kind == MethodKind::prompt) {
      cells.push_back(hint_cell("other_domain", method, other));
      continue;
    }
    PlannedCell cell = make_cell("other_domain", method, setting);
    cell.steered_domain = other;
    set_run(cell, found, method);
    attach_plan(cell, spec,
                [&] { return plan_of(method, ranking_of(findings, other, method, spec), setting, spec); });
    cells.push_back(std::move(cell));
  }
  return cells;
}

}  // namespace moelab::experiments

#include "experiments/specific_gain.h"

#include <map>
#include <numeric>
#include <tuple>

#include "experiments/statistics/specificity.h"

namespace moelab::experiments {
namespace {

// The rows of one method by (tested domain, steered domain).
using MethodRows = std::map<std::pair<std::string, std::string>, store::ComparisonRow*>;

// gains[d][i] over the domains that were tested with their own plans; empty when a cell is missing.
std::vector<std::vector<double>> gain_matrix(const MethodRows& rows) {
  std::vector<std::string> domains;
  for (const auto& [names, row] : rows)
    if (names.first == names.second) domains.push_back(names.first);
  std::vector<std::vector<double>> gains;
  for (const std::string& tested : domains) {
    gains.emplace_back();
    for (const std::string& steered : domains) {
      const auto found = rows.find({tested, steered});
      if (found == rows.end()) return {};
      gains.back().push_back(found->second->gain);
    }
  }
  return gains;
}

}  // namespace

std::vector<store::CellRow> cells_of_others(const DomainAnswers& domain, const std::string& role,
                                            const Selected& selected) {
  const Candidate& modal = selected.modal_candidate();
  std::vector<store::CellRow> others;
  for (const auto& [cell, cell_role] : domain.cells->cells)
    if (cell_role == role && cell.method == selected.method && cell.draw == selected.draw &&
        cell.steered_domain != selected.steered_domain && cell.n_steered == modal.n_steered &&
        cell.alpha == modal.alpha && cell.mode == modal.mode)
      others.push_back(cell);
  return others;
}

OtherPlans other_plans(store::Store& store, const DomainContext& context, const Selected& selected,
                       const std::vector<std::size_t>& asked) {
  const DomainAnswers& domain = *context.domain;
  OtherPlans others;
  for (const store::CellRow& cell : cells_of_others(domain, "other_domain", selected)) {
    const Answers answers = answers_of(store, cell.id, domain.table, domain.evaluator);
    if (answers.empty()) continue;
    others.rows.push_back(plan_row_of(store, context, cell, pair_on(domain, answers, asked)));
    others.answers.push_back(answers_at(answers, asked));
  }
  return others;
}

void add_specificity(const OtherPlans& others, const Answers& own, std::int64_t repeats,
                     store::ComparisonRow& row) {
  if (others.rows.empty()) return;
  const double sum =
      std::accumulate(others.rows.begin(), others.rows.end(), 0.0,
                      [](double total, const store::ComparisonRow& other) { return total + other.gain; });
  row.gain_other_domains = sum / static_cast<double>(others.rows.size());
  const statistics::Specificity found = statistics::specificity_of(own, others.answers, repeats);
  row.specificity = found.value;
  row.specificity_lo = found.interval.lo;
  row.specificity_hi = found.interval.hi;
  row.p_specific = found.p;
}

void add_label_tests(std::vector<store::ComparisonRow>& rows) {
  std::map<std::tuple<store::Id, std::string, std::string, std::string>, MethodRows> methods;
  for (store::ComparisonRow& row : rows)
    if (row.draw == 0 && !row.steered_domain.empty())
      methods[{row.model, row.benchmark, row.method, row.evaluator}][{row.domain, row.steered_domain}] = &row;
  for (auto& [key, by_domains] : methods) {
    const auto gains = gain_matrix(by_domains);
    if (gains.size() < 2) continue;
    const double p = statistics::plan_label_p(gains);
    for (auto& [names, row] : by_domains)
      if (names.first == names.second) row->p_labels = p;
  }
}

}  // namespace moelab::experiments

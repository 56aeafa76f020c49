#include "experiments/calibration_cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/base/random.h"
#include "experiments/planted.h"

namespace moelab::experiments {
namespace {

constexpr std::uint64_t kLabelSeed = 1;

// What a query or traces rank is not made from counts alone, and is not made anew; a hint has the true
// domain's name.
bool is_permuted(const MethodConfig& method) {
  return is_ranked(method.kind) && method.ranking_name().empty();
}

}  // namespace

bool has_nothing_planted(const ModelConfig& model) {
  return model.planted.is_object() && planted_of(model.planted).empty();
}

const std::string& permuted_domain(const StudyDomains& domains, std::int64_t draw) {
  return domains.tested[static_cast<std::size_t>(draw - 1) % domains.tested.size()];
}

double count_calibration_cells(const StudyConfig& study, const ModelConfig& model,
                               const StudyDomains& domains, const std::string& domain) {
  const bool discovers = std::any_of(study.methods.begin(), study.methods.end(),
                                     [](const MethodConfig& m) { return reads_discovery(m.kind); });
  if (study.calibration.permutations == 0 || !discovers) return 0;
  double reference = 0, permuted = 0;
  for (const MethodConfig& method : study.methods) {
    const double settings = count_settings(study, method);
    if (has_domain_plans(method) || method.kind == MethodKind::prompt) reference += settings;
    if (is_permuted(method)) permuted += settings;
  }
  const auto compared = static_cast<double>(domains.compared.size());
  double cells = reference * (compared - 1);
  if (planted_of(model.planted).contains(domain))
    cells += static_cast<double>(study.modes.size() * study.axes.alpha.size());
  if (has_nothing_planted(model))
    for (std::int64_t draw = 1; draw <= study.calibration.permutations; ++draw)
      if (permuted_domain(domains, draw) == domain) cells += permuted * compared;
  return cells;
}

std::vector<LabelledRouting> labelled_routing(store::Store& store, const StudyFindings& findings,
                                              const model::ModelSpec& spec) {
  std::vector<LabelledRouting> routing;
  std::size_t index = 0;
  for (const auto& [domain, found] : findings) {
    std::map<std::string, std::vector<store::RoutingRow>> groups;
    for (const store::RoutingRow& row : store.routing(found.run))
      groups[store.question(row.question).group_id].push_back(row);
    for (const auto& [name, rows] : groups) routing.push_back({index, sum_rows(rows, spec)});
    ++index;
  }
  return routing;
}

StudyFindings permuted_findings(const std::vector<LabelledRouting>& routing, const StudyFindings& findings,
                                int draw) {
  std::vector<std::size_t> labels;
  for (const LabelledRouting& group : routing) labels.push_back(group.domain);
  RandomStream stream(kLabelSeed, fmt::format("permuted labels/{}", draw));
  stream.shuffle(std::span(labels));
  std::vector<std::vector<discovery::RoutingCounts>> dealt(findings.size());
  for (std::size_t g = 0; g < routing.size(); ++g) dealt[labels[g]].push_back(routing[g].counts);
  StudyFindings permuted;
  std::size_t index = 0;
  for (const auto& [domain, found] : findings) {
    permuted[domain] = {0, fmt::format("permuted/{}/{}", draw, found.key),
                        discovery::sum_counts(dealt[index])};
    ++index;
  }
  return permuted;
}

std::vector<PlannedCell> permuted_cells(const StudyConfig& study, const StudyFindings& permuted,
                                        const std::string& domain, const model::ModelSpec& spec, int draw) {
  std::vector<PlannedCell> cells;
  for (const MethodConfig& method : study.methods) {
    if (!is_permuted(method)) continue;
    for (const Setting& setting : settings_of(study, method)) {
      // Without a tested domain every domain is another one, the tested one's own included.
      for (PlannedCell& cell : other_domain_cells(method, setting, permuted, "", spec)) {
        cell.role = "permuted";
        cell.draw = draw;
        cell.run.reset();
        cell.run_key += "/" + domain;
        cells.push_back(std::move(cell));
      }
    }
  }
  return cells;
}

std::vector<PlannedCell> reference_cells(const StudyConfig& study, const ModelConfig& model,
                                         const StudyFindings& findings, const std::string& domain,
                                         const model::ModelSpec& spec) {
  std::vector<PlannedCell> cells;
  for (const MethodConfig& method : study.methods)
    for (const Setting& setting : settings_of(study, method))
      for (PlannedCell& cell : other_domain_cells(method, setting, findings, domain, spec))
        cells.push_back(std::move(cell));
  const auto planted = planted_of(model.planted);
  const auto known = planted.find(domain);
  if (known == planted.end()) return cells;
  std::vector<steering::ExpertId> experts;
  for (const Planted& expert : known->second) experts.push_back({expert.layer, expert.expert});
  for (const steering::Mode mode : study.modes)
    for (const double alpha : study.axes.alpha) {
      PlannedCell cell;
      cell.role = cell.method = "planted";
      cell.n_steered = static_cast<int>(experts.size());
      cell.alpha = alpha;
      cell.mode = std::string(steering::name_of(mode));
      cell.steered_domain = domain;
      cell.plan = steering::scale_plan(experts, alpha, mode);
      cells.push_back(std::move(cell));
    }
  return cells;
}

}  // namespace moelab::experiments

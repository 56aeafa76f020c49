// Null draws: random experts in the place of those that a method chose.
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "core/base/random.h"
#include "experiments/methods.h"

namespace moelab::experiments {
namespace {

using steering::ExpertId;

std::vector<steering::Plan> matched_plans(const StudyConfig& study, const std::vector<Setting>& settings,
                                          const StudyFindings& findings, const std::string& domain,
                                          const model::ModelSpec& spec) {
  std::vector<steering::Plan> plans;
  std::vector<discovery::RankedExpert> ranking;
  if (is_ranked(study.match.kind)) ranking = ranking_of(findings, domain, study.match, spec);
  for (const Setting& setting : settings)
    plans.push_back(study.match.kind == MethodKind::file ? file_plan(study, setting)
                                                         : plan_of(study.match, ranking, setting, spec).plan);
  return plans;
}

// The experts of the largest plan, of which the smaller ones are parts.
std::vector<ExpertId> experts_of(const std::vector<steering::Plan>& plans) {
  const auto largest = std::max_element(plans.begin(), plans.end(), [](const auto& a, const auto& b) {
    return a.entries.size() < b.entries.size();
  });
  std::vector<ExpertId> experts;
  for (const steering::PlanEntry& entry : largest->entries) experts.push_back({entry.layer, entry.expert});
  return experts;
}

steering::Plan replaced(steering::Plan plan, const std::map<ExpertId, ExpertId>& draws) {
  for (steering::PlanEntry& entry : plan.entries) {
    const ExpertId& drawn = draws.at({entry.layer, entry.expert});
    entry.layer = drawn.layer;
    entry.expert = drawn.expert;
  }
  return plan;
}

// Candidates for one rank: experts that are neither matched nor drawn, the nearest in base rate first.
std::vector<ExpertId> nearest_experts(const ExpertId& like, std::span<const double> rates,
                                      const std::set<ExpertId>& taken, const model::ModelSpec& spec,
                                      bool same_layer) {
  const auto rate = [&](const ExpertId& id) {
    return rates[static_cast<std::size_t>(id.layer * spec.router.experts + id.expert)];
  };
  std::vector<ExpertId> candidates;
  for (std::int64_t layer = 0; layer < spec.layers; ++layer) {
    if (!spec.is_moe_layer[static_cast<std::size_t>(layer)] || (same_layer && layer != like.layer)) continue;
    for (std::int64_t expert = 0; expert < spec.router.experts; ++expert)
      if (!taken.contains({layer, expert})) candidates.push_back({layer, expert});
  }
  std::stable_sort(candidates.begin(), candidates.end(), [&](const ExpertId& a, const ExpertId& b) {
    return std::abs(rate(a) - rate(like)) < std::abs(rate(b) - rate(like));
  });
  return candidates;
}

// One draw of every setting's plan; throws Error when there is none.
std::vector<steering::Plan> draw_plans(const StudyConfig& study, const std::vector<Setting>& settings,
                                       const StudyFindings& findings, const DrawOptions& options,
                                       const model::ModelSpec& spec) {
  std::vector<steering::Plan> plans = matched_plans(study, settings, findings, options.domain, spec);
  // Of the whole grid: a setting's draw does not depend on which others a random search has drawn.
  const std::vector<ExpertId> matched =
      experts_of(matched_plans(study, grid_of(study, study.match), findings, options.domain, spec));
  const auto drawn =
      draw_matched(matched, selection_rates(findings.at(options.domain).counts, spec), spec, options);
  std::map<ExpertId, ExpertId> draws;
  for (std::size_t i = 0; i < matched.size(); ++i) draws[matched[i]] = drawn[i];
  for (steering::Plan& plan : plans) plan = replaced(std::move(plan), draws);
  return plans;
}

}  // namespace

std::vector<PlannedCell> null_cells(const StudyConfig& study, const MethodConfig& method,
                                    const StudyFindings& findings, const std::string& domain,
                                    const model::ModelSpec& spec) {
  const std::vector<Setting> settings = settings_of(study, study.match);
  std::vector<PlannedCell> cells;
  for (int draw = 1; draw <= study.null.draws; ++draw) {
    std::vector<steering::Plan> plans;
    std::string error;
    try {
      const DrawOptions options{static_cast<std::uint64_t>(study.seed.draw), domain, draw};
      plans = draw_plans(study, settings, findings, options, spec);
    } catch (const Error& problem) {
      error = problem.what();
    }
    for (std::size_t s = 0; s < settings.size(); ++s) {
      PlannedCell cell = make_cell("null", study.match, settings[s]);
      cell.method = method.name;
      cell.draw = draw;
      cell.steered_domain = domain;
      cell.run = findings.at(domain).run;
      cell.run_key = findings.at(domain).key;
      cell.error = error;
      if (error.empty()) attach_plan(cell, spec, [&] { return ChosenPlan{plans[s], ""}; });
      cells.push_back(std::move(cell));
    }
  }
  return cells;
}

std::vector<ExpertId> draw_matched(std::span<const ExpertId> matched, std::span<const double> rates,
                                   const model::ModelSpec& spec, const DrawOptions& options) {
  RandomStream stream(options.seed, fmt::format("random_matched/{}/{}", options.domain, options.draw));
  std::set<ExpertId> taken(matched.begin(), matched.end());
  std::vector<ExpertId> drawn;
  for (const ExpertId& like : matched) {
    auto candidates = nearest_experts(like, rates, taken, spec, true);
    if (candidates.empty()) candidates = nearest_experts(like, rates, taken, spec, false);
    if (candidates.empty())
      throw Error("random: {} experts are steered and none is left to draw; lower axes.n_steered",
                  matched.size());
    const std::size_t near =
        std::min(candidates.size(), std::max<std::size_t>(4, (candidates.size() + 3) / 4));
    drawn.push_back(candidates[stream.below(near)]);
    taken.insert(drawn.back());
  }
  return drawn;
}

std::vector<double> selection_rates(const discovery::RoutingCounts& counts, const model::ModelSpec& spec) {
  std::vector<double> rates(counts.total.size());
  const auto experts = static_cast<std::size_t>(spec.router.experts);
  for (std::size_t start = 0; start < rates.size(); start += experts) {
    const auto first = counts.total.begin() + static_cast<std::ptrdiff_t>(start);
    const auto sum =
        static_cast<double>(std::accumulate(first, first + spec.router.experts, std::int64_t{0}));
    if (sum == 0) continue;  // a dense layer
    for (std::size_t e = start; e < start + experts; ++e)
      rates[e] = static_cast<double>(counts.total[e]) * static_cast<double>(spec.router.top_k) / sum;
  }
  return rates;
}

}  // namespace moelab::experiments

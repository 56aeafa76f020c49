#include "experiments/methods_plan.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/base/random.h"

namespace moelab::experiments {
namespace {

using discovery::RankedExpert;
using steering::ExpertId;
using steering::Operation;

// What steermoe does at a setting.
struct Counts {
  std::int64_t activate = 0, deactivate = 0;
};

Counts steermoe_counts(const MethodConfig& method, std::int64_t n_steered) {
  Counts counts{method.activate, method.deactivate};
  if (counts.activate < 0) counts.activate = n_steered - counts.deactivate;
  if (counts.deactivate < 0) counts.deactivate = n_steered - counts.activate;
  return counts;
}

// Adds the first `wanted` experts, but no more than `limit` in a layer; returns how many were dropped.
std::int64_t add_capped(std::span<const ExpertId> wanted, Operation operation, std::int64_t limit,
                        steering::Plan& plan) {
  std::map<std::int64_t, std::int64_t> in_layer;
  std::int64_t dropped = 0;
  for (const ExpertId& id : wanted) {
    if (in_layer[id.layer] == limit) {
      ++dropped;
    } else {
      ++in_layer[id.layer];
      plan.entries.push_back({id.layer, id.expert, operation, 1});
    }
  }
  return dropped;
}

ChosenPlan steermoe_plan(const MethodConfig& method, std::span<const RankedExpert> ranking,
                         const Setting& setting, const model::ModelSpec& spec) {
  const Counts counts = steermoe_counts(method, setting.n_steered);
  const std::vector<ExpertId> order = discovery::top_experts(ranking, std::ssize(ranking));
  if (counts.activate + counts.deactivate > std::ssize(order))
    throw ConfigError("{}: {} experts to activate and {} to deactivate, but the ranking has {}", method.name,
                      counts.activate, counts.deactivate, order.size());
  const auto first = std::span(order).first(static_cast<std::size_t>(counts.activate));
  std::vector<ExpertId> last(order.rbegin(), order.rbegin() + counts.deactivate);
  ChosenPlan chosen;
  const std::int64_t top_k = spec.router.top_k;
  const auto forced = add_capped(first, Operation::force, top_k, chosen.plan);
  const auto forbidden = add_capped(last, Operation::forbid, spec.router.experts - top_k, chosen.plan);
  if (forced + forbidden > 0)
    chosen.note = fmt::format(
        "{} of {} activated and {} of {} deactivated experts were dropped: a layer selects top-k = {}",
        forced, counts.activate, forbidden, counts.deactivate, top_k);
  return chosen;
}

ChosenPlan prune_plan(std::span<const ExpertId> experts) {
  ChosenPlan chosen;
  for (const ExpertId& id : experts)
    chosen.plan.entries.push_back({id.layer, id.expert, Operation::forbid, 1});
  return chosen;
}

// Forbids what is neither chosen nor needed to give a layer top-k experts.
ChosenPlan only_plan(std::span<const RankedExpert> ranking, std::int64_t n_steered,
                     const model::ModelSpec& spec) {
  const auto chosen = discovery::top_experts(ranking, n_steered);
  std::map<std::int64_t, std::set<std::int64_t>> kept;
  for (const ExpertId& id : chosen) kept[id.layer].insert(id.expert);
  std::int64_t added = 0;
  for (const RankedExpert& expert : ranking) {
    auto& layer = kept[expert.id.layer];
    if (std::ssize(layer) < spec.router.top_k && layer.insert(expert.id.expert).second) ++added;
  }
  ChosenPlan result;
  for (std::int64_t layer = 0; layer < spec.layers; ++layer) {
    if (!spec.is_moe_layer[static_cast<std::size_t>(layer)]) continue;
    for (std::int64_t expert = 0; expert < spec.router.experts; ++expert)
      if (!kept[layer].contains(expert)) result.plan.entries.push_back({layer, expert, Operation::forbid, 1});
  }
  if (added > 0)
    result.note =
        fmt::format("{} more experts than the {} chosen ones were kept: every layer needs top-k = {}", added,
                    n_steered, spec.router.top_k);
  return result;
}

}  // namespace

bool is_ranked(MethodKind kind) {
  return kind == MethodKind::score || kind == MethodKind::sql || kind == MethodKind::steermoe ||
         kind == MethodKind::prune || kind == MethodKind::only || kind == MethodKind::rice;
}

bool has_domain_plans(const MethodConfig& method) {
  return is_ranked(method.kind) && !method.plans_by_question();
}

bool reads_discovery(MethodKind kind) {
  return is_ranked(kind) || kind == MethodKind::random || kind == MethodKind::bottom;
}

bool sweeps_axes(MethodKind kind) {
  return kind != MethodKind::original && kind != MethodKind::rice && kind != MethodKind::prompt &&
         kind != MethodKind::top_k && kind != MethodKind::sft;
}

bool is_scaling(MethodKind kind) {
  return kind == MethodKind::score || kind == MethodKind::sql || kind == MethodKind::file ||
         kind == MethodKind::bottom || kind == MethodKind::rice;
}

double count_grid(const StudyConfig& study, const MethodConfig& method) {
  const auto n = static_cast<double>(study.axes.n_steered.size());
  if (method.kind == MethodKind::rice || method.kind == MethodKind::prompt ||
      method.kind == MethodKind::top_k)
    return static_cast<double>(grid_of(study, method).size());
  if (is_scaling(method.kind))
    return n * static_cast<double>(study.axes.alpha.size()) * static_cast<double>(study.modes.size());
  const bool is_fixed = method.kind == MethodKind::steermoe && method.activate >= 0 && method.deactivate >= 0;
  if (is_fixed) return 1;
  return is_ranked(method.kind) ? n : 0;
}

std::vector<Setting> grid_of(const StudyConfig& study, const MethodConfig& method) {
  std::vector<Setting> settings;
  if (method.kind == MethodKind::prompt) return {{}};
  if (method.kind == MethodKind::top_k)
    for (const std::int64_t k : study.axes.top_k) settings.push_back({k, 1, {}});
  if (method.kind == MethodKind::rice) {
    for (const std::string& mode : method.rice.modes)
      for (const std::int64_t l : method.rice.experts)
        for (const double beta : method.rice.beta) settings.push_back({l, beta, steering::parse_mode(mode)});
    return settings;
  }
  if (is_scaling(method.kind)) {
    for (const steering::Mode mode : study.modes)
      for (const std::int64_t n : study.axes.n_steered)
        for (const double alpha : study.axes.alpha) settings.push_back({n, alpha, mode});
    return settings;
  }
  if (method.kind == MethodKind::steermoe) {
    const std::int64_t fixed =
        std::max<std::int64_t>(method.activate, 0) + std::max<std::int64_t>(method.deactivate, 0);
    if (method.activate >= 0 && method.deactivate >= 0) return {{fixed, 1, {}}};
    for (const std::int64_t n : study.axes.n_steered) settings.push_back({n + fixed, 1, {}});
  } else if (is_ranked(method.kind)) {
    for (const std::int64_t n : study.axes.n_steered) settings.push_back({n, 1, {}});
  }
  return settings;
}

std::vector<Setting> settings_of(const StudyConfig& study, const MethodConfig& method) {
  std::vector<Setting> grid = grid_of(study, method);
  if (!study.search.is_random() || std::ssize(grid) <= study.search.settings) return grid;
  std::vector<std::pair<std::uint64_t, std::size_t>> order;
  for (std::size_t i = 0; i < grid.size(); ++i) {
    const std::string name =
        fmt::format("search/{}/{}/{}", grid[i].n_steered, grid[i].alpha, steering::name_of(grid[i].mode));
    order.emplace_back(RandomStream(static_cast<std::uint64_t>(study.search.seed), name).next(), i);
  }
  std::sort(order.begin(), order.end());
  order.resize(static_cast<std::size_t>(study.search.settings));
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  std::vector<Setting> drawn;
  for (const auto& [number, i] : order) drawn.push_back(grid[i]);
  return drawn;
}

double count_settings(const StudyConfig& study, const MethodConfig& method) {
  const double all = count_grid(study, method);
  return study.search.is_random() ? std::min(all, static_cast<double>(study.search.settings)) : all;
}

ChosenPlan plan_of(const MethodConfig& method, std::span<const RankedExpert> ranking, const Setting& setting,
                   const model::ModelSpec& spec) {
  if (method.kind == MethodKind::steermoe) return steermoe_plan(method, ranking, setting, spec);
  if (method.kind == MethodKind::only) return only_plan(ranking, setting.n_steered, spec);
  if (method.kind == MethodKind::prune) return prune_plan(discovery::top_experts(ranking, setting.n_steered));
  std::vector<RankedExpert> order(ranking.begin(), ranking.end());
  if (method.kind == MethodKind::bottom) std::reverse(order.begin(), order.end());
  return {steering::scale_plan(discovery::top_experts(order, setting.n_steered), setting.alpha, setting.mode),
          ""};
}

}  // namespace moelab::experiments

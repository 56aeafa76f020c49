// The sweep table: what every point of the grid scored, by method, n_steered and alpha.
#include <fmt/ranges.h>

#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "experiments/tables.h"

namespace moelab::experiments {

namespace {

using Line = std::tuple<int, std::string, std::string, int>;      // method's place, method, mode, n_steered
using Group = std::tuple<std::string, std::string, std::string>;  // model, benchmark, domain

// In per cent, or a count for a small part of GPQA.
std::string accuracy_text(const GridPoint& point) {
  return point.is_small_gpqa ? right_count_text(point.accuracy, point.n) : percent(point.accuracy);
}

// In points, or a number of answers.
std::string gain_text(const GridPoint& point) {
  if (!point.is_small_gpqa) return points(point.gain);
  return fmt::format("{:+}", std::llround(point.gain * static_cast<double>(point.n)));
}

std::string heading_text(const Group& group, const GridPoint* original) {
  const auto& [model, benchmark, domain] = group;
  std::string text = fmt::format("{} / {}: original {}, n {}", model, domain,
                                 original == nullptr ? "-" : accuracy_text(*original),
                                 original == nullptr ? 0 : original->n);
  if (original != nullptr && original->is_small_gpqa) text += ", counts for so few questions";
  return text;
}

TextTable records(const std::vector<GridPoint>& grid) {
  TextTable table;
  for (const char* name : {"model", "benchmark", "domain", "method", "mode"})
    table.columns.push_back({name, true});
  for (const char* name : {"n_steered", "alpha", "draws", "n", "accuracy", "gain"})
    table.columns.push_back({name});
  for (const GridPoint& point : grid) {
    table.add({point.model, point.benchmark, point.domain, point.method, point.mode,
               fmt::to_string(point.n_steered), number_text(point.alpha), fmt::to_string(point.draws),
               fmt::to_string(point.n), number_text(point.accuracy), number_text(point.gain)});
  }
  return table;
}

void add_domain(TextTable& table, const std::map<Line, std::map<double, GridPoint>>& lines,
                const std::set<double>& alphas, bool with_mode) {
  for (const auto& [line, points_by_alpha] : lines) {
    const auto& [place, method, mode, n_steered] = line;
    const GridPoint& first = points_by_alpha.begin()->second;
    std::string name = "  " + method;
    if (with_mode) name += " " + mode;
    if (first.draws > 1) name += fmt::format(" x {}", first.draws);
    std::vector<std::string> cells = {name, fmt::to_string(n_steered)};
    for (const double alpha : alphas) {
      const auto found = points_by_alpha.find(alpha);
      cells.push_back(found == points_by_alpha.end()
                          ? "-"
                          : fmt::format("{} {}", accuracy_text(found->second), gain_text(found->second)));
    }
    table.add(std::move(cells));
  }
}

}  // namespace

TextTable sweep_table(store::Store& store, const TableRequest& request, bool as_records) {
  const std::vector<GridPoint> grid = grid_points(store, request);
  if (as_records) return records(grid);
  std::set<double> alphas;
  std::set<std::string> modes;
  std::map<Group, std::map<Line, std::map<double, GridPoint>>> domains;
  std::map<Group, GridPoint> originals;
  std::vector<Group> order;
  for (const GridPoint& point : grid) {
    const Group group{point.model, point.benchmark, point.domain};
    if (!domains.contains(group)) order.push_back(group);
    auto& lines = domains[group];
    if (point.method == "original") {
      originals[group] = point;
      continue;
    }
    alphas.insert(point.alpha);
    modes.insert(point.mode);
    lines[{method_place(point.method), point.method, point.mode, point.n_steered}][point.alpha] = point;
  }
  TextTable table;
  table.title = fmt::format("Sweep, study {}: accuracy and gain", store.study(request.study).name);
  table.columns = {{"method", true}, {"n_steered"}};
  for (const double alpha : alphas) table.columns.push_back({"alpha " + number_text(alpha)});
  for (const auto& group : order) {
    const auto original = originals.find(group);
    table.add_heading(heading_text(group, original == originals.end() ? nullptr : &original->second));
    add_domain(table, domains[group], alphas, modes.size() > 1);
  }
  table.footers = {
      fmt::format("Evaluator {}; mode {}.", choose_evaluator(store, request), fmt::join(modes, ", ")),
      "Accuracy in %, gain over the original in points, on the questions that both answered; random: means "
      "over draws.",
      "A grid is for looking at: its best point is biased upwards. The methods table has the honest figure."};
  for (const std::string& line : dropped_lines(store, request.study)) table.footers.push_back(line);
  return table;
}

}  // namespace moelab::experiments

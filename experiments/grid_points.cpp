// The accuracy and gain of every point of a study's grid, from the stored answers.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "experiments/study_results.h"

namespace moelab::experiments {

using store::Answer;
using store::CellAnswers;
using store::CellRow;
using store::Id;
using store::Store;

namespace {

// Right answers of a cell and of its original, over the questions that both answered; both lists are sorted.
struct Paired {
  std::int64_t questions = 0, n = 0, correct = 0, correct_original = 0;
};

Paired pair_up(const std::vector<Answer>& cell, const std::vector<Answer>& original) {
  Paired counts;
  auto other = original.begin();
  Id last = 0;
  for (const Answer& answer : cell) {
    const auto key = std::make_pair(answer.question, answer.repeat);
    while (other != original.end() && std::make_pair(other->question, other->repeat) < key) ++other;
    if (other == original.end() || std::make_pair(other->question, other->repeat) != key) continue;
    ++counts.n;
    if (answer.question != last) ++counts.questions;
    last = answer.question;
    counts.correct += answer.correct ? 1 : 0;
    counts.correct_original += other->correct ? 1 : 0;
  }
  return counts;
}

using PointKey = std::tuple<Id, std::string, std::string, int, std::string, std::string, int, double>;

PointKey key_of(const CellRow& cell) {
  return {cell.model,  cell.benchmark, cell.domain,    method_place(cell.method),
          cell.method, cell.mode,      cell.n_steered, cell.alpha};
}

void add_cell(GridPoint& point, const Paired& counts) {
  const double accuracy = static_cast<double>(counts.correct) / static_cast<double>(counts.n);
  const double original = static_cast<double>(counts.correct_original) / static_cast<double>(counts.n);
  const auto before = static_cast<double>(point.draws);
  if (point.draws == 0) point.accuracy = point.gain = 0;
  ++point.draws;
  point.questions = std::max(point.questions, counts.questions);
  point.n = std::max(point.n, counts.n);
  point.accuracy = (point.accuracy * before + accuracy) / (before + 1);
  point.gain = (point.gain * before + accuracy - original) / (before + 1);
}

}  // namespace

std::vector<GridPoint> grid_points(Store& store, const TableRequest& request) {
  std::map<Id, std::vector<Answer>> answers;
  for (CellAnswers& cell : store.answers(request.study, choose_evaluator(store, request))) {
    answers[cell.cell] = std::move(cell.answers);
  }
  const auto cells = store.cells(request.study);
  std::map<std::tuple<Id, std::string, std::string, std::string>, Id> originals;
  for (const auto& [cell, role] : cells) {
    if (cell.method == "original" && role != "aa") {
      originals.try_emplace({cell.model, cell.benchmark, cell.domain, cell.condition}, cell.id);
    }
  }
  const std::set<Id> dropped = dropped_cells(store, request.study);
  std::map<PointKey, GridPoint> points;
  for (const auto& [cell, role] : cells) {
    // Other roles may steer the tested domain's experts too, but their settings are no points of the grid.
    const bool is_own = (role == "original" || role == "grid" || role == "null") &&
                        (cell.steered_domain.empty() || cell.steered_domain == cell.domain);
    const auto original = originals.find({cell.model, cell.benchmark, cell.domain, cell.condition});
    if (!is_own || dropped.contains(cell.id) || !answers.contains(cell.id) || original == originals.end())
      continue;
    const std::string model = store.model(cell.model).name;
    if (!is_wanted(request.models, model) || !is_wanted(request.domains, cell.domain) ||
        !is_wanted(request.methods, cell.method)) {
      continue;
    }
    const Paired counts = pair_up(answers[cell.id], answers[original->second]);
    if (counts.n == 0) continue;
    GridPoint& point = points[key_of(cell)];
    point.model = model;
    point.benchmark = cell.benchmark;
    point.domain = cell.domain;
    point.method = cell.method;
    point.mode = cell.mode;
    point.n_steered = cell.n_steered;
    point.alpha = cell.alpha;
    add_cell(point, counts);
  }
  std::vector<GridPoint> list;
  for (auto& [key, point] : points) {
    point.is_small_gpqa = is_small_gpqa(store, point.benchmark, point.questions);
    list.push_back(std::move(point));
  }
  return list;
}

std::vector<std::string> dropped_lines(Store& store, Id study) {
  const std::size_t dropped = dropped_cells(store, study).size();
  if (dropped == 0) return {};
  return {fmt::format("Left out: {} cells that a halving dropped; they were asked tuning questions only.",
                      dropped)};
}

}  // namespace moelab::experiments

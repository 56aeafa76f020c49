#include "experiments/halved_cells.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/base/json.h"
#include "core/base/random.h"

namespace moelab::experiments {
namespace {

bool is_searched(const std::string& role) { return role == "grid" || role == "null"; }

// The cells under the newest original's condition: a question whose text has changed makes new cells, and
// those of the former text stay in the study.
DomainCells newest_cells(const DomainCells& cells) {
  DomainCells newest = cells;
  std::string condition;
  for (const auto& [cell, role] : cells.cells)
    if (role == "original") condition = cell.condition;
  if (!condition.empty())
    std::erase_if(newest.cells, [&](const auto& entry) { return entry.first.condition != condition; });
  return newest;
}

// A split keeps a question's former text too, which the original has not answered beside the new one.
std::vector<store::Id> answered_by_original(store::Store& store, const StoredStudy& study,
                                            const DomainCells& cells, const StoredSplit& split) {
  DomainCells original = cells;
  std::erase_if(original.cells, [](const auto& entry) { return entry.second != "original"; });
  return read_answers(store, original, split, study.evaluator, study.repeats.at(cells.benchmark)).questions;
}

std::vector<store::Id> asking_order(store::Store& store, const StoredStudy& study, const DomainCells& cells,
                                    const StoredSplit& split) {
  std::vector<std::pair<std::uint64_t, store::Id>> order;
  for (const store::Id question : answered_by_original(store, study, cells, split)) {
    if (!split.is_tuning.at(question)) continue;
    const std::string name = "halving/" + store.question(question).name;
    order.emplace_back(RandomStream(static_cast<std::uint64_t>(study.search.seed), name).next(), question);
  }
  std::sort(order.begin(), order.end());
  std::vector<store::Id> questions;
  for (const auto& [number, question] : order) questions.push_back(question);
  return questions;
}

}  // namespace

HalvedDomain halve_domain(store::Store& store, const StoredStudy& study, const DomainCells& all,
                          const StoredSplit& split) {
  const DomainCells cells = newest_cells(all);
  HalvedDomain domain{asking_order(store, study, cells, split), {}};
  std::map<std::pair<std::string, int>, std::vector<Candidate>> methods;
  for (const auto& [cell, role] : cells.cells)
    if (is_searched(role))
      methods[{cell.method, cell.draw}].push_back({cell.id, cell.n_steered, cell.alpha, cell.mode});
  const std::int64_t repeats = study.repeats.at(cells.benchmark);
  for (auto& [name, candidates] : methods) {
    sort_candidates(candidates);
    std::vector<Answers> answers;
    for (const Candidate& candidate : candidates)
      answers.push_back(leading_answers(store, candidate.cell, domain.order, study.evaluator, repeats));
    Halving halving = halve(answers, domain.order.size(), {study.search.eta, study.search.rungs});
    domain.methods.push_back({name.first, name.second, std::move(candidates), std::move(halving)});
  }
  return domain;
}

SearchedCells searched_cells(store::Store& store, const StoredStudy& study, const DomainCells& cells,
                             const StoredSplit& split) {
  if (!study.search.is_halving()) return {cells, {}};
  SearchedCells searched{newest_cells(cells), halve_domain(store, study, cells, split).methods};
  std::set<store::Id> winners;
  for (const HalvedMethod& method : searched.halved)
    if (method.halving.is_done()) winners.insert(method.candidates[method.halving.left.front()].cell);
  std::erase_if(searched.cells.cells, [&](const auto& entry) {
    return is_searched(entry.second) && !winners.contains(entry.first.id);
  });
  return searched;
}

std::string rungs_json(const HalvedMethod& method, std::int64_t repeats) {
  Json entries = Json::array();
  for (std::size_t k = 0; k < method.halving.rungs.size(); ++k) {
    const Rung& rung = method.halving.rungs[k];
    for (std::size_t i = 0; i < rung.settings.size(); ++i)
      entries.push_back({{"rung", k + 1},
                         {"cell", method.candidates[rung.settings[i]].cell},
                         {"correct", rung.right[i]},
                         {"n", rung.questions * static_cast<std::size_t>(repeats)}});
  }
  return entries.dump();
}

}  // namespace moelab::experiments

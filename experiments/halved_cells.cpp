#include "experiments/halved_cells.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/base/json.h"
#include "core/base/random.h"

namespace moelab::experiments {
namespace {

bool is_searched(const std::string& role) { return role == "grid" || role == "null"; }

std::vector<store::Id> asking_order(store::Store& store, const StoredSplit& split, std::int64_t seed) {
  std::vector<std::pair<std::uint64_t, store::Id>> order;
  for (const auto& [question, is_tuning] : split.is_tuning)
    if (is_tuning) {
      const std::string name = "halving/" + store.question(question).name;
      order.emplace_back(RandomStream(static_cast<std::uint64_t>(seed), name).next(), question);
    }
  std::sort(order.begin(), order.end());
  std::vector<store::Id> questions;
  for (const auto& [number, question] : order) questions.push_back(question);
  return questions;
}

}  // namespace

HalvedDomain halve_domain(store::Store& store, const StoredStudy& study, const DomainCells& cells,
                          const StoredSplit& split) {
  HalvedDomain domain{asking_order(store, split, study.search.seed), {}};
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
  SearchedCells searched{cells, halve_domain(store, study, cells, split).methods};
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

#include "experiments/halving_run.h"

#include <map>
#include <set>
#include <utility>

#include "experiments/halved_cells.h"

namespace moelab::experiments {
namespace {

// Searched cells by their row.
using CellsByRow = std::map<store::Id, PlannedCell>;

// Rows by the number of questions that they have to answer next.
using Requests = std::map<std::size_t, std::vector<store::Id>>;

HalvedDomain stored_state(store::Store& store, const StoredStudy& study, const Target& target) {
  const std::string& benchmark = target.stored->benchmark.config.name;
  StoredSplit split = read_split(store, study.id, benchmark, target.domain);
  const auto& ids = target.stored->ids.at(target.domain);
  const std::set<store::Id> known(ids.begin(), ids.end());
  // The stored split keeps questions whose text has changed since.
  const auto is_former = [&](store::Id question) { return !known.contains(question); };
  std::erase_if(split.scored, is_former);
  for (const DomainCells& cells : cells_by_domain(store, study.id))
    if (cells.model == target.model && cells.benchmark == benchmark && cells.domain == target.domain)
      return halve_domain(store, study, cells, split);
  return {};
}

// Methods whose cells are not among `cells` (trained models) run elsewhere.
Requests requests_of(const HalvedDomain& state, const CellsByRow& cells) {
  Requests requests;
  for (const HalvedMethod& method : state.methods) {
    if (method.halving.next == 0) continue;
    for (const std::size_t setting : method.halving.left)
      if (const store::Id row = method.candidates[setting].cell; cells.contains(row))
        requests[method.halving.next].push_back(row);
  }
  return requests;
}

std::vector<PlannedCell> cells_at(const CellsByRow& cells, const std::vector<store::Id>& rows) {
  std::vector<PlannedCell> picked;
  for (const store::Id row : rows) picked.push_back(cells.at(row));
  return picked;
}

std::vector<store::Id> winners_of(const HalvedDomain& state, const CellsByRow& cells) {
  std::vector<store::Id> rows;
  for (const HalvedMethod& method : state.methods)
    if (method.halving.is_done())
      if (const store::Id row = method.candidates[method.halving.left.front()].cell; cells.contains(row))
        rows.push_back(row);
  return rows;
}

// The domain's places of the first questions in the asking order.
std::vector<std::size_t> first_places(const Target& target, const std::vector<store::Id>& order,
                                      std::size_t count) {
  std::map<store::Id, std::size_t> place_of;
  const auto& ids = target.stored->ids.at(target.domain);
  for (std::size_t i = 0; i < ids.size(); ++i) place_of[ids[i]] = i;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < count; ++i) places.push_back(place_of.at(order[i]));
  return places;
}

// Asks rungs until every method has its winner.
HalvedDomain run_rungs(CellRunner& cells, store::Store& store, const StoredStudy& study,
                       const ModelSession& session, const Target& target, const CellsByRow& searched) {
  Requests before;
  while (true) {
    HalvedDomain state = stored_state(store, study, target);
    const Requests requests = requests_of(state, searched);
    if (requests.empty()) return state;
    if (requests == before)
      throw Error("halving: the rung left no answers of the evaluator '{}' in {}", study.evaluator,
                  target.domain);
    for (const auto& [questions, rows] : requests) {
      Target rung = target;
      rung.places = first_places(target, state.order, questions);
      cells.run(session, rung, cells_at(searched, rows));
    }
    before = requests;
  }
}

}  // namespace

std::int64_t run_halving(CellRunner& cells, store::Store& store, store::Id study, const ModelSession& session,
                         const Target& target, const std::vector<PlannedCell>& planned) {
  std::vector<PlannedCell> whole, searched;
  for (const PlannedCell& cell : planned) {
    const bool is_searched = (cell.role == "grid" || cell.role == "null") && cell.error.empty();
    (is_searched ? searched : whole).push_back(cell);
  }
  cells.run(session, target, whole);
  CellsByRow by_row;
  const auto rows = cells.add(session, target, searched);
  for (std::size_t i = 0; i < rows.size(); ++i) by_row.emplace(rows[i], searched[i]);
  const StoredStudy stored = read_study(store, study);
  // A winner that fails on the other questions leaves the choice to those that are left.
  std::vector<store::Id> finished, winners;
  while ((winners = winners_of(run_rungs(cells, store, stored, session, target, by_row), by_row)) !=
         finished) {
    cells.run(session, target, cells_at(by_row, winners));
    finished = winners;
  }
  return std::ssize(by_row) - std::ssize(finished);
}

}  // namespace moelab::experiments

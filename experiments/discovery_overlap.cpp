#include "experiments/discovery_overlap.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

#include "experiments/study_notes.h"

namespace moelab::experiments {
namespace {

// Name and content of questions, and their groups.
struct ReadQuestions {
  std::set<std::pair<std::string, std::string>> questions;
  std::set<std::string> groups;
};

void add_run(store::Store& store, store::Id run, ReadQuestions& read) {
  store::Statement row = store.database().prepare(
      "SELECT q.name, q.text_digest, q.group_id FROM question AS q "
      "WHERE q.id IN (SELECT question FROM routing_count WHERE run = ?1)");
  row.bind(run);
  while (row.step()) {
    read.questions.emplace(row.get<std::string>(0), row.get<std::string>(1));
    read.groups.insert(row.get<std::string>(2));
  }
}

using Key = std::tuple<std::string, std::string, std::string>;

// Counts the study's test questions of one benchmark by domain.
void count_tested(store::Store& store, store::Id study, const std::string& model,
                  const std::string& benchmark, const ReadQuestions& read,
                  std::map<Key, DiscoveryOverlap>& overlaps) {
  store::Statement row = store.database().prepare(
      "SELECT q.domain, q.name, q.text_digest, q.group_id FROM split AS x JOIN question AS q ON q.id = "
      "x.question WHERE x.study = ?1 AND x.assignment = 0 AND x.role = 'test' AND q.set_name = ?2");
  row.bind(study, benchmark);
  while (row.step()) {
    const auto domain = row.get<std::string>(0);
    DiscoveryOverlap& overlap = overlaps[{model, benchmark, domain}];
    overlap.model = model;
    overlap.benchmark = benchmark;
    overlap.domain = domain;
    ++overlap.tested;
    if (read.questions.contains({row.get<std::string>(1), row.get<std::string>(2)})) ++overlap.questions;
    if (read.groups.contains(row.get<std::string>(3))) ++overlap.groups;
  }
}

// Where the first column of one of these names stands.
std::optional<std::size_t> column_of(const TextTable& table, const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    if (std::find(names.begin(), names.end(), table.columns[i].name) != names.end()) return i;
  return std::nullopt;
}

}  // namespace

std::vector<DiscoveryOverlap> discovery_overlaps(store::Store& store, const TableRequest& request) {
  std::map<std::pair<std::string, std::string>, ReadQuestions> read;  // by model and benchmark
  for (const Json& note : notes(store, request.study, "discovery")) {
    const std::string origin = "event.discovery";
    const std::string model = store.model(json_get<store::Id>(note, "model", origin)).name;
    if (is_wanted(request.models, model))
      add_run(store, json_get<store::Id>(note, "run", origin),
              read[{model, json_get<std::string>(note, "benchmark", origin)}]);
  }
  std::map<Key, DiscoveryOverlap> overlaps;
  for (const auto& [place, questions] : read)
    count_tested(store, request.study, place.first, place.second, questions, overlaps);
  std::vector<DiscoveryOverlap> found;
  for (auto& [key, overlap] : overlaps)
    if (is_wanted(request.domains, overlap.domain)) found.push_back(std::move(overlap));
  return found;
}

std::vector<std::string> overlap_notes(store::Store& store, const TableRequest& request) {
  std::vector<std::string> lines;
  for (const DiscoveryOverlap& overlap : discovery_overlaps(store, request))
    if (overlap.groups > 0)
      lines.push_back(fmt::format(
          "Overlap, {} / {}: experts were found on {} of the {} test questions, and on the groups of {}.",
          overlap.model, overlap.domain, overlap.questions, overlap.tested, overlap.groups));
  for (const std::string& method : transductive_methods(store, request))
    lines.push_back(fmt::format(
        "{}: experts were found on each test question's own first answer (transductive; no label is read).",
        method));
  return lines;
}

std::set<std::string> transductive_methods(store::Store& store, const TableRequest& request) {
  std::set<std::string> methods;
  for (const Json& note : notes(store, request.study, "trace")) {
    const std::string origin = "event.trace";
    const auto method = json_get<std::string>(note, "method", origin);
    if (json_get_or<std::string>(note, "per", "domain", origin) == "sample" &&
        is_wanted(request.methods, method))
      methods.insert(method);
  }
  return methods;
}

void add_overlap_columns(TextTable& table, store::Store& store, const TableRequest& request) {
  const auto model = column_of(table, {"model"});
  const auto benchmark = column_of(table, {"benchmark"});
  const auto domain = column_of(table, {"domain", "tested_domain"});
  if (!model || !domain) return;
  const auto method = column_of(table, {"method"});
  const std::set<std::string> transductive = transductive_methods(store, request);
  const std::vector<DiscoveryOverlap> overlaps = discovery_overlaps(store, request);
  table.columns.push_back({"seen_in_discovery"});
  table.columns.push_back({"group_seen_in_discovery"});
  for (TableRow& row : table.rows) {
    std::optional<DiscoveryOverlap> sum;
    for (const DiscoveryOverlap& overlap : overlaps) {
      if (row.cells[*model] != overlap.model || row.cells[*domain] != overlap.domain ||
          (benchmark && row.cells[*benchmark] != overlap.benchmark))
        continue;
      if (!sum) sum.emplace();
      const bool sees_all = method && transductive.contains(row.cells[*method]);
      sum->questions += sees_all ? overlap.tested : overlap.questions;
      sum->groups += sees_all ? overlap.tested : overlap.groups;
    }
    row.cells.push_back(sum ? fmt::to_string(sum->questions) : "");
    row.cells.push_back(sum ? fmt::to_string(sum->groups) : "");
  }
}

}  // namespace moelab::experiments

#include "experiments/study_splits.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "core/base/random.h"
#include "experiments/statistics/splits.h"

namespace moelab::experiments {
namespace {

// A question of the benchmark: its domain and its index there.
struct Place {
  std::string domain;
  std::size_t index = 0;
};

struct GroupedQuestions {
  std::vector<statistics::SplitItem> items;
  std::vector<Place> places;
};

GroupedQuestions all_questions(const Benchmark& benchmark) {
  GroupedQuestions all;
  for (const auto& [domain, questions] : benchmark.domains)
    for (std::size_t i = 0; i < questions.size(); ++i) {
      all.items.push_back({questions[i].group, domain});
      all.places.push_back({domain, i});
    }
  return all;
}

// Takes the questions of `role` out of `questions` and returns them.
GroupedQuestions take_role(GroupedQuestions& questions, const std::vector<statistics::Role>& roles,
                           statistics::Role role) {
  GroupedQuestions taken, left;
  for (std::size_t i = 0; i < roles.size(); ++i) {
    GroupedQuestions& target = roles[i] == role ? taken : left;
    target.items.push_back(questions.items[i]);
    target.places.push_back(questions.places[i]);
  }
  questions = std::move(left);
  return taken;
}

void sort_by_limit_order(DomainSplit& split, const std::vector<Question>& questions, std::uint64_t seed) {
  const std::set<std::size_t> found_on(split.discovery.begin(), split.discovery.end());
  std::vector<std::tuple<bool, std::uint64_t, std::size_t>> order;
  for (const std::size_t i : split.scored)
    order.emplace_back(!found_on.contains(i), RandomStream(seed, "limit/" + questions[i].name).next(), i);
  std::sort(order.begin(), order.end());
  for (std::size_t i = 0; i < order.size(); ++i) split.scored[i] = std::get<2>(order[i]);
}

void apply_limit(const Benchmark& benchmark, const StudyConfig& study,
                 std::map<std::string, DomainSplit>& splits) {
  for (auto& [domain, split] : splits) {
    split.unlimited = static_cast<std::int64_t>(split.scored.size());
    if (study.limit == 0 || split.unlimited <= study.limit) continue;
    sort_by_limit_order(split, benchmark.domain(domain), static_cast<std::uint64_t>(study.seed.split));
    split.scored.resize(static_cast<std::size_t>(study.limit));
  }
}

// Folds of all remaining questions, then those of each domain's scored ones.
void add_folds(const GroupedQuestions& rest, const StudyConfig& study,
               std::map<std::string, DomainSplit>& splits) {
  for (int assignment = 0; assignment < study.split.assignments; ++assignment) {
    const auto folds = statistics::assign_folds(
        rest.items,
        {static_cast<int>(study.split.folds), static_cast<std::uint64_t>(study.seed.split), assignment});
    std::map<std::string, std::map<std::size_t, int>> fold_of;
    for (std::size_t i = 0; i < folds.size(); ++i)
      fold_of[rest.places[i].domain][rest.places[i].index] = folds[i];
    for (auto& [domain, split] : splits) {
      split.folds.emplace_back();
      for (const std::size_t i : split.scored) split.folds.back().push_back(fold_of[domain][i]);
    }
  }
}

void add_tuning(GroupedQuestions& rest, const StudyConfig& study,
                std::map<std::string, DomainSplit>& splits) {
  const auto roles = statistics::assign_roles(
      rest.items, {0, study.split.tuning, static_cast<std::uint64_t>(study.seed.split)});
  std::map<std::string, std::set<std::size_t>> tuning;
  for (const Place& place : take_role(rest, roles, statistics::Role::tuning).places)
    tuning[place.domain].insert(place.index);
  for (auto& [domain, split] : splits)
    for (const std::size_t i : split.scored)
      if (tuning[domain].contains(i)) split.tuning.push_back(i);
}

}  // namespace

StudyDomains study_domains(const Benchmark& benchmark, const StudyConfig& study) {
  StudyDomains domains;
  domains.tested = study.axes.domain.empty() ? benchmark.domain_names() : study.axes.domain;
  std::sort(domains.tested.begin(), domains.tested.end());
  domains.tested.erase(std::unique(domains.tested.begin(), domains.tested.end()), domains.tested.end());
  for (const std::string& domain : domains.tested) benchmark.domain(domain);
  // With one tested domain `contrast` still needs others to compare with.
  domains.compared = domains.tested.size() > 1 ? domains.tested : benchmark.domain_names();
  return domains;
}

std::map<std::string, DomainSplit> make_splits(const Benchmark& benchmark, const StudyConfig& study) {
  std::map<std::string, DomainSplit> splits;
  try {
    GroupedQuestions rest = all_questions(benchmark);
    const auto found = statistics::assign_roles(
        rest.items, {study.split.discovery, 0, static_cast<std::uint64_t>(study.seed.discovery)});
    for (const Place& place : take_role(rest, found, statistics::Role::discovery).places)
      splits[place.domain].discovery.push_back(place.index);
    const bool tests_all = study.protocol == Protocol::paper && study.split.tests_discovery;
    for (const Place& place : tests_all ? all_questions(benchmark).places : rest.places)
      splits[place.domain].scored.push_back(place.index);
    apply_limit(benchmark, study, splits);
    if (study.protocol == Protocol::crossfit) add_folds(rest, study, splits);
    if (study.protocol == Protocol::holdout) add_tuning(rest, study, splits);
  } catch (const ConfigError&) {
    throw;
  } catch (const Error& problem) {
    throw ConfigError("split: {}", problem.what());
  }
  return splits;
}

std::vector<store::SplitRow> split_rows(const DomainSplit& split, std::span<const store::Id> ids,
                                        Protocol protocol) {
  std::vector<store::SplitRow> rows;
  const std::set<std::size_t> scored(split.scored.begin(), split.scored.end());
  for (const std::size_t i : split.discovery)
    if (!scored.contains(i)) rows.push_back({ids[i], 0, "discovery", -1});
  if (protocol == Protocol::crossfit) {
    for (std::size_t a = 0; a < split.folds.size(); ++a)
      for (std::size_t i = 0; i < split.scored.size(); ++i)
        rows.push_back({ids[split.scored[i]], static_cast<int>(a), "test", split.folds[a][i]});
    return rows;
  }
  const std::set<std::size_t> tuning(split.tuning.begin(), split.tuning.end());
  for (const std::size_t i : split.scored)
    rows.push_back({ids[i], 0, tuning.contains(i) ? "tuning" : "test", -1});
  return rows;
}

}  // namespace moelab::experiments

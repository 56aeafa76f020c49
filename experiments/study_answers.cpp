#include "experiments/study_answers.h"

#include <algorithm>
#include <tuple>

namespace moelab::experiments {
namespace {

// question -> right answers, sorted by question; the newest version of the evaluator counts. Questions that
// lack one of the repeats are left out.
std::vector<std::pair<store::Id, std::uint8_t>> read_cell(store::Store& store, store::Id cell,
                                                          const std::string& evaluator,
                                                          std::int64_t repeats) {
  store::Statement row = store.database().prepare(
      "SELECT s.question, s.repeat, v.correct FROM sample AS s CROSS JOIN verdict AS v ON v.sample = s.id "
      "AND v.evaluator = ?2 WHERE s.cell = ?1 AND s.repeat < ?3 ORDER BY s.question, s.repeat, v.version");
  row.bind(cell, evaluator, repeats);
  std::map<store::Id, std::map<int, bool>> verdicts;
  while (row.step()) verdicts[row.get<store::Id>(0)][row.get<int>(1)] = row.get<bool>(2);
  std::vector<std::pair<store::Id, std::uint8_t>> answers;
  for (const auto& [question, by_repeat] : verdicts) {
    if (std::ssize(by_repeat) < repeats) continue;
    answers.emplace_back(question, std::uint8_t{0});
    for (const auto& [repeat, right] : by_repeat)
      if (right) ++answers.back().second;
  }
  return answers;
}

bool is_core(const std::string& role) {
  return role == "original" || role == "aa" || role == "grid" || role == "null";
}

// The answers on `questions`; empty when one is missing. Both are sorted.
Answers pick(const std::vector<std::pair<store::Id, std::uint8_t>>& answers,
             const std::vector<store::Id>& questions) {
  Answers picked;
  auto next = answers.begin();
  for (const store::Id question : questions) {
    while (next != answers.end() && next->first < question) ++next;
    if (next == answers.end() || next->first != question) return {};
    picked.push_back(next->second);
  }
  return picked;
}

}  // namespace

std::vector<DomainCells> cells_by_domain(store::Store& store, store::Id study) {
  std::map<std::tuple<store::Id, std::string, std::string>, DomainCells> groups;
  for (auto& [cell, role] : store.cells(study)) {
    if (cell.status == "failed") continue;
    DomainCells& group = groups[{cell.model, cell.benchmark, cell.domain}];
    group.model = cell.model;
    group.benchmark = cell.benchmark;
    group.domain = cell.domain;
    group.cells.emplace_back(std::move(cell), std::move(role));
  }
  std::vector<DomainCells> ordered;
  for (auto& [key, group] : groups) ordered.push_back(std::move(group));
  return ordered;
}

StoredSplit read_split(store::Store& store, store::Id study, const std::string& benchmark,
                       const std::string& domain) {
  StoredSplit split;
  store::Statement row = store.database().prepare(
      "SELECT x.question, x.assignment, x.role, x.fold FROM split AS x JOIN question AS q ON q.id = "
      "x.question WHERE x.study = ?1 AND q.set_name = ?2 AND q.domain = ?3 AND x.role <> 'discovery' ORDER "
      "BY x.question, x.assignment");
  row.bind(study, benchmark, domain);
  while (row.step()) {
    const auto question = row.get<store::Id>(0);
    if (split.scored.empty() || split.scored.back() != question) split.scored.push_back(question);
    split.folds[question].push_back(row.get<int>(3));
    split.is_tuning[question] = row.get<std::string>(2) == "tuning";
  }
  return split;
}

AnswerTable read_answers(store::Store& store, const DomainCells& cells, const StoredSplit& split,
                         const std::string& evaluator, std::int64_t repeats) {
  AnswerTable table;
  table.repeats = repeats;
  table.questions = split.scored;
  std::map<store::Id, std::vector<std::pair<store::Id, std::uint8_t>>> read;
  for (const auto& [cell, role] : cells.cells) {
    if (!is_core(role)) continue;
    auto answers = read_cell(store, cell.id, evaluator, repeats);
    if (answers.empty()) continue;
    std::erase_if(table.questions, [&](store::Id question) {
      const auto at =
          std::lower_bound(answers.begin(), answers.end(), std::make_pair(question, std::uint8_t{0}));
      return at == answers.end() || at->first != question;
    });
    read.emplace(cell.id, std::move(answers));
  }
  for (const auto& [cell, answers] : read) table.cells[cell] = pick(answers, table.questions);
  return table;
}

Answers answers_of(store::Store& store, store::Id cell, const AnswerTable& table,
                   const std::string& evaluator) {
  return pick(read_cell(store, cell, evaluator, table.repeats), table.questions);
}

Answers leading_answers(store::Store& store, store::Id cell, const std::vector<store::Id>& questions,
                        const std::string& evaluator, std::int64_t repeats) {
  const auto read = read_cell(store, cell, evaluator, repeats);
  const std::map<store::Id, std::uint8_t> right(read.begin(), read.end());
  Answers answers;
  for (const store::Id question : questions) {
    const auto found = right.find(question);
    if (found == right.end()) break;
    answers.push_back(found->second);
  }
  return answers;
}

std::vector<SelectionPart> parts_of(const StoredSplit& split, const AnswerTable& table, Protocol protocol) {
  if (protocol == Protocol::paper) return paper_parts(table.questions.size());
  if (protocol == Protocol::holdout) {
    std::vector<bool> is_tuning;
    for (const store::Id question : table.questions) is_tuning.push_back(split.is_tuning.at(question));
    return holdout_parts(is_tuning);
  }
  if (table.questions.empty()) return {};
  std::vector<std::vector<int>> folds(split.folds.at(table.questions.front()).size());
  for (const store::Id question : table.questions)
    for (std::size_t a = 0; a < folds.size(); ++a) folds[a].push_back(split.folds.at(question).at(a));
  return crossfit_parts(folds);
}

std::vector<Candidate> candidates_of(const DomainCells& cells, const AnswerTable& table,
                                     const std::string& method, int draw) {
  std::vector<Candidate> candidates;
  for (const auto& [cell, role] : cells.cells)
    if ((role == "grid" || role == "null") && cell.method == method && cell.draw == draw &&
        table.cells.contains(cell.id))
      candidates.push_back({cell.id, cell.n_steered, cell.alpha, cell.mode});
  sort_candidates(candidates);
  return candidates;
}

}  // namespace moelab::experiments

// Store: answers of a whole study, selections and comparisons.
#include "core/store/store.h"

namespace moelab::store {

std::vector<CellAnswers> Store::answers(Id study, const std::string& evaluator) {
  // CROSS JOIN fixes the order of the loops, so that rows come sorted from the indices: cell, question,
  // repeat, version. Of several versions the last one stays.
  Statement row = database_.prepare(
      "SELECT x.cell, s.question, s.repeat, v.correct, v.guessed "
      "FROM study_cell AS x CROSS JOIN sample AS s ON s.cell = x.cell "
      "CROSS JOIN verdict AS v ON v.sample = s.id AND v.evaluator = ?2 "
      "WHERE x.study = ?1 ORDER BY x.cell, s.question, s.repeat, v.version");
  row.bind(study, evaluator);
  std::vector<CellAnswers> cells;
  while (row.step()) {
    const Id cell = row.get<Id>(0);
    const Answer answer{row.get<Id>(1), row.get<std::int32_t>(2), row.get<bool>(3), row.get<bool>(4)};
    if (cells.empty() || cells.back().cell != cell) cells.push_back({cell, {}});
    auto& list = cells.back().answers;
    const bool newer_version =
        !list.empty() && list.back().question == answer.question && list.back().repeat == answer.repeat;
    newer_version ? list.back() = answer : list.emplace_back(answer);
  }
  return cells;
}

void Store::put_selections(std::span<const SelectionRow> rows) {
  Transaction transaction(database_);
  for (const SelectionRow& r : rows) {
    database_.run(
        "INSERT INTO selection (study, model, benchmark, domain, method, draw, steered_domain, evaluator, "
        "rule, "
        "assignment, fold, candidates, chosen, n, correct) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) "
        "ON CONFLICT (study, model, benchmark, domain, method, draw, steered_domain, evaluator, rule, "
        "assignment, "
        "fold) DO UPDATE SET candidates = excluded.candidates, chosen = excluded.chosen, n = excluded.n, "
        "correct = excluded.correct",
        r.study, r.model, r.benchmark, r.domain, r.method, r.draw, r.steered_domain, r.evaluator, r.rule,
        r.assignment, r.fold, r.candidates, r.chosen, r.n, r.correct);
  }
  transaction.commit();
}

std::vector<SelectionRow> Store::selections(Id study) {
  std::vector<SelectionRow> rows;
  Statement row = database_.prepare(
      "SELECT study, model, benchmark, domain, method, draw, steered_domain, evaluator, rule, assignment, "
      "fold, "
      "candidates, chosen, n, correct FROM selection WHERE study = ?1 "
      "ORDER BY model, benchmark, domain, method, draw, steered_domain, evaluator, rule, assignment, fold");
  row.bind(study);
  while (row.step()) {
    rows.push_back({row.get<Id>(0), row.get<Id>(1), row.get<std::string>(2), row.get<std::string>(3),
                    row.get<std::string>(4), row.get<int>(5), row.get<std::string>(6),
                    row.get<std::string>(7), row.get<std::string>(8), row.get<int>(9), row.get<int>(10),
                    row.get<std::string>(11), row.get<Id>(12), row.get<std::int64_t>(13),
                    row.get<std::int64_t>(14)});
  }
  return rows;
}

void Store::put_comparisons(std::span<const ComparisonRow> rows) {
  Transaction transaction(database_);
  for (const ComparisonRow& r : rows) {
    // REPLACE gives the row a new id, which nothing refers to.
    database_.run(
        "INSERT OR REPLACE INTO comparison (study, model, benchmark, domain, method, draw, steered_domain, "
        "evaluator, "
        "protocol, n, accuracy_original, accuracy, wrong_right, right_wrong, gain, lo, hi, p, p_holm, "
        "p_null, n_null, "
        "gain_other_domains, flip_noise, smallest_detectable, settings, specificity, specificity_lo, "
        "specificity_hi, p_specific, p_labels, dose) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, "
        "?21, ?22, "
        "?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31)",
        r.study, r.model, r.benchmark, r.domain, r.method, r.draw, r.steered_domain, r.evaluator, r.protocol,
        r.n, r.accuracy_original, r.accuracy, r.wrong_right, r.right_wrong, r.gain, r.lo, r.hi, r.p, r.p_holm,
        r.p_null, r.n_null, r.gain_other_domains, r.flip_noise, r.smallest_detectable, r.settings,
        r.specificity, r.specificity_lo, r.specificity_hi, r.p_specific, r.p_labels, r.dose);
  }
  transaction.commit();
}

std::vector<ComparisonRow> Store::comparisons(Id study) {
  using Real = std::optional<double>;
  std::vector<ComparisonRow> rows;
  Statement row = database_.prepare(
      "SELECT study, model, benchmark, domain, method, draw, steered_domain, evaluator, protocol, n, "
      "accuracy_original, accuracy, wrong_right, right_wrong, gain, lo, hi, p, p_holm, p_null, n_null, "
      "gain_other_domains, flip_noise, smallest_detectable, settings, specificity, specificity_lo, "
      "specificity_hi, "
      "p_specific, p_labels, dose FROM comparison WHERE study = ?1 "
      "ORDER BY model, benchmark, domain, method, draw, steered_domain, evaluator, protocol");
  row.bind(study);
  while (row.step()) {
    rows.push_back({row.get<Id>(0),
                    row.get<Id>(1),
                    row.get<std::string>(2),
                    row.get<std::string>(3),
                    row.get<std::string>(4),
                    row.get<int>(5),
                    row.get<std::string>(6),
                    row.get<std::string>(7),
                    row.get<std::string>(8),
                    row.get<std::int64_t>(9),
                    row.get<double>(10),
                    row.get<double>(11),
                    row.get<std::int64_t>(12),
                    row.get<std::int64_t>(13),
                    row.get<double>(14),
                    row.get<Real>(15),
                    row.get<Real>(16),
                    row.get<Real>(17),
                    row.get<Real>(18),
                    row.get<Real>(19),
                    row.get<std::int64_t>(20),
                    row.get<Real>(21),
                    row.get<Real>(22),
                    row.get<Real>(23),
                    row.get<std::string>(24),
                    row.get<Real>(25),
                    row.get<Real>(26),
                    row.get<Real>(27),
                    row.get<Real>(28),
                    row.get<Real>(29),
                    row.get<Real>(30)});
  }
  return rows;
}

}  // namespace moelab::store

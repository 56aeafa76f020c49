// Store: discovery runs with their data, and steering plans.
#include "core/store/store.h"

namespace moelab::store {

namespace {

void put_importance(Database& database, Id run, std::span<const ImportanceRow> rows) {
  for (const ImportanceRow& row : rows) {
    database.run(
        "INSERT INTO token_importance (run, question, position, token, importance, kind) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        run, row.question, row.position, row.token, row.importance, row.kind);
  }
}

void put_routing(Database& database, Id run, std::span<const RoutingRow> rows) {
  for (const RoutingRow& row : rows) {
    if (row.n == 0) continue;
    database.run(
        "INSERT INTO routing_count (run, question, layer, expert, n, n_important, n_unimportant) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        run, row.question, row.layer, row.expert, row.n, row.n_important, row.n_unimportant);
  }
}

void put_similarity(Database& database, Id run, std::span<const SimilarityRow> rows) {
  for (const SimilarityRow& row : rows) {
    database.run(
        "INSERT INTO expert_similarity (run, layer, first, second, similarity, permuted) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        run, row.layer, row.first, row.second, row.similarity, row.permuted);
  }
}

}  // namespace

Id Store::put_discovery(const DiscoveryRow& run, const DiscoveryData& data) {
  Transaction transaction(database_);
  if (const auto stored = find_discovery(run.key)) return *stored;
  database_.run(
      "INSERT INTO discovery_run (key, model, domain, settings, n_questions, n_tokens, seconds) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
      run.key, run.model, run.domain, run.settings, run.n_questions, run.n_tokens, run.seconds);
  const Id id = database_.last_id();
  put_importance(database_, id, data.importance);
  put_routing(database_, id, data.routing);
  put_scores(id, data.scores);
  put_similarity(database_, id, data.similarity);
  transaction.commit();
  return id;
}

std::optional<Id> Store::find_discovery(const std::string& key) {
  return database_.find<Id>("SELECT id FROM discovery_run WHERE key = ?1", key);
}

DiscoveryRow Store::discovery(Id run) {
  Statement row = database_.prepare(
      "SELECT key, model, domain, settings, n_questions, n_tokens, seconds FROM discovery_run WHERE id = ?1");
  row.bind(run);
  if (!row.step()) throw StoreError("{}: there is no discovery run {}", database_.path().string(), run);
  return {row.get<std::string>(0), row.get<Id>(1),           row.get<std::string>(2),
          row.get<std::string>(3), row.get<std::int64_t>(4), row.get<std::int64_t>(5),
          row.get<double>(6)};
}

void Store::put_scores(Id run, std::span<const ScoreRow> rows) {
  Transaction transaction(database_);
  for (const ScoreRow& row : rows) {
    database_.run(
        "INSERT OR REPLACE INTO expert_score (run, score, layer, expert, value, rank) VALUES (?1, ?2, ?3, "
        "?4, ?5, ?6)",
        run, row.score, row.layer, row.expert, row.value, row.rank);
  }
  transaction.commit();
}

std::vector<ImportanceRow> Store::importance(Id run) {
  std::vector<ImportanceRow> rows;
  Statement row = database_.prepare(
      "SELECT question, position, token, importance, kind FROM token_importance WHERE run = ?1 "
      "ORDER BY question, position");
  row.bind(run);
  while (row.step()) {
    rows.push_back({row.get<Id>(0), row.get<int>(1), row.get<std::string>(2), row.get<double>(3),
                    row.get<std::string>(4)});
  }
  return rows;
}

std::vector<RoutingRow> Store::routing(Id run) {
  std::vector<RoutingRow> rows;
  Statement row = database_.prepare(
      "SELECT question, layer, expert, n, n_important, n_unimportant FROM routing_count WHERE run = ?1 "
      "ORDER BY question, layer, expert");
  row.bind(run);
  while (row.step()) {
    rows.push_back({row.get<Id>(0), row.get<int>(1), row.get<int>(2), row.get<std::int64_t>(3),
                    row.get<std::int64_t>(4), row.get<std::int64_t>(5)});
  }
  return rows;
}

std::vector<ScoreRow> Store::scores(Id run, const std::string& score) {
  std::vector<ScoreRow> rows;
  Statement row = database_.prepare(
      "SELECT score, layer, expert, value, rank FROM expert_score WHERE run = ?1 AND score = ?2 "
      "ORDER BY rank, layer, expert");
  row.bind(run, score);
  while (row.step()) {
    rows.push_back(
        {row.get<std::string>(0), row.get<int>(1), row.get<int>(2), row.get<double>(3), row.get<int>(4)});
  }
  return rows;
}

std::vector<SimilarityRow> Store::similarity(Id run) {
  std::vector<SimilarityRow> rows;
  Statement row = database_.prepare(
      "SELECT layer, first, second, similarity, permuted FROM expert_similarity WHERE run = ?1 "
      "ORDER BY layer, first, second");
  row.bind(run);
  while (row.step())
    rows.push_back(
        {row.get<int>(0), row.get<int>(1), row.get<int>(2), row.get<double>(3), row.get<double>(4)});
  return rows;
}

Id Store::put_plan(const PlanRow& p) {
  Transaction transaction(database_);
  if (const auto stored = database_.find<Id>("SELECT id FROM plan WHERE digest = ?1", p.digest))
    return *stored;
  database_.run(
      "INSERT INTO plan (digest, method, mode, alpha, logit_shift, n_steered, draw, domain, run) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
      p.digest, p.method, p.mode, p.alpha, p.logit_shift, p.n_steered, p.draw, p.domain, p.run);
  const Id id = database_.last_id();
  for (const PlanEntryRow& entry : p.entries) {
    database_.run(
        "INSERT INTO plan_entry (plan, layer, expert, operation, value) VALUES (?1, ?2, ?3, ?4, ?5)", id,
        entry.layer, entry.expert, entry.operation, entry.value);
  }
  for (const auto& [question, entry] : p.by_question) {
    database_.run(
        "INSERT INTO question_plan_entry (plan, question, layer, expert, operation, value) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        id, question, entry.layer, entry.expert, entry.operation, entry.value);
  }
  transaction.commit();
  return id;
}

PlanRow Store::plan(Id plan) {
  Statement row = database_.prepare(
      "SELECT digest, method, mode, alpha, logit_shift, n_steered, draw, domain, run FROM plan WHERE id = "
      "?1");
  row.bind(plan);
  if (!row.step()) throw StoreError("{}: there is no plan {}", database_.path().string(), plan);
  PlanRow result{row.get<std::string>(0),
                 row.get<std::string>(1),
                 row.get<std::string>(2),
                 row.get<double>(3),
                 row.get<double>(4),
                 row.get<int>(5),
                 row.get<int>(6),
                 row.get<std::string>(7),
                 row.get<std::optional<Id>>(8),
                 {}};
  Statement entry = database_.prepare(
      "SELECT layer, expert, operation, value FROM plan_entry WHERE plan = ?1 ORDER BY layer, expert, "
      "operation");
  entry.bind(plan);
  while (entry.step()) {
    result.entries.push_back(
        {entry.get<int>(0), entry.get<int>(1), entry.get<std::string>(2), entry.get<double>(3)});
  }
  Statement own = database_.prepare(
      "SELECT question, layer, expert, operation, value FROM question_plan_entry WHERE plan = ?1 ORDER BY "
      "question, layer, expert, operation");
  own.bind(plan);
  while (own.step()) {
    result.by_question.push_back(
        {own.get<Id>(0), {own.get<int>(1), own.get<int>(2), own.get<std::string>(3), own.get<double>(4)}});
  }
  return result;
}

}  // namespace moelab::store

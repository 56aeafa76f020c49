// Store: cells of studies, and what steering did in them.
#include "core/store/store.h"

namespace moelab::store {

namespace {

// Both give the columns that read_cell reads, in its order, and the role.
constexpr std::string_view cell_by_id =
    "SELECT c.id, c.key, c.condition, c.model, c.benchmark, c.domain, c.plan, c.method, c.n_steered, "
    "c.alpha, c.mode, "
    "c.draw, c.steered_domain, c.status, c.n_samples, c.seconds, c.tokens, c.error, c.provenance, '' AS role "
    "FROM cell AS c WHERE c.id = ?1";
constexpr std::string_view cells_of_study =
    "SELECT c.id, c.key, c.condition, c.model, c.benchmark, c.domain, c.plan, c.method, c.n_steered, "
    "c.alpha, c.mode, "
    "c.draw, c.steered_domain, c.status, c.n_samples, c.seconds, c.tokens, c.error, c.provenance, x.role "
    "FROM study_cell AS x JOIN cell AS c ON c.id = x.cell WHERE x.study = ?1 ORDER BY c.id";

CellRow read_cell(const Statement& row) {
  CellRow cell;
  cell.id = row.get<Id>(0);
  cell.key = row.get<std::string>(1);
  cell.condition = row.get<std::string>(2);
  cell.model = row.get<Id>(3);
  cell.benchmark = row.get<std::string>(4);
  cell.domain = row.get<std::string>(5);
  cell.plan = row.get<std::optional<Id>>(6);
  cell.method = row.get<std::string>(7);
  cell.n_steered = row.get<int>(8);
  cell.alpha = row.get<double>(9);
  cell.mode = row.get<std::string>(10);
  cell.draw = row.get<int>(11);
  cell.steered_domain = row.get<std::string>(12);
  cell.status = row.get<std::string>(13);
  cell.n_samples = row.get<std::int64_t>(14);
  cell.seconds = row.get<double>(15);
  cell.tokens = row.get<std::int64_t>(16);
  cell.error = row.get<std::string>(17);
  cell.provenance = row.get<std::string>(18);
  return cell;
}

}  // namespace

Id Store::put_cell(const CellRow& c) {
  Transaction transaction(database_);
  database_.run(
      "INSERT INTO cell (key, condition, model, benchmark, domain, plan, method, n_steered, alpha, mode, "
      "draw, "
      "steered_domain, status, n_samples, seconds, tokens, error, provenance) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18) "
      "ON CONFLICT (key) DO NOTHING",
      c.key, c.condition, c.model, c.benchmark, c.domain, c.plan, c.method, c.n_steered, c.alpha, c.mode,
      c.draw, c.steered_domain, c.status, c.n_samples, c.seconds, c.tokens, c.error, c.provenance);
  const auto id = find_cell(c.key);
  transaction.commit();
  return *id;
}

std::optional<Id> Store::find_cell(const std::string& key) {
  return database_.find<Id>("SELECT id FROM cell WHERE key = ?1", key);
}

CellRow Store::cell(Id cell) {
  Statement row = database_.prepare(cell_by_id);
  row.bind(cell);
  if (!row.step()) throw StoreError("{}: there is no cell {}", database_.path().string(), cell);
  return read_cell(row);
}

std::vector<std::pair<CellRow, std::string>> Store::cells(Id study) {
  std::vector<std::pair<CellRow, std::string>> rows;
  Statement row = database_.prepare(cells_of_study);
  row.bind(study);
  while (row.step()) rows.emplace_back(read_cell(row), row.get<std::string>(19));
  return rows;
}

void Store::add_to_study(Id study, Id cell, const std::string& role) {
  database_.run(
      "INSERT INTO study_cell (study, cell, role) VALUES (?1, ?2, ?3) ON CONFLICT (study, cell) DO NOTHING",
      study, cell, role);
}

void Store::set_outcome(Id cell, const CellOutcome& o) {
  const auto changed = database_.run(
      "UPDATE cell SET status = ?2, n_samples = ?3, seconds = ?4, tokens = ?5, error = ?6, provenance = ?7 "
      "WHERE id = ?1",
      cell, o.status, o.n_samples, o.seconds, o.tokens, o.error, o.provenance);
  if (changed == 0) throw StoreError("{}: there is no cell {}", database_.path().string(), cell);
}

void Store::put_effects(Id cell, std::span<const EffectRow> rows) {
  Transaction transaction(database_);
  database_.run("DELETE FROM effect_stat WHERE cell = ?1", cell);
  for (const EffectRow& row : rows) {
    if (row.cell != cell) throw StoreError("effects of cell {} given for cell {}", row.cell, cell);
  }
  add_effects(rows);
  transaction.commit();
}

void Store::add_effects(std::span<const EffectRow> rows) {
  Transaction transaction(database_);
  for (const EffectRow& row : rows) {
    database_.run(
        "INSERT INTO effect_stat (cell, layer, rows, selections, changed, weight_change, steered_selected, "
        "state, dose) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
        "ON CONFLICT (cell, layer) DO UPDATE SET "
        "weight_change = (weight_change * rows + excluded.weight_change * excluded.rows) "
        "  / max(rows + excluded.rows, 1), "
        "dose = (dose * rows + excluded.dose * excluded.rows) / max(rows + excluded.rows, 1), "
        "rows = rows + excluded.rows, selections = selections + excluded.selections, "
        "changed = changed + excluded.changed, steered_selected = steered_selected + "
        "excluded.steered_selected, "
        // not_applied in any part is an error that must show; acted in any part means that it acted.
        "state = CASE WHEN 'not_applied' IN (state, excluded.state) THEN 'not_applied' "
        "  WHEN 'acted' IN (state, excluded.state) THEN 'acted' ELSE 'applied_no_effect' END",
        row.cell, row.layer, row.rows, row.selections, row.changed, row.weight_change, row.steered_selected,
        row.state, row.dose);
  }
  transaction.commit();
}

std::vector<EffectRow> Store::effects(Id cell) {
  std::vector<EffectRow> rows;
  Statement row = database_.prepare(
      "SELECT cell, layer, rows, selections, changed, weight_change, steered_selected, state, dose FROM "
      "effect_stat "
      "WHERE cell = ?1 ORDER BY layer");
  row.bind(cell);
  while (row.step()) {
    rows.push_back({row.get<Id>(0), row.get<int>(1), row.get<std::int64_t>(2), row.get<std::int64_t>(3),
                    row.get<std::int64_t>(4), row.get<double>(5), row.get<std::int64_t>(6),
                    row.get<std::string>(7), row.get<std::optional<double>>(8)});
  }
  return rows;
}

}  // namespace moelab::store

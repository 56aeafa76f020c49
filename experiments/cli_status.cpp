// moelab status: how far each study is, from the database alone, so that it works from another shell.
#include <fmt/format.h>

#include "experiments/cli.h"
#include "experiments/study_results.h"
#include "experiments/text_table.h"
#include "experiments/workspace.h"

namespace moelab::experiments {

namespace {

constexpr const char* kStudies =
    "SELECT id, name, protocol, created, coalesce(finished, '-'), "
    "(SELECT count(*) FROM study_cell AS x WHERE x.study = y.id), "
    "(SELECT count(*) FROM study_cell AS x JOIN cell AS c ON c.id = x.cell WHERE x.study = y.id "
    "AND c.status IN ('done', 'inert', 'partial')), "
    "(SELECT count(*) FROM study_cell AS x JOIN sample AS s ON s.cell = x.cell WHERE x.study = y.id) "
    "FROM study AS y ORDER BY id";

void print_studies(store::Store& store, const std::string& wanted) {
  TextTable table;
  table.columns = {{"study", true}, {"protocol", true}, {"cells"},         {"done"},
                   {"samples"},     {"started", true},  {"finished", true}};
  store::Statement row = store.database().prepare(kStudies);
  while (row.step()) {
    const auto name = row.get<std::string>(1);
    if (!wanted.empty() && name != wanted) continue;
    table.add({name, row.get<std::string>(2), row.get<std::string>(5), row.get<std::string>(6),
               row.get<std::string>(7), row.get<std::string>(3), row.get<std::string>(4)});
  }
  fmt::print("{}", render(table, TableFormat::text));
}

void print_models(store::Store& store, store::Id study) {
  TextTable table;
  table.columns = {{"model", true}, {"domain", true}, {"cells"},   {"done"},
                   {"failed"},      {"samples"},      {"tokens/s"}};
  store::Statement row = store.database().prepare(
      "SELECT m.name, c.domain, count(*), sum(c.status IN ('done', 'inert', 'partial')), sum(c.status = "
      "'failed'), sum((SELECT count(*) FROM sample AS s WHERE s.cell = c.id)), sum(c.tokens) / "
      "max(sum(c.seconds), 1e-9) FROM study_cell AS x JOIN cell AS c ON c.id = x.cell JOIN model AS m ON "
      "m.id = c.model WHERE x.study = ?1 GROUP BY m.id, c.domain ORDER BY m.id, c.domain");
  row.bind(study);
  while (row.step()) {
    table.add({row.get<std::string>(0), row.get<std::string>(1), row.get<std::string>(2),
               row.get<std::string>(3), row.get<std::string>(4), row.get<std::string>(5),
               fmt::format("{:.0f}", row.get<double>(6))});
  }
  fmt::print("\n{}{}\n", render(table, TableFormat::text), cell_count_text(cell_counts(store, study)));
}

void print_failures(store::Store& store, store::Id study) {
  store::Statement row = store.database().prepare(
      "SELECT c.id, c.domain, c.method, c.error FROM study_cell AS x JOIN cell AS c ON c.id = x.cell "
      "WHERE x.study = ?1 AND c.status = 'failed' ORDER BY c.id LIMIT 10");
  row.bind(study);
  while (row.step()) {
    fmt::print("failed: cell {} ({} {}): {}\n", row.get<store::Id>(0), row.get<std::string>(1),
               row.get<std::string>(2), row.get<std::string>(3));
  }
}

void print_events(store::Store& store, store::Id study) {
  store::Statement row = store.database().prepare(
      "SELECT time, kind, text FROM (SELECT * FROM event WHERE study = ?1 ORDER BY id DESC LIMIT 5) ORDER BY "
      "id");
  row.bind(study);
  while (row.step()) {
    fmt::print("{} {}: {}\n", row.get<std::string>(0), row.get<std::string>(1),
               shortened(row.get<std::string>(2), 110));
  }
}

int status(const Arguments& arguments) {
  store::Store store = open_results(arguments);
  const store::Id study = require_study(store, arguments.setting("study"));
  print_studies(store, arguments.setting("study"));
  print_models(store, study);
  print_failures(store, study);
  print_events(store, study);
  return kExitDone;
}

}  // namespace

Verb verb_status() {
  VerbSpec spec;
  spec.name = "status";
  spec.summary = "how far the studies are";
  spec.usage = "[study=NAME] [db=PATH]";
  spec.text =
      "Lists the studies of the database, then the cells of one (the newest, or study=NAME) by model and "
      "domain, what\n"
      "failed and why, and the last events. It reads while a run writes.";
  spec.settings = {{"study", "the study to look at (default: the newest)"}, database_setting()};
  spec.examples = {"moelab status", "moelab status study=demo", "watch -n 10 moelab status study=demo"};
  return {spec, status};
}

}  // namespace moelab::experiments

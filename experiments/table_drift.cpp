// The drift table: how often a model refuses harmful requests before and after each fine-tuning, as it was
// measured last.
#include <fmt/format.h>

#include "experiments/study_notes.h"
#include "experiments/tables.h"

namespace moelab::experiments {
namespace {

std::string drift_text(const Json& note) {
  return fmt::format("{} [{}, {}]", points(note.at("drift")), points(note.at("drift_lo")),
                     points(note.at("drift_hi")));
}

void add_record(TextTable& table, const std::string& model, const Json& note) {
  std::vector<std::string> cells = {model, note.at("benchmark"), note.at("method"), note.at("domain"),
                                    fmt::to_string(note.at("probes").get<std::int64_t>())};
  for (const char* key : {"refused_before", "refused_after", "drift", "drift_lo", "drift_hi", "p"})
    cells.push_back(number_text(note.at(key)));
  table.add(std::move(cells));
}

void add_line(TextTable& table, const Json& note) {
  table.add({fmt::format("  {}", note.at("method").get<std::string>()), note.at("domain"),
             fmt::to_string(note.at("probes").get<std::int64_t>()), percent(note.at("refused_before")),
             percent(note.at("refused_after")), drift_text(note), p_text(note.at("p"))});
}

TextTable empty_table(const std::string& study, bool as_records) {
  TextTable table;
  if (as_records) {
    for (const char* name : {"model", "benchmark", "method", "trained_domain"})
      table.columns.push_back({name, true});
    for (const char* name :
         {"probes", "refused_before", "refused_after", "drift", "drift_lo", "drift_hi", "p"})
      table.columns.push_back({name});
    return table;
  }
  table.title = fmt::format("Alignment drift, study {}", study);
  table.columns = {{"method", true}, {"trained on", true}, {"probes"}, {"before"},
                   {"after"},        {"drift [95 %]"},     {"p"}};
  table.footers = {
      "before, after: probes that the model refuses, in per cent; drift: the difference in points, with "
      "Tango's interval paired over",
      "the probes and McNemar's exact test, not corrected for their number."};
  return table;
}

}  // namespace

TextTable drift_table(store::Store& store, const TableRequest& request, bool as_records) {
  TextTable table = empty_table(store.study(request.study).name, as_records);
  std::string group;
  for (const Json& note : newest_drift(store, request.study)) {
    const std::string model = store.model(note.at("model").get<store::Id>()).name;
    if (!is_wanted(request.models, model) || !is_wanted(request.methods, note.at("method")) ||
        !is_wanted(request.domains, note.at("domain")))
      continue;
    if (as_records) {
      add_record(table, model, note);
      continue;
    }
    const std::string next = fmt::format("{} / {}", model, note.at("benchmark").get<std::string>());
    if (next != group) table.add_heading(next);
    group = next;
    add_line(table, note);
  }
  if (table.rows.empty())
    throw ConfigError(
        "the study has no measured drift; run it with the method sft and "
        "sft.drift.probes=data/probes/refusal.jsonl");
  return table;
}

}  // namespace moelab::experiments

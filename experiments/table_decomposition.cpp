// The decomposition table: what the format, the length limit and the content of the answers add to each gain.
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "core/base/json.h"
#include "experiments/statistics/gain_parts.h"
#include "experiments/tables.h"

namespace moelab::experiments {

namespace {

constexpr std::array<const char*, 3> kPartNames = {"format", "truncation", "content"};

struct PartsRow {
  MethodRow method;
  statistics::GainParts parts;
};

statistics::GainPart part_in(const Json& parts, const char* name) {
  const auto counts = json_get<std::array<std::int64_t, 2>>(parts, name, "comparison.settings");
  return {counts[0], counts[1]};
}

// The stored parts of each method's gain, by (model, benchmark, domain, method).
std::vector<PartsRow> parts_rows(store::Store& store, const TableRequest& request) {
  std::vector<PartsRow> rows;
  const std::vector<store::ComparisonRow> stored = store.comparisons(request.study);
  for (const MethodRow& line : method_rows(store, request)) {
    for (const store::ComparisonRow& row : stored) {
      const bool is_own = row.steered_domain.empty() || row.steered_domain == row.domain;
      if (!is_own || row.draw != 0 || row.method != line.method || row.domain != line.domain ||
          row.benchmark != line.benchmark || row.evaluator != line.evaluator ||
          row.protocol != line.protocol || store.model(row.model).name != line.model)
        continue;
      const Json settings = parse_json(row.settings, "comparison.settings");
      const auto parts = settings.find("gain_parts");
      if (parts == settings.end()) continue;
      const std::string origin = "comparison.settings";
      rows.push_back({line,
                      {json_get<std::int64_t>(*parts, "n", origin), part_in(*parts, kPartNames[0]),
                       part_in(*parts, kPartNames[1]), part_in(*parts, kPartNames[2])}});
    }
  }
  if (rows.empty())
    throw ConfigError(
        "the study '{}' has no gain to split: its options were scored, or it was analysed before gains were "
        "split (moelab run study=NAME analyses it again)",
        store.study(request.study).name);
  return rows;
}

std::array<statistics::GainPart, 3> parts_of_row(const statistics::GainParts& parts) {
  return {parts.format, parts.truncation, parts.content};
}

double share_of(std::int64_t count, const statistics::GainParts& parts) {
  return static_cast<double>(count) / static_cast<double>(parts.n);
}

TextTable decomposition_records(const std::vector<PartsRow>& rows) {
  TextTable table;
  for (const char* name : {"model", "benchmark", "domain", "method", "evaluator"})
    table.columns.push_back({name, true});
  for (const char* name : {"question_repeats", "gain", "net"}) table.columns.push_back({name});
  for (const char* name : kPartNames)
    for (const char* side : {"gained", "lost"}) table.columns.push_back({fmt::format("{}_{}", name, side)});
  for (const auto& [method, parts] : rows) {
    std::vector<std::string> line = {method.model,
                                     method.benchmark,
                                     method.domain,
                                     method.method,
                                     method.evaluator,
                                     fmt::to_string(parts.n),
                                     number_text(share_of(parts.net(), parts)),
                                     fmt::to_string(parts.net())};
    for (const statistics::GainPart& part : parts_of_row(parts)) {
      line.push_back(fmt::to_string(part.gained));
      line.push_back(fmt::to_string(part.lost));
    }
    table.add(std::move(line));
  }
  return table;
}

}  // namespace

TextTable decomposition_table(store::Store& store, const TableRequest& request, bool as_records) {
  const std::vector<PartsRow> rows = parts_rows(store, request);
  if (as_records) return decomposition_records(rows);
  TextTable table;
  table.title = fmt::format("Where gains come from, study {}", store.study(request.study).name);
  table.columns = {{"method", true}, {"gain"}, {"format"}, {"truncation"}, {"content"}, {"pairs"}};
  std::string group;
  for (const auto& [method, parts] : rows) {
    const std::string next = fmt::format("{} / {} / {}: n {}, chance {}", method.model, method.benchmark,
                                         method.domain, method.n, percent(method.chance));
    if (next != group) table.add_heading(next);
    group = next;
    std::vector<std::string> line = {"  " + method.method, points(share_of(parts.net(), parts))};
    for (const statistics::GainPart& part : parts_of_row(parts))
      line.push_back(
          fmt::format("{} (+{} / -{})", points(share_of(part.net(), parts)), part.gained, part.lost));
    line.push_back(fmt::to_string(parts.n));
    table.add(std::move(line));
  }
  table.footers = {
      fmt::format(
          "Evaluator {}; in points of the gain over the original, with the answers that turned right / "
          "wrong.",
          rows.front().method.evaluator),
      "truncation: one of the two texts was cut off; format: else, an answer was found in one only; content: "
      "the rest.",
      "The three sum to the gain. pairs: questions x repeats."};
  return table;
}

}  // namespace moelab::experiments
